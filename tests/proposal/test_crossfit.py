"""Cross-fitting counts every choice only where it was not made."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.proposal.comparable import Activity
from pqlkit.proposal.crossfit import _fold_of, cross_fit
from tests.simulation.trial import trial
from tests.worlds.by_name import age_trial, freemium


@pytest.fixture(scope="module")
def ages():
    """Some 50 to 199 people whose snapshots that convert are several hundred."""
    with trial(age_trial(700, 3), snapshots="age:1d,2d,3d,5d,7d,10d") as made:
        yield made.brief


def test_the_folds_are_read_by_rules_chosen_without_them(ages):
    activity = Activity.of(ages.observed.population.world)
    judged = cross_fit(ages, activity)
    assert judged.folds == len(np.unique(ages.parts.folds))
    assert judged.without < judged.folds
    assert judged.rate.denominator == judged.leads.height > 0
    assert judged.rate.numerator == judged.leads["y"].sum()
    # A lead is followed by what the report counts.
    people = ages.observed.population.entities
    window = ages.observed.snapshots.design.conversion_window.microseconds
    joined = judged.leads.join(people.select("entity", "converted"), on="entity")
    followed = ((joined["converted"] - joined["on"]) <= window).fill_null(value=False)
    assert (followed == joined["y"]).all()
    assert len(judged.others.at) > judged.leads.height


def test_an_entity_is_in_one_fold_also_without_a_snapshot(ages):
    folds = ages.parts.folds
    whole = _fold_of(ages, folds)
    assert set(whole.tolist()) == set(folds.tolist())
    assert (whole[ages.entities] == folds).all()


def test_what_is_looked_at_again_and_again_is_folded_by_entity():
    """Without one quarter, and without the windows around it, hardly anything would be left to choose on."""
    with trial(freemium(4_000, 2), snapshots="every:28d") as made:
        brief = made.brief
        assert brief.cross_fitted
        folds = brief.parts.folds
        assert np.unique(folds).tolist() == [0, 1, 2, 3, 4]
        assert len(set(zip(brief.entities.tolist(), folds.tolist(), strict=True))) == len(np.unique(brief.entities))
