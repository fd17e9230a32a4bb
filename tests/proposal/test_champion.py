"""The champion: a definition in use, read on the later qualifications at the same number of leads."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pqlkit.analysis.observation import observe
from pqlkit.definitions.model import Anchor, EntityKind
from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.champion import champion
from pqlkit.proposal.proposing import propose
from pqlkit.statistics.rate import Rate
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import definition, part


def observed():
    """Ten users: u0-u3 do it, u0 and u1 of them convert, and so does u9."""
    people = [{"id": f"u{n}", "anchor": n, "converted": 20 * DAY if n in {0, 1, 9} else None} for n in range(10)]
    events = [(f"u{n}", "e" if n < 4 else "other", n + DAY) for n in range(10)]
    return observe(in_memory(people, events, as_of=90 * DAY), Settings(snapshots="once:14d"))


def challenger(leads: int, others_rate: float | None) -> Any:
    """What is asked of a candidate: how many complete leads it has, and how comparable others convert."""
    compared = None if others_rate is None else SimpleNamespace(active=SimpleNamespace(others_rate=others_rate))
    return SimpleNamespace(promised=SimpleNamespace(rate=Rate.of(0, leads)), compared=compared)


@pytest.mark.parametrize(
    ("leads", "expected"),
    [(2, 2 * 2 / 4), (4, 2.0), (7, 2 + 3 * 0.1), (0, 0.0)],
    ids=["fewer", "as many", "more", "nobody"],
)
def test_the_same_number_of_leads_is_some_of_its_own_or_filled_up_with_comparable_others(leads, expected):
    found: Any = champion(observed().population, definition(part("e")), first=0, challenger=challenger(leads, 0.1))
    assert (found.promised.rate.numerator, found.promised.rate.denominator) == (2, 4)
    assert found.at_same_leads == (pytest.approx(expected), leads)


def test_where_nobody_is_comparable_it_is_not_filled_up():
    population = observed().population
    found = [champion(population, definition(part("e")), first=0, challenger=challenger(n, None)) for n in (4, 5)]
    assert [one.at_same_leads for one in found] == [(2.0, 4), None]


def test_only_the_holdout_counts_and_without_a_challenger_there_is_no_comparison():
    found = champion(observed().population, definition(part("e")), first=2 + DAY, challenger=None)
    assert found.at_same_leads is None
    assert (found.promised.rate.numerator, found.promised.rate.denominator) == (0, 2)


def test_it_is_read_by_its_own_clock():
    people = [{"id": f"u{n}", "anchor": 0, "converted": 20 * DAY if n < 3 else None} for n in range(10)]
    events = [(f"u{n}", name, at) for n in range(10) for name, at in (("begin", 5 * DAY), ("e", 12 * DAY))]
    population = in_memory(people, [*events, ("u0", "end", 80 * DAY)], as_of=90 * DAY)
    soon = definition(part("e", days=10))
    own = replace(soon, anchor=Anchor(kind="event", event="begin"))
    found = champion(population, own, first=0, challenger=None)
    assert (found.promised.rate.numerator, found.promised.rate.denominator) == (3, 10)
    assert champion(population, soon, first=0, challenger=None).promised.starts == 0


def test_what_cannot_be_compared_is_refused_before_the_search():
    population = observed().population
    teams = replace(definition(part("e"), name="teams"), entity=EntityKind.ACCOUNT)
    with pytest.raises(UsageError, match="teams is about accounts, and these snapshots are of users"):
        propose(population, Settings(snapshots="once:14d"), ProposeOptions(against=teams))
    with pytest.raises(UsageError, match="milestone"):
        propose(
            population,
            Settings(snapshots="once:14d"),
            ProposeOptions(against=replace(teams, entity=EntityKind.USER, outcome=None)),
        )
