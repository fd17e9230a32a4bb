"""The brief: converters are people, little data is cross-fitted, and what was asked for is named when nothing keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.tiers import Tier
from pqlkit.options.search import ProposeOptions
from pqlkit.proposal.brief import Brief
from pqlkit.proposal.holdout import nothing_stands_out
from pqlkit.proposal.literals import COARSE
from pqlkit.proposal.shuffles import independent
from pqlkit.proposal.split import SplitKind
from tests.simulation.trial import trial
from tests.worlds.by_name import age_trial, recipe

AGES = "age:1d,2d,3d,5d,7d,10d"


@pytest.fixture(scope="module")
def ages():
    """Some 50 to 199 people whose snapshots that convert are several hundred."""
    with trial(age_trial(700, 3), snapshots=AGES) as made:
        yield made.brief


@pytest.fixture(scope="module")
def once():
    """Some 300 usable converters, fewer than 200 of them before the holdout."""
    with trial(recipe(9_000, 41)) as made:
        yield made.brief


def people(brief: Any, rows: Any) -> set[int]:
    return set(brief.observed.snapshots.frame["entity"].to_numpy()[rows].tolist())


def test_converters_are_people_not_snapshots(ages):
    observed = ages.observed
    heads = len(people(ages, observed.y))
    assert observed.converters == heads < 200 < int(observed.y.sum())
    assert ages.tier is Tier.COARSE
    assert observed.heads(np.zeros(len(observed.y), dtype=bool)) == 0


def test_little_data_is_cross_fitted_on_few_thresholds(ages):
    assert ages.parts.kind is SplitKind.CROSS_FITTED
    assert ages.problem.max_criteria == 2
    assert ages.problem.thresholds == COARSE
    assert {literal.threshold for literal in ages.search().literals} <= set(COARSE)


def test_one_person_is_in_one_fold(ages):
    folds = ages.parts.folds
    assert len(set(folds.tolist())) > 1
    homes: dict[int, set[int]] = {}
    for entity, fold in zip(ages.observed.snapshots.frame["entity"].to_list(), folds.tolist(), strict=True):
        homes.setdefault(entity, set()).add(fold)
    assert {len(found) for found in homes.values()} == {1}


def test_the_gate_on_converters_is_one_on_people(ages):
    wanted = max(10, min(30, -(-ages.observed.converters // 5)))
    assert ages.problem.goal(ages.parts.fit).constraints.converters == wanted


def test_chance_is_tried_on_one_snapshot_of_each(ages):
    part = independent(ages)
    assert part.sum() == len(people(ages, part)) == len(people(ages, ages.parts.fit))
    assert not (part & ~ages.parts.fit).any()
    ages_of = ages.observed.snapshots.frame.select(pl_age()).to_series().to_numpy()[part]
    assert len(set(ages_of.tolist())) == 6  # drawn over all ages, not the first of each


def pl_age():
    import polars as pl

    return pl.col("cutoff") - pl.col("anchor")


def test_the_whole_grid_is_searched_from_two_hundred_usable_converters_on(once):
    fit = once.parts.fit
    assert once.observed.converters >= 200 > int((fit & once.observed.y).sum())
    assert once.parts.kind is SplitKind.TIME
    assert once.problem.thresholds is None
    assert {2, 4} <= {literal.threshold for literal in once.search().literals}
    assert independent(once) is fit


def test_a_stated_holdout_is_obeyed_with_little_data_too(ages):
    since = int(np.quantile(ages.observed.snapshots.frame["cutoff"].to_numpy(), 0.7))
    again = Brief.of(ages.observed, ProposeOptions(permutations=0, holdout_from=since), lambda _: None)
    assert (again.parts.kind, again.parts.first) == (SplitKind.TIME, since)


def asked(brief: Any, **wishes: Any) -> Any:
    return replace(brief, wishes=ProposeOptions(permutations=0, **wishes))


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({}, "no rule of up to three criteria stands out on the earlier data (relative risk of 1.5 or more)"),
        ({"max_criteria": 1, "min_rate": 0.9}, "no rule of one criterion stands out on the earlier data"),
        ({"min_rate": 0.9}, "and keeps --min-rate 90%"),
        ({"min_share": 0.2, "min_recall": 0.5}, "and keeps --min-share 20%, --min-recall 50%"),
        ({"capacity": 5.0}, "and keeps --capacity 5/week"),
        ({"value": 100.0, "cost": 60.0}, "and keeps a rate of 0.6 or more, from which on a lead pays for itself"),
    ],
)
def test_what_was_asked_for_is_named_when_nothing_keeps_it(once, wishes, words):
    assert words in nothing_stands_out(asked(once, **wishes))


def test_what_is_asked_for_binds_qualifications_and_not_the_search(once):
    plain = asked(once, value=100.0, cost=5.0, min_rate=0.9, capacity=1.0)
    assert plain.least_rate == pytest.approx(0.9)
    assert asked(once, value=100.0, cost=5.0).least_rate == pytest.approx(0.05)
    assert plain.problem.goal(plain.parts.fit) == once.problem.goal(once.parts.fit)
