"""The first block of a proposal: which criterion is doubtful, how many meet the rule now, and how few converted at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pqlkit.reporting.renderers import proposal
from pqlkit.snapshots.qualifications import TimeToConvert


def chosen(name: str, share: float, rival: str | None) -> Any:
    return SimpleNamespace(literal=SimpleNamespace(name=name), share=share, rival=rival)


def test_a_criterion_that_most_halves_do_not_choose_again_is_named_beside_how_sure_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proposal, "sureness", lambda *_: "20% of new PQLs")
    criteria = [chosen("invite", 0.47, "dialog"), chosen("login", 0.5, "export"), chosen("share", 0.1, None)]
    candidate: Any = SimpleNamespace(stability=SimpleNamespace(criteria=criteria))
    whole: Any = None
    assert proposal.sure(whole, candidate) == [
        ("How sure", "20% of new PQLs"),
        ("Unsure of", "invite: 47% of random halves choose it again, else dialog"),
        ("Unsure of", "share: 10% of random halves choose it again"),
    ]
    candidate.stability = None
    assert proposal.sure(whole, candidate) == [("How sure", "20% of new PQLs")]


@pytest.mark.parametrize(
    ("meet", "new", "said"),
    [
        (88, 21, "88 accounts meet it now, 21 of them new in the last 7 days"),
        (1, 0, "1 account meets it now, none of them new in the last 7 days"),
        (0, 0, "0 accounts meet it now"),
    ],
)
def test_who_meets_it_now_is_told_before_who_is_new(meet: int, new: int, said: str) -> None:
    whole: Any = SimpleNamespace(tonight=SimpleNamespace(meet=meet, new=new))
    candidate: Any = SimpleNamespace(definition=SimpleNamespace(entity=SimpleNamespace(value="account")))
    assert proposal.tonight_in_words(whole, candidate) == said


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "none of the 109"), (2 / 109, "2 of 109"), (None, "none of the 109")]
)
def test_nobody_within_a_day_is_said_as_none(share: float | None, said: str) -> None:
    quick = TimeToConvert(n=109, median_days=16.0, p25_days=9.0, p75_days=20.0, within_a_day=share)
    assert quick.quick == said
