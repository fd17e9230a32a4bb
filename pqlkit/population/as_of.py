"""The as-of moment: the last microsecond that exists, and why it is that one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from pqlkit.durations import DAY
from pqlkit.errors import DataError, UsageError
from pqlkit.options.parsing import written_moment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.exports.dataset import Dataset, Table
    from pqlkit.typing import Microseconds

IMPROBABLE: Final = 0.001
"""A silence this improbable at the usual pace is worth a warning."""

VISIT: Final = 100
"""Events come in visits: so many of them count as one arrival."""

QUIET: Final = 7 * DAY
"""A product may be quiet for a week of holidays: an export of events that ends earlier than that is not told from them."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """The last microsecond that exists (`at`, UTC) and a clause that says why: ``newest row of events``."""

    at: Microseconds
    reason: str


def midnight(day: date, zone: str) -> Microseconds:
    """Give the first moment of a date in a zone, in UTC microseconds.

    Examples
    --------
    >>> midnight(date(1970, 1, 2), "UTC")
    86400000000
    >>> midnight(date(1970, 1, 2), "Europe/Paris")
    82800000000
    """
    return _microseconds(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)))


def day_of(at: Microseconds, zone: str) -> date:
    """Give the date of an instant in a zone.

    Examples
    --------
    >>> day_of(82_800_000_000, "UTC"), day_of(82_800_000_000, "Europe/Paris")
    (datetime.date(1970, 1, 1), datetime.date(1970, 1, 2))
    """
    return (_EPOCH + at * _MICROSECOND).astimezone(ZoneInfo(zone)).date()


def as_of(dataset: Dataset, stated: str | None = None) -> AsOf:
    """Choose the moment up to which everything is known.

    Parameters
    ----------
    dataset
        Its tables' newest rows and `complete_through` are asked.
    stated
        ``--as-of``: an ISO date (its last microsecond in the dataset's zone) or an ISO instant (without an offset: in the
        dataset's zone); None = the earliest `complete_through` that a table states, else the newest row of events and
        conversions.

    Raises
    ------
    UsageError
        `stated` is neither a date nor an instant, or lies before every event.
    DataError
        No table has a row with a time.
    """
    if stated is not None:
        return AsOf(at=_stated(dataset, stated), reason="--as-of")
    complete = sorted(
        (table.complete_through, name) for name, table in dataset.tables.items() if table.complete_through is not None
    )
    if complete:
        return AsOf(at=complete[0][0], reason=f"{complete[0][1]} are complete through then")
    newest = [
        (table.last, name)
        for name in ("events", "conversions")
        if (table := dataset.tables.get(name)) is not None and table.last is not None
    ]
    if not newest:
        events = dataset.tables.get("events")
        where = events.paths[0] if events is not None and events.paths else str(dataset.folder)
        raise DataError("no table has a row with a time", where=where, hint="check the events export: is it empty?")
    at, name = max(newest, key=lambda pair: pair[0])
    return AsOf(at=at, reason=f"newest row of {name}")


def events_from(dataset: Dataset, stated: str | None, at: Microseconds) -> Microseconds:
    """Say where the events export begins: silence before that moment is unknown, silence after it is silence.

    Parameters
    ----------
    dataset
        Whose events are meant.
    stated
        ``--events-from`` or the project file's ``events_from``: an ISO date (its first microsecond in the dataset's zone) or
        an ISO instant; None = the day of the first event.
    at
        The as-of moment: the beginning lies before it, and there where no event does.

    Raises
    ------
    UsageError
        `stated` is neither a date nor an instant, or lies after the as-of moment.
    """
    if stated is None:
        first = dataset.tables["events"].first
        return midnight(day_of(at if first is None else first, dataset.zone), dataset.zone)
    begin = read_moment(stated, dataset.zone, option="--events-from", end=False)
    if begin > at:
        raise UsageError(
            f"{stated} lies after the last moment that exists, on {day_of(at, dataset.zone)}",
            where="--events-from",
            hint="name the first day of the events export",
        )
    return begin


def silence(instants: NDArray[np.int64], at: Microseconds) -> str | None:
    """Say when the stretch between the last conversion and `at` is improbably long at the usual pace.

    Parameters
    ----------
    instants
        Conversion moments (UTC microseconds), in any order, none after `at`.
    at
        The as-of moment.

    Returns
    -------
    str or None
        A sentence that names ``conversions.complete_through``; None when exp(-rate x gap) >= 0.001, and where there is no pace: fewer
        than two conversions, all within a day (they fall on a date of their own), or as long a silence between two before.
        Rate = conversions less one, per microsecond between the first and the last.

    Examples
    --------
    >>> import numpy as np
    >>> silence(np.arange(100) * DAY, 102 * DAY) is None
    True
    >>> silence(np.arange(100) * DAY, 120 * DAY)
    'the last conversion is 21 days before the end of the data, where one is expected every 1 day: ...'

    References
    ----------
    The waiting time of a Poisson process of rate r exceeds g with probability exp(-r g): Kingman, Poisson Processes (1993),
    section 4.1.
    """
    if len(instants) < 2:
        return None
    ordered = np.sort(instants)
    first, last = int(ordered[0]), int(ordered[-1])
    gap = at - last
    if last - first < DAY or gap <= int(np.diff(ordered).max()):
        return None
    pace = (last - first) / (len(instants) - 1)
    if math.exp(-gap / pace) >= IMPROBABLE:
        return None
    return (
        f"the last conversion is {_days(gap)} before the end of the data, where one is expected every {_days(pace)}: "
        f"later buyers would count as non-buyers; {_stating('conversions', last)}"
    )


def events_silence(events: Table, at: Microseconds) -> str | None:
    """Say when the stretch between the last event and `at` is improbably long, like `silence`.

    Whoever uses the product in it looks idle, and never begins to qualify: rates and shares of the newest period fall by
    nothing but the export.

    Parameters
    ----------
    events
        Whose rows, in visits of a hundred, give the usual pace.
    at
        The as-of moment.

    Returns
    -------
    str or None
        A sentence that names ``events.complete_through``; None where that is stated, for a week or less, and where
        exp(-rate x gap) >= 0.001.
    """
    if (
        events.complete_through is not None
        or events.first is None
        or events.last is None
        or events.last <= events.first
    ):
        return None
    gap = at - events.last
    visits = events.rows / VISIT / (events.last - events.first)
    if gap <= QUIET or math.exp(-visits * gap) >= IMPROBABLE:
        return None
    return (
        f"the last event is {_days(gap)} before the end of the data: whatever users did since then is not known, and nobody begins to "
        f"qualify; {_stating('events', events.last)}"
    )


def _stating(table: str, last: Microseconds) -> str:
    return f"state {table}.complete_through ({_EPOCH + last * _MICROSECOND:%Y-%m-%d}) in pqlkit.yml if that export ends earlier"


def _days(span: float) -> str:
    days = f"{span / DAY:.3g}"
    return f"{days} day" if days == "1" else f"{days} days"


def _stated(dataset: Dataset, text: str) -> Microseconds:
    at = read_moment(text, dataset.zone, option="--as-of", end=True)
    first = dataset.tables["events"].first
    if first is not None and at < first:
        raise UsageError(
            f"{text} lies before the first event, on {day_of(first, dataset.zone)}",
            where="--as-of",
            hint="name a later date",
        )
    return at


def read_moment(text: str, zone: str, *, option: str, end: bool) -> Microseconds:
    """Read an ISO date or instant of the command line.

    Parameters
    ----------
    text
        ``2026-10-31``, ``2026-10-31T12:00:00``, ``2026-10-31T12:00:00+02:00``.
    zone
        Where dates lie, and instants without an offset.
    option
        Named in the error.
    end
        Whether a date stands for its last microsecond instead of its first.

    Raises
    ------
    UsageError
        The text is neither.
    """
    stated = written_moment(text, option)
    if isinstance(stated, datetime):
        return _microseconds(stated if stated.tzinfo is not None else stated.replace(tzinfo=ZoneInfo(zone)))
    try:
        return midnight(stated + timedelta(days=1), zone) - 1 if end else midnight(stated, zone)
    except OverflowError as error:
        raise UsageError(
            f"{text!r} is no date that can be counted",
            where=option,
            hint="write a date from 1970 to 2200, like 2026-10-31",
        ) from error


def _microseconds(moment: datetime) -> Microseconds:
    return (moment - _EPOCH) // _MICROSECOND
