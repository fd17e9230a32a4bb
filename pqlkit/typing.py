"""Types: the aliases that more than one package uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import narwhals as nw

Microseconds: TypeAlias = int
"""An instant (UTC, since 1970) or a span, in whole microseconds."""

Number: TypeAlias = int | float
"""A threshold or a measured value as people write it."""

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""A value that JSON can hold."""

LazyFrame: TypeAlias = "nw.LazyFrame[object]"
"""A lazy table of whichever engine runs, seen through Narwhals."""
