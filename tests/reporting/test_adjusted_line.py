"""The adjusted line of a proposal: a figure and what it allows for, or the reason why there is none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.effect import Effect
from pqlkit.proposal.candidate import ByTrait, Group
from pqlkit.reporting.renderers import proposal
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.stratified import Excess, Moments, excess

ODDS, RISK = Estimate.of(1.05, 0.74, 1.5), Estimate.of(1.04, 0.79, 1.37)
PLAIN = Effect(odds_ratio=Estimate.of(4.0, 2.9, 5.4), relative_risk=Estimate.of(3.3, 2.5, 4.4))


def said(effect: Effect) -> str:
    return " ".join(text for (_, text), _ in proposal._adjusted(effect))


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (
            Effect(odds_ratio=ODDS, relative_risk=RISK),
            "relative risk 1.04 [0.79, 1.37], odds ratio 1.05 [0.74, 1.50]: only active ones?",
        ),
        (
            Effect(odds_ratio=ODDS, relative_risk=RISK, traits=("channel",), without_traits=PLAIN),
            "; not told apart from channel; without 3.3 [2.5, 4.4], 4.0 [2.9, 5.4]",
        ),
        (
            Effect(odds_ratio=ODDS, relative_risk=RISK, traits=("channel",), without_traits=PLAIN, explained=True),
            "; explained by channel; without 3.3",
        ),
        (
            Effect(
                odds_ratio=Estimate.of(3.0, 2.0, 4.5),
                relative_risk=Estimate.of(2.5, 1.8, 3.5),
                traits=("channel",),
                without_traits=PLAIN,
                left_out=28,
            ),
            "2.5 [1.80, 3.5], odds ratio 3.0 [2.0, 4.5]; allowing too for channel; without 3.3 [2.5, 4.4], 4.0 [2.9, 5.4]; left out: 28 snapshots of quarters",
        ),
        (Effect(odds_ratio=ODDS, relative_risk=RISK, penalised=True), "by Firth's penalised likelihood"),
        (
            Effect.none(Undefined.TOO_FEW),
            "could not be allowed for activity, calendar and age: fewer than 10 converters",
        ),
        (Effect.none(Undefined.NOT_CONVERGED), "the fit did not settle"),
    ],
)
def test_what_is_said_of_the_adjusted_figure(effect: Effect, words: str) -> None:
    assert words in said(effect)


def by_trait(**more: Any) -> str:
    groups = tuple(
        Group(name=name, table=Contingency(*cells))
        for name, cells in {"partner": (60, 140, 10, 190), "web": (5, 195, 6, 194), "ads": (0, 0, 4, 96)}.items()
    )
    trait = ByTrait(name="channel", groups=groups, p_value=0.001, p_adjusted=0.002, **more)
    effect = Effect(odds_ratio=ODDS, relative_risk=RISK, traits=("channel",), explained=not more)
    candidate: Any = SimpleNamespace(by_trait=(trait,), adjusted=effect)
    return " ".join(" ".join(row) for row in proposal._by_trait(candidate))


def rest(high: float) -> Excess:
    kind = Moments(y=np.arange(200) < 5, cluster=np.arange(200), strata=[np.zeros(200, dtype=np.int64)])
    others = Moments(y=np.arange(200) < 6, cluster=200 + np.arange(200), strata=[np.zeros(200, dtype=np.int64)])
    return replace(excess(kind, others), high=high)


def test_a_rule_that_holds_for_one_value_alone_says_so() -> None:
    words = by_trait(rest=rest(1.4), only_for=("partner",))
    assert "by channel relative risk at snapshots: partner 6.0, web 0.83; holds only for partner: the others" in words
    assert "0.83 times as often with it as without, at most 1.40" in words


def test_a_rule_that_differs_is_not_said_to_fail_for_the_others() -> None:
    assert by_trait(rest=rest(2.4)).endswith("too few to tell whether it holds for the others")


def test_what_a_trait_explains_is_shown_by_its_values() -> None:
    assert by_trait() == "by channel relative risk at snapshots: partner 6.0, web 0.83"
