from __future__ import annotations

from datetime import date

import pytest

from pqlkit.durations import DAY, HOUR
from pqlkit.errors import DataError
from pqlkit.exports.zones import end_of, moment, start_of, zone_of

DAY_0 = (date(2026, 1, 1) - date(1970, 1, 1)).days * DAY


def test_a_date_ends_one_microsecond_before_the_next_begins():
    assert start_of(date(2026, 1, 1), "Europe/Berlin") == DAY_0 - HOUR
    assert end_of(date(2026, 1, 1), "Europe/Berlin") == DAY_0 + DAY - HOUR - 1
    assert end_of(date(2026, 3, 29), "Europe/Berlin") - start_of(date(2026, 3, 29), "Europe/Berlin") == 23 * HOUR - 1


def test_a_moment_is_a_date_or_a_time():
    assert moment("2026-01-01", "UTC") == DAY_0 + DAY - 1
    assert moment("2026-01-01T01:00", "Europe/Berlin") == DAY_0
    assert moment("2026-01-01T00:00:00Z", "Europe/Berlin") == DAY_0
    with pytest.raises(ValueError, match="soon"):
        moment("soon", "UTC")


def test_an_unknown_zone_suggests_the_nearest():
    with pytest.raises(DataError, match=r"there is no time zone 'Europe/Berln'\n  did you mean Europe/Berlin\?"):
        zone_of("Europe/Berln")
