"""The wording: names made of events, numbered when taken, and definitions that say what the literals mean."""

from __future__ import annotations

import pytest

from pqlkit.definitions.emitting import emit
from pqlkit.definitions.model import EntityKind, Measure, MeasureKind, Outcome, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.measures.behaviour import GRID, Behaviour
from pqlkit.proposal.definition_wording import LONGEST_NAME, definition_of, in_words, name_of, numbered, slug
from pqlkit.proposal.literals import Literal

WITHIN, TRAILING = WindowKind.WITHIN, WindowKind.TRAILING


def literal(
    event: str | None, threshold: int = 3, *, days: int = 14, kind=WITHIN, measure=MeasureKind.COUNT
) -> Literal:
    behaviour = Behaviour(
        event=event, measure=Measure(kind=measure), window=Window(kind=kind, length=Duration(days, "d"))
    )
    return Literal(column=0, level=GRID.index(threshold) + 1, behaviour=behaviour)


def made(*literals: Literal, name: str = "x"):
    return definition_of(literals, name=name, kind=EntityKind.USER, outcome=Outcome(within=Duration(30, "d")))


HOSTILE = ["<b>x</b>", "=1+1", "a\nb", "\u202egnp.exe", "x" * 10_000, "登录", "", "..", "--", "$$"]


@pytest.mark.parametrize("event", HOSTILE)
def test_hostile_names_give_plain_names_and_definitions_that_emit(event):
    name = name_of([literal(event)])
    assert 0 < len(name) <= LONGEST_NAME
    assert name.isascii()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert emit(made(literal(event), name=name))


def test_names_follow_the_events_and_are_numbered_when_taken():
    assert name_of([literal("Team Invited"), literal(None)]) == "team-invited-and-active"
    assert name_of([literal("a"), literal("a", 5)]) == "a"
    assert name_of([literal("a")], ["a", "a-2"]) == "a-3"
    long = [literal("teammate_invited"), literal("invite_dialog_opened"), literal("session_started")]
    assert name_of(long) == "teammate-invited-and-invite-dialog-opened"
    assert numbered("b", ["a"]) == "b"


def test_a_shared_window_stands_once_and_trailing_windows_bring_freshness():
    once = made(literal("a"), literal("b"))
    assert once.within == Duration(14, "d")
    assert (once.lead.fresh_for, once.lead.cooldown) == (Duration(30, "d"), None)
    assert made(literal("a"), literal("b", days=7)).within is None
    trailing = made(literal("a", days=28, kind=TRAILING))
    assert trailing.within is None
    assert trailing.lead.fresh_for == trailing.lead.cooldown == Duration(30, "d")


def test_ids_are_distinct_and_thresholds_kept():
    both = made(literal("a", 4), literal("a", 2, measure=MeasureKind.DAYS))
    ids = [one.id for one in both.criteria]
    assert len(set(ids)) == 2
    assert [one.at_least for one in both.criteria] == [4, 2]


def test_words_say_measure_window_and_threshold():
    words = in_words([literal("a", 2000), literal(None, 10, days=28, measure=MeasureKind.DAYS)])
    assert words == "a >= 2,000 in 14d, any event (days) >= 10 in 28d"


def test_slugs_are_words():
    assert slug("  Export--CSV ") == "export-csv"
