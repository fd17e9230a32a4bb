"""The meter: what is billed is found by the amounts, listed apart, and never the headline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.metering import NEARLY, meters
from pqlkit.cli.output import plain
from pqlkit.durations import DAY
from pqlkit.exports.project import EventNote, Project
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.proposing import propose
from pqlkit.reporting.records.analysis import record
from pqlkit.reporting.renderers.analysis import as_table
from pqlkit.reporting.renderers.correlation import leading
from tests.analysis.canonical import in_memory

ONCE = Settings(snapshots="once:14d")


def world(*, billed: bool = True, users: int = 2_000, seed: int = 2, project: Project | None = None):
    """Make users who call an API, invite others, and are billed for their calls of the month (or some price of a list)."""
    rng = np.random.default_rng(seed)
    people: list[dict[str, Any]] = []
    events: list[Any] = []
    for number in range(users):
        name, anchor = f"u{number:05}", int(rng.integers(0, 150 * DAY))
        heavy, invites = bool(rng.random() < 0.25), int(rng.poisson(1.0))
        paying = rng.random() < (0.35 if heavy else 0.02) * (2 if invites >= 2 else 0.7)
        converted = anchor + 15 * DAY + int(rng.integers(1, 10 * DAY)) if paying else None
        batches = int(rng.integers(1, 6)) if heavy else 0
        calls = [float(np.round(np.exp(rng.normal(4, 1)))) + 1 for _ in range(batches)]
        amount = (
            (0.01 * sum(calls) if billed and calls else float(rng.choice([9, 19, 29, 49, 99, 199]))) if paying else None
        )
        people.append({"id": name, "anchor": anchor, "converted": converted, "amount": amount})
        events += [(name, "api_call", anchor + int(rng.integers(0, 14 * DAY)), {"calls": each}) for each in calls]
        events += [(name, "invite", anchor + int(rng.integers(0, 14 * DAY))) for _ in range(invites)]
        events += [(name, "login", anchor + int(at)) for at in rng.integers(0, 14 * DAY, int(rng.integers(1, 4)))]
    return in_memory(people, events, as_of=200 * DAY, project=project)


@pytest.fixture(scope="module")
def metered():
    return world()


def test_what_orders_customers_as_their_amounts_do_is_found(metered):
    paid = metered.entities.filter(metered.entities["converted"].is_not_null())
    assert paid.height > 100
    (meter,) = meters(metered, ["api_call", "invite", "login"])
    assert (meter.event, meter.behaviour.measure.property, meter.declared) == ("api_call", "calls", False)
    assert meter.correlation is not None
    assert meter.correlation >= NEARLY
    assert 0.5 * paid.height <= meter.conversions <= paid.height
    assert meter.days_ahead is not None
    assert 5 < meter.days_ahead < 25


def test_prices_of_a_list_make_no_meter():
    assert meters(world(billed=False), ["api_call", "invite", "login"]) == ()


def test_only_conversions_before_a_moment_are_read(metered):
    early = int(metered.entities["converted"].drop_nulls().sort()[10])
    assert meters(metered, ["api_call"], before=early) == ()


def test_it_is_listed_apart_and_never_the_headline(metered):
    found = analyze(metered, ONCE)
    assert [meter.event for meter in found.meters] == ["api_call"]
    assert "api_call" not in {row.behaviour.event for row in leading(found)}
    assert "api_call" not in {row.test.behaviour.event for row in found.kinds}
    assert all("meter" in row.flags for row in found.behaviours if row.behaviour.event == "api_call")
    assert "is what is billed" in plain(as_table(found))
    written: Any = record(found)
    assert written["meters"][0]["measure"] == "sum(calls)"


def test_a_rule_never_names_it_but_the_list_of_limits_may(metered):
    proposal = propose(metered, ONCE, ProposeOptions(permutations=0))
    named = {event for one in proposal.candidates for part in one.definition.criteria for event in part.events or ()}
    assert "api_call" not in named
    # Nor any event at all, most of which may be the meter's.
    assert all(part.events is not None for one in proposal.candidates for part in one.definition.criteria)
    assert [meter.event for meter in proposal.meters] == ["api_call"]
    assert {
        event for one in proposal.mechanical for part in one.definition.criteria for event in part.events or ()
    } <= {"api_call"}


def test_a_declared_meter_needs_no_amounts():
    declared = Project(events={"api_call": EventNote(meter="calls")})
    bare = world(billed=False, project=declared)
    (meter,) = meters(bare, ["api_call", "invite"])
    assert meter.declared
    assert meter.behaviour.measure.property == "calls"
    assert meters(replace(bare, project=Project()), ["api_call", "invite"]) == ()
