"""qualifications: the starts that count against a plain account of one entity at a time, and their edges drawn."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.model import All, Not, Ref, WindowKind
from pqlkit.durations import DAY, WEEK
from pqlkit.snapshots.qualifications import (
    between,
    pql_conversion_rate,
    pqls_per_week,
    reach_of,
    starts,
    time_to_convert,
)
from tests.analysis.canonical import days, in_memory
from tests.analysis.hand_made import definition, part

MONDAY = 946_857_600_000_000 + 1000 * WEEK
END = MONDAY + 200 * DAY
SPELLS = {"entity": pl.Int64, "on": pl.Int64, "off": pl.Int64}


def spells(*rows):
    return pl.DataFrame(list(rows), schema=SPELLS, orient="row")


def alone(*rows, cooldown=None, retained=None, as_of=END, **person):
    population = in_memory([{"id": "a", "anchor": MONDAY} | person], as_of=as_of)
    return starts(
        population,
        spells(*((0, on, off) for on, off in rows)),
        conversion_window=days("30d"),
        cooldown=days(cooldown) if cooldown else None,
        retained_for=days(retained) if retained else None,
    )


def account(lines, bought, ended, *, conversion_window, cooldown, retained, as_of):
    """Walk one entity's spells in time."""
    counted, before, last = [], None, None
    for on, off in sorted(lines):
        free = bought is None or on < bought
        rested = before is None or on >= before + cooldown
        past = last is None or on > last + conversion_window
        if free and rested and past and on <= as_of:
            last = on
            stayed = ended is None or retained is None or ended >= bought + retained
            y = bought is not None and on < bought <= on + conversion_window and stayed
            counted.append(
                (on, on + conversion_window + (retained or 0) <= as_of, y, None if bought is None else bought - on)
            )
        before = off
    return counted


moment = st.integers(0, 200).flatmap(lambda day: st.sampled_from([-1, 0, 1]).map(lambda off: MONDAY + day * DAY + off))


@st.composite
def lives(draw):
    found = []
    for index in range(draw(st.integers(1, 6))):
        edges = sorted(draw(st.lists(moment, unique=True, max_size=12)))
        lines = [(on, off) for on, off in zip(edges[::2], edges[1::2], strict=False)]
        if len(edges) % 2:
            lines.append((edges[-1], None))
        bought = draw(st.one_of(st.none(), moment))
        ended = None if bought is None else draw(st.sampled_from([None, bought + 10 * DAY - 1, bought + 10 * DAY]))
        found.append((f"u{index}", lines, bought, ended))
    return found


@settings(max_examples=150, deadline=None)
@given(
    world=lives(),
    cooldown=st.sampled_from([None, "1d", "10d", "50d"]),
    retained=st.sampled_from([None, "10d"]),
    order=st.randoms(use_true_random=False),
)
def test_starts_are_those_of_a_walk_through_each_life(world, cooldown, retained, order):
    persons = [
        {"id": name, "anchor": MONDAY, "converted": bought, "ended_at": ended} for name, _, bought, ended in world
    ]
    lines = [(index, on, off) for index, (_, one, _, _) in enumerate(world) for on, off in one]
    order.shuffle(lines)
    found = starts(
        in_memory(persons, as_of=END),
        spells(*lines),
        conversion_window=days("20d"),
        cooldown=days(cooldown) if cooldown else None,
        retained_for=days(retained) if retained else None,
    )
    keep = days(retained).microseconds if retained else None
    rest = days(cooldown or "20d").microseconds
    expected = sorted(
        (on, index, mature, y, delay)
        for index, (_, one, bought, ended) in enumerate(world)
        for on, mature, y, delay in account(
            one, bought, ended, conversion_window=20 * DAY, cooldown=rest, retained=keep, as_of=END
        )
    )
    assert found.select("on", "entity", "mature", "y", "delay").rows() == expected
    rate = pql_conversion_rate(found)
    assert (rate.numerator, rate.denominator) == (
        sum(mature and y for _, _, mature, y, _ in expected),
        sum(mature for _, _, mature, _, _ in expected),
    )


ON = MONDAY + 10 * DAY


@pytest.mark.parametrize(
    ("bought", "y"), [(ON + 1, True), (ON + 30 * DAY, True), (ON + 30 * DAY + 1, False), (None, False)]
)
def test_conversions_count_in_the_conversion_window_after_the_start(bought, y):
    assert alone((ON, None), converted=bought)["y"].to_list() == [y]


@pytest.mark.parametrize("bought", [ON, ON - 1])
def test_a_customer_qualifications_nothing(bought):
    assert alone((ON, None), converted=bought).is_empty()


@pytest.mark.parametrize(("end", "mature"), [(ON + 40 * DAY - 1, False), (ON + 40 * DAY, True)])
def test_maturity_waits_for_conversion_window_and_retention(end, mature):
    assert alone((ON, None), retained="10d", as_of=end)["mature"].to_list() == [mature]


@pytest.mark.parametrize(("rest", "count"), [(60 * DAY - 1, 1), (60 * DAY, 2)])
def test_the_cooldown_runs_from_the_end_of_the_spell_before(rest, count):
    off = ON + 5 * DAY
    assert alone((ON, off), (off + rest, None), cooldown="60d").height == count


@pytest.mark.parametrize(("after", "count"), [(30 * DAY, 1), (30 * DAY + 1, 2)])
def test_a_start_lies_past_the_conversion_window_of_the_one_before(after, count):
    assert alone((ON, ON + DAY), (ON + after, None), cooldown="1d").height == count


def test_a_spell_that_did_not_count_still_resets_the_cooldown():
    lines = (ON, ON + DAY), (ON + 20 * DAY, ON + 39 * DAY), (ON + 40 * DAY, None)
    assert alone(*lines, cooldown="10d")["on"].to_list() == [ON]
    assert alone(*lines, cooldown="1d")["on"].to_list() == [ON, ON + 40 * DAY]


def test_time_to_convert_reads_mature_converted_starts_alone():
    delays = [DAY, DAY + 1, 3 * DAY, 9 * DAY, DAY]
    frame = pl.DataFrame(
        {"mature": [True, True, True, False, True], "y": [True, True, True, True, False], "delay": delays}
    )
    found = time_to_convert(frame)
    assert (found.n, found.within_a_day) == (3, 1 / 3)
    assert found.median_days == pytest.approx((DAY + 1) / DAY, abs=1e-12)
    assert found.p75_days == pytest.approx(2, abs=1e-9)
    nobody = time_to_convert(frame.clear())
    assert (nobody.n, nobody.median_days, nobody.within_a_day) == (0, None, None)


def test_pqls_per_week_counts_whole_calendar_weeks_with_their_zeros():
    ons = [MONDAY - 1, MONDAY, MONDAY + WEEK - 1, MONDAY + 2 * WEEK, MONDAY + 3 * WEEK]
    frame = pl.DataFrame({"on": ons})
    found = pqls_per_week(frame, first=MONDAY, through=MONDAY + 3 * WEEK - 1, zone="UTC")
    assert (found.weeks, found.median) == (3, 1.0)
    assert found.p90 == pytest.approx(1.8)
    assert pqls_per_week(frame, first=MONDAY + 1, through=MONDAY + 3 * WEEK - 2, zone="UTC").weeks == 1
    assert pqls_per_week(frame, first=MONDAY + 1, through=MONDAY + WEEK - 1, zone="UTC").median is None


def test_periods_go_by_the_start():
    new_year = 1_767_225_600_000_000  # 2026-01-01 00:00 UTC
    frame = pl.DataFrame({"on": [new_year - 1, new_year]})
    assert between(frame, new_year, None)["on"].to_list() == [new_year]
    assert between(frame, None, new_year)["on"].to_list() == [new_year - 1]


def test_no_spells_no_starts():
    found = alone()
    assert found.columns == ["entity", "on", "off", "mature", "y", "delay", "too_soon", "cluster"]
    assert pql_conversion_rate(found).rate is None


@pytest.mark.parametrize(
    ("anchor", "on", "counts"),
    [(-1, 28 * DAY, True), (-1, 28 * DAY - 1, False), (0, DAY, True), (0, 0, True), (-1, 0, False)],
)
def test_a_state_that_the_export_finds_on_is_no_start(anchor, on, counts):
    made = in_memory([{"id": "a", "anchor": MONDAY + anchor}], as_of=END, history_from=MONDAY)
    known = spells((0, MONDAY + on, MONDAY + on + DAY))
    found = starts(made, known, conversion_window=days("30d"), reaches_back=days("28d"))
    assert found.height == int(counts)
    assert starts(made, known, conversion_window=days("30d")).height == 1


def test_it_goes_before_later_starts_all_the_same():
    made = in_memory([{"id": "a", "anchor": MONDAY - 1}], as_of=END, history_from=MONDAY)
    known = spells(
        (0, MONDAY, MONDAY + 20 * DAY), (0, MONDAY + 40 * DAY, MONDAY + 41 * DAY), (0, MONDAY + 90 * DAY, None)
    )
    found = starts(made, known, conversion_window=days("30d"), reaches_back=days("28d"))
    assert found["on"].to_list() == [MONDAY + 90 * DAY]


def test_how_far_a_definition_reaches_back():
    moving = [part("a", days=7, kind=WindowKind.ROLLING), part("b", days=28, kind=WindowKind.TRAILING)]
    assert reach_of(definition(part("a", days=90))) is None
    assert reach_of(definition(All(parts=(part("a", days=90), *moving)))) == days("28d")
    ref = Ref(id="m", name="m", target=definition(Not(part=part("b", days=56, kind=WindowKind.TRAILING))))
    assert reach_of(definition(All(parts=(*moving, ref)))) == days("56d")
