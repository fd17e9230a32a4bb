"""Associations: every 2x2 table is the one that SQL counts, and every p-value is corrected for having looked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2_contingency, false_discovery_control, fisher_exact
from sklearn.metrics import roc_auc_score

from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.associations import Levels, associations
from pqlkit.analysis.fewer import fewer
from pqlkit.analysis.tiers import Floors
from pqlkit.definitions.model import Measure, Window, WindowKind
from pqlkit.durations import DAY, Duration
from pqlkit.measures.behaviour import GRID, Behaviour
from pqlkit.options.settings import Settings
from tests.analysis.findings import connected, snapshots_by_sql, steps_by_sql
from tests.simulation.trial import populated
from tests.worlds.by_name import recipe


@pytest.fixture(scope="module")
def world():
    return recipe(4_000, 41)


@pytest.fixture(scope="module")
def people(world):
    with populated(world) as found:
        yield found


@pytest.fixture(scope="module")
def analysis(people):
    return analyze(people, Settings(snapshots="once:14d"))


@pytest.mark.parametrize(("days", "measure"), [(3, "count"), (7, "days"), (14, "count")])
def test_every_threshold_is_the_table_that_sql_counts(world, people, analysis, days, measure):
    with connected(world) as connection:
        counted = {
            (event, k): (n1, a) for event, k, n1, a in steps_by_sql(connection, snapshots_by_sql(people), days, measure)
        }
    found = {
        (one.behaviour.event, step.threshold): (step.table.n1, step.table.a)
        for one in analysis.behaviours
        if one.behaviour.window.length.microseconds == days * DAY and one.behaviour.measure.kind == measure
        for step in one.curve
        if step.table.n1 or step.threshold > 1
    }
    assert found == counted
    assert len(found) > 200


def test_with_and_without_are_the_analysis_set(analysis):
    snapshots, converted = len(analysis.observed.y), int(analysis.observed.y.sum())
    assert converted > 50
    for one in analysis.behaviours:
        for table in (one.table, *(step.table for step in one.curve)):
            assert table.total == snapshots
            assert table.m1 == converted
            assert min(table.cells) >= 0
        assert one.curve[0].threshold == 1


def test_the_best_threshold_has_the_largest_phi_and_ties_go_to_the_smaller(analysis):
    for one in analysis.behaviours:
        sizes = [abs(step.table.phi or 0.0) for step in one.curve]
        assert one.threshold == one.curve[int(np.argmax(sizes))].threshold


def test_what_people_are_shown_is_the_best_threshold_that_enough_snapshots_and_converters_reach(analysis):
    floors = Floors.of(len(analysis.observed.y), int(analysis.observed.y.sum()))
    for one in analysis.behaviours:
        reached = [
            step for step in one.curve if step.table.n1 >= floors.snapshots and step.table.a >= floors.converters
        ]
        sizes = [abs(step.table.phi or 0.0) for step in reached]
        assert (one.dependable is None) is (not reached) is ("rare" in one.flags)
        if one.dependable is not None:
            assert one.dependable.threshold == reached[int(np.argmax(sizes))].threshold
            shown: Any = one.as_shown()
            assert (shown.threshold, shown.table) == (one.dependable.threshold, one.dependable.table)
            assert (shown.p_value, shown.q_value, shown.curve) == (one.p_value, one.q_value, one.curve)
    assert any(one.dependable and one.dependable.threshold != one.threshold for one in analysis.behaviours)


def plain_p(table) -> float:
    a, b, c, d = table.cells
    if min(a + b, c + d, a + c, b + d) == 0:
        return float("nan")
    cells = np.array([[a, b], [c, d]])
    expected = np.outer(cells.sum(axis=1), cells.sum(axis=0)) / cells.sum()
    if expected.min() < 5:
        return float(fisher_exact(cells).pvalue)
    return float(chi2_contingency(cells, correction=False).pvalue)


def test_p_values_pay_for_every_threshold_and_q_values_for_every_row(analysis):
    rows = analysis.behaviours
    wanted = [min(1.0, len(one.curve) * np.nanmin([plain_p(step.table) for step in one.curve])) for one in rows]
    assert [one.p_value for one in rows] == pytest.approx(wanted, rel=1e-6, abs=1e-12)
    # The tests for fewer conversions belong to the same family.
    others = [one.p_value for one in fewer(analysis.observed, skip=analysis.observed.left_out)]
    assert analysis.tests == len(wanted) + len(others)
    q = false_discovery_control([*wanted, *others])[: len(wanted)]
    assert [one.q_value for one in rows] == pytest.approx(q, rel=1e-6, abs=1e-12)
    assert any(one.p_value > 0.5 for one in rows)


def test_auc_is_of_the_values_with_ties(analysis):
    observed = analysis.observed
    for index in (0, 50, 150):
        behaviour = observed.cube.behaviours[index]
        rows, levels = observed.cube.column(index)
        values = np.zeros(observed.cube.snapshots)
        values[rows] = levels
        one = next(row for row in analysis.behaviours if row.behaviour == behaviour)
        assert one.auc == pytest.approx(roc_auc_score(observed.y, values), abs=1e-12)


def test_activity_is_labelled_and_leaks_are_flagged(world, analysis):
    activity = [one for one in analysis.behaviours if one.behaviour.event is None]
    assert activity
    assert all("activity" in one.flags and one.adjusted is None for one in activity)
    traps = world.truth.traps
    assert traps.before in analysis.observed.left_out
    assert next(s for s in analysis.observed.leakage if s.event == traps.after).reason == "follows-conversion"


def tiny(positive, negative):
    behaviour = Behaviour(event="e", measure=Measure(), window=Window(kind=WindowKind.WITHIN, length=Duration(7, "d")))
    empty = np.zeros((1, 256), dtype=np.int64)
    counts = [empty.copy(), empty.copy()]
    counts[0][0, : len(positive)] = positive
    counts[1][0, : len(negative)] = negative
    return Levels(behaviours=(behaviour,), positive=counts[0], negative=counts[1])


@pytest.mark.parametrize(
    ("positive", "negative"),
    [([0, 0], [5, 5]), ([5, 5], [0, 0]), ([0], [0]), ([10], [10]), ([0, 10], [0, 10])],
    ids=["nobody converts", "all convert", "nobody at all", "nobody does it", "all do it"],
)
def test_what_cannot_be_compared_is_none_and_not_zero(positive, negative):
    (one,) = associations(tiny(positive, negative), rare_below=(1, 1), flags={})
    assert [step.threshold for step in one.curve] == [1]
    if min(sum(positive), sum(negative)) == 0:
        assert one.auc is None
    assert one.p_value is None or one.p_value == 1.0


def test_a_larger_design_effect_never_makes_a_p_value_smaller():
    levels = tiny([50, 30, 20], [900, 80, 20])
    rows: list[Any] = [associations(levels, design_effect=d, rare_below=(1, 1), flags={})[0] for d in (1.0, 2.0)]
    plain, doubled = rows
    assert plain.table.cells == doubled.table.cells
    assert (plain.table.design_effect, doubled.table.design_effect) == (1.0, 2.0)
    assert doubled.p_value > plain.p_value


def test_the_ladder_ends_at_the_largest_value_seen():
    (one,) = associations(tiny([5, 0, 1], [5, 3]), rare_below=(1, 1), flags={})
    assert [step.threshold for step in one.curve] == list(GRID[:2])
