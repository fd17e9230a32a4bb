"""A report of a dozen people: retention, contacts, arms, mechanical criteria, expansion, edges of the conversion window."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from pqlkit.analysis.criteria import without_mechanical
from pqlkit.cli.output import plain
from pqlkit.definitions.model import (
    All,
    Criterion,
    Definition,
    EntityKind,
    Evidence,
    EvidencePart,
    EvidenceView,
    Outcome,
    Window,
    WindowKind,
)
from pqlkit.definitions.nouns import nouns_of
from pqlkit.durations import DAY, Duration
from pqlkit.exports.dataset import ColumnType, Table
from pqlkit.exports.project import Project
from pqlkit.measures.evaluation import spells_of
from pqlkit.population.population import population_of
from pqlkit.rates.report import ChosenOn, design_of
from pqlkit.rates.side_by_side import shared_signups
from pqlkit.reporting.pages.report import html
from pqlkit.reporting.renderers.report import as_table
from pqlkit.snapshots.contacts import contacted_before
from pqlkit.snapshots.matches import meets
from pqlkit.statistics.rate import Rate
from tests.analysis.canonical import dataset, in_memory
from tests.rates.simulated import record, report

T0 = 1_700_006_400_000_000
END = T0 + 200 * DAY


def within(event, days=14, least=1, **more):
    window = Window(kind=WindowKind.WITHIN, length=Duration(days, "d"))
    return Criterion(id=event, events=(event,), window=window, at_least=least, **more)


def trailing(event, days=28, least=1):
    return Criterion(
        id=event,
        events=(event,),
        window=Window(kind=WindowKind.TRAILING, length=Duration(days, "d")),
        at_least=least,
    )


def definition(node=None, **outcome):
    return Definition(
        name="d",
        entity=EntityKind.USER,
        qualify=node or within("x"),
        outcome=Outcome(**{"within": Duration(30, "d"), **outcome}),
    )


def bought(user, day, **more):
    row = {"user_id": user, "converted_at": T0 + int(day * DAY), "amount": 10.0, "ended_at": None, **more}
    return row | {"ended_at": None if row["ended_at"] is None else T0 + row["ended_at"] * DAY}


def told(tmp_path, people, asked, *, conversions=(), contacts=None, more=()):
    """People do x on the day given (None = never); everybody signs up at T0; nobody's events say how long the export is."""
    events = [
        {"user_id": user, "event": "x", "timestamp": T0 + int(day * DAY)}
        for user, day in people.items()
        if day is not None
    ]
    data = dataset(
        tmp_path,
        events=[*events, *more, *({"user_id": "nobody", "event": "open", "timestamp": at} for at in (T0, END))],
        users=[{"user_id": user, "signed_up_at": T0} for user in people],
        conversions=list(conversions) or None,
        contacts=contacts,
    )
    return population_of(data, Project(), definition=asked, entity="user")


def rate(numerator, denominator):
    return Rate.of(numerator, denominator)


def test_the_conversion_window_ends_with_its_last_microsecond(tmp_path):
    edge = 1 + 30
    conversions = [bought("on", edge), {**bought("late", edge), "converted_at": T0 + edge * DAY + 1}]
    asked = definition()
    found = report(told(tmp_path, {"on": 1, "late": 1, "none": 1, "out": None}, asked, conversions=conversions), asked)
    assert found.funnel.pql_to_customer == rate(1, 3)
    assert (found.funnel.signups, found.funnel.pqls, found.funnel.customers) == (4, 3, 2)
    assert found.funnel.recall == rate(1, 2)
    assert found.funnel.qualified_first == rate(2, 2)


def test_those_since_the_later_test_period_are_told_from_those_that_chose_the_rule(tmp_path):
    start, last, later = (date(2023, 11, 15 + day) for day in (0, 5, 10))
    fit = EvidencePart(view=EvidenceView.QUALIFICATION, start=start, through=last, qualified=7)
    asked = replace(definition(), evidence=Evidence(fit=fit, holdout=replace(fit, start=later, through=later)))
    starts = {"chose": 1, "between": 9, "first": 10, "after": 11}
    people = told(tmp_path, starts, asked, conversions=[bought("first", 15), bought("chose", 15)])
    since = ChosenOn(start=start, through=last, leads=7, later_from=later, later=rate(1, 2))
    assert report(people, asked).chosen_on == since
    tested_on_it = replace(asked, evidence=Evidence(fit=fit, holdout=fit))
    assert report(people, tested_on_it).chosen_on is None


def life(as_of, *, on=None, converted=None):
    """The funnel of one life from T0 on; an `ever` criterion is given 84 days, the conversion 30 more."""
    asked = definition(replace(within("x"), window=Window(kind=WindowKind.EVER)))
    events = [("a", "open", T0), *([("a", "x", on)] if on is not None else [])]
    people = in_memory([{"id": "a", "anchor": T0, "converted": converted}], events, as_of=as_of, history_from=T0)
    return report(people, asked).funnel


@pytest.mark.parametrize(("shift", "due"), [(-1, 0), (0, 1)])
def test_a_life_is_in_the_rates_once_it_has_had_its_time(shift, due):
    assert life(T0 + 114 * DAY + shift).cohort.levels.signups == due


@pytest.mark.parametrize(("shift", "reached"), [(0, 1), (1, 0)])
def test_the_last_moment_is_in_time(shift, reached):
    assert life(END, on=T0 + 84 * DAY + shift).cohort.levels.pqls == rate(reached, 1)
    assert life(END, converted=T0 + 114 * DAY + shift).cohort.levels.customers == rate(reached, 1)


@pytest.mark.parametrize(("shift", "before"), [(0, 0), (1, 1)])
def test_whoever_qualifies_by_paying_did_not_qualify_before(tmp_path, shift, before):
    asked, paid = definition(), {**bought("a", 1), "converted_at": T0 + DAY + shift}
    found = report(told(tmp_path, {"a": 1}, asked, conversions=[paid]), asked)
    assert found.funnel.recall == found.funnel.qualified_first == rate(before, 1)


def test_a_start_is_mature_when_its_conversion_window_and_retention_are_over(tmp_path):
    people = {"a": 1, "b": 14 - 1e-9}
    asked = definition(within("x", 14), retained_for=Duration(200 - 1 - 30, "d"))
    found = report(told(tmp_path, people, asked), asked)
    assert found.funnel.pql_to_customer.denominator == 1
    assert found.in_progress == 1


def test_whoever_left_again_did_not_stay(tmp_path):
    people = {"stays": 1, "leaves": 1, "last-day": 1, "never": 1}
    conversions = [bought("stays", 5), bought("leaves", 5, ended_at=64), bought("last-day", 5, ended_at=65)]
    asked = definition(retained_for=Duration(60, "d"))
    found = report(told(tmp_path, people, asked, conversions=conversions), asked)
    assert found.funnel.pql_to_customer == rate(2, 4)
    assert found.customers.retained == rate(2, 3)
    figures = {team.team: dict(team.figures) for team in found.teams}
    assert figures["customer success"]["customers retained"] == found.customers.retained
    assert record(found)["retained"]["numerator"] == 2


def test_contacts_split_the_mature_starts(tmp_path):
    """The first contact counts, before the conversion and the end of the window; the last microsecond of an hour is within it."""
    hour, tick = 1 / 24, 1e-11
    waits = {"hour": hour, "past hour": hour + tick, "day": 1, "past day": 1 + tick, "3d": 3, "past 3d": 3 + tick}
    people = dict.fromkeys(
        ("called", "before", "both", "after", "alone", "late", "at start", "at purchase", "at end", *waits), 1
    )
    conversions = [bought(user, 10) for user in ("called", "before", "after", "at purchase")]
    contacts = [
        {"user_id": user, "at": T0 + round(day * DAY)}
        for user, day in (
            *(("called", 3), ("before", 0.5), ("after", 11), ("late", 32), ("called", 4)),
            *(("at start", 1), ("at purchase", 10), ("at end", 31), ("both", 0.5), ("both", 1.5)),
            *((user, 1 + wait) for user, wait in waits.items()),
        )
    ]
    frame = pl.DataFrame(contacts).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
    asked = definition()
    people_ = told(tmp_path, people, asked, conversions=conversions)
    path = tmp_path / "contacts.parquet"
    frame.write_parquet(path)
    table = Table(
        name="contacts",
        paths=(str(path),),
        columns={"user_id": ColumnType.TEXT, "at": ColumnType.INSTANT},
        rows=len(contacts),
    )
    whole = replace(people_, dataset=replace(people_.dataset, tables={**people_.dataset.tables, "contacts": table}))
    found = report(whole, asked).parts.contacted
    assert found.before == rate(1, 2)
    assert found.within_1h == rate(0, 2)  # at start, hour
    assert found.within_24h == rate(0, 2)  # past hour, day
    assert found.within_3d == rate(1, 3)  # past day, called on the second day, 3d
    assert found.later == rate(0, 1)
    assert found.after == rate(1, 8)
    assert found.never == rate(2, 5)  # after, alone, late, at purchase, at end
    groups = (found.before, found.after, found.never)
    assert sum(group.denominator for group in groups) == len(people)
    assert report(people_, asked).parts.contacted is None


def test_a_contact_that_is_a_date_is_not_called_before_on_its_own_day(tmp_path):
    """All qualify on day 1 at noon; nobody knows whether a call of that date came first."""
    called = {"that day": 1, "the day before": 0, "next day": 2, "later": 9, "both": 0}
    contacts = [{"user_id": user, "at": T0 + day * DAY} for user, day in [*called.items(), ("both", 1)]]
    asked = definition()
    people_ = told(tmp_path, dict.fromkeys([*called, "nobody called"], 1.5), asked, contacts=contacts)
    tables = people_.dataset.tables
    dated = replace(tables["contacts"], dates_only=True)
    people_ = replace(people_, dataset=replace(people_.dataset, tables={**tables, "contacts": dated}))
    found = report(people_, asked).parts.contacted
    groups = (found.before, found.within_1h, found.within_24h, found.within_3d, found.later, found.never)
    assert [group.denominator for group in groups] == [2, 0, 2, 0, 1, 1]
    moments = pl.DataFrame({"entity": range(people_.entities.height), "at": T0 + round(1.5 * DAY)})
    before = people_.entities.filter(contacted_before(people_, moments))["id"].to_list()
    assert sorted(before) == ["both", "the day before"]


def test_a_milestone_is_followed_by_the_outcome_of_the_project(tmp_path):
    asked = definition()
    people_ = told(tmp_path, {"a": 1, "b": 2}, asked, conversions=[bought("a", 20)])
    milestone = replace(asked, name="activated", milestone=True, outcome=None)
    shown, same = report(people_, milestone), report(people_, asked)
    assert shown.funnel == same.funnel
    assert shown.definition.outcome == people_.outcome
    assert shown.nouns.leads == "activated users"
    assert record(shown)["words"]["success"] == "became customers"


def test_an_outcome_that_is_no_purchase_makes_no_customers(tmp_path):
    asked = definition()
    by_event = replace(asked, outcome=replace(asked.outcome, event="exported"))
    assert nouns_of(by_event).success == nouns_of(by_event).outcomes == "did exported"
    assert nouns_of(replace(asked, outcome=replace(asked.outcome, definition=asked))).who == f"who met {asked.name}"


def test_customers_who_did_not_use_the_product(tmp_path):
    """28 days before converting is use, a microsecond earlier is not; what they did afterwards does not count."""
    acts = {"recent": 72, "edge": 72 - 1e-9, "after": 101, "never": None, "pql": 1}
    more = [
        {"user_id": user, "event": "other", "timestamp": T0 + round(day * DAY)}
        for user, day in acts.items()
        if day is not None
    ]
    asked = definition()
    people = {"pql": 1, **dict.fromkeys(("recent", "edge", "after", "never"))}
    found = report(told(tmp_path, people, asked, conversions=[bought(user, 100) for user in people], more=more), asked)
    assert (found.funnel.unused.never, found.funnel.unused.dormant) == (2, 1)
    assert found.funnel.to_date.other_customers == rate(4, 4)
    assert found.funnel.left_out == ()
    assert record(found)["funnel"]["customers_without_use"] == {"never": 2, "dormant": 1}


def test_whoever_signed_up_within_the_export_is_counted_however_soon_it_converted(tmp_path):
    """Snapshots of a rule of 28 days need 28 days of events before them. A funnel does not: it saw quick and slow alike."""
    asked = definition(trailing("x"))
    signups = {"quick": 0, "slow": 0, "plain": 0, "old": -10, "already": 2}
    data = dataset(
        tmp_path,
        events=[{"user_id": user, "event": "x", "timestamp": T0 + DAY} for user in ("quick", "slow")]
        + [{"user_id": "nobody", "event": "open", "timestamp": at} for at in (T0, END)],
        users=[{"user_id": user, "signed_up_at": T0 + day * DAY} for user, day in signups.items()],
        conversions=[bought("quick", 10), bought("slow", 60), bought("old", 10), bought("already", 1)],
    )
    shown = report(population_of(data, Project(), definition=asked, entity="user"), asked)
    # Snapshots are whole weeks apart, and so is the window after them; qualifications have the outcome's 30 days.
    assert "every 28 days, customers within 28 days" in plain(as_table(shown))
    assert "within 28 days of it" in re.sub(r"<[^>]+>", "", html(record(shown)))
    funnel = shown.funnel
    assert funnel.to_date.pqls == rate(2, 3)
    assert funnel.to_date.pql_customers == funnel.cohort.levels.pql_customers == rate(2, 2)
    told_apart = [(part.reason, part.entities, part.customers) for part in funnel.left_out]
    assert told_apart == [("customer_already", 1, 1), ("unobserved", 1, 1)]


def test_conversions_of_strangers_are_said(tmp_path):
    """Sold past the product: the ids of two contracts are neither users nor in any event."""
    asked = definition()
    sold = [bought("a", 20), bought("contract 1", 30), bought("contract 2", 40)]
    found = report(told(tmp_path, {"a": 1, "b": None}, asked, conversions=sold), asked)
    assert found.funnel.to_date.customers == rate(1, 2)
    assert record(found)["funnel"]["unknown_conversions"] == 2
    said = "2 conversions of ids that nobody in this data has"
    assert f"In neither funnel: {said}." in " ".join(plain(as_table(found)).split())
    assert said in re.sub(r"<[^>]+>", "", html(record(found)))


def test_nobody_qualifies(tmp_path):
    asked = definition()
    found = report(told(tmp_path, {"a": None, "b": None}, asked, conversions=[bought("a", 50)]), asked)
    assert found.funnel.pql_to_customer.rate is None
    assert found.times.to_pql.median_days is None
    assert found.funnel.recall == rate(0, 1)
    assert not found.drifted
    assert not found.falls_short(0.5)
    written = record(found)
    assert written["funnel"]["pql_to_customer"]["rate"] is None
    assert written["time_to_pql"]["n"] == 2


def test_falling_short_takes_the_whole_interval(tmp_path):
    asked = definition()
    found = report(told(tmp_path, {f"u{i}": 1 for i in range(20)}, asked, conversions=[bought("u0", 5)]), asked)
    high = found.funnel.pql_to_customer.high
    assert high > 0.05
    assert not found.falls_short(high)
    assert found.falls_short(high + 1e-9)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (within("x", 7), "once:7d"),
        (All(parts=(within("x", 7), within("y", 14))), "once:14d"),
        (All(parts=(within("x", 7), trailing("y"))), "every:28d"),
        (trailing("x"), "every:28d"),
    ],
)
def test_the_snapshots_follow_the_windows(node, text):
    asked = definition(node)
    assert str(design_of(asked, asked.outcome)) == text


def crowd(tmp_path, asked):
    """Sixteen people: all combinations of x, y, m and buying."""
    names = [f"p{i:02}" for i in range(16)]
    more = [
        {"user_id": name, "event": event, "timestamp": T0 + DAY}
        for i, name in enumerate(names)
        for bit, event in enumerate("xym")
        if i >> bit & 1
    ]
    buyers = [bought(name, 20) for i, name in enumerate(names) if i & 8]
    return told(tmp_path, dict.fromkeys(names), asked, conversions=[*buyers], more=more)


def test_criteria_alone_left_out_and_their_complements(tmp_path):
    asked = definition(All(parts=(within("x"), within("y"), within("m", mechanical=True))))
    found = report(crowd(tmp_path, asked), asked)
    assert [one.leaf.id for one in found.criteria] == ["x", "y", "m"]
    for one in found.criteria:
        assert one.alone.cells == (4, 4, 4, 4)
        assert one.without_it.cells == (2, 2, 6, 6)
        assert one.alone.with_ + one.alone.without == found.funnel.snapshot.base
    assert [one.mechanical for one in found.criteria] == [False, False, True]
    assert found.funnel.snapshot.cells == (1, 1, 7, 7)
    assert found.without_mechanical.cells == (2, 2, 6, 6)
    assert record(found)["without_mechanical"]["with"]["snapshots"] == 4


def test_without_mechanical_criteria_nothing_may_be_left(tmp_path):
    only = definition(within("m", mechanical=True))
    found = report(crowd(tmp_path, only), only)
    assert found.without_mechanical is None
    assert without_mechanical(found.population, definition(within("x")), found.snapshots) is None
    assert found.criteria[0].without_it is None
    assert found.criteria[0].alone == found.funnel.snapshot


def test_two_mechanical_criteria_go_together(tmp_path):
    asked = definition(All(parts=(within("x", mechanical=True), within("y"), within("m", mechanical=True))))
    found = report(crowd(tmp_path, asked), asked)
    spells = spells_of(found.population.world, definition(within("y")))
    assert found.without_mechanical == found.snapshots.table(meets(spells, found.snapshots.frame))


UPSELL = {"kind": "expansion", "from_plan": ("pro",), "to_plan": ("team",), "returns_after": Duration(60, "d")}


def test_an_expansion_counts_stays(tmp_path):
    """One who was sold to twice, one who was not, and one who never was in the plan."""
    plan = {"kind": "expansion", "from_plan": "pro", "plan": "team"}
    entered = {"kind": "new", "from_plan": "free", "plan": "pro"}
    conversions = [
        bought("a", 10, **entered),
        bought("a", 30, **plan),
        bought("a", 60, **{**plan, "kind": "downgrade", "from_plan": "team", "plan": "pro"}),
        bought("a", 110, **plan),
        bought("b", 10, **entered),
    ]
    days = {"a": (12, 40, 62, 95), "b": (12, 95), "c": (12,)}
    more = [
        {"user_id": user, "event": "x", "timestamp": T0 + day * DAY} for user, listed in days.items() for day in listed
    ]
    asked = definition(trailing("x", 14), **UPSELL)
    people = told(tmp_path, {"a": None, "b": None, "c": None}, asked, conversions=conversions, more=more)
    found = report(people, asked)
    names = dict(people.entities.select("entity", "id").iter_rows())
    starts = [(names[e], (on - T0) / DAY, y) for e, on, y in found.starts.select("entity", "on", "y").iter_rows()]
    # In the plan: a from 10 to 30 and, 60 days after that, from 90 to 110; b from 10 on, back on after 14 quiet days and 30 more.
    assert starts == [("a", 12.0, True), ("b", 12.0, False), ("a", 95.0, True), ("b", 95.0, False)]
    assert found.funnel.pql_to_customer == rate(2, 4)
    assert found.funnel.customers == 2
    assert people.conversions.first == 2


def test_behaviours_and_bands_cut_a_report(tmp_path):
    """A behaviour is judged at qualifying: b's second open came after it."""
    asked = definition()
    seats = {"a": 3.0, "b": 5.0, "c": 20.0, "d": None}
    opens = [{"user_id": user, "event": "open", "timestamp": T0 + day * DAY} for user, day in (("a", 1), ("b", 9))]
    data = dataset(
        tmp_path,
        events=[{"user_id": user, "event": "x", "timestamp": T0 + 5 * DAY} for user in seats]
        + opens
        + [{"user_id": "nobody", "event": "other", "timestamp": at} for at in (T0, END)],
        users=[{"user_id": user, "signed_up_at": T0, "seats": count} for user, count in seats.items()],
        conversions=[bought("a", 20)],
    )
    project = replace(Project(), traits=replace(Project().traits, fixed=("seats",)))
    people_ = population_of(data, project, definition=asked, entity="user")
    shown = report(people_, asked, by=["seats:5,20", "open >= 1 in 14d"])
    assert [(row.name, row.signups, row.pql_to_customer.numerator) for row in shown.parts.segments] == [
        ("under 5", 1, 1),
        ("5 to under 20", 1, 0),
        ("20 or more", 1, 0),
        ("(unknown)", 1, 0),
        ("did", None, 1),
        ("did not", None, 0),
    ]
    assert [row.pql_to_customer.denominator for row in shown.parts.segments[-2:]] == [1, 3]
    printed = plain(as_table(shown))
    assert "BY seats:5,20" in printed
    assert "BY open in 14d" in printed
    assert "BY signup_quarter" not in printed
    bare = report(people_, asked, by=["open"])
    assert bare.parts.by == ("open in 14d",)
    assert bare.parts.segments == shown.parts.segments[-2:]
    assert "BY signup_quarter" in plain(as_table(report(people_, asked, by=["signup_quarter"])))


def test_leads_whose_window_ends_before_the_day_on_which_most_convert_are_in_no_rate(tmp_path):
    """24 do x on day 3 and convert on day 56; 30 days from qualifying nobody had: that is no rate of 0 %."""
    people = {f"u{i:02}": 3 for i in range(40)}
    found = told(
        tmp_path,
        people,
        definition(),
        conversions=[bought(user, 56.2) for user in sorted(people)[:24]],
    )
    made = record(report(found, definition()))
    counted = made["qualifications"]
    assert (counted["starts"], counted["complete"], counted["in_progress"], counted["too_soon"]) == (40, 0, 0, 40)
    assert made["funnel"]["pql_to_customer"]["rate"] is None
    assert any("--conversion-window 63d covers it" in warning for warning in made["warnings"])
    longer = definition(within=Duration(63, "d"))
    rate = record(report(found, longer))["funnel"]["pql_to_customer"]
    assert (rate["numerator"], rate["denominator"]) == (24, 40)


def test_two_definitions_of_one_report_count_the_same_entities(tmp_path):
    """Events begin on day 50: only who signed up later is seen on its 14th day; the other definition sees everybody then on."""
    users = {"old": 0, "new": 60, "newer": 70}
    data = dataset(
        tmp_path,
        events=[{"user_id": user, "event": "x", "timestamp": T0 + 75 * DAY} for user in users]
        + [{"user_id": "nobody", "event": "open", "timestamp": at} for at in (T0 + 50 * DAY, END)],
        users=[{"user_id": user, "signed_up_at": T0 + day * DAY} for user, day in users.items()],
        conversions=[bought("new", 80)],
    )
    asked = [definition(within("x", days=20)), definition(trailing("x", days=7))]
    populations = [population_of(data, Project(), definition=one, entity="user") for one in asked]
    apart = [report(people_, one) for people_, one in zip(populations, asked, strict=True)]
    assert [shown.funnel.signups for shown in apart] == [2, 3]
    alike, narrowed = shared_signups(apart)
    assert alike is None
    assert narrowed is not None
    assert narrowed.to_list() == ["new", "newer"]
    shown = report(populations[1], asked[1], among=narrowed)
    assert shown.funnel.signups == apart[0].funnel.signups
    assert set(shown.starts["entity"]) <= set(shown.signups["entity"])
    (left,) = [left for left in shown.funnel.left_out if left.reason is None]
    assert (left.entities, left.customers) == (1, 0)
    assert "1 that another definition of this report does not count" in plain(as_table(shown))
    assert record(shown)["funnel"]["left_out"][-1]["reason"] == "other-definition"


def test_the_funnel_of_a_milestone_with_a_long_name_keeps_its_columns_and_the_width(tmp_path):
    asked = replace(definition(), name="collaborating_workspace_admins", milestone=True)
    people = told(tmp_path, {"a": 1, "b": None}, definition(), conversions=[bought("a", 20)])
    lines = plain(as_table(report(people, asked))).splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("FUNNEL, all so far"))
    funnel = lines[begin + 1 : begin + 7]
    assert funnel[1].split()[:2] == ["became", "collaborating_workspace_admins"]
    assert len({number.end() for line in funnel if (number := re.search(r"\d+(?= |$)", line))}) == 1
    assert max(map(len, lines)) <= 80
    assert not any(first == second == "" for first, second in itertools.pairwise(lines))
