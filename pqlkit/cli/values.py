"""Values: what people type after an option, read into what the library takes."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from pqlkit.durations import Duration
from pqlkit.errors import UsageError, nearest

if TYPE_CHECKING:
    from pqlkit.definitions.model import Measure
    from pqlkit.typing import Microseconds

Choice = TypeVar("Choice", bound=StrEnum)
_MEASURE: Final = re.compile(r"(\w+)(?:\((.+)\))?")


def share(text: str, name: str) -> float:
    """Read a share: ``15%`` or ``0.15``; a bare 15 is an error.

    Raises
    ------
    UsageError
        The text is not a share between 0 and 1.

    Examples
    --------
    >>> share("15%", "--min-rate"), share("0.15", "--min-rate")
    (0.15, 0.15)
    """
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(f"{name}: {text!r} is not a share", hint="write 15% or 0.15")
    return value


def duration(text: str | None, name: str) -> Duration | None:
    """Read a duration, or None where nothing was given.

    Raises
    ------
    UsageError
        The text is no duration.
    """
    if text is None:
        return None
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None


def durations(text: str | None, name: str) -> tuple[Duration, ...] | None:
    """Read a list of durations, ascending and without repeats.

    Raises
    ------
    UsageError
        One of them is no duration, or all are missing.

    Examples
    --------
    >>> [str(one) for one in durations("14d,3d,7d", "--windows")]
    ['3d', '7d', '14d']
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    found = {one for part in parts if (one := duration(part, name)) is not None}
    if not found:
        raise UsageError(f"{name} names no duration", hint="write 3d,7d,14d")
    return tuple(sorted(found))


def moment(text: str | None, name: str) -> Microseconds | None:
    """Read a date (its first microsecond, UTC) or an ISO 8601 time.

    Raises
    ------
    UsageError
        The text is neither.

    Examples
    --------
    >>> moment("1970-01-02", "--events-from")
    86400000000
    """
    from datetime import UTC, datetime

    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name}: {text!r} is not a date", hint="write 2026-01-31") from None
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    delta = value - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def measures(text: str | None) -> tuple[Measure, ...] | None:
    """Read ``count,days,sum(amount)``.

    Raises
    ------
    UsageError
        A measure is unknown, or one that needs a property has none.

    Examples
    --------
    >>> [one.kind.value for one in measures("count,sum(amount)")]
    ['count', 'sum']
    """
    from pqlkit.definitions.model import Measure, MeasureKind

    if text is None:
        return None
    found = []
    for part in text.split(","):
        match = _MEASURE.fullmatch(part.strip())
        kind = chosen(match[1] if match else part.strip(), MeasureKind, "--measures")
        name = match[2] if match else None
        needs = kind in {MeasureKind.DISTINCT, MeasureKind.SUM, MeasureKind.MAX, MeasureKind.LAST}
        if kind is None or needs != (name is not None):
            hint = f"write {kind}(property)" if needs else f"write {kind}"
            raise UsageError(f"--measures: {part.strip()!r} is not a measure", hint=hint)
        found.append(Measure(kind=kind, property=name))
    return tuple(dict.fromkeys(found))


def chosen(text: str | None, kind: type[Choice], name: str) -> Choice | None:
    """Read one of the spellings of an enumeration.

    Raises
    ------
    UsageError
        It is none of them; the nearest is suggested.
    """
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        known = [member.value for member in kind]
        close = nearest(text, known)
        hint = f"did you mean {close}?" if close else f"one of {', '.join(known)}"
        raise UsageError(f"{name}: {text!r} is not known", hint=hint) from None


def checked_name(text: str, name: str) -> str:
    """Check a name that a definition is to bear, and its file with it.

    Raises
    ------
    UsageError
        It is no name that a definition can have.
    """
    from pqlkit.definitions.values import FaultError, definition_name

    try:
        return definition_name(text)
    except FaultError as error:
        raise UsageError(f"{name}: {error}") from None


def whole(value: int | None, name: str, least: int, most: int) -> int | None:
    """Check a whole number against its bounds.

    Raises
    ------
    UsageError
        It is outside.
    """
    if value is not None and not least <= value <= most:
        raise UsageError(f"{name}: {value} is not between {least} and {most}")
    return value
