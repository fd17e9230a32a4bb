from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pqlkit.definitions.describing import describe, evidence, missing, phrase
from pqlkit.definitions.expression import parse_expression
from pqlkit.definitions.model import (
    Anchor,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Lead,
    Limit,
    Operator,
    Outcome,
    Ref,
    Window,
    WindowKind,
)
from pqlkit.definitions.phrases import condition_phrase
from pqlkit.durations import Duration
from tests.definitions.strategies import criteria, definitions


def inert(text: str) -> bool:
    """Whether no control, format or private character is left; a joiner inside an emoji may stay."""
    return all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} or c == "\u200d" for c in text)


def criterion(text: str) -> Criterion:
    node = parse_expression(f"{text} ever")
    assert isinstance(node, Criterion)
    return node


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("teammate_invited", 4, "4 teammates invited"),
        ("teammate_invited", 1, "1 teammate invited"),
        ("project_created", 3, "3 projects created"),
        ("days(any)", 6, "active on 6 days"),
        ("days(login)", 1, "login on 1 day"),
        ("users(any)", 2, "2 active users"),
        ("users(report_viewed)", 1, "report viewed by 1 user"),
        ("sum(contacts_imported.contacts)", 62, "62 contacts imported"),
        ("sum(contacts_imported.contacts)", 1, "1 contact imported"),
        ("sum(session_ended.minutes)", 150.5, "150.5 minutes"),
        ("distinct(friend_added.friend_id)", 7, "7 different friends"),
        ("last(storage_measured.stored_bytes)", 8000000, "8,000,000 stored bytes"),
        ("last(x.balance)", 12, "latest balance 12"),
        ("max(x.seats)", 12, "largest seats 12"),
        ("last(x.seats)", None, "no seats known"),
        ("login", None, "0 logins"),
        ('"Clicked: Buy"', 2, '"Clicked: Buy" 2 times'),
        ("contacts_imported", 2, "contacts imported 2 times"),
        ("any", 1200, "1,200 events"),
    ],
)
def test_evidence_is_said_in_natural_units(text: str, value: float | None, said: str) -> None:
    assert evidence(criterion(text), value) == said


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("teammate_invited >= 4", 2, "2 more teammate invites"),
        ("teammate_invited >= 4", 3, "1 more teammate invite"),
        ("teammate_invited >= 4", 0, "4 teammates invited"),
        ("teammate_invited >= 4", 4, None),
        ("teammate_invited >= 4", 9, None),
        ("project_created >= 3", 1, "2 more projects created"),
        ("days(any) >= 10", 8, "active on 2 more days"),
        ("days(login) >= 5", 0, "login on 5 days"),
        ("users(login) >= 3", 2, "login by 1 more user"),
        ("users(any) >= 3", 2, "1 more active user"),
        ("sum(contacts_imported.contacts) >= 50", 12, "38 more contacts"),
        ("sum(order.minutes) >= 0.3", 0.1, "0.2 more minutes"),
        ("distinct(friend_added.friend_id) >= 7", 6, "1 more different friend"),
        ("last(x.seats) >= 20", 12, "8 more seats (12 so far)"),
        ("last(x.seats) >= 20", None, "no seats known"),
        ("login <= 3", 5, "2 fewer than 5 logins"),
        ("login <= 3", 3, None),
        ("login <= 3", None, None),
    ],
)
def test_what_is_missing_is_said_in_natural_units(text: str, value: float | None, said: str | None) -> None:
    assert missing(criterion(text), value) == said


def test_a_limit_is_asked_for_where_it_is_needed() -> None:
    part = replace(criterion("last(x.contacts)"), at_least=Limit(percent=80, trait="contacts_limit"))
    assert missing(part, 7000, limit=10000) == "1,000 more contacts (7,000 so far)"
    assert missing(part, 8000, limit=10000) is None
    for unknown in (None, 0, -5):
        assert missing(part, 7000, limit=unknown) == "no contacts_limit known"
    part = replace(part, at_least=Limit(percent=80, number=10000))
    assert missing(part, 7999.5) == "0.5 more contacts (7,999.5 so far)"


def test_refs_are_said_by_name() -> None:
    target = Definition(name="activated", entity=EntityKind.USER, qualify=criterion("login"), outcome=None)
    ref = Ref(id="a", name="activated", target=target, users_at_least=3)
    assert evidence(ref, 1) == "1 user qualified as activated"
    assert missing(ref, 1) == "2 more users qualified as activated"
    assert missing(ref, 3) is None
    assert missing(replace(ref, users_at_least=None), 0) == "activated"
    assert missing(replace(ref, users_at_least=None), 1) is None
    assert phrase(replace(ref, users_at_least=1)) == "at least one user qualified as activated"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a trailing 28d", "at least one a event in the last 28 days"),
        ("a >= 4 rolling 1d", "4 or more a events in any 1 day"),
        ("a <= 4 in 2w", "at most 4 a events within 2 weeks of signup"),
        ("days(a) ever", "at least one day with a at any time"),
        ("users(any) >= 3 in 7d", "3 or more active users within 7 days of signup"),
        ("sum(a.b) >= 1.5 in 7d", "b adding up to at least 1.5 in a events within 7 days of signup"),
        ("a in 7d and (b ever or c ever)", "at least one a event within 7 days of signup and "
         "(at least one b event at any time or at least one c event at any time)"),
        ("not a in 7d", "no a event within 7 days of signup"),
        ("not a >= 2 in 7d", "not 2 or more a events within 7 days of signup"),
        ("a <= 0 in 7d", "no a events within 7 days of signup"),
        ("any >= 5 in 7d", "5 or more events within 7 days of signup"),
        ("any in 7d", "at least one event within 7 days of signup"),
        ("distinct(any.page) >= 5 ever", "5 or more different page values in any event at any time"),
        ("last(a.seats) >= 5 ever", "a latest seats value of at least 5 in a events at any time"),
        ('"Trial Started" ever', 'at least one "Trial Started" event at any time'),
    ],
)  # fmt: skip
def test_phrases_use_the_names_of_the_export(text: str, said: str) -> None:
    assert phrase(parse_expression(text)) == said


def test_within_is_said_from_the_anchor() -> None:
    part = parse_expression("a in 7d")
    assert phrase(part, Anchor(kind="first_event")).endswith("within 7 days of the first event")
    assert phrase(part, Anchor(kind="event", event="Trial Started")).endswith('of the first "Trial Started"')


@pytest.mark.parametrize(
    ("operator", "values", "said"),
    [
        (Operator.EQUALS, ("x",), "p is x"),
        (Operator.EQUALS, ("",), 'p is ""'),
        (Operator.EQUALS, (True,), "p is true"),
        (Operator.IN, (1, 2, 3), "p is 1, 2 or 3"),
        (Operator.IN, (1, 2, 3, 4, 5), "p is 1, 2, 3 or 2 more"),
        (Operator.NOT_IN, ("a b",), 'p is not "a b"'),
        (Operator.AT_LEAST, (1000,), "p is at least 1,000"),
        (Operator.NOT_MATCHING, ("x$",), "p does not match x$"),
        (Operator.EXISTS, (True,), "p has a value"),
        (Operator.EXISTS, (False,), "p has no value"),
    ],
)
def test_conditions_are_said(operator, values, said) -> None:
    assert condition_phrase(Condition(name="p", operator=operator, values=values)) == said


def test_a_definition_is_said_whole() -> None:
    definition = Definition(
        name="x",
        entity=EntityKind.ACCOUNT,
        qualify=criterion("a >= 2"),
        eligible=(Condition(name="plan", operator=Operator.IN, values=("free",)),),
        outcome=Outcome(within=Duration(30, "d"), event="Submit Upgrade", kind=None),
        lead=Lead(fresh_for=Duration(14, "d")),
    )
    assert describe(definition) == (
        "An account that, at any time, has 2 or more a events. Only accounts whose plan is free. Success is the event "
        '"Submit Upgrade" within 30 days of qualifying. A lead is fresh for 14 days.'
    )
    expansion = Outcome(within=Duration(30, "d"), kind="expansion", from_plan=("free",), to_plan=("pro", "team"))
    assert describe(replace(definition, eligible=(), lead=Lead(), outcome=expansion)).endswith(
        "Success is a conversion within 30 days of qualifying, where kind is expansion, the plan before is free and the "
        "plan after is pro or team."
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_hostile_names_stay_inert_and_short(definition: Definition) -> None:
    sentence = describe(definition)
    assert inert(sentence)
    assert len(sentence) < 20_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(criteria(), st.none() | st.integers(0, 10**9) | st.floats(0, 1e9), st.none() | st.floats(-1, 1e6))
def test_any_value_of_any_criterion_can_be_said(part: Criterion, value: float | None, limit: float | None) -> None:
    said = [evidence(part, value), missing(part, value, limit=limit) or "", phrase(part)]
    assert all(inert(text) for text in said)
    assert all(len(text) < 2000 for text in said)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_something_is_missing_exactly_until_the_threshold(value: int, threshold: int) -> None:
    part = Criterion(id="x", events=("login",), window=Window(kind=WindowKind.EVER), at_least=threshold)
    assert (missing(part, value) is None) == (value >= threshold)
