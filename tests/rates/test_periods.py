"""Periods: planted drift is called by its name, and the baseline is what the evidence came from."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqlkit.definitions.model import Evidence, EvidenceData
from pqlkit.durations import DAY
from pqlkit.exports.project import Project
from pqlkit.population.population import population_of
from pqlkit.rates.periods import (
    ENOUGH,
    MONTHLY,
    Basis,
    _baseline,
    _bounds,
    _monthly,
    _unsteady,
    last_mark,
    newest_judged,
    periods,
)
from pqlkit.reporting.renderers.report_sentences import against_baseline
from pqlkit.snapshots.matches import met_at
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.drift import Period, Verdict, assess
from pqlkit.statistics.rate import Rate
from tests.analysis.canonical import dataset, in_memory
from tests.rates.simulated import people, record, report, rule
from tests.rates.test_report_by_hand import definition, within
from tests.scoring.nights import START


@cache
def made(name, evidence=()) -> Any:
    asked = rule(name)
    if evidence:
        asked = replace(
            asked,
            evidence=Evidence(
                data=EvidenceData(start=date.fromisoformat(evidence[0]), through=date.fromisoformat(evidence[1]))
            ),
        )
    return report(people(name), asked)


@pytest.mark.parametrize(("starts", "monthly"), [(MONTHLY, True), (MONTHLY - 1, False)])
def test_periods_are_months_from_so_many_starts_a_month_on(starts, monthly):
    on = [START + month * 31 * DAY for month in range(3) for _ in range(starts)]
    people = in_memory([{"id": "a", "anchor": START}], as_of=START + 200 * DAY)
    assert _monthly(people, pl.DataFrame({"on": on, "mature": True})) is monthly


def verdicts(found):
    return [one.drift.verdict.value for one in found.periods if one.drift is not None]


@pytest.mark.parametrize(
    ("name", "newest", "drifted"),
    [("steady", "no-change-found", False), ("effect", "rate-fell", True), ("volume", "share-changed", True)],
)
def test_planted_drift_is_called_by_its_name(name, newest, drifted):
    found = made(name)
    judged: Any = newest_judged(found.periods)
    assert judged.drift.verdict.value == newest
    assert found.drifted is drifted


def test_drift_of_the_volume_names_the_event():
    events = {leaf.events[0] for leaf in rule("volume").criteria}
    moved = [set(one.moved) for one in made("volume").periods if one.mature][-1]
    assert moved
    assert moved <= events
    assert all(not one.moved for one in made("steady").periods)


def test_without_evidence_the_first_periods_are_taken_together():
    found = made("steady").periods
    basis = [one.basis for one in found]
    baseline = [one for one in found if one.baseline]
    mature = [one for one in found if one.mature]
    assert basis[: len(baseline)] == [Basis.FIRST] * len(baseline)
    half = (len(mature) + 1) // 2
    assert len(baseline) <= half
    leads = [one.rate.denominator for one in baseline]
    assert sum(leads) >= ENOUGH > sum(leads[:-1]) or len(baseline) == half
    assert all(one.drift is None for one in baseline)
    assert all(one.drift is not None for one in mature[len(baseline) :])


def test_periods_know_that_snapshots_go_together(tmp_path):
    """Accounts of four users who do and buy the same: a snapshot weighs a quarter; four snapshots at a life: only shares do."""
    rng = np.random.default_rng(9)
    users, events, bought = [], [], []
    for account in range(300):
        signup, does, buys = int(rng.integers(0, 150)) * DAY, rng.random() < 0.4, rng.random() < 0.3
        for user in (f"a{account:03}-{k}" for k in range(4)):
            users.append({"user_id": user, "account_id": f"a{account:03}", "signed_up_at": signup})
            events += [{"user_id": user, "event": "x", "timestamp": signup + DAY}] if does else []
            bought += [{"user_id": user, "converted_at": signup + 20 * DAY}] if buys else []
    events.append({"user_id": users[0]["user_id"], "event": "y", "timestamp": 260 * DAY})
    tables: dict[str, Any] = {"users": users, "events": events, "conversions": bought}
    asked = definition(within("x"))
    told = report(population_of(dataset(tmp_path, **tables), Project(), entity="user"), asked)
    found = [one for one in told.periods if one.mature]
    assert len(found) == 2
    assert all(3.5 < one.snapshot.design_effect < 4.5 for one in found)
    assert all(3.5 < one.rate.design_effect < 4.5 for one in found)
    lonely: dict[str, Any] = {"users": [{**user, "account_id": user["user_id"]} for user in users]}
    (tmp_path / "b").mkdir()
    alone = report(population_of(dataset(tmp_path / "b", **tables | lonely), Project(), entity="user"), asked)
    assert all(one.snapshot.design_effect == one.rate.design_effect == 1.0 for one in alone.periods)
    assert [one.snapshot.cells for one in alone.periods] == [one.snapshot.cells for one in told.periods]
    then, now = (told.periods[1].drift, alone.periods[1].drift)
    assert then.share_ratio == now.share_ratio
    assert (
        then.effect_p_value > now.effect_p_value
    )  # the rate itself varies from month to month: whose accounts go together
    assert then.shifts[0].chance_of_size > now.shifts[0].chance_of_size


def quarters(*tables):
    return [Period(table=Contingency(*cells)) for cells in tables]


CALM, BUSY, LOST = (55, 145, 100, 3900), (110, 290, 100, 3900), (16, 184, 100, 3900)


@pytest.mark.parametrize(
    ("parts", "chosen"),
    [
        (quarters(CALM), [0]),
        (quarters(CALM, CALM), [0]),
        (quarters(CALM, CALM, CALM), [0, 1]),
        (quarters(CALM, CALM, CALM, CALM), [0, 1]),
        (quarters(CALM, CALM, CALM, CALM, CALM), [0, 1]),
        (quarters(BUSY, BUSY, BUSY), [0]),
        (quarters(CALM, LOST, LOST, LOST), [0]),
        (quarters((0, 0, 0, 0), CALM, CALM, CALM), [1, 2]),
    ],
    ids=["one", "two", "three", "four", "five", "enough", "a change", "an empty one"],
)
def test_the_baseline_grows_until_it_holds_enough_or_something_changes(parts, chosen):
    names = [f"2025-Q{number + 1}" for number in range(len(parts))]
    found, basis = _baseline(names, parts, replace(rule("steady"), evidence=None), "UTC")
    assert (found, basis) == (chosen, Basis.FIRST)


def test_the_p_value_beside_a_verdict_is_that_of_what_it_rests_on():
    then = Period(table=Contingency(375, 1125, 780, 27_720), behaviours=((2000, 800, 200),))
    now = {
        "volume": Period(table=Contingency(75, 225, 156, 5544), behaviours=((1000, 1200, 800),)),
        "effect": Period(table=Contingency(38, 262, 156, 5544), behaviours=((2000, 800, 200),)),
        "none": Period(table=Contingency(70, 230, 156, 5544), behaviours=((2000, 800, 200),)),
    }
    found: dict[str, Any] = {name: assess(then, [period])[0] for name, period in now.items()}
    assert found["volume"].verdict is Verdict.SHARE_CHANGED
    assert found["volume"].share_p_value > 0.9
    assert found["volume"].verdict_p_value == found["volume"].shifts[0].p_value
    assert found["effect"].verdict_p_value == min(found["effect"].p_value, found["effect"].effect_p_value)
    assert found["none"].verdict_p_value == found["none"].p_value


def test_the_evidence_chooses_the_baseline():
    found = made("steady", ("2025-03-03", "2025-07-20")).periods
    names = [one.period for one in found if one.baseline]
    assert names
    assert all(one.basis is Basis.EVIDENCE for one in found if one.baseline)
    assert names == ["2025-Q2"]
    assert [one.drift is None for one in found] == [True, True, False, False]
    assert verdicts(made("steady", ("2025-01-15", "2025-06-15"))) == verdicts(
        made("steady", ("2025-01-01", "2025-06-30"))
    )
    assert [one.baseline for one in made("steady", ("2025-01-15", "2025-06-15")).periods] == [True, True, False, False]


@pytest.mark.parametrize("dates", [("2025-01-01", "2026-12-31"), ("2019-01-01", "2019-12-31")])
def test_evidence_that_nothing_follows_is_no_baseline(dates):
    found = made("steady", dates)
    assert {one.basis for one in found.periods if one.baseline} == {Basis.FIRST}
    assert verdicts(found)


def test_a_period_is_mature_when_its_last_start_is():
    found = made("steady")
    names = [one.period for one in found.periods]
    assert [one.mature for one in found.periods] == sorted((one.mature for one in found.periods), reverse=True)
    assert not found.periods[-1].mature
    conversion_window = rule("steady").outcome.within.microseconds
    end = _bounds(names[0], "UTC")[1] + conversion_window
    for moment, over in ((end - 1, True), (end - 2, False)):
        then = replace(found.population, as_of=moment)
        assert periods(then, found.definition, found.snapshots, met(found), found.starts, then.world)[0].mature is over


def met(found):
    return met_at(found.population, found.definition, found.snapshots.frame, spells=found.spells)


def test_a_verdict_is_that_of_the_last_mark_whatever_the_night():
    """The third quarter is judged in part: 4 weeks before it is complete, whatever the night until then."""
    complete = _bounds("2025-Q3", "UTC")[1] + rule("effect").outcome.within.microseconds
    nights = [complete - 28 * DAY - 1, complete - 2, complete - 28 * DAY - 2]
    at_mark, later, before = (report(people("effect", as_of=written(night)), rule("effect")) for night in nights)

    def third(told):
        return next((row.judged, row.drift) for row in told.periods if row.period == "2025-Q3")

    assert third(at_mark) == third(later)
    assert 0 < third(before)[0] < third(at_mark)[0] < sum(row.rate.denominator for row in later.periods)


def test_a_start_is_judged_from_the_mark_on_that_comes_after_its_window():
    """At a mark within a period, a window that ends at the mark itself is not over yet."""
    waits = rule("effect").outcome.within.microseconds
    night = _bounds("2025-Q3", "UTC")[1] + waits - 28 * DAY - 1
    found = report(people("effect", as_of=written(night)), rule("effect"))
    mark = last_mark("2025-Q3", found.population.as_of, waits, "UTC")

    def judged(on):
        moved = pl.int_range(pl.len()) == found.starts.get_column("mature").arg_max()
        starts = found.starts.with_columns(pl.when(moved).then(on).otherwise("on").alias("on"))
        told = periods(found.population, found.definition, found.snapshots, met(found), starts, found.population.world)
        return next(row.judged for row in told if row.period == "2025-Q3")

    assert judged(mark - waits) == judged(mark - waits + 1) == judged(mark - waits - 1) - 1


def written(moment):
    return datetime.fromtimestamp(moment / 1_000_000, tz=UTC).isoformat()


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/St_Johns"])
@pytest.mark.parametrize("names", [["2024-12", "2025-01", "2025-02"], ["2024-Q4", "2025-Q1", "2025-Q2"]])
def test_periods_meet_without_a_gap(names, zone):
    bounds = [_bounds(name, zone) for name in names]
    assert all(before[1] == after[0] for before, after in pairwise(bounds))


def test_too_few_is_said_plainly_and_is_no_drift():
    found = report(people("recipe"), rule("recipe"))
    assert set(verdicts(found)) == {"too-few-to-tell", "in-progress"}
    assert not found.drifted
    written = [one for one in record(found)["periods"] if one["drift"]["verdict"]]
    assert {one["drift"]["verdict"] for one in written if one["mature"]} == {"too-few-to-tell"}
    assert against_baseline(written[0]).startswith("too few leads to see a fall by half: it shows from ")
    assert re.fullmatch(r"still in progress: \d+ of \d+ complete", against_baseline(written[-1]))
    baseline = [one for one in record(found)["periods"] if one["baseline"]]
    assert baseline[0]["basis"] == "first"
    assert baseline[0]["drift"]["p_value"] is None


def test_a_rate_has_fallen_only_by_more_than_the_months_of_its_baseline_differ():
    """A sale in April: 24 of 54 leads bought, 62 of 222 in the five months around it; then 28 of 162."""
    months = {1: (13, 35), 2: (8, 38), 3: (12, 47), 4: (24, 54), 5: (18, 53), 6: (11, 49)}

    def starts(counts) -> pl.DataFrame:
        rows = [
            {"on": int(datetime(2023, month, 10, tzinfo=UTC).timestamp()) * 1_000_000, "y": place < bought}
            for month, (bought, of) in counts.items()
            for place in range(of)
        ]
        return pl.DataFrame(rows)

    baseline = Period(table=Contingency(99, 160, 41, 1033), rate=Rate.of(86, 276))
    later = Period(table=Contingency(66, 107, 29, 624), rate=Rate.of(28, 162))
    assert assess(baseline, [later])[0].verdict is Verdict.RATE_FELL
    sale = _unsteady(baseline, starts(months), "UTC")
    assert sale.unsteady == pytest.approx(1.89, abs=0.01)
    assert assess(sale, [later])[0].verdict is not Verdict.RATE_FELL
    even = _unsteady(baseline, starts(dict.fromkeys(months, (14, 45))), "UTC")
    assert even == baseline
