"""Planted rules are found again on worlds by the recipe, and hold later."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.proposal.rule import holds
from tests.proposal.found import parts, searched

pytestmark = pytest.mark.slow


def f1(met, y) -> float:
    return 2 * int((met & y).sum()) / int(met.sum() + y.sum())


# Three seeds of thin signal scatter widely (0.89 of the truth here, 0.95 over twenty seeds): a smoke test with room for that.
@pytest.mark.parametrize(("kind", "share"), [("easy", 0.98), ("thin", 0.8)])
def test_planted_events_are_found_and_hold_later(kind, share):
    found_f1, true_f1, right = [], [], 0
    for seed in (31, 32, 33):
        made, found = searched(20_000, seed, kind)
        _, later = parts(made)
        assert found.complete
        assert found.best is not None
        right += {literal.name for literal in found.best.literals} == made.events
        found_f1.append(f1(holds(made.cube, found.best.literals)[later], made.y[later]))
        true_f1.append(f1(made.meets[later], made.y[later]))
    assert right >= 2
    assert np.mean(found_f1) >= share * np.mean(true_f1)
