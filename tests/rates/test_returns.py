"""Outcomes counted from qualifying: they end no life, make no customer, and take no event from the behaviours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pqlkit.analysis.observation import observe
from pqlkit.cli.output import plain
from pqlkit.definitions.documents import read_outcome
from pqlkit.definitions.model import Lead, Near, Outcome
from pqlkit.durations import DAY, Duration
from pqlkit.errors import PqlkitError
from pqlkit.exports.project import Project
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.reporting.pages.report import html
from pqlkit.reporting.renderers.report import as_markdown, as_table
from pqlkit.statistics.rate import Rate
from tests.analysis.canonical import dataset
from tests.rates.simulated import record, report
from tests.rates.test_report_by_hand import END, T0, definition, trailing, within

LATER = Outcome(within=Duration(90, "d"), event="any", after=Duration(60, "d"))
DAYS = {"early": 50, "edge": 62, "later": 62 + 1e-9, "last": 92, "late": 92 + 1e-9, "silent": None}
"""On which day users who qualify on day 2 come back: (62, 92] counts."""


def told(tmp_path, asked, more=()):
    events = [{"user_id": user, "event": "x", "timestamp": T0 + 2 * DAY} for user in DAYS]
    events += [
        {"user_id": user, "event": "open", "timestamp": T0 + round(day * DAY)}
        for user, day in DAYS.items()
        if day is not None
    ]
    events += [{"user_id": "nobody", "event": "open", "timestamp": at} for at in (T0, END)]
    users = [{"user_id": user, "signed_up_at": T0} for user in DAYS]
    data = dataset(tmp_path, events=[*events, *more], users=users)
    return population_of(data, Project(), definition=asked, entity="user")


def test_an_event_in_the_window_after_qualifying_counts(tmp_path):
    asked = replace(definition(), outcome=LATER)
    people = told(tmp_path, asked)
    shown = report(people, asked)
    assert shown.funnel.pql_to_customer == Rate.of(2, 6)
    assert people.entities["converted"].null_count() == people.entities.height
    assert shown.funnel.customers == 0
    # The same event, named: "x" does not count then.
    named = replace(asked, outcome=replace(LATER, event="open"))
    assert report(told(tmp_path, named), named).funnel.pql_to_customer == Rate.of(2, 6)
    other = replace(asked, outcome=replace(LATER, event="x"))
    assert report(told(tmp_path, other), other).funnel.pql_to_customer == Rate.of(0, 6)


def test_a_later_start_of_the_same_user_is_asked_anew(tmp_path):
    """Silent qualifies again on day 100, and comes back on day 170."""
    asked = replace(definition(trailing("x")), outcome=LATER, lead=Lead(cooldown=Duration(10, "d")))
    more = [
        {"user_id": "silent", "event": event, "timestamp": T0 + day * DAY} for event, day in (("x", 100), ("open", 170))
    ]
    shown = report(told(tmp_path, asked, more), asked)
    own = shown.population.entities.filter(shown.population.entities["id"] == "silent")["entity"].item()
    starts = shown.starts.filter(shown.starts["entity"] == own)
    assert [(row["on"] - T0) // DAY for row in starts.iter_rows(named=True)] == [2, 100]
    assert starts["y"].to_list() == [False, True]


def test_near_misses_return_as_leads_do(tmp_path):
    """Near on day 110, with one x of two: silent comes back on day 175, early does not."""
    near = Lead(near=Near(at_least=0.5, active_within=Duration(14, "d")))
    asked = replace(definition(within("x", least=2, days=150)), outcome=LATER, lead=near)
    more = [
        {"user_id": user, "event": "open", "timestamp": T0 + day * DAY}
        for user, day in (("silent", 105), ("silent", 175), ("early", 105))
    ]
    misses = report(told(tmp_path, asked, more), asked).near_misses
    assert misses.dates == (T0 + 110 * DAY,)
    assert (misses.qualified, misses.customers) == (Rate.of(0, 2), Rate.of(1, 2))


def test_the_words_are_those_of_a_return(tmp_path):
    asked = replace(definition(), outcome=LATER)
    shown = report(told(tmp_path, asked), asked)
    figures = record(shown)
    for text in (plain(as_table(shown)), as_markdown(shown), html(figures)):
        assert "of new PQLs returned within 60 to 90 days" in text
        assert "became customers" not in text
    assert figures["after"] == "60d"
    assert figures["funnel"]["to_date"]["customers"] is None
    assert figures["funnel"]["qualified_first"]["denominator"] == 0


def test_snapshots_count_from_themselves(tmp_path):
    """Seen on day 14, users come back in (74, 104]: late and last do."""
    people = told(tmp_path, replace(definition(), outcome=LATER))
    observed = observe(people, Settings(snapshots="once:14d"))
    assert int(observed.y.sum()) == 2
    named = told(tmp_path, replace(definition(), outcome=replace(LATER, event="x")))
    assert "x" in {behaviour.event for behaviour in observe(named, Settings(snapshots="once:14d")).cube.behaviours}


def test_an_outcome_that_everybody_had_met_before_is_said(tmp_path):
    asked = replace(definition(), outcome=replace(LATER, event="x"))
    more = [{"user_id": user, "event": "x", "timestamp": T0 + DAY} for user in DAYS]
    twice = replace(asked, qualify=within("x", least=2))
    shown = report(told(tmp_path, twice, more), twice)
    assert any("all 6 had done x before they qualified" in warning for warning in shown.warnings)
    assert not any("before they qualified" in warning for warning in report(told(tmp_path, asked), asked).warnings)
    final = replace(definition(), outcome=Outcome(within=Duration(30, "d"), event="open0"))
    more = [{"user_id": user, "event": "open0", "timestamp": T0 + DAY} for user in DAYS]
    assert any(
        "nobody met d before having done open0 (6 had)" in said
        for said in report(told(tmp_path, final, more), final).warnings
    )


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"event": "any", "within": "30d"}, "only with after"),
        ({"after": "10d", "within": "30d"}, "after needs an event"),
        ({"event": "any", "after": "30d", "within": "30d"}, "leaves nothing of within"),
        ({"event": "any", "after": "10d", "within": "30d", "retained_for": "5d"}, "leave retained_for out"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(written, fault):
    with pytest.raises(PqlkitError, match=fault):
        read_outcome(written, within=Duration(30, "d"), resolver=None)
