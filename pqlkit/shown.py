"""The result that shows itself: short in a REPL, its screen when printed, a table in a notebook."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


class Shown:
    """A result of a step, or what a step begins from; how it is shown is said by `pqlkit.reporting.faces`, which knows all of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Name it with its few most telling figures."""
        return str(_faces().short(self))

    def __str__(self) -> str:
        """Give the screen of 80 columns that the command prints."""
        return str(_faces().screen(self))

    def _repr_html_(self) -> str:
        """Give a notebook the answer and the first table: no script, names escaped."""
        return str(_faces().html(self))


class Counted:
    """A record within a result, which in a REPL is its name and how many it counts, not all that it holds."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Name it."""
        return f"{type(self).__name__}({self._many()})"

    def _many(self) -> int:
        raise NotImplementedError


class Tabled(Shown):
    """A result that has rows."""

    __slots__ = ()

    def table(self) -> pl.DataFrame:
        """Give its rows as a frame: the columns of ``--format csv``."""
        frame: pl.DataFrame = _faces().frame(self)
        return frame


def _faces() -> Any:
    # Renderers stand above the steps whose results they show: they are asked for by name, when somebody looks.
    return import_module("pqlkit.reporting.faces")
