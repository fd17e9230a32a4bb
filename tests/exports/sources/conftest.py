"""A real server of S3 (moto) on loopback, started once and gone with the tests."""

from __future__ import annotations

import os
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """A bucket of the server."""

    def __init__(self, endpoint: str, name: str) -> None:
        from obstore.store import S3Store

        self.address = f"s3://{name}"
        with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{name}", method="PUT"), timeout=10):
            self.store = S3Store(name, client_options={"allow_http": True})

    def put(self, key: str, content: str | bytes) -> str:
        import obstore

        obstore.put(self.store, key, content.encode() if isinstance(content, str) else content)
        return f"{self.address}/{key}"


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Bucket:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-s3")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return Bucket(s3_endpoint, f"b{abs(hash(request.node.nodeid))}")
