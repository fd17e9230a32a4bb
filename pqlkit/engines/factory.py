"""The choice of an engine by its name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pqlkit.errors import EngineError, suggestion

if TYPE_CHECKING:
    from pqlkit.engines.base import Engine


class EngineName(StrEnum):
    """What evaluates the tables."""

    POLARS = "polars"
    DUCKDB = "duckdb"


ENGINES: Final = tuple(EngineName)
"""The engines of this build; the first is the default."""


def engine(name: str = EngineName.POLARS) -> Engine:
    """Give the engine called `name`.

    Raises
    ------
    EngineError
        The name is not one of `ENGINES`, or the engine's package is not installed.

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


def _duckdb() -> Engine:
    try:
        from pqlkit.engines.duckdb import DuckDBEngine
    except ImportError as error:
        message = f"the engine duckdb needs a package that is not installed: {error.name}"
        raise EngineError(message, where="--engine", hint="pip install 'pqlkit[duckdb]'") from error
    return DuckDBEngine()
