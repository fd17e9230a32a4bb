"""The champion: a definition in use, read on the holdout at the same number of leads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.observation import observe
from pqlkit.definitions.model import Anchor, EntityKind
from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.champion import champion
from pqlkit.proposal.proposing import propose
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import definition, part


def observed():
    """Ten users: u0-u3 do it, u0 and u1 of them convert, and so does u9."""
    people = [{"id": f"u{n}", "anchor": n, "converted": 20 * DAY if n in {0, 1, 9} else None} for n in range(10)]
    events = [(f"u{n}", "e" if n < 4 else "other", n + DAY) for n in range(10)]
    return observe(in_memory(people, events, as_of=90 * DAY), Settings(snapshots="once:14d"))


@pytest.mark.parametrize(
    ("leads", "expected"),
    [(2, 2 * 2 / 4), (4, 2.0), (7, 2 + 3 * 1 / 6), (10, 3.0), (0, 0.0)],
    ids=["fewer", "as many", "more", "everybody", "nobody"],
)
def test_the_same_number_of_leads_is_drawn_from_it_or_filled_up_at_random(leads, expected):
    seen = observed()
    everything = np.ones(10, dtype=bool)
    challenger = np.arange(10) >= 10 - leads
    found: Any = champion(seen, definition(part("e")), everything, first=0, challenger=challenger)
    assert found.holdout.cells == (2, 2, 1, 5)
    assert found.at_same_share == (pytest.approx(expected), leads)


def test_only_the_holdout_counts_and_without_a_challenger_there_is_no_comparison():
    seen = observed()
    later = np.arange(10) >= 1
    found: Any = champion(seen, definition(part("e")), later, first=2 + DAY, challenger=None)
    assert found.holdout.cells == (1, 2, 1, 5)
    assert found.at_same_share is None
    assert (found.promised.rate.numerator, found.promised.rate.denominator) == (0, 2)


def test_it_is_read_by_its_own_clock():
    people = [{"id": f"u{n}", "anchor": 0, "converted": 20 * DAY if n < 3 else None} for n in range(10)]
    events = [(f"u{n}", name, at) for n in range(10) for name, at in (("begin", 5 * DAY), ("e", 12 * DAY))]
    seen = observe(
        in_memory(people, [*events, ("u0", "end", 80 * DAY)], as_of=90 * DAY), Settings(snapshots="once:14d")
    )
    soon = definition(part("e", days=10))
    own = replace(soon, anchor=Anchor(kind="event", event="begin"))
    found: Any = champion(seen, own, np.ones(10, dtype=bool), first=0, challenger=None)
    assert found.holdout.cells == (3, 7, 0, 0)
    assert (found.promised.rate.numerator, found.promised.rate.denominator) == (3, 10)
    assert champion(seen, soon, np.ones(10, dtype=bool), first=0, challenger=None).holdout.n1 == 0


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
