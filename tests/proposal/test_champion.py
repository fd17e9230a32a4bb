"""The champion: a definition in use, read on the holdout at the same number of leads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.analyzing import observe
from pqlkit.analysis.settings import Settings
from pqlkit.durations import DAY
from pqlkit.proposal.champion import champion
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import definition, part


def observed():
    """Ten users: u0-u3 do it, u0 and u1 of them convert, and so does u9."""
    people = [{"id": f"u{n}", "anchor": n, "converted": 20 * DAY if n in {0, 1, 9} else None} for n in range(10)]
    events = [(f"u{n}", "e" if n < 4 else "other", n + DAY) for n in range(10)]
    return observe(in_memory(people, events, as_of=90 * DAY), Settings(looks="once:14d"))


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
