"""The engines that tests run on: all of the build, Spark on a server of this process, or on the one that the environment names."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from pqlkit.engines import engine
from pqlkit.engines.factory import EngineName

if TYPE_CHECKING:
    from pqlkit.engines.base import Engine

__all__ = ["spark_remote", "started"]


@cache
def spark_remote() -> str:
    """Give the address of a Spark Connect server: a real one, if the environment names one, else Sail."""
    named = os.environ.get("PQLKIT_TEST_SPARK")
    if named:
        return named
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    _SERVERS.append(server)  # it stops with its last reference
    return f"sc://{host}:{port}"


_SERVERS: list[object] = []


def started(name: str) -> Engine:
    """Give an engine; of Spark, the one session of all tests of a process."""
    return _spark() if name == EngineName.SPARK else engine(name)


@cache
def _spark() -> Engine:
    return engine(EngineName.SPARK, spark_remote())
