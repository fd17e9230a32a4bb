"""What a night is held to: bounds are allowed values."""

from __future__ import annotations

import pytest

from pqlkit.durations import HOUR, Duration
from pqlkit.options.bound import Bound
from pqlkit.scoring.guards import Guards


@pytest.mark.parametrize(("new", "breached"), [(1, True), (2, False), (5, False), (6, True)])
def test_the_bounds_themselves_are_allowed(new, breached):
    guards = Guards(min_new=Bound.parse("2"), max_new=Bound.parse("5"))
    assert bool(guards.on_new(new, [])) is breached


@pytest.mark.parametrize(("age", "breached"), [(6 * HOUR, False), (6 * HOUR + 1, True)])
def test_an_event_of_exactly_the_greatest_age_is_not_too_old(age, breached):
    guards = Guards(max_age=Duration.parse("6h"))
    assert bool(guards.on_age(0, age)) is breached
