"""The calendar: which date an instant falls on in a zone, as integer arithmetic that every engine does alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import narwhals as nw

from pqlkit.durations import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.typing import Microseconds

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = int((datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))
_LAST: Final = int((datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The offsets of one zone over a stretch of time.

    Parameters
    ----------
    first
        Offset from UTC at the beginning, microseconds.
    changes
        (instant, offset before, offset after), ascending: from that instant on the later offset holds.
    """

    first: Microseconds
    changes: tuple[tuple[Microseconds, Microseconds, Microseconds], ...] = ()

    @classmethod
    def of(cls, zone: str, begin: Microseconds, end: Microseconds) -> Calendar:
        """Give the calendar of `zone` (an IANA name) that is right for instants in [begin, end].

        Examples
        --------
        >>> summer = 1782000000_000_000  # June 2026
        >>> Calendar.of("Europe/Berlin", summer, summer).first // 3_600_000_000
        2
        """
        return _calendar(zone, max(begin // DAY * DAY, _FIRST), min(end, _LAST))

    def date(self, at: nw.Expr) -> nw.Expr:
        """Give the local date of an instant, as days since 1970-01-01."""
        return self.local(at) // DAY

    def local(self, at: nw.Expr) -> nw.Expr:
        """Give what a clock in the zone shows at an instant, as microseconds since 1970-01-01 00:00 of that clock."""
        if not self.changes:
            return at + self.first if self.first else at
        turns = [(instant, after) for instant, _, after in self.changes]
        return at + _stepped(at, self.first, turns)

    def instant(self, local: nw.Expr) -> nw.Expr:
        """Give the first instant at which the clock shows `local`; for a time that is skipped, the end of the skip."""
        turns = [(instant + max(before, after), after) for instant, before, after in self.changes]
        plain = local - _stepped(local, self.first, turns)
        skips: list[tuple[int, int | None]] = []
        for instant, before, after in self.changes:
            if after > before:
                skips += [(instant + before, instant), (instant + after, None)]
        return nw.coalesce(_stepped(local, None, skips), plain) if skips else plain


def _stepped(at: nw.Expr, before: int | None, turns: Sequence[tuple[int, int | None]]) -> nw.Expr:
    """Give the value of the last turn that was reached, `before` ahead of all.

    Halved, for a zone has changed a hundred times, and Spark takes no expression of some fifty levels.
    """
    if not turns:
        return nw.lit(before, nw.Int64)
    middle = len(turns) // 2
    turn, after = turns[middle]
    later, earlier = _stepped(at, after, turns[middle + 1 :]), _stepped(at, before, turns[:middle])
    return nw.when(at >= turn).then(later).otherwise(earlier)


@lru_cache(maxsize=64)
def _calendar(zone: str, begin: Microseconds, end: Microseconds) -> Calendar:
    changes = tuple(_changes(ZoneInfo(zone), begin, max(begin, end)))
    return Calendar(_offset(ZoneInfo(zone), begin), changes)


def _changes(zone: ZoneInfo, begin: Microseconds, end: Microseconds) -> Iterator[tuple[int, int, int]]:
    # A zone has no list of its changes to ask for; none has ever changed twice within a day.
    marks = [*range(begin, end, DAY), end]
    for low, high in pairwise(marks):
        before, after = _offset(zone, low), _offset(zone, high)
        if before != after:
            yield _turn(zone, low, high, before), before, after


def _turn(zone: ZoneInfo, low: Microseconds, high: Microseconds, before: Microseconds) -> Microseconds:
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: ZoneInfo, at: Microseconds) -> Microseconds:
    offset = (_EPOCH + timedelta(microseconds=at)).astimezone(zone).utcoffset()
    return offset // timedelta(microseconds=1) if offset is not None else 0
