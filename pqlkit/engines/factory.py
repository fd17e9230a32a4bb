"""The choice of an engine by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.errors import EngineError, nearest

if TYPE_CHECKING:
    from pqlkit.engines.base import Engine

ENGINES: Final = ("polars", "duckdb")
"""The engines of this build; the first is the default."""


def engine(name: str = "polars") -> Engine:
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
    match name:
        case "polars":
            from pqlkit.engines.polars import PolarsEngine

            return PolarsEngine()
        case "duckdb":
            return _duckdb()
        case "spark":
            message = "this build has no Spark engine"
            raise EngineError(message, where="--engine", hint=f"use one of: {', '.join(ENGINES)}")
        case _:
            message = f"there is no engine {name!r}"
            known = nearest(name, ENGINES)
            hint = f"did you mean {known}?" if known else f"use one of: {', '.join(ENGINES)}"
            raise EngineError(message, where="--engine", hint=hint)


def _duckdb() -> Engine:
    try:
        from pqlkit.engines.duckdb import DuckDBEngine
    except ImportError as error:
        message = f"the engine duckdb needs a package that is not installed: {error.name}"
        raise EngineError(message, where="--engine", hint="pip install 'pqlkit[duckdb]'") from error
    return DuckDBEngine()
