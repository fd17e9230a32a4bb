"""Those who upgraded: what they did in each stretch of time before."""

from __future__ import annotations

import pytest

from pqlkit.durations import DAY
from pqlkit.scoring.converters import PERIODS, converters
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START

PAID = START + 60 * DAY


@pytest.mark.parametrize(
    ("before", "period"),
    [
        (28 * DAY + 1, "earlier"),
        (28 * DAY, "28-21d"),
        (7 * DAY + 1, "14-7d"),
        (7 * DAY, "7-1d"),
        (DAY + 1, "7-1d"),
        (DAY, "<1d"),
        (1, "<1d"),
        (0, None),
    ],
)
def test_a_period_begins_with_its_first_moment_and_ends_before_the_next(before, period):
    people = in_memory(
        [{"id": "a", "anchor": START, "converted": PAID}], [("a", "login", PAID - before)], as_of=PAID + DAY
    )
    (told,) = converters(people).shown
    counted = [name for done in told.done for (name, _, _), n in zip(PERIODS, done.periods, strict=True) if n]
    assert counted == ([] if period is None else [period])
