"""Readings: what people write after an option, read into what the library takes.

Each takes what was written and the name to blame, and raises `UsageError`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Final, TypeVar

from pqlkit.durations import Duration
from pqlkit.errors import UsageError, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from pathlib import Path

    from pqlkit.definitions.model import Definition, Measure
    from pqlkit.options.bound import Bound
    from pqlkit.typing import Microseconds

Choice = TypeVar("Choice", bound=StrEnum)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
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


def duration(text: str, name: str) -> Duration:
    """Read a duration.

    Raises
    ------
    UsageError
        The text is no duration.
    """
    if text.strip().isdecimal():
        raise UsageError(f"{name}: {text.strip()} has no unit", hint=f"write {text.strip()}d")
    try:
        return Duration.parse(text)
    except ValueError as error:
        what, _, how = str(error).partition(": ")
        raise UsageError(f"{name}: {what}", hint=how or "write at most 36500d") from None


def durations(text: str, name: str) -> tuple[Duration, ...]:
    """Read a list of durations, ascending and without repeats.

    Raises
    ------
    UsageError
        One of them is no duration, or all are missing.

    Examples
    --------
    >>> [str(span) for span in durations("14d,3d,7d", "--windows")]
    ['3d', '7d', '14d']
    """
    spans = {duration(part, name) for part in listed(text, name)}
    if not spans:
        raise UsageError(f"{name} names no duration", hint="write 3d,7d,14d")
    return tuple(sorted(spans))


def moment(text: str, name: str) -> Microseconds:
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

    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name}: {text!r} is not a date", hint="write 2026-01-31") from None
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    delta = value - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def written_moment(text: str, name: str) -> date | datetime:
    """Read an ISO date or instant; what it means depends on the data's time zone.

    Raises
    ------
    UsageError
        It is neither.

    Examples
    --------
    >>> written_moment("2026-10-31", "--as-of")
    datetime.date(2026, 10, 31)
    """
    from datetime import date, datetime

    written = text.strip()
    try:
        if _DATE.fullmatch(written):
            return date.fromisoformat(written)
        return datetime.fromisoformat(written)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is neither a date nor an instant",
            where=name,
            hint="write it like 2026-10-31 or 2026-10-31T12:00Z",
        ) from error


def moment_text(text: str, name: str) -> str:
    """Check an ISO date or instant, and leave it as it is written."""
    written_moment(text, name)
    return text


def measures(text: str, name: str) -> tuple[Measure, ...]:
    """Read ``count,days,sum(amount)``.

    Raises
    ------
    UsageError
        A measure is unknown, or one that needs a property has none.

    Examples
    --------
    >>> [measure.kind.value for measure in measures("count,sum(amount)", "--measures")]
    ['count', 'sum']
    """
    from pqlkit.definitions.model import Measure, MeasureKind

    measured = []
    for part in listed(text, name):
        match = _MEASURE.fullmatch(part)
        kind = chosen(MeasureKind)(match[1] if match else part, name)
        seen = match[2] if match else None
        if kind.needs_property != (seen is not None):
            hint = f"write {kind}(property)" if kind.needs_property else f"write {kind}"
            raise UsageError(f"{name}: {part!r} is not a measure", hint=hint)
        measured.append(Measure(kind=kind, property=seen))
    return tuple(dict.fromkeys(measured))


def chosen(kind: type[Choice]) -> Callable[[str, str], Choice]:
    """Make a reading of the spellings of an enumeration; the nearest to another word is suggested.

    Examples
    --------
    >>> from pqlkit.definitions.model import MeasureKind
    >>> chosen(MeasureKind)("days", "--measures").value
    'days'
    """

    def read(text: str, name: str) -> Choice:
        return kind(word(*kind)(text, name))

    return read


def word(*known: str) -> Callable[[str, str], str]:
    """Make a reading of a few words; the nearest to another word is suggested.

    Examples
    --------
    >>> word("auto", "user")("user", "--entity")
    'user'
    """

    def read(text: str, name: str) -> str:
        if text in known:
            return text
        hint = suggestion(text, known, f"write one of {', '.join(known)}")
        raise UsageError(f"{name}: {text!r} is not known", hint=hint)

    return read


def definition_name(text: str, name: str) -> str:
    """Check a name that a definition is to bear, and its file with it.

    Raises
    ------
    UsageError
        It is no name that a definition can have.
    """
    from pqlkit.definitions import values

    try:
        return values.definition_name(text)
    except values.FaultError as error:
        raise UsageError(f"{name}: {error}", hint="write one like team-rollout") from None


def definition(path: Path, name: str) -> Definition:
    """Read a definition file; its faults are told with their places."""
    from pqlkit.definitions.folders import load_definition

    return load_definition(path)


def hypothesis_file(path: Path, name: str) -> Path:
    """Check the file that a written hypothesis becomes: ``NAME.yml``, where NAME is a definition's.

    Raises
    ------
    UsageError
        It is no such file.
    """
    if path.suffix not in {".yml", ".yaml"}:
        raise UsageError(f"{name}: {path} is no .yml file", hint=f"write {name} definitions/NAME.yml")
    definition_name(path.stem, name)
    return path


def whole(least: int, most: float = inf) -> Callable[[int, str], int]:
    """Make a reading of whole numbers within bounds.

    Examples
    --------
    >>> whole(1, 3)(2, "--max-criteria")
    2
    """

    def read(value: int, name: str) -> int:
        if not least <= value <= most:
            raise UsageError(
                f"{name}: {value} is below {least}"
                if most == inf
                else f"{name}: {value} is not between {least} and {most}",
                hint=f"write {least if value < least else most}",
            )
        return value

    return read


def seconds(value: float, name: str) -> float:
    """Check a time to search.

    Raises
    ------
    UsageError
        It is none.
    """
    if not value > 0:
        raise UsageError(f"{name}: {value:g} is no time to search", hint="write 60")
    return value


def part(text: str, name: str) -> float:
    """Read a share that leaves something on both sides.

    Raises
    ------
    UsageError
        It is no share, or nothing, or all.
    """
    value = share(text, name)
    if not 0 < value < 1:
        raise UsageError(f"{name}: both parts need snapshots", hint="write 25%")
    return value


def weekly(text: str, name: str) -> float:
    """Read ``50/week``.

    Raises
    ------
    UsageError
        It is not a number and ``/week``.

    Examples
    --------
    >>> weekly("50/week", "--capacity")
    50.0
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)/(?:week|w)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise UsageError(f"{name}: {text!r} is not a number of leads a week", hint="write 50/week")
    return float(match[1])


def dates(text: str, name: str) -> tuple[str, str]:
    """Read ``FROM..TO``.

    Raises
    ------
    UsageError
        There are not two dates with ``..`` between them.
    """
    from datetime import date

    first, dots, last = text.partition("..")
    try:
        if not dots or date.fromisoformat(first) > date.fromisoformat(last):
            raise ValueError
    except ValueError:
        raise UsageError(f"{name}: {text!r} is not FROM..TO", hint="write 2024-01-01..2026-12-31") from None
    return first, last


def bound(text: str, name: str) -> Bound:
    """Read a guard's bound.

    Raises
    ------
    UsageError
        It is neither a number nor a multiple.
    """
    from pqlkit.options.bound import Bound

    try:
        return Bound.parse(text)
    except ValueError:
        raise UsageError(
            f"{name}: {text!r} is not a number of leads", hint="write 200, or 3x the usual number"
        ) from None


def design(text: str, name: str) -> str:
    """Check how a schedule of snapshots is spelled; what it means with windows and conversion window is known later.

    Raises
    ------
    UsageError
        It is no schedule.
    """
    from pqlkit.options.schedule_kind import spelled

    if text != "auto":
        spelled(text, name)
    return text


def listed(text: str, name: str) -> tuple[str, ...]:
    """Split a list at its commas.

    Examples
    --------
    >>> listed("owner, plan", "--keep")
    ('owner', 'plan')
    """
    return tuple(item.strip() for item in text.split(",") if item.strip())


def renames(text: str, name: str) -> dict[str, str]:
    """Read ``score=pql_score,status=pql_status``.

    Raises
    ------
    UsageError
        A part has no ``=``.

    Examples
    --------
    >>> renames("score=pql_score", "--rename")
    {'score': 'pql_score'}
    """
    pairs = [item.partition("=") for item in listed(text, name)]
    for old, sign, new in pairs:
        if not sign or not old.strip() or not new.strip():
            raise UsageError(f"{name}: {old!r} is not old=new", hint="write score=pql_score,status=pql_status")
    return {old.strip(): new.strip() for old, _, new in pairs}
