"""The confounder: the adjusted figure where there is one, turned into a risk ratio where the outcome is common."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pqlkit.proposal.confounding import Scale, confounder
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.evalue import e_value

RARE = Contingency.of(qualified=100, converted=20, entities=1_000, converters=50)
COMMON = Contingency.of(qualified=100, converted=60, entities=1_000, converters=200)
ODDS = Estimate.of(4.0, 2.25, 9.0)


def test_an_adjusted_figure_is_taken_as_it_is_where_the_outcome_is_rare():
    found = confounder(RARE, ODDS)
    assert found is not None
    assert (found.value, found.limit, found.scale) == (e_value(4.0), e_value(2.25), Scale.ODDS)


def test_its_root_is_taken_where_the_outcome_is_common():
    found = confounder(COMMON, ODDS)
    assert found is not None
    assert found.value == pytest.approx(2 + math.sqrt(2))  # of 2
    assert found.limit == pytest.approx(1.5 + math.sqrt(0.75))  # of 1.5
    assert found.scale is Scale.ROOT


@pytest.mark.parametrize(("converters", "scale"), [(150, Scale.ODDS), (151, Scale.ROOT)])
def test_common_is_more_than_fifteen_in_a_hundred(converters, scale):
    table = Contingency.of(qualified=100, converted=60, entities=1_000, converters=converters)
    found = confounder(table, ODDS)
    assert found is not None
    assert found.scale is scale


def test_where_none_was_asked_for_it_is_of_the_relative_risk():
    found = confounder(RARE, None)
    risk = RARE.relative_risk()
    assert found is not None
    assert risk.value is not None
    assert risk.low is not None
    assert (found.value, found.scale) == (e_value(risk.value), Scale.RISK)
    assert found.limit == e_value(risk.low)
    wider = confounder(replace(RARE, design_effect=4.0), None)
    assert wider is not None
    assert wider.limit is not None
    assert wider.limit < e_value(risk.low)


def test_an_interval_that_holds_one_needs_no_trait_and_an_open_one_has_no_limit():
    held, open_ = confounder(RARE, Estimate.of(1.5, 0.9, 2.5)), confounder(RARE, Estimate(value=3.0))
    assert held is not None
    assert open_ is not None
    assert (held.limit, open_.limit) == (1.0, None)


def test_nothing_to_compare_has_none():
    assert confounder(Contingency.of(qualified=0, converted=0, entities=10, converters=1), None) is None


def test_no_plain_figure_stands_where_the_adjusted_one_does_not_exist():
    assert confounder(RARE, Estimate.none(Undefined.SEPARATION)) is None
    assert confounder(RARE, Estimate.none(Undefined.TOO_FEW)) is None


def test_a_ratio_without_an_upper_end_has_no_value_made_of_half_counts():
    assert confounder(Contingency(22, 74, 0, 899), None) is None
