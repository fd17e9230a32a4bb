"""The time zone: its name checked, and the first and last moment of a date in it."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from pqlkit.errors import DataError, suggestion

if TYPE_CHECKING:
    from pqlkit.typing import Microseconds

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def zone_of(name: str, where: str | None = None) -> tzinfo:
    """Find a time zone.

    Raises
    ------
    DataError
        There is no such zone.

    Examples
    --------
    >>> str(zone_of("Europe/Berlin"))
    'Europe/Berlin'
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = suggestion(name, zoneinfo.available_timezones(), "write an IANA name like UTC or Europe/Berlin")
        raise DataError(f"there is no time zone {name!r}", where=where, hint=hint) from error


def start_of(day: date, zone: str) -> Microseconds:
    """Give the first moment of a date, in UTC microseconds.

    Where clocks jump at midnight, the day starts when the jump ends; where it happens twice, at the first.

    Examples
    --------
    >>> start_of(date(1970, 1, 2), "UTC")
    86400000000
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone_of(zone))
    return (midnight.astimezone(UTC) - _EPOCH) // _MICROSECOND


def end_of(day: date, zone: str) -> Microseconds:
    """Give the last microsecond of a date, in UTC microseconds."""
    return start_of(day + timedelta(days=1), zone) - 1


def moment(text: str, zone: str) -> Microseconds:
    """Read an ISO date (its last microsecond) or time (without an offset: in `zone`), in UTC microseconds.

    Raises
    ------
    ValueError
        The text is neither.

    Examples
    --------
    >>> moment("1970-01-01", "UTC"), moment("1970-01-01T00:00:01Z", "UTC")
    (86399999999, 1000000)
    """
    stripped = text.strip()
    try:
        return end_of(date.fromisoformat(stripped), zone)
    except ValueError:
        stamp = datetime.fromisoformat(stripped)
        stamp = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=zone_of(zone))
        return (stamp.astimezone(UTC) - _EPOCH) // _MICROSECOND
    except OverflowError as error:
        raise ValueError(str(error)) from error
