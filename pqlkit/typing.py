"""Types: the aliases that more than one package uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    import narwhals as nw


class Share(str):
    """A step of which a share is done: whoever shows progress may show the share, others show the step.

    Examples
    --------
    >>> step = Share("reading events", 3, 12)
    >>> step, step.done
    ('reading events', 0.25)
    """

    done: float

    def __new__(cls, step: str, part: float, whole: float) -> Self:
        """Take a step and how much of it is done."""
        share = super().__new__(cls, step)
        share.done = min(1.0, part / whole) if whole else 1.0
        return share


Microseconds: TypeAlias = int
"""An instant (UTC, since 1970) or a span, in whole microseconds."""

Number: TypeAlias = int | float
"""A threshold or a measured value as people write it."""

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""A value that JSON can hold."""

LazyFrame: TypeAlias = "nw.LazyFrame[object]"
"""A lazy table of whichever engine runs, seen through Narwhals."""
