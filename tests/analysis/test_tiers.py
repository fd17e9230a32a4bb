"""The tiers: how much may be offered with this many converters, and the floors that go with it."""

from __future__ import annotations

import pytest

from pqlkit.analysis.tiers import Floors, Tier, tier
from pqlkit.proposal.literals import Floors as SearchFloors


@pytest.mark.parametrize(
    ("converters", "offered"),
    [
        (0, Tier.DESCRIBE),
        (9, Tier.DESCRIBE),
        (10, Tier.HYPOTHESES),
        (49, Tier.HYPOTHESES),
        (50, Tier.COARSE),
        (199, Tier.COARSE),
        (200, Tier.EVERYTHING),
    ],
)
def test_bounds(converters, offered):
    assert tier(converters) is offered


@pytest.mark.parametrize(
    ("snapshots", "converters", "heads", "hits"),
    [(0, 0, 0, 10), (10_000, 150, 200, 30), (9_950, 144, 199, 29), (901, 61, 19, 13), (900, 40, 18, 10)],
)
def test_floors_are_in_heads_and_scaled_down(snapshots, converters, heads, hits):
    assert Floors.of(snapshots, converters) == Floors(snapshots=heads, converters=hits)


@pytest.mark.parametrize(("snapshots", "converters"), [(10_000, 400), (900, 60), (2_345, 81)])
def test_the_tables_floors_are_those_of_the_search(snapshots, converters):
    search, table = SearchFloors.of(snapshots, converters), Floors.of(snapshots, converters)
    assert (search.entities, search.converters) == (table.snapshots, table.converters)
