"""The schedule: how ``--snapshots`` spells when behaviour is measured."""

from __future__ import annotations

from enum import StrEnum

from pqlkit.durations import Duration
from pqlkit.errors import UsageError, suggestion


class DesignKind(StrEnum):
    """How often an entity is looked at."""

    ONCE = "once"
    AGE = "age"
    EVERY = "every"


def spelled(text: str, where: str = "--snapshots") -> tuple[DesignKind, tuple[Duration, ...]]:
    """Read ``once:14d``, ``age:1d,3d`` or ``every:28d``: the kind, and its durations in ascending order.

    Parameters
    ----------
    text
        As written.
    where
        The option to blame.

    Raises
    ------
    UsageError
        It is something else.

    Examples
    --------
    >>> kind, spans = spelled("age:3d,1d")
    >>> kind.value, [str(span) for span in spans]
    ('age', ['1d', '3d'])
    """
    name, _, rest = text.strip().partition(":")
    if name not in tuple(DesignKind):
        raise UsageError(
            f"{text!r} is not a design of snapshots",
            where=where,
            hint=suggestion(name, [*DesignKind, "auto"], "write auto, once:14d, age:1d,3d,7d or every:28d"),
        )
    try:
        spans = tuple(sorted({Duration.parse(part) for part in rest.split(",")})) if rest else ()
    except ValueError as error:
        raise UsageError(str(error), where=where, hint="write once:14d, age:1d,3d,7d or every:28d") from error
    if spans and spans[0].microseconds == 0:
        raise UsageError(
            "a snapshot needs some time before it: 0 is none",
            where=where,
            hint="write once:14d, age:1d,3d,7d or every:28d",
        )
    return DesignKind(name), spans
