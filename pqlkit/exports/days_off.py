"""The day off: a date on which nothing is expected of the product or of its export."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pqlkit.exports.zones import start_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pqlkit.typing import Microseconds

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysOff:
    """The days off of a project, as dates in its time zone.

    Parameters
    ----------
    weekdays
        0 = Monday.
    spans
        First and last date of each.
    zone
        IANA name.
    """

    weekdays: frozenset[int] = frozenset()
    spans: tuple[tuple[date, date], ...] = ()
    zone: str = field(default="UTC")

    @classmethod
    def parse(cls, texts: Iterable[str], zone: str) -> DaysOff:
        """Read weekdays, dates, and first and last dates.

        Raises
        ------
        ValueError
            One is none of these; the message is its text.

        Examples
        --------
        >>> DaysOff.parse(["sunday", "2026-12-24..2026-12-26"], "UTC").has(date(2026, 12, 25))
        True
        """
        weekdays, spans = set(), []
        for text in texts:
            name = text.strip().lower()
            if name in WEEKDAYS:
                weekdays.add(WEEKDAYS.index(name))
                continue
            first, dots, last = name.partition("..")
            try:
                span = (date.fromisoformat(first.strip()), date.fromisoformat((last if dots else first).strip()))
            except ValueError:
                raise ValueError(text) from None
            if span[0] > span[1]:
                raise ValueError(text)
            spans.append(span)
        return cls(weekdays=frozenset(weekdays), spans=tuple(spans), zone=zone)

    def has(self, day: date) -> bool:
        """Whether a date is one of them."""
        return day.weekday() in self.weekdays or any(first <= day <= last for first, last in self.spans)

    def on(self, at: Microseconds) -> bool:
        """Whether an instant lies on one of them."""
        return self.has(self._date(at))

    def within(self, begin: Microseconds, end: Microseconds) -> Microseconds:
        """Give how much of the time from `begin` to `end` lies on them.

        Examples
        --------
        >>> weekend = DaysOff(weekdays=frozenset({5, 6}))
        >>> from pqlkit.durations import DAY
        >>> weekend.within(1 * DAY, 5 * DAY) / DAY  # Friday 2 January 1970 to Tuesday
        2.0
        """
        if not self.weekdays and not self.spans:
            return 0
        total, day, last = 0, self._date(begin), self._date(end)
        while day <= last:
            after = day + timedelta(days=1)
            if self.has(day):
                total += max(0, min(end, start_of(after, self.zone)) - max(begin, start_of(day, self.zone)))
            day = after
        return total

    def _date(self, at: Microseconds) -> date:
        return (_EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(self.zone)).date()
