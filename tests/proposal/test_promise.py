"""The promise: starts of a period and what followed each, at the microsecond."""

from __future__ import annotations

import pytest

from pqlkit.durations import DAY
from pqlkit.measures.evaluation import spells_of_each
from pqlkit.proposal.promise import promise, started
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import definition, part

H = 30 * DAY
START = 5 * DAY


def world(*conversions: int | None, as_of: int = 90 * DAY):
    people = [{"id": f"u{n}", "anchor": 0, "converted": at} for n, at in enumerate(conversions)]
    return in_memory(people, [(f"u{n}", "e", START) for n in range(len(conversions))], as_of=as_of)


@pytest.mark.parametrize(("at", "counts"), [(START + 1, 1), (START + H, 1), (START + H + 1, 0), (None, 0)])
def test_the_conversion_window_is_open_at_the_start_and_closed_at_the_end(at, counts):
    people = world(at)
    found = promise(people, started(people, definition(part("e"))), first=0, before=None)
    assert (found.starts, found.rate.numerator, found.rate.denominator) == (1, counts, 1)


def test_a_start_at_the_conversion_is_none():
    people = world(START)
    assert promise(people, started(people, definition(part("e"))), first=0, before=None).starts == 0


@pytest.mark.parametrize(("as_of", "mature"), [(START + H - 1, 0), (START + H, 1)])
def test_only_mature_starts_enter_the_rate(as_of, mature):
    people = world(None, as_of=as_of)
    found = promise(people, started(people, definition(part("e"))), first=0, before=None)
    assert (found.starts, found.rate.denominator) == (1, mature)
    assert (found.rate.rate is None) is (mature == 0)


@pytest.mark.parametrize(
    ("first", "before", "inside"), [(START, START + 1, 1), (START + 1, None, 0), (0, START, 0), (START, None, 1)]
)
def test_the_period_is_half_open(first, before, inside):
    people = world(None)
    assert promise(people, started(people, definition(part("e"))), first=first, before=before).starts == inside


def test_the_starts_of_several_definitions_are_those_of_each_alone():
    people = world(None, START + 1, START)
    definitions = [definition(part("e")), definition(part("f")), definition(part("e", 2))]
    spells = spells_of_each(people.world, definitions)
    each = [started(people, one, spells=own) for one, own in zip(definitions, spells, strict=True)]
    for found, one in zip(each, definitions, strict=True):
        assert found.equals(started(people, one))
    assert [found.height for found in each] == [2, 0, 0]


def test_a_milestone_promises_nothing():
    from dataclasses import replace

    with pytest.raises(ValueError, match="no outcome"):
        started(world(None), replace(definition(part("e")), outcome=None))
