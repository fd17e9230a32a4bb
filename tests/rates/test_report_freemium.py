"""A report of a freemium product: spells that lapse and come back, walked through account by account."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from functools import cache
from typing import Any

import polars as pl
import pytest

from pqlkit.definitions.model import Lead, WindowKind
from pqlkit.durations import DAY, Duration
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import read_project
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.proposal.promise import promise, started
from pqlkit.proposal.proposing import propose
from pqlkit.rates.periods import Basis
from pqlkit.snapshots.qualifications import between, pql_conversion_rate
from tests.rates.simulated import people, report, rule, world

WEEKS4 = 28 * DAY


@cache
def made() -> Any:
    return report(people("freemium"), rule("freemium"))


@cache
def lives() -> Any:
    """Per account: anchor, conversion, and the instants of each criterion's event, as the exports have them."""
    simulated, as_of = world("freemium")[0], made().population.as_of
    entities = made().population.entities
    wanted = [leaf.events[0] for leaf in rule("freemium").criteria]
    times = (
        simulated.events.with_columns(pl.col("timestamp").dt.timestamp("us").alias("t"))
        .filter(pl.col("event").is_in(wanted), pl.col("t") <= as_of)
        .group_by("account_id", "event")
        .agg(pl.col("t").sort())
    )
    events = {(account, event): list(at) for account, event, at in times.iter_rows()}
    bought = dict(
        simulated.conversions.with_columns(pl.col("converted_at").dt.timestamp("us").alias("t"))
        .filter(pl.col("t") <= as_of)
        .group_by("account_id")
        .agg(pl.col("t").min())
        .iter_rows()
    )
    return {
        key: (anchor, bought.get(key), [events.get((key, name), []) for name in wanted])
        for key, anchor in entities.select("id", "anchor").iter_rows()
    }


def spells(anchor, converted, instants, thresholds, as_of):
    """Walk through one life: on while every count over the last 28 days is reached, judged at every change."""
    instants = [[t for t in row if converted is None or t < converted] for row in instants]
    changes = sorted({t + shift for row in instants for t in row for shift in (0, WEEKS4)})
    end = as_of + 1 if converted is None else min(converted, as_of + 1)
    found, on = [], None
    for t in changes:
        counts = [bisect_right(row, t) - bisect_right(row, t - WEEKS4) for row in instants]
        holds = all(n >= least for n, least in zip(counts, thresholds, strict=True))
        if holds and on is None:
            on = t
        elif not holds and on is not None:
            found.append((on, t))
            on = None
    if on is not None:
        found.append((on, None))
    started = [(max(on, anchor), off) for on, off in found if off is None or off > anchor]
    return [(on, None if off is not None and off >= end else off) for on, off in started if on < end]


@cache
def walked():
    thresholds = [leaf.at_least for leaf in rule("freemium").criteria]
    as_of = made().population.as_of
    return {
        key: spells(life[0], life[1], life[2], thresholds, as_of)
        for key, life in lives().items()
        if life[0] is not None
    }


def counted(conversion_window=WEEKS4, cooldown=WEEKS4):
    rows = []
    for key, found in walked().items():
        converted, last, before = lives()[key][1], None, None
        for on, off in found:
            rested = before is None or on >= before + cooldown
            if (last is None or on > last + conversion_window) and rested and (converted is None or on < converted):
                # Whoever is older than the export may have met it before: no start until a whole window has gone by.
                if lives()[key][0] >= made().population.history_from or on >= made().population.history_from + WEEKS4:
                    rows.append((key, on, converted))
                last = on
            before = off
    return rows


def test_the_world_lapses_and_comes_back():
    assert sum(len(found) > 1 for found in walked().values()) > 50


def test_starts_are_those_of_a_walk_through_each_life():
    ids = made().population.entities.select("entity", "id")
    found = made().starts.join(ids, on="entity").select("id", "on").rows()
    assert sorted(found) == sorted((key, on) for key, on, _ in counted())


def test_the_pql_conversion_rate_is_that_of_the_walk():
    as_of = made().population.as_of
    mature = [(on, c) for _, on, c in counted() if on + WEEKS4 <= as_of]
    hits = sum(c is not None and c <= on + WEEKS4 for on, c in mature)
    rate = made().funnel.pql_to_customer
    assert (rate.numerator, rate.denominator) == (hits, len(mature))
    assert hits > 5
    assert made().in_progress == len(counted()) - len(mature)


def test_a_cooldown_counts_fewer_starts():
    asked = replace(rule("freemium"), lead=Lead(cooldown=Duration(84, "d")))
    found = report(people("freemium"), asked)
    assert found.starts.height == len(counted(cooldown=84 * DAY)) < made().starts.height


def test_a_conversion_is_counted_once():
    hits = made().starts.filter("y")
    assert hits["entity"].n_unique() == hits.height


def test_the_snapshot_rate_asks_at_each_snapshot_whether_it_holds_just_before():
    snapshots, found = made().snapshots, walked()
    ids = dict(made().population.entities.select("entity", "id").iter_rows())
    cells = [0, 0, 0, 0]
    for entity, cutoff, y in snapshots.frame.select("entity", "cutoff", "y").iter_rows():
        holds = any(on < cutoff and (off is None or off >= cutoff) for on, off in found.get(ids[entity], []))
        cells[(0 if holds else 2) + (0 if y else 1)] += 1
    table = made().funnel.snapshot
    assert [table.a, table.b, table.c, table.d] == cells
    assert snapshots.text == "every:28d"


def test_lives_that_began_before_the_export_are_in_no_rate_of_signups():
    """Whether they qualified in their first 84 days nobody can know: they would be false zeros."""
    first, as_of = made().population.history_from, made().population.as_of
    kept = {
        key
        for key, (anchor, converted, _) in lives().items()
        if anchor is not None and anchor >= first and (converted is None or converted >= anchor)
    }
    invalid = set(made().population.entities.filter("invalid")["id"].to_list())
    until = 84 * DAY + made().definition.outcome.within.microseconds
    classes = made().population.entities.join(made().snapshots.entity_classes, on="entity")
    out = set(classes.filter(pl.col("class").is_in(["unobserved", "customer_already", "ineligible"]))["id"].to_list())
    due = [key for key in kept - invalid - out if lives()[key][0] + until <= as_of]
    hits = [key for key in due if walked()[key] and walked()[key][0][0] <= lives()[key][0] + 84 * DAY]
    rate = made().funnel.cohort.levels.pqls
    assert (rate.numerator, rate.denominator) == (len(hits), len(due))
    assert made().funnel.signups > len(kept - out)


def test_the_promise_of_a_proposal_is_the_report_of_that_period():
    definition, population_ = rule("freemium"), people("freemium")
    begin = int(made().starts["on"].quantile(0.6))
    promised = promise(population_, started(population_, definition), first=begin, before=None)
    part = between(made().starts, begin, None)
    assert promised.rate == pql_conversion_rate(part)
    assert promised.starts == part.height > 10


@pytest.fixture
def cut_off(tmp_path):
    """The same world without its first year of events."""
    simulated, *_ = world("freemium")
    first = simulated.events["timestamp"].min()
    later = simulated.events.filter(pl.col("timestamp") >= first + pl.duration(days=365))
    replace(simulated, events=later).write(tmp_path)
    project = read_project(tmp_path / "pqlkit.yml")
    return population_of(open_dataset(project), project, definition=rule("freemium"))


def test_nothing_disappears_from_the_past_by_lapsing_or_by_later_rows():
    """Starts up to a day are the same whether the data end there or go on: no survivor bias."""
    whole = made()
    end = int(whole.starts["on"].quantile(0.5)) // DAY * DAY
    text = pl.select(pl.from_epoch(pl.lit(end - 1), time_unit="us").dt.strftime("%Y-%m-%d")).item()
    early = report(people("freemium", as_of=text), rule("freemium"))
    ids = whole.population.entities.select("entity", "id")
    then = early.starts.join(early.population.entities.select("entity", "id"), on="entity").sort("on", "id")
    now = whole.starts.filter(pl.col("on") < end).join(ids, on="entity").sort("on", "id")
    assert then.select("id", "on").rows() == now.select("id", "on").rows()
    mature = then.filter("mature").select("id", "on", "y").rows()
    assert mature == now.select("id", "on", "y").rows()[: len(mature)]
    assert len(mature) > 20


def test_older_history_changes_only_what_its_windows_see(cut_off):
    """Without the first year, spells that begin a window later are the same to the microsecond; none begins before."""
    short = report(cut_off, rule("freemium"))
    begins = short.population.history_from + WEEKS4

    def spells_of(found):
        named = found.spells.join(found.population.entities.select("entity", "id"), on="entity")
        return set(named.filter(pl.col("on") >= begins).select("id", "on").iter_rows())

    assert spells_of(short) == spells_of(made())
    assert short.spells["on"].min() >= short.population.history_from
    assert len(spells_of(short)) > 50


@pytest.mark.slow
def test_what_is_proposed_promises_what_its_report_counts():
    """Snapshots every so many days give trailing criteria, a `lead` block, and the PQL conversion rate as the promise."""
    _, project, data, _ = world("freemium large")
    found = propose(
        population_of(data, project), Settings(snapshots="every:28d"), ProposeOptions(permutations=0, top=1)
    )
    (best,) = found.candidates
    assert {leaf.window.kind for leaf in best.definition.criteria} == {WindowKind.TRAILING}
    assert best.definition.lead is not None
    assert best.definition.cooldown == Duration(28, "d")
    evidence: Any = best.definition.evidence
    own = report(population_of(data, project, definition=best.definition), best.definition)
    assert own.snapshots.text == "every:28d"
    assert own.chosen_on is None  # no part of the data came later than the choice
    part = between(own.starts, found.holdout.first, None)
    assert best.promised.rate == pql_conversion_rate(part)
    assert best.promised.starts == part.height
    holdout = evidence.holdout
    # So few converters leave no holdout: the evidence is of rules chosen without a part, read on it, and says so.
    assert found.cross_fitted is not None
    assert holdout.independent is False
    rate = found.cross_fitted.rate
    assert (holdout.view, holdout.qualified, holdout.converted) == (
        "qualification",
        rate.denominator,
        rate.numerator,
    )
    # The reference is the evidence's only if something came after it.
    assert {one.basis for one in own.periods if one.baseline} == {Basis.FIRST}
