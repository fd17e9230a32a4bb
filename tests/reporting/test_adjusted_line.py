"""The adjusted line of a proposal: a figure and what it allows for, or the reason why there is none."""

from __future__ import annotations

import pytest

from pqlkit.analysis.adjustment import Effect
from pqlkit.reporting.renderers import proposal
from pqlkit.statistics.estimate import Estimate, Undefined

ODDS, RISK = Estimate.of(1.05, 0.74, 1.5), Estimate.of(1.04, 0.79, 1.37)


def said(effect: Effect) -> str:
    return " ".join(" ".join(proposal._adjusted(effect)).split())


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (Effect(odds_ratio=ODDS, relative_risk=RISK), "1.04 times [0.79, 1.37] as often: only active ones?"),
        (
            Effect(odds_ratio=ODDS, relative_risk=RISK, traits=("channel",), without_traits=Estimate.of(4.0, 2.9, 5.4)),
            "as often not told apart from channel; without 4.0 [2.9, 5.4]",
        ),
        (
            Effect(
                odds_ratio=Estimate.of(3.0, 2.0, 4.5),
                relative_risk=Estimate.of(2.5, 1.8, 3.5),
                traits=("channel",),
                without_traits=Estimate.of(4.0, 2.9, 5.4),
                left_out=28,
            ),
            "2.5 times [1.80, 3.5] as often allowing too for channel; without 4.0 [2.9, 5.4] left out: 28 snapshots of quarters",
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
