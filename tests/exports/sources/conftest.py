"""Real servers on loopback: S3 (moto) and PostgreSQL, each started once and gone with the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tools import needs

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


class Postgres:
    """A server of its own in a temporary folder."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, *statements: str) -> None:
        import adbc_driver_postgresql.dbapi as driver

        with driver.connect(self.url, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def value(self, query: str) -> object:
        import adbc_driver_postgresql.dbapi as driver
        import polars as pl

        with driver.connect(self.url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return pl.DataFrame(cursor.fetch_arrow()).item()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    initdb, pg_ctl = needs("initdb"), needs("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="pqlkit-postgres-"))
    as_server: list[str] = []
    if os.geteuid() == 0:
        # The server refuses to run as root.
        shutil.chown(folder, "postgres")
        as_server = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*command: str) -> None:
        done = subprocess.run(
            [*as_server, *command], cwd=folder, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data, password = str(folder / "data"), folder / "password"
    password.write_text("s3cret-of-pg")
    password.chmod(0o644)
    run(
        initdb,
        "-D",
        data,
        "-U",
        "pqlkit",
        "--auth=scram-sha-256",
        f"--pwfile={password}",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C",
    )
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c shared_buffers=16MB"
    )
    try:
        # The log is a file: a pipe would stay open as long as the server runs.
        run(pg_ctl, "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start")
        yield Postgres(f"postgresql://pqlkit:s3cret-of-pg@127.0.0.1:{port}/postgres")
    finally:
        with contextlib.suppress(AssertionError, subprocess.SubprocessError):
            run(pg_ctl, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
