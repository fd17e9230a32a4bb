"""Several definitions: on the same snapshots, at the same number of leads, and who finds whom."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from pqlkit.definitions import model
from pqlkit.durations import Duration
from pqlkit.measures.evaluation import spells_of
from pqlkit.rates import common_pqls as overlap
from pqlkit.rates import side_by_side as comparison
from pqlkit.rates.side_by_side import expected
from pqlkit.snapshots.matches import meets
from pqlkit.snapshots.snapshots import snapshots_of
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.estimate import Undefined
from pqlkit.statistics.predictive_value import relative_predictive_value
from tests.rates.simulated import people, report, rule

overlaps: Any = overlap.overlaps
side_by_side: Any = comparison.side_by_side
record: Any = comparison.record


@cache
def made() -> Any:
    """The planted rule, either of its parts, and its first part alone within three days."""
    planted = rule("recipe")
    parts = planted.qualify.parts
    window = replace(parts[0].window, length=Duration(3, "d"))
    variants = {
        "planted": planted.qualify,
        "either": model.Any(parts=parts),
        "first": replace(parts[0], window=window, at_least=1),
    }
    definitions = [replace(planted, name=name, qualify=node) for name, node in variants.items()]
    return [report(people("recipe", one), one) for one in definitions]


def test_all_are_read_on_the_same_snapshots():
    (found,) = side_by_side(made())
    assert [side.name for side in found.sides] == ["planted", "either", "first"]
    assert made()[2].snapshots.text == "once:3d"
    assert found.snapshots.text == "once:14d"
    seen = snapshots_of(made()[0].population, "once:14d", conversion_window=Duration(30, "d"))
    for side, one in zip(found.sides, made(), strict=True):
        held = meets(spells_of(one.population.world, one.definition), seen.frame)
        assert side.table == seen.table(held)
        assert side.table.base == found.sides[0].table.base


def test_the_order_given_says_whose_number_of_leads():
    (found,) = side_by_side(made())
    assert {side.leads for side in found.sides} == {found.sides[0].table.n1}
    planted, either, _ = found.sides
    assert planted.expected == planted.table.a
    # With fewer leads than it gives, a definition keeps its rate.
    assert either.table.n1 > either.leads
    assert either.rate == pytest.approx(either.table.with_.rate)
    assert planted.lift > either.lift
    (turned,) = side_by_side(made()[::-1])
    assert {side.leads for side in turned.sides} == {turned.sides[0].table.n1}


def test_the_expectation_is_that_of_drawing_at_random():
    table = Contingency(30, 70, 20, 380)
    rng = random.Random(7)
    inside = [1] * 30 + [0] * 70
    outside = [1] * 20 + [0] * 380
    for leads in (40, 180):
        draws = [
            sum(rng.sample(inside, min(leads, 100))) + sum(rng.sample(outside, max(0, leads - 100)))
            for _ in range(4000)
        ]
        assert sum(draws) / len(draws) == pytest.approx(expected(table, leads), rel=0.02)


def test_one_definition_is_compared_with_nobody():
    assert side_by_side(made()[:1]) == ()


def test_everybody_found_is_in_exactly_one_row():
    rows = overlaps(made())
    ids = [
        set(one.starts.join(one.population.entities.select("entity", "id"), on="entity")["id"].to_list())
        for one in made()
    ]
    assert sum(row["entities"] for row in rows) == len(set.union(*ids))
    names = ["planted", "either", "first"]
    for row in rows:
        inside = [ids[names.index(name)] for name in row["definitions"]]
        others = [ids[names.index(name)] for name in names if name not in row["definitions"]]
        assert row["entities"] == len(set.intersection(*inside) - set().union(*others)) > 0
    only = [row["definitions"] for row in rows if len(row["definitions"]) == 1]
    assert ["planted"] not in only
    assert ["either"] in only


def test_many_definitions_do_not_multiply():
    planted = made()[0]
    many = [replace(planted, definition=replace(planted.definition, name=f"d{i}")) for i in range(40)]
    (row,) = overlaps(many)
    assert row["entities"] == planted.starts["entity"].n_unique()
    assert len(row["definitions"]) == 40


def test_the_json_of_a_comparison():
    written = record(side_by_side(made())[0])
    assert written["entity"] == "user"
    first = written["definitions"][0]
    assert first["at_equal_leads"]["rate"] == first["with"]["rate"]
    assert first["pql_to_customer"]["view"] == "qualification"


def test_the_first_against_each_other_in_one_ratio():
    """The ratio is that of the two rates, as the tables have them; its interval that of draws of whole users with replacement."""
    (found,) = side_by_side(made())
    first, *others = found.sides
    assert first.first_against_it is None
    seen, y = found.snapshots, found.snapshots.frame["y"].to_numpy()
    held = [comparison._met(one, made()[0], seen) for one in made()]
    dice = np.random.default_rng(1)
    draws = dice.integers(0, len(y), (1500, len(y)))
    for side, met in zip(others, held[1:], strict=True):
        told = side.first_against_it
        assert told.value == pytest.approx(first.table.with_.rate / side.table.with_.rate, rel=1e-12)
        drawn = [np.log((y[row][held[0][row]]).mean() / (y[row][met[row]]).mean()) for row in draws]
        assert np.log(told.high / told.low) / (2 * 1.959964) == pytest.approx(np.std(drawn), rel=0.1)
    written = record(found)["definitions"]
    assert written[0]["first_against_it"] == {}
    assert written[1]["first_against_it"]["ratio"] == others[0].first_against_it.value


def test_a_rule_against_itself_differs_by_nothing():
    row = np.arange(60)
    same = relative_predictive_value(row < 20, row < 20, row % 3 == 0, row // 2)
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)
    assert relative_predictive_value(row < 20, row < 0, row % 3 == 0, row).undefined is Undefined.EMPTY_GROUP
    assert relative_predictive_value(row < 20, row > 20, row < 5, row).undefined is Undefined.NO_CONVERTERS
