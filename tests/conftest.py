"""A real PostgreSQL server on loopback, started once and gone with the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines.servers import spark_remote
from tests.tools import needs

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.fixture
def spark_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a server of Spark Connect in the environment, for tests that go through all engines."""
    monkeypatch.setenv("SPARK_REMOTE", spark_remote())
