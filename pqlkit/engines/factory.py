"""The choice of an engine by its name."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final

from pqlkit.errors import EngineError, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from pqlkit.engines.base import Cluster, Engine


class EngineName(StrEnum):
    """What evaluates the tables."""

    POLARS = "polars"
    DUCKDB = "duckdb"
    SPARK = "spark"


ENGINES: Final = tuple(EngineName)
"""The engines of this build; the first is the default."""


def engine(name: str = EngineName.POLARS, remote: str | None = None) -> Engine:
    """Give the engine called `name`.

    Parameters
    ----------
    name
        One of `ENGINES`.
    remote
        Of spark, the address of its server; None = what the environment says.

    Raises
    ------
    EngineError
        The name is not one of `ENGINES`, the engine's package is not installed, or its server cannot be reached.

    Examples
    --------
    >>> engine("polars").name
    'polars'
    """
    if name not in ENGINES:
        hint = suggestion(name, ENGINES, f"use one of: {', '.join(ENGINES)}")
        raise EngineError(f"there is no engine {name!r}", where="--engine", hint=hint)
    match EngineName(name):
        case EngineName.POLARS:
            from pqlkit.engines.polars import PolarsEngine

            return PolarsEngine()
        case EngineName.DUCKDB:
            return _duckdb()
        case EngineName.SPARK:
            return _spark(remote)


def cluster(name: str, remote: str | None = None) -> Callable[[], Cluster] | None:
    """Give what begins a session on a cluster, where tables are asked for by name; None of an engine that runs here."""
    return partial(_spark, remote) if name == EngineName.SPARK else None


def _duckdb() -> Engine:
    try:
        from pqlkit.engines.duckdb import DuckDBEngine
    except ImportError as error:
        raise _not_installed(error, EngineName.DUCKDB) from error
    return DuckDBEngine()


def _spark(remote: str | None) -> Cluster:
    try:
        from pqlkit.engines.spark import SparkEngine
    except ImportError as error:
        raise _not_installed(error, EngineName.SPARK) from error
    return SparkEngine.of(remote)


def _not_installed(error: ImportError, name: EngineName) -> EngineError:
    message = f"the engine {name} needs a package that is not installed: {error.name}"
    return EngineError(message, where="--engine", hint=f"pip install 'pqlkit[{name}]'")
