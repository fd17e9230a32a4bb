"""Durations: a whole number and a unit, echoed as written; and instants as ISO 8601."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import total_ordering
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pqlkit.typing import Microseconds

MINUTE: Final = 60_000_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
UNITS: Final = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
NAMES: Final = {"m": "minute", "h": "hour", "d": "day", "w": "week"}

_PATTERN: Final = re.compile(r"([0-9]{1,9})([mhdw])", re.ASCII)
_LONGEST: Final = 100 * 366 * DAY


@total_ordering
@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time as a person wrote it: equal when it lasts as long, printed as written.

    Parameters
    ----------
    amount
        A whole number, at least 0.
    unit
        ``m`` minutes, ``h`` hours, ``d`` days of 86,400 s, ``w`` weeks of 7 d.

    Examples
    --------
    >>> Duration.parse("2w") == Duration.parse("14d")
    True
    >>> str(Duration.parse("2w")), Duration.parse("2w").in_words
    ('2w', '2 weeks')
    """

    amount: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read ``14d``.

        Raises
        ------
        ValueError
            The text is not a whole number and one of ``m h d w``, or is longer than 100 years.
        """
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            message = f"{text!r} is not a duration: write a whole number and a unit m, h, d or w, like 14d"
            raise ValueError(message)
        duration = cls(int(match[1]), match[2])
        if duration.microseconds > _LONGEST:
            message = f"{text!r} is longer than 100 years"
            raise ValueError(message)
        return duration

    @classmethod
    def of(cls, microseconds: int) -> Duration:
        """Name a span in days where whole, else in hours, else in minutes (rounded down)."""
        for unit in ("d", "h", "m"):
            if microseconds % UNITS[unit] == 0:
                return cls(microseconds // UNITS[unit], unit)
        return cls(microseconds // MINUTE, "m")

    @property
    def microseconds(self) -> int:
        """The span in microseconds."""
        return self.amount * UNITS[self.unit]

    @property
    def days(self) -> float:
        """The span in days of 86,400 s."""
        return self.microseconds / DAY

    @property
    def emitted(self) -> str:
        """The span as pqlkit writes it into files: in days where whole."""
        return str(Duration.of(self.microseconds))

    @property
    def in_words(self) -> str:
        """The span in English: ``14 days``, ``1 hour``."""
        return f"{self.amount} {NAMES[self.unit]}{'' if self.amount == 1 else 's'}"

    def __str__(self) -> str:
        """Echo what was written."""
        return f"{self.amount}{self.unit}"

    def __eq__(self, other: object) -> bool:
        """Compare by length of time: 2w equals 14d."""
        return isinstance(other, Duration) and self.microseconds == other.microseconds

    def __lt__(self, other: Duration) -> bool:
        """Order by length of time."""
        return self.microseconds < other.microseconds

    def __hash__(self) -> int:
        """Hash by length of time."""
        return hash(self.microseconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at: Microseconds | None) -> str | None:
    """Write an instant as ISO 8601 in UTC, with microseconds only where there are some.

    Examples
    --------
    >>> moment(0), moment(1_500_000), moment(None)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500000Z', None)
    """
    if at is None:
        return None
    return (_EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")
