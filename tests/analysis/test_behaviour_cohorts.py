"""Cohorts by behaviour: who did it is known at the cutoff, the clock starts there, and the groups are the whole table."""

from __future__ import annotations

import random
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from pqlkit.analysis.analyzing import Analysis, analyze
from pqlkit.analysis.behaviour_cohorts import behaviour_cohorts
from pqlkit.analysis.cohorts import Cohort, Start
from pqlkit.analysis.follow_up import Unread, curve_rate, follow_up
from pqlkit.analysis.observation import observe
from pqlkit.definitions.expression import parse_expression
from pqlkit.durations import DAY
from pqlkit.errors import DataError, UsageError
from pqlkit.options.settings import Exposure, Settings
from tests.analysis.canonical import days, in_memory
from tests.analysis.hand_made import definition, part

ONCE = Settings(snapshots="once:14d", by=("invite >= 2 in 7d",))
L = 14 * DAY
START = 20_000 * DAY
END = START + 200 * DAY


def groups(people, by="invite >= 2 in 7d", **changed) -> dict[str, Cohort]:
    observed = observe(people, Settings(**{"snapshots": "once:14d", "by": (by,), **changed}))
    found = behaviour_cohorts(observed, by, parse_expression(by, windows=(days("14d"),)))
    return {one.cohort: one for one in found.cohorts}


@cache
def crowd(number: int, *, seed: int = 1, spread: int = 190):
    """Sign users up over `spread` of 200 days; half invite twice in a week, and convert more often and at any time."""
    dice = random.Random(seed)
    people, events = [], []
    for index in range(number):
        name, anchor = f"u{index:04}", START + dice.randrange(spread * DAY)
        keen = dice.random() < 0.5
        at = anchor + dice.randrange(1, 90 * DAY) if dice.random() < (0.6 if keen else 0.2) else None
        people.append({"id": name, "anchor": anchor, "converted": at if at is not None and at <= END else None})
        events += [(name, "invite", anchor + dice.randrange(7 * DAY)) for _ in range(2 if keen else dice.randrange(2))]
        events += [(name, "login", anchor + dice.randrange(60 * DAY)) for _ in range(4)]
    return in_memory(people, events, as_of=END, history_from=START)


@pytest.mark.parametrize(("at", "did"), [(7 * DAY - 1, 1), (7 * DAY, 0), (7 * DAY + 1, 0)])
def test_an_event_at_the_end_of_its_window_is_out(at, did):
    people = in_memory([{"id": "a", "anchor": 0}], [("a", "invite", 0), ("a", "invite", at)], as_of=90 * DAY)
    found = groups(people)
    assert (found["did"].entities, found["did"].rate.denominator) == (did, did)
    assert (found["did not"].entities, found["did not"].rate.denominator) == (1 - did, 1 - did)


@pytest.mark.parametrize(("at", "did"), [(L - 1, 1), (L, 0), (L + 1, 0)])
def test_nothing_at_the_cutoff_counts_though_its_window_is_open(at, did):
    people = in_memory([{"id": "a", "anchor": 0}], [("a", "invite", at)], as_of=90 * DAY)
    assert groups(people, "invite in 30d")["did"].entities == did


@pytest.mark.parametrize(("at", "counted"), [(L, None), (L + 1, 1), (L + 30 * DAY, 1), (L + 30 * DAY + 1, 0)])
def test_the_rate_counts_conversions_after_the_cutoff_and_in_the_conversion_window(at, counted):
    people = in_memory(
        [{"id": "a", "anchor": 0, "converted": at}], [("a", "invite", 1), ("a", "invite", 2)], as_of=90 * DAY
    )
    rate = groups(people)["did"].rate
    assert (rate.numerator if rate.denominator else None) == counted


def test_the_clock_starts_at_the_cutoff():
    """Twenty users did it and convert ten days after the cutoff: nobody converts in the first nine days of the curve."""
    rows = [{"id": f"u{n:02}", "anchor": 0, "converted": L + 10 * DAY} for n in range(20)]
    rows += [{"id": f"x{n:02}", "anchor": 0} for n in range(20)]
    events = [(f"u{n:02}", "invite", n + k) for n in range(20) for k in (0, 1)]
    curve = {point.day: point.converted_share for point in groups(in_memory(rows, events, as_of=90 * DAY))["did"].curve}
    assert (curve[9], curve[10]) == (0.0, 1.0)


def test_those_whose_conversion_window_is_not_over_are_on_the_curve_and_in_no_rate():
    young = [{"id": f"y{n:02}", "anchor": 60 * DAY, "converted": 76 * DAY if n < 5 else None} for n in range(20)]
    old = [{"id": f"o{n:02}", "anchor": 0} for n in range(20)]
    newest = [{"id": f"z{n:02}", "anchor": 80 * DAY} for n in range(20)]  # no cutoff yet
    found = groups(in_memory([*young, *old, *newest], [("o00", "invite", 1)], as_of=90 * DAY))["did not"]
    assert (found.rate.numerator, found.rate.denominator, found.entities) == (0, 20, 40)
    assert {point.day: point.converted_share for point in found.curve}[2] == 5 / 40
    # The young are seen for 16 days, the old for 76: 20 at risk there.
    assert found.curve[-1].day == 70


def test_curves_and_their_test_are_those_of_statsmodels():
    people = crowd(400)
    observed = observe(people, ONCE)
    found = behaviour_cohorts(observed, "invite >= 2 in 7d", parse_expression("invite >= 2 in 7d"))
    invites = people.world.events.collect().to_native() if hasattr(people.world.events, "collect") else None
    assert invites is not None
    counts = invites.filter(pl.col("event") == "invite").group_by("user_id").len()
    rows = people.entities.join(counts, left_on="id", right_on="user_id", how="left").with_columns(
        cutoff=pl.col("anchor") + L, keen=pl.col("len").fill_null(0) >= 2
    )
    rows = rows.filter(
        pl.col("cutoff") <= people.as_of, pl.col("converted").is_null() | (pl.col("converted") > pl.col("cutoff"))
    )
    time = ((rows["converted"].fill_null(people.as_of) - rows["cutoff"]) / DAY).to_numpy()
    done, keen = rows["converted"].is_not_null().to_numpy().astype(int), rows["keen"].to_numpy()
    for one, side in zip(found.cohorts, (keen, ~keen), strict=True):
        theirs = SurvfuncRight(time[side], done[side])
        assert one.entities == side.sum()
        assert len(one.curve) > 15
        for point in one.curve:
            before = theirs.surv_times <= point.day
            left = theirs.surv_prob[before][-1] if before.any() else 1.0
            assert point.converted_share == pytest.approx(1 - left, abs=1e-12)
    assert found.p_value == pytest.approx(survdiff(time, done, keen)[1], rel=1e-9)
    assert (found.start, found.clustered) == (Start.CUTOFF, False)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 5),
    snapshots=st.sampled_from(["once:14d", "age:3d,7d,14d", "every:28d"]),
    by=st.sampled_from(["invite >= 2 in 7d", "login >= 2 trailing 28d", "not login in 14d", "invite <= 1 in 14d"]),
)
def test_the_groups_are_the_whole_table(seed, snapshots, by):
    people = crowd(60, seed=seed)
    observed = observe(people, Settings(snapshots=snapshots, by=(by,), active_within=days("84d")))
    found = behaviour_cohorts(observed, by, parse_expression(by)).cohorts
    assert sum(one.rate.denominator for one in found) == observed.snapshots.frame.height
    assert sum(one.rate.numerator for one in found) == int(observed.y.sum())
    assert sum(one.entities for one in found) == follow_up(observed).height
    for one in found:
        assert [p.converted_share for p in one.curve] == sorted(p.converted_share for p in one.curve)
        if not snapshots.startswith("once") and one.curve:
            assert one.curve[-1].day <= observed.snapshots.design.conversion_window.microseconds // DAY


def test_snapshots_that_follow_one_another_are_followed_for_a_conversion_window_each():
    people = crowd(200)
    observed = observe(people, Settings(snapshots="every:28d", windows=(days("28d"),), active_within=days("84d")))
    followed = follow_up(observed)
    assert followed["days"].max() == 28.0
    assert followed["done"].to_list() == observed.y.tolist()
    again = followed.sort("entity", "cutoff").with_columns(
        gap=pl.col("cutoff").diff().over("entity") - (pl.col("days").shift(1).over("entity") * DAY)
    )
    assert (again["gap"].drop_nulls() >= 0).all()


def test_snapshots_that_overlap_are_tested_by_entity_and_have_wider_intervals():
    people = crowd(300)
    observed = observe(people, Settings(snapshots="age:3d,7d,14d"))
    found = behaviour_cohorts(observed, "login", parse_expression("login ever"))
    assert found.clustered
    assert observed.design_effect > 1
    rate = found.cohorts[0].rate
    assert rate.design_effect == observed.design_effect


def test_the_outcome_of_a_snapshot_stays_the_same_when_later_events_are_cut_off():
    """A snapshot at s uses no event at or after s: the groups are the same without them."""
    people = crowd(150)
    whole = groups(people, "login >= 2 in 30d")
    cut = people.world.events.collect().to_native()
    anchors = dict(people.entities.select("id", "anchor").iter_rows())
    kept = [row for row in cut.select("user_id", "event", "at").iter_rows() if row[2] < anchors[row[0]] + L]
    rows = people.entities.select("id", "anchor", "converted").to_dicts()
    again = groups(in_memory(rows, kept, as_of=END, history_from=START), "login >= 2 in 30d")
    assert whole == again


def test_given_narrows_the_curve_as_it_narrows_the_table():
    people = crowd(300)
    observed = observe(people, Settings(snapshots="once:14d", given=definition(part("login", 1))))
    (one, other) = behaviour_cohorts(observed, "login", parse_expression("login in 14d")).cohorts
    assert (other.entities, other.rate.denominator) == (0, 0)
    assert one.entities > one.rate.denominator == observed.snapshots.frame.height
    assert other.curve == ()


def test_those_who_converted_before_the_cutoff_are_on_no_curve():
    people = in_memory([{"id": "a", "anchor": 0, "converted": 3 * DAY}], [("a", "invite", 1)], as_of=90 * DAY)
    found = groups(people, "invite in 7d", exposure=Exposure.UNTIL_CONVERSION)
    assert (found["did"].rate.numerator, found["did"].entities) == (1, 0)


# ---------------------------------------------------------------- what --by asks for


def analysed(by: str, **changed) -> Analysis:
    return analyze(crowd(60), Settings(**{"snapshots": "once:14d", "by": (by,), **changed}))


def test_a_behaviour_is_among_the_cohorts_as_it_was_written():
    found = analysed("invite >= 2 in 7d")
    assert [(one.by, one.cohort) for group in found.cohorts for one in group.cohorts] == [
        ("invite >= 2 in 7d", "did"),
        ("invite >= 2 in 7d", "did not"),
    ]


def test_a_bare_event_is_a_behaviour():
    assert [one.cohort for one in analysed("login").cohorts[0].cohorts] == ["did", "did not"]


def test_value_metrics_are_cut_by_it_too():
    found = analysed("invite >= 2 in 7d", compare=("login",))
    assert {one.name for one in found.comparison[0].parts if one.by == "invite >= 2 in 7d"} == {"did", "did not"}


@pytest.mark.parametrize(
    ("by", "kind", "message", "hint"),
    [
        ("signup_mont", UsageError, "no such trait, and no such event", "did you mean signup_month?"),
        ("signup_month,invite", UsageError, "one thing at a time", "write --by signup_month --by invite"),
        ("invit", UsageError, "no such trait, and no such event", "did you mean invite?"),
        ("2026", UsageError, "no such trait, and no such event", "one of signup_week"),
        ("signup month", UsageError, "no such trait, and no such event", "did you mean signup_month?"),
        ("invite > 2 in 7d", UsageError, "> is not supported (character 8)", "invite > 2 in 7d\n       ^"),
        ("invite >= 2 in 7 days", UsageError, "expected a duration", "^"),
        ("invites >= 2 in 7d", DataError, "no event is called invites", "did you mean invite?"),
    ],
)
def test_what_is_neither_is_refused_with_what_was_meant(by, kind, message, hint):
    with pytest.raises(kind) as error:
        analysed(by)
    assert message in error.value.message
    assert hint in error.value.hint
    assert "--by" in str(error.value) or kind is DataError


# ---------------------------------------------------------------- the base rate on the curve


def test_the_base_rate_on_the_curve_is_that_of_statsmodels():
    observed = observe(crowd(400), ONCE)
    followed = follow_up(observed)
    theirs = SurvfuncRight(followed["days"].to_numpy(), followed["done"].to_numpy().astype(int))
    found = curve_rate(observed)
    assert found.rate.value == pytest.approx(1 - theirs.surv_prob[theirs.surv_times <= 30][-1], abs=1e-12)
    assert found.snapshots == followed.height > observed.base.denominator
    assert found.rate.low is not None
    assert found.rate.high is not None
    assert found.rate.low < observed.base.numerator / followed.height + 0.1 < found.rate.high + 0.1


def test_without_the_young_the_curve_is_the_plain_rate():
    observed = observe(crowd(300, spread=100), ONCE)
    assert curve_rate(observed).rate.value == pytest.approx(observed.base.rate, abs=1e-12)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"snapshots": "every:28d", "windows": (days("28d"),)}, Unread.REPEATED),
        ({"snapshots": "age:3d,7d"}, Unread.REPEATED),
        ({"gap": days("1d")}, Unread.GAP),
        ({"exposure": Exposure.UNTIL_CONVERSION}, Unread.EXPOSURE),
    ],
)
def test_where_the_rate_is_on_no_curve_the_reason_is_given(changed, why):
    found = curve_rate(observe(crowd(60), Settings(**{"snapshots": "once:14d", **changed})))
    assert (found.rate.value, found.unread) == (None, why)


def test_nobody_followed_for_a_conversion_window_has_no_rate():
    people = in_memory([{"id": "a", "anchor": 0}], as_of=20 * DAY)
    assert curve_rate(observe(people, ONCE)).unread is Unread.NOT_REACHED
