"""Proposals for an outcome that is counted from qualifying: who comes back, recounted by hand, in the outcome's own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pqlkit.cli.output import plain
from pqlkit.definitions.expression import parse_expression
from pqlkit.definitions.model import Outcome
from pqlkit.durations import DAY, Duration
from pqlkit.exports.project import Project
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.proposal.proposing import propose
from pqlkit.proposal.trying import try_
from pqlkit.rates.report import report
from pqlkit.reporting.renderers.proposal import as_table
from pqlkit.reporting.renderers.trial import as_table as trial_table
from tests.analysis.canonical import dataset

T0 = 20_000 * DAY
USERS = 1_200
LATER = Outcome(within=Duration(60, "d"), event="any", after=Duration(20, "d"))


def signed_up(number):
    return T0 + number * DAY // 6


def back(number):
    """Of those who share, two in three come back after 30 days; of the others, who look around as often, one in four."""
    return number * 7 % 3 > 0 if number % 2 else number * 11 % 8 < 2


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    events = []
    for number in range(USERS):
        happened = [("open", 0), ("share" if number % 2 else "look", 2)] + ([("open", 32)] if back(number) else [])
        events += [
            {"user_id": f"{number:04}", "event": event, "timestamp": signed_up(number) + day * DAY}
            for event, day in happened
        ]
    end = signed_up(USERS) + 70 * DAY
    events.append({"user_id": "nobody", "event": "open", "timestamp": end})
    users = [{"user_id": f"{number:04}", "signed_up_at": signed_up(number)} for number in range(USERS)]
    data = dataset(tmp_path_factory.mktemp("returns"), events=events, users=users)
    return population_of(
        data, replace(Project(), outcome={"event": "any", "after": "20d", "within": "60d"}), entity="user"
    )


def test_a_hypothesis_is_answered_in_the_words_of_the_outcome(people):
    """Seen on day 7 and asked for days 20 to 60 from there: whoever came back on day 32 did so on the 25th."""
    text = "share >= 1 in 7d"
    found = try_(people, text, parse_expression(text), Settings(snapshots="once:7d"))
    looked_at = [number for number in range(USERS) if signed_up(number) + 67 * DAY <= people.as_of]
    assert found.table.a == sum(back(number) for number in looked_at if number % 2)
    said = " ".join(plain(trial_table(found)).split())
    assert said.startswith(f"Snapshots that meet it returned {found.table.relative_risk().value:.1f} times as often")
    assert "within 20 to 60 days" in said
    assert "customers" not in said


@pytest.mark.slow
def test_who_comes_back_is_proposed_promised_and_reported_alike(people):
    found = propose(people, Settings(snapshots="once:7d"), ProposeOptions(permutations=0))
    (first, *_) = found.candidates
    assert [literal.name for literal in first.rule.literals] == ["share"]
    assert first.definition.outcome == LATER
    inside = [
        number
        for number in range(1, USERS, 2)
        if found.holdout.first <= signed_up(number) + 2 * DAY <= found.holdout.through
    ]
    promised = first.promised
    assert promised.starts == len(inside) > 100
    complete = [number for number in inside if signed_up(number) + 62 * DAY <= people.as_of]
    assert (promised.rate.numerator, promised.rate.denominator) == (sum(map(back, complete)), len(complete))
    # Nobody becomes a customer, so there are no first conversions of which to recall any.
    assert first.recall == (0, 0)
    assert f"returned {promised.rate.numerator} of" in " ".join(plain(as_table(found)).split())
    shown = report(people, first.definition)
    assert shown.funnel.pql_to_customer.numerator == sum(map(back, range(1, USERS, 2)))
    assert shown.funnel.customers == 0
