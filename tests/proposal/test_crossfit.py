"""Cross-fitting counts every choice only where it was not made."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.proposal.comparable import Activity
from pqlkit.proposal.crossfit import _Fold, _fold_of, cross_fit
from tests.simulation.trial import trial
from tests.worlds.by_name import age_trial


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
    everybody = np.arange(len(whole))
    held = np.sum([_Fold.of(ages, folds, int(name)).holds(everybody, everybody) for name in np.unique(folds)], axis=0)
    assert (held == 1).all()
