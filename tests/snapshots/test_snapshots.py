"""Snapshots: classes, outcomes and places against a plain account of one entity at a time, and their edges drawn."""

from __future__ import annotations

import zlib
from dataclasses import asdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.model import Condition, Measure, MeasureKind, Operator, Outcome, WindowKind
from pqlkit.durations import DAY, WEEK, Duration
from pqlkit.errors import UsageError
from pqlkit.exports.project import EventNote, Project
from pqlkit.measures.cube import cube
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.snapshots.classes import EntityClass, Place
from pqlkit.snapshots.schedule import Design, parse_snapshots
from pqlkit.snapshots.snapshots import snapshots_of
from tests.analysis.canonical import days, in_memory

MONDAY = 946_857_600_000_000 + 1000 * WEEK
END = MONDAY + 30 * WEEK
DESIGNS = ("once:14d", "age:1d,3d,10d", "every:28d", "every:7d")


# --- the plain account ------------------------------------------------------------------------------------------------


def cutoffs_of(person, design: Design, history_from: int, until: int) -> list[int]:
    anchor = person["anchor"]
    if design.step is None:
        return [anchor + age.microseconds for age in design.cutoffs]
    step = design.step.microseconds
    week = zlib.crc32(("pqlkit" + person["id"]).encode()) % (step // WEEK)
    moment = 946_857_600_000_000 + week * WEEK
    start = max(anchor, history_from + max(design.windows).microseconds)
    moment += max(0, (start - moment) // step - 2) * step
    while moment < start:
        moment += step
    found = [moment]
    while found[-1] + step <= until:
        found.append(found[-1] + step)
    return found


def account(person, acts: list[int], design: Design, *, history_from: int, as_of: int, retained: int | None):
    """Say what the specification says of one entity: class, place, and rows of (cutoff, y)."""
    anchor, bought, deleted = person["anchor"], person.get("converted"), person.get("deleted_at")
    reach, gap = design.conversion_window.microseconds, design.gap.microseconds
    stayed = retained is None or person.get("ended_at") is None or person["ended_at"] >= (bought or 0) + retained
    if anchor is None or person.get("invalid"):
        return "invalid", bought and "invalid", []
    if person.get("at_risk") is False:
        return "ineligible", bought and "ineligible", []
    if design.kind is DesignKind.EVERY:
        unobserved = bought is not None and bought < history_from + max(design.windows).microseconds
    else:
        unobserved = anchor < history_from
    if unobserved:
        return "unobserved", bought and "before_history", []
    if bought is not None and bought < anchor:
        return "customer_already", "customer_already", []
    moments = cutoffs_of(person, design, history_from, as_of)
    if bought is not None and bought <= moments[0]:
        return "early", "before_first_snapshot", []
    if deleted is not None and deleted <= moments[0]:
        return "deleted", bought and "deleted", []
    if moments[0] + reach + (retained or 0) > as_of:
        return "in_progress", bought and "in_progress", []
    rows, dormant, places = [], 0, []
    for s in moments:
        if (bought is not None and bought <= s) or s > as_of:
            continue
        holds = bought is not None and bought <= s + reach
        if deleted is not None and deleted <= s:
            places += ["deleted"] * holds
        elif s + reach + (retained or 0) > as_of:
            places += ["in_progress"] * holds
        elif design.kind is DesignKind.EVERY and not any(s - 28 * DAY <= act < s for act in acts):
            dormant += 1
            places += ["dormant"] * holds
        else:
            y = holds and bought > s + gap and stayed
            rows.append((s, y))
            if holds:
                places.append("used" if y else "gap" if bought <= s + gap else "not_retained")
    order = ["used", "not_retained", "gap", "dormant", "in_progress", "deleted"]
    place = min(places, key=order.index) if places else "later"
    name = "dormant" if not rows else "converted" if any(y for _, y in rows) else "not_converted"
    return name, bought and place, rows


near = st.integers(0, 31 * 7).flatmap(lambda day: st.sampled_from([-1, 0, 1]).map(lambda off: MONDAY + day * DAY + off))
maybe = st.one_of(st.none(), near)


@st.composite
def people(draw):
    found = []
    for index in range(draw(st.integers(1, 12))):
        anchor = draw(st.one_of(near, near, near, st.none()))
        bought = draw(maybe)
        person = {
            "id": f"u{index}",
            "anchor": anchor,
            "converted": bought,
            "deleted_at": draw(st.one_of(st.none(), maybe)),
        }
        if bought is not None:
            stay = draw(st.sampled_from([None, 0, 10 * DAY - 1, 10 * DAY, 50 * DAY]))
            person["ended_at"] = None if stay is None else bought + stay
        if draw(st.integers(0, 9)) == 0:
            person["at_risk"] = False
        found.append(
            {
                k: None if isinstance(v, int) and k in ("converted", "deleted_at", "ended_at") and v > END else v
                for k, v in person.items()
            }
        )
    acts = draw(st.lists(st.tuples(st.integers(0, len(found) - 1), near), max_size=25))
    return found, [(f"u{who}", "did", at) for who, at in acts]


@pytest.mark.parametrize("text", DESIGNS)
@pytest.mark.parametrize(("gap", "retained"), [(None, None), ("1d", "10d")])
@settings(max_examples=60, deadline=None)
@given(world=people(), late=st.integers(0, 8))
def test_every_entity_and_conversion_goes_where_the_specification_says(text, gap, retained, world, late):
    persons, events = world
    history_from = MONDAY + late * WEEK
    outcome = Outcome(within=days("30d"), retained_for=days(retained) if retained else None)
    population = in_memory(persons, events, as_of=END, history_from=history_from, outcome=outcome)
    windows = [days("7d"), days("28d")] if text.startswith("every") else None
    found = snapshots_of(population, text, windows=windows, gap=days(gap) if gap else None)
    ids = population.entities["id"].to_list()
    expected = {}
    for person in persons:
        acts = [at for who, _, at in events if who == person["id"]]
        span = days(retained).microseconds if retained else None
        expected[person["id"]] = account(
            person, acts, found.design, history_from=history_from, as_of=END, retained=span
        )
    got = {ids[row["entity"]]: (row["class"], row["place"]) for row in found.entity_classes.iter_rows(named=True)}
    assert got == {name: (kind, place) for name, (kind, place, _) in expected.items()}
    rows = sorted((ids[row["entity"]], row["cutoff"], row["y"]) for row in found.frame.iter_rows(named=True))
    assert rows == sorted((name, s, y) for name, (_, _, lines) in expected.items() for s, y in lines)
    assert_conserved(found, len(persons))


def assert_conserved(found, entities: int) -> None:
    counts, places = asdict(found.classes), asdict(found.places)
    assert sum(counts[name] for name in EntityClass) == counts["entities"] == entities
    assert sum(places[name] for name in Place) == places["first"]
    assert places["rows"] == places["first"] + places["repeats"] + places["filtered"] + places["unknown_entity"]
    assert counts["snapshots"] == found.frame.height
    if found.design.kind is not DesignKind.AGE:
        assert places["used"] == counts["converted"] == found.frame["y"].sum()


# --- edges, one microsecond before, at and after ----------------------------------------------------------------------

ANCHOR = MONDAY
CUT = ANCHOR + 14 * DAY


def one(
    design: str = "once:14d", *, as_of: int = END, events=(), gap=None, outcome=None, history_from=MONDAY, **person
):
    population = in_memory(
        [{"id": "a", "anchor": ANCHOR} | person], events, as_of=as_of, history_from=history_from, outcome=outcome
    )
    found = snapshots_of(population, design, gap=gap, windows=[days("7d")] if design.startswith("every") else None)
    return found.entity_classes["class"].item(), found.entity_classes["place"].item()


@pytest.mark.parametrize(
    ("bought", "expected"),
    [
        (ANCHOR - 1, ("customer_already", "customer_already")),
        (ANCHOR, ("early", "before_first_snapshot")),
        (CUT - 1, ("early", "before_first_snapshot")),
        (CUT, ("early", "before_first_snapshot")),
        (CUT + 1, ("converted", "used")),
        (CUT + 30 * DAY, ("converted", "used")),
        (CUT + 30 * DAY + 1, ("not_converted", "later")),
        (None, ("not_converted", None)),
    ],
)
def test_conversions_at_the_ends_of_the_conversion_window(bought, expected):
    assert one(converted=bought) == expected


@pytest.mark.parametrize(("past", "place"), [(0, "before_first_snapshot"), (1, "gap"), (DAY, "gap"), (DAY + 1, "used")])
def test_the_gap_ends_with_its_last_microsecond(past, place):
    assert one(converted=CUT + past, gap=days("1d"))[1] == place


@pytest.mark.parametrize(("stay", "place"), [(10 * DAY - 1, "not_retained"), (10 * DAY, "used"), (None, "used")])
def test_a_conversion_is_retained_when_it_ends_no_sooner(stay, place):
    bought = CUT + DAY
    ended = None if stay is None else bought + stay
    outcome = Outcome(within=days("30d"), retained_for=days("10d"))
    assert one(converted=bought, ended_at=ended, outcome=outcome)[1] == place


@pytest.mark.parametrize(("end", "name"), [(CUT + 40 * DAY - 1, "in_progress"), (CUT + 40 * DAY, "not_converted")])
def test_maturity_waits_for_the_conversion_window_and_retention(end, name):
    outcome = Outcome(within=days("30d"), retained_for=days("10d"))
    assert one(as_of=end, outcome=outcome)[0] == name


@pytest.mark.parametrize(("deleted", "name"), [(CUT - 1, "deleted"), (CUT, "deleted"), (CUT + 1, "not_converted")])
def test_deleted_at_the_cutoff_is_not_looked_at(deleted, name):
    assert one(deleted_at=deleted)[0] == name


@pytest.mark.parametrize(("start", "name"), [(MONDAY, "not_converted"), (MONDAY + 1, "unobserved")])
def test_an_anchor_before_the_history_is_unobserved(start, name):
    assert one(history_from=start)[0] == name


@pytest.mark.parametrize(
    ("before", "name"), [(28 * DAY + 1, "dormant"), (28 * DAY, "not_converted"), (1, "not_converted"), (0, "dormant")]
)
def test_active_means_an_event_in_the_28_days_before_the_cutoff(before, name):
    # One step of 24 weeks leaves a single mature snapshot.
    design = "every:168d"
    week = zlib.crc32(b"pqlkita") % 24
    origin = 946_857_600_000_000 + week * WEEK
    cutoff = origin + -((origin - (MONDAY + WEEK)) // (24 * WEEK)) * 24 * WEEK
    assert one(design, events=[("a", "did", cutoff - before)], as_of=cutoff + 24 * WEEK)[0] == name


def test_automatic_events_do_not_make_active():
    project = Project(events={"mail": EventNote(automatic=True)})
    person = {"id": "a", "anchor": MONDAY}
    events = [("a", "mail", MONDAY + day * DAY) for day in range(100)]
    quiet = snapshots_of(
        in_memory([person], events, as_of=END, history_from=MONDAY, project=project), "every:28d", windows=[days("7d")]
    )
    assert quiet.frame.is_empty()
    assert quiet.classes.dormant == 1
    assert quiet.dormant.snapshots > 0


def test_dormant_snapshots_keep_their_conversions_apart():
    person = {"id": "a", "anchor": MONDAY, "converted": MONDAY + 100 * DAY}
    found = snapshots_of(in_memory([person], as_of=END, history_from=MONDAY), "every:28d", windows=[days("7d")])
    assert (found.places.dormant, found.dormant.converted, found.dormant.entities) == (1, 1, 1)
    assert found.classes.dormant == 1


def test_outcome_windows_of_every_tile_the_life():
    person = {"id": "a", "anchor": MONDAY}
    events = [("a", "did", MONDAY + day * DAY) for day in range(210)]
    found = snapshots_of(in_memory([person], events, as_of=END, history_from=MONDAY), "every:28d", windows=[days("7d")])
    steps = found.frame["cutoff"].diff().drop_nulls().unique().to_list()
    assert steps == [28 * DAY]
    assert ((found.frame["cutoff"] - 946_857_600_000_000) % WEEK).to_list() == [0] * found.frame.height


def test_weeks_begin_on_the_monday_of_the_zone():
    person = {"id": "a", "anchor": MONDAY}
    events = [("a", "did", MONDAY + day * DAY) for day in range(210)]
    population = in_memory([person], events, as_of=END, history_from=MONDAY, zone="America/New_York")
    cutoff = snapshots_of(population, "every:28d", windows=[days("7d")]).frame["cutoff"][0]
    assert (cutoff - 946_857_600_000_000) % WEEK == 5 * 3_600_000_000


@pytest.mark.parametrize(
    ("bought", "expected"),
    [
        (ANCHOR - 1, ("customer_already", "customer_already")),
        (ANCHOR, ("converted", "used")),
        (CUT, ("converted", "used")),
        (CUT + 30 * DAY, ("converted", "used")),
        (CUT + 30 * DAY + 1, ("not_converted", "later")),
    ],
)
def test_until_conversion_keeps_the_early(bought, expected):
    population = in_memory([{"id": "a", "anchor": ANCHOR, "converted": bought}], as_of=END, history_from=MONDAY)
    found = snapshots_of(population, "once:14d", until_conversion=True)
    assert (found.entity_classes["class"].item(), found.entity_classes["place"].item()) == expected
    if expected[1] != "customer_already":
        assert found.frame["delay"].item() == bought - CUT


@pytest.mark.parametrize("options", [{"design": "every:28d"}, {"design": "age"}, {"design": "once", "gap": days("1d")}])
def test_until_conversion_is_for_one_age_without_a_gap(options):
    population = in_memory([{"id": "a", "anchor": ANCHOR}], as_of=END, history_from=MONDAY)
    with pytest.raises(UsageError, match="--exposure"):
        snapshots_of(population, **options, until_conversion=True)


# --- eligibility, order, bands, truncation ----------------------------------------------------------------------------


def test_eligibility_is_judged_the_microsecond_before_the_cutoff():
    free = [Condition(name="plan", operator=Operator.EQUALS, values=("free",))]
    for moved, name in ((CUT - 1, "ineligible"), (CUT, "not_converted")):
        history = pl.DataFrame({"entity": [0, 0], "valid_from": [ANCHOR, moved], "value": ["free", "paid"]})
        population = in_memory(
            [{"id": "a", "anchor": ANCHOR}], as_of=END, history_from=MONDAY, histories={"plan": history}
        )
        assert snapshots_of(population, "once:14d", eligible=free).entity_classes["class"].item() == name


def test_an_early_buyer_is_judged_before_the_purchase_changes_its_plan():
    free = [Condition(name="plan", operator=Operator.EQUALS, values=("free",))]
    bought = ANCHOR + DAY
    history = pl.DataFrame({"entity": [0, 0], "valid_from": [ANCHOR, bought], "value": ["free", "paid"]})
    person = {"id": "a", "anchor": ANCHOR, "converted": bought}
    population = in_memory([person], as_of=END, history_from=MONDAY, histories={"plan": history})
    assert snapshots_of(population, "once:14d", eligible=free).entity_classes["class"].item() == "early"


def test_fixed_traits_leave_out_the_ineligible_with_their_conversions():
    people_ = [{"id": "a", "anchor": ANCHOR, "converted": CUT + 1}, {"id": "b", "anchor": ANCHOR}]
    population = in_memory(people_, as_of=END, history_from=MONDAY, fixed={"country": ["NL", "DE"]})
    german = [Condition(name="country", operator=Operator.EQUALS, values=("DE",))]
    found = snapshots_of(population, "once:14d", eligible=german)
    assert (found.classes.ineligible, found.places.ineligible, found.frame.height) == (1, 1, 1)


def test_rows_are_ordered_and_banded():
    ages = [27, 28, 83, 84, 364, 365]
    rows = [{"id": f"u{age}", "anchor": MONDAY} for age in ages]
    population = in_memory(rows, as_of=END + 500 * DAY, history_from=MONDAY)
    frame = snapshots_of(population, f"age:{','.join(f'{age}d' for age in ages)}").frame.filter(pl.col("entity") == 0)
    assert frame["age_band"].to_list() == [0, 1, 1, 2, 2, 3]
    assert frame["block"].to_list() == sorted(frame["block"].to_list())
    assert frame["block"][0] == 0
    assert frame["cutoff"].is_sorted()


@pytest.mark.parametrize("text", DESIGNS)
@settings(max_examples=25, deadline=None)
@given(world=people(), week=st.integers(4, 26))
def test_a_snapshot_does_not_know_what_comes_after_it(text, world, week):
    """Events at or after s and conversions after s change nothing about who is looked at by s."""
    persons, events = world
    s = MONDAY + week * WEEK
    windows = [days("7d")] if text.startswith("every") else None

    def seen(people_, acts):
        population = in_memory(people_, acts, as_of=END, history_from=MONDAY)
        frame = snapshots_of(population, text, windows=windows).frame.filter(pl.col("cutoff") <= s)
        return frame.select("entity", "cutoff", "age_band").rows()

    cut = [p | {k: None for k in ("converted", "deleted_at") if p.get(k) is not None and p[k] > s} for p in persons]
    assert seen(persons, events) == seen(cut, [row for row in events if row[2] < s])


@pytest.mark.parametrize("text", ["once:14d", "age:1d,3d,10d", "every:28d"])
@settings(max_examples=10, deadline=None)
@given(world=people(), week=st.integers(4, 26))
def test_a_snapshot_measures_nothing_that_comes_after_it(text, world, week):
    """Rows at or after s change no level of a snapshot at or before s."""
    persons, events = world
    s = MONDAY + week * WEEK
    windows = [days("7d"), days("28d")] if text.startswith("every") else None
    kind = WindowKind.TRAILING if text.startswith("every") else WindowKind.WITHIN

    def seen(acts):
        population = in_memory(persons, acts, as_of=END, history_from=MONDAY)
        found = snapshots_of(population, text, windows=windows)
        rows = found.frame.filter(pl.col("cutoff") <= s)
        measured = cube(
            population.world,
            rows,
            kind=kind,
            windows=found.design.windows,
            measures=[Measure(), Measure(kind=MeasureKind.DAYS)],
        )
        # By entity and cutoff: which number a snapshot has depends on the snapshots after s of those before it.
        places = dict(zip(rows["snapshot"], rows.select("entity", "cutoff").iter_rows(), strict=True))
        columns = {name: measured.column(index) for index, name in enumerate(measured.behaviours)}
        return {
            name: {
                places[snapshot]: level for snapshot, level in zip(snapshots_.tolist(), levels.tolist(), strict=True)
            }
            for name, (snapshots_, levels) in columns.items()
        }

    assert seen(events) == seen([row for row in events if row[2] < s])


@settings(max_examples=20, deadline=None)
@given(world=people(), order=st.randoms(use_true_random=False))
def test_row_order_never_matters(world, order):
    persons, events = world
    shuffled = list(events)
    order.shuffle(shuffled)
    first = snapshots_of(in_memory(persons, events, as_of=END, history_from=MONDAY), "every:28d", windows=[days("7d")])
    again = snapshots_of(
        in_memory(persons[::-1], shuffled, as_of=END, history_from=MONDAY), "every:28d", windows=[days("7d")]
    )
    assert first.frame.equals(again.frame)
    assert first.entity_classes.equals(again.entity_classes)


# --- auto -------------------------------------------------------------------------------------------------------------


def crowd(ages: list[int]) -> list[dict[str, object]]:
    return [{"id": f"u{i:03}", "anchor": MONDAY, "converted": MONDAY + age * DAY} for i, age in enumerate(ages)]


@pytest.mark.parametrize(
    ("ages", "text"),
    [
        ([20, 20, 3, 60], "once:14d"),
        ([20, 3, 3, 60, 3], "age:1d,2d,3d,5d,7d,10d"),
        ([20, 3, 60, 60, 60], "every:28d"),
        ([20, 3, 60, 60, 3], "every:28d"),
        ([], "every:28d"),
    ],
)
def test_auto_goes_where_the_conversions_fall(ages, text):
    found = snapshots_of(in_memory(crowd(ages) or [{"id": "x", "anchor": MONDAY}], as_of=END, history_from=MONDAY))
    assert found.text == text
    assert found.reason


def test_auto_says_its_counts():
    found = snapshots_of(in_memory(crowd([20, 3, 60, 60, 60]), as_of=END, history_from=MONDAY))
    assert found.reason == (
        "of 5 first conversions, once:14d + 30d could use 1 (20%); 1 come up to day 14, 3 after day 44"
    )


def piled(day: int, share: int, of: int = 40) -> list[dict[str, object]]:
    """Of `of` who convert, `share` do so on one day of age; they begin a day apart."""
    ages = [day + 0.1] * share + [21 + 3 * i for i in range(of - share)]
    return [
        {"id": f"u{i:03}", "anchor": MONDAY + i * DAY, "converted": MONDAY + i * DAY + int(age * DAY)}
        for i, age in enumerate(ages)
    ]


@pytest.mark.parametrize(
    ("stated", "text", "window"),
    [
        ({}, "once:14d", "63d"),
        ({"conversion_window": Duration(30, "d")}, "once:27d", "30d"),
        ({"conversion_window": Duration(90, "d")}, "once:14d", "90d"),
    ],
)
def test_where_conversions_pile_up_at_an_age_auto_looks_early_and_far_enough(stated, text, window):
    found = snapshots_of(in_memory(piled(56, 26), as_of=MONDAY + 400 * DAY, history_from=MONDAY), **stated)
    assert (found.text, str(found.design.conversion_window)) == (text, window)
    piles = window != "90d"  # a stated window that reaches it leaves nothing to say
    assert str(found.reason).startswith("26 of 40 first conversions fall on day 56 after the start") is piles
    assert ("--conversion-window 63d would reach it" in str(found.reason)) is (window == "30d")
    assert found.classes.converted >= 26


def test_the_window_that_the_project_states_is_kept():
    from dataclasses import replace

    people = in_memory(piled(56, 26), as_of=MONDAY + 400 * DAY, history_from=MONDAY)
    stated = replace(people, project=replace(people.project, outcome={"within": "30d"}))
    assert str(snapshots_of(stated).design.conversion_window) == "30d"


def renewals(after: int) -> list[dict[str, object]]:
    """Who begins over 80 days converts on one day of the calendar, so many days after the last of them began."""
    return [
        {"id": f"u{i:03}", "anchor": MONDAY + 2 * i * DAY, "converted": MONDAY + (80 + after) * DAY + 1}
        for i in range(40)
    ]


def test_a_day_of_the_calendar_that_one_window_reaches_is_reached():
    found = snapshots_of(in_memory(renewals(60), as_of=MONDAY + 400 * DAY, history_from=MONDAY))
    assert (found.text, str(found.design.conversion_window)) == ("once:14d", "140d")
    assert "40 of 40 first conversions fall on 2019-" in str(found.reason)
    assert found.classes.converted == 40


def test_a_day_of_the_calendar_that_no_window_reaches_is_met_over_the_whole_life():
    found = snapshots_of(in_memory(renewals(60), as_of=MONDAY + 150 * DAY, history_from=MONDAY))
    assert found.text == "age:14d,42d,70d,98d,126d"
    assert [str(window) for window in found.design.windows] == ["3d", "7d", "14d"]
    assert found.frame["y"].sum() > 0


def test_windows_without_snapshots_mean_once_at_the_longest():
    found = snapshots_of(in_memory(crowd([20]), as_of=END, history_from=MONDAY), windows=[days("3d"), days("10d")])
    assert (found.text, found.reason) == ("once:10d", None)


def test_a_design_may_be_given_whole():
    design = parse_snapshots("once:7d", conversion_window=Duration(14, "d"))
    assert snapshots_of(in_memory(crowd([10]), as_of=END, history_from=MONDAY), design).classes.converted == 1


def test_current_traits_are_refused_unless_trusted():
    from dataclasses import replace

    from pqlkit.population.traits import TraitKind

    population = in_memory(crowd([20]), as_of=END, history_from=MONDAY, fixed={"plan": ["free"]})
    current = replace(population, traits=replace(population.traits, kinds={"plan": TraitKind.CURRENT}))
    free = [Condition(name="plan", operator=Operator.EQUALS, values=("free",))]
    with pytest.raises(UsageError, match="--trust-current plan"):
        snapshots_of(current, "once:14d", eligible=free)
    assert snapshots_of(replace(current, trusted=("plan",)), "once:14d", eligible=free).classes.converted == 1
