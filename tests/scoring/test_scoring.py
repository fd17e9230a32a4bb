"""Standing and reasons, against the words of the contract taken literally, one entity at a time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pqlkit.definitions.emitting import definition_hash
from pqlkit.definitions.model import (
    All,
    Any,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Lead,
    Limit,
    Measure,
    MeasureKind,
    Near,
    NOf,
    Operator,
    Outcome,
    Score,
    Window,
    WindowKind,
)
from pqlkit.durations import DAY, Duration
from pqlkit.scoring.scoring import score
from pqlkit.snapshots.qualifications import starts
from pqlkit.snapshots.spells import qualifications
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START

NAMES = ("login", "invite", "upload")
WIDTH = 4 * DAY
WITHIN = Window(kind=WindowKind.WITHIN, length=Duration.parse("4d"))
WINDOWS = (
    WITHIN,
    Window(kind=WindowKind.ROLLING, length=Duration.parse("4d")),
    Window(kind=WindowKind.TRAILING, length=Duration.parse("4d")),
    Window(kind=WindowKind.EVER),
)


def criterion(name, least, window, kind=MeasureKind.COUNT, **more):
    return Criterion(id=name, events=(name,), measure=Measure(kind=kind), window=window, at_least=least, **more)


def definition(qualify, **more):
    outcome = Outcome(within=Duration.parse("10d"))
    return Definition(name="d", entity=EntityKind.USER, qualify=qualify, outcome=outcome, **more)


def value_at(leaf, anchor, events, now):
    """Measure one criterion now, as definition.md says, with events of one entity."""
    own = [at for name, at in events if name in leaf.events and at <= now]
    match leaf.window.kind:
        case WindowKind.WITHIN:
            own = [at for at in own if anchor <= at < anchor + WIDTH]
        case WindowKind.ROLLING | WindowKind.TRAILING:
            own = [at for at in own if now - WIDTH < at]
    return len(own) if leaf.measure.kind is MeasureKind.COUNT else len({at // DAY for at in own})


def held_at(leaf, anchor, events, now):
    """Whether it is on now: a trailing one by its value, the others once reached."""
    if leaf.window.kind is WindowKind.TRAILING:
        return value_at(leaf, anchor, events, now) >= leaf.at_least
    moments = [at for _, at in events if at <= now]
    return any(value_at(leaf, anchor, events, at) >= leaf.at_least for at in moments)


def truth(node, holds):
    match node:
        case Criterion():
            return holds[node.id]
        case All(parts=parts):
            return all(truth(part, holds) for part in parts)
        case Any(parts=parts):
            return any(truth(part, holds) for part in parts)
        case NOf(n=n, parts=parts):
            return sum(truth(part, holds) for part in parts) >= n


def qualifies(meaning, holds):
    if meaning.score is not None and meaning.score.pql_at is not None:
        points = sum(Fraction(str(meaning.score.points[name])) for name, on in holds.items() if on)
        return points >= Fraction(str(meaning.score.pql_at))
    return truth(meaning.qualify, holds)


def standing(meaning, leaves, person, events, now):
    """Say a person's status, walking through time."""
    anchor, converted = person["anchor"], person.get("converted")
    if converted is not None:
        return "customer"
    if person.get("country") == "xx":
        return "ineligible"
    moments = sorted({anchor, now, *(at for _, at in events), *(at + WIDTH for _, at in events)})
    walk = [at for at in moments if anchor <= at <= now]
    on = [qualifies(meaning, {x.id: held_at(x, anchor, events, at) for x in leaves}) for at in walk]
    holds = {x.id: held_at(x, anchor, events, now) for x in leaves}
    if on[-1]:
        began = [at for at, before, after in zip(walk, [False, *on], on, strict=False) if after and not before]
        ended = [at for at, before, after in zip(walk, [False, *on], on, strict=False) if before and not after]
        last, counted = None, began[0]
        for place, start in enumerate(began):
            rested = place == 0 or start >= ended[place - 1] + 3 * DAY
            if rested and (last is None or start > last + 10 * DAY):
                last = counted = start
        return "pql" if now <= counted + 6 * DAY else "expired"
    if any(on):
        return "lapsed"
    open_ = [x for x in leaves if not holds[x.id] and (x.window.kind is not WindowKind.WITHIN or now < anchor + WIDTH)]
    begun = any(
        value_at(x, anchor, events, at) > 0
        for x in leaves
        for at in ([now] if x.window.kind is WindowKind.TRAILING else walk)
    )
    if not qualifies(meaning, holds | {x.id: True for x in open_}):
        return "missed"
    lately = any(now - meaning.near.active_within.microseconds < at <= now for _, at in events)
    way = share_of_the_way(meaning, leaves, holds, open_, {x.id: reached(x, anchor, events, walk) for x in leaves})
    if begun and lately and way >= Fraction(str(meaning.near.at_least)):
        return "near"
    return "started" if begun else "inactive"


def reached(leaf, anchor, events, walk):
    moments = walk[-1:] if leaf.window.kind is WindowKind.TRAILING else walk
    return max(value_at(leaf, anchor, events, at) for at in moments)


def share_of_the_way(meaning, leaves, holds, open_, values):
    """Say how far the furthest way has come; -1 where none is open."""
    shares = {x.id: Fraction(values[x.id], x.at_least) for x in open_} | {
        name: Fraction(1) for name in holds if holds[name]
    }
    if meaning.score is not None:
        worth = {name: Fraction(str(points)) for name, points in meaning.score.points.items()}
        chosen = [name for name in worth if holds[name]]
        for x in sorted(open_, key=lambda x: -worth[x.id]):
            if sum(worth[name] for name in chosen) < Fraction(str(meaning.score.pql_at)):
                chosen.append(x.id)
        return sum(worth[name] * shares[name] for name in chosen) / sum(worth[name] for name in chosen)
    return node_share(meaning.qualify, shares)


def node_share(node, shares):
    if isinstance(node, Criterion):
        return shares.get(node.id, Fraction(-99))
    best = sorted((node_share(part, shares) for part in node.parts), reverse=True)
    count = {All: len(best), Any: 1}.get(type(node)) or node.n
    return sum(best[:count], Fraction(0)) / count


spans = st.sampled_from(["12h", "2d", "9d"])


@st.composite
def meanings(draw):
    kinds = st.sampled_from([MeasureKind.COUNT, MeasureKind.DAYS])
    leaves = tuple(
        criterion(name, draw(st.integers(1, 3)), draw(st.sampled_from(WINDOWS)), draw(kinds)) for name in NAMES
    )
    a, b, c = leaves
    shape = draw(st.integers(0, 4))
    qualify = [
        All(parts=leaves),
        Any(parts=leaves),
        NOf(n=2, parts=leaves),
        All(parts=(a, Any(parts=(b, c)))),
        All(parts=leaves),
    ][shape]
    points = Score(points={"login": 33.4, "invite": 33.3, "upload": 33.3}, pql_at=66.7) if shape == 4 else None
    near = Near(at_least=draw(st.sampled_from([0.5, 0.75, 0.8])), active_within=Duration.parse(draw(spans)))
    lead = Lead(fresh_for=Duration.parse("6d"), cooldown=Duration.parse("3d"), near=near)
    eligible = (Condition(name="country", operator=Operator.NOT_IN, values=("xx",)),)
    return definition(qualify, score=points, lead=lead, eligible=eligible), leaves


people = st.lists(
    st.fixed_dictionaries(
        {
            "joined": st.integers(0, 3),
            "bought": st.none() | st.none() | st.none() | st.integers(1, 12),
            "country": st.sampled_from(["se", "se", "se", "xx", None]),
            "events": st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-2, 24)), max_size=14),
        }
    ),
    min_size=1,
    max_size=6,
)


def build(drawn, now):
    rows, events = [], []
    for number, one in enumerate(drawn):
        anchor = START + one["joined"] * DAY
        bought = None if one["bought"] is None else START + (one["bought"] + one["joined"]) * DAY + 1
        bought = bought if bought is not None and bought <= now else None
        rows.append({"id": f"u{number}", "anchor": anchor, "converted": bought, "country": one["country"]})
        events += [(f"u{number}", name, anchor + half * DAY // 2) for name, half in one["events"]]
    rows = [row for row in rows if row["anchor"] <= now]
    events = [row for row in events if row[2] <= now]
    fixed = {"country": [row["country"] for row in rows]}
    return in_memory(rows, events, as_of=now, fixed=fixed), rows, events


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(meaning=meanings(), drawn=people, day=st.integers(3, 14), shift=st.sampled_from([-1, 0, 1]))
def test_statuses_are_those_of_a_walk_through_time(meaning, drawn, day, shift):
    wanted, leaves = meaning
    now = START + day * DAY + shift
    population, rows, events = build(drawn, now)
    leads = score(population, wanted, keep=["country"])
    found = leads.frame
    status = dict(found.select("user_id", "status").iter_rows())
    for row in rows:
        own = sorted((name, at) for user, name, at in events if user == row["id"])
        assert status[row["id"]] == standing(wanted, leaves, row, own, now), row
    adds_up(wanted, leaves, leads)


def adds_up(meaning, leaves, leads):
    """`met`, `missing`, `score` and the criteria's columns agree, recomputed from one another in exact fractions."""
    newest = dict(leads.starts.group_by("id").agg(pl.col("on").max()).iter_rows())
    for row in leads.frame.to_dicts():
        trailing = [x for x in leaves if x.window.kind is WindowKind.TRAILING]
        if row["status"] != "customer":
            reached = sum(row[x.id] >= x.at_least for x in leaves)
            assert row["met"] == reached or trailing
            if not trailing:
                assert row["met"] == reached
        assert row["criteria"] == 3
        lead = row["status"] in ("pql", "expired")
        assert not (lead and row["missing"])
        if row["status"] == "near":
            assert row["missing"]
            holds = {x.id: row[x.id] >= x.at_least for x in leaves}
            for x in leaves:
                if x.window.kind is WindowKind.EVER and not holds[x.id] and qualifies(meaning, holds | {x.id: True}):
                    assert str(x.at_least - row[x.id]) in row["missing"]
        if meaning.score is not None:
            continue
        if lead and not trailing:
            over = [min(Fraction(1), Fraction(row[x.id], x.at_least) - 1) for x in leaves if row[x.id] >= x.at_least]
            strength = 30 * sum(over) / len(over)
            age = leads.population.as_of - newest[row["user_id"]]
            fresh = 20 * max(Fraction(0), 1 - Fraction(age, 6 * DAY))
            assert row["score"] == 50 + strength // 1 + fresh // 1
        elif not lead and row["status"] != "customer":
            assert row["score"] == 50 * row["met"] // 3
        assert 0 <= row["score"] <= 100


def one(meaning, events, now, **person):
    population = in_memory([{"id": "a", "anchor": START} | person], [("a", *row) for row in events], as_of=now)
    return score(population, meaning).frame.row(0, named=True)


HALF = Lead(near=Near(at_least=0.5))


@pytest.mark.parametrize(("shift", "status"), [(-1, "near"), (0, "missed"), (1, "missed")])
def test_near_ends_with_the_window(shift, status):
    """The window [anchor, anchor + 4d) is over at its end."""
    both = All(parts=(criterion("login", 1, WITHIN), criterion("invite", 2, WITHIN)))
    found = one(definition(both, lead=HALF), [("login", START), ("invite", START + 5)], START + WIDTH + shift)
    assert found["status"] == status
    assert found["missing"] == ("1 more invite" if status == "near" else None)


def teams(counts, *, now=START + DAY, **more):
    """Score accounts of one criterion, 2,000 messages ever, by how many each has sent."""
    meaning = definition(criterion("login", 2_000, WINDOWS[3]), **more)
    people = [{"id": name, "anchor": START} for name in counts]
    events = [(name, "login", START + i) for name, count in counts.items() for i in range(count)]
    return score(in_memory(people, events, as_of=now), meaning).frame


def test_near_is_who_has_come_most_of_the_way_and_the_nearest_stands_first():
    found = teams({"a": 1, "b": 1_599, "c": 1_600, "d": 1_601, "z": 1_990, "pql": 2_000})
    near = found.filter(pl.col("status") == "near")
    assert near.select("user_id", "progress", "shortfall").rows() == [
        ("z", 0.995, 10),
        ("d", 0.8005, 399),
        ("c", 0.8, 400),
    ]
    assert found.filter(pl.col("status") == "started").get_column("user_id").to_list() == ["a", "b"]
    assert found.row(0, named=True)["progress"] == 1
    assert found.row(0, named=True)["shortfall"] == 0


@pytest.mark.parametrize(("shift", "status"), [(-1, "near"), (0, "started"), (1, "started")])
def test_near_is_who_was_active_within_14_days(shift, status):
    """The last event counts in (now - 14d, now]."""
    last = START + 1_899
    found = teams({"a": 1_900}, now=last + 14 * DAY + shift)
    assert found.get_column("status").to_list() == [status]
    lately = Lead(near=Near(active_within=Duration.parse("15d")))
    assert teams({"a": 1_900}, now=last + 14 * DAY + shift, lead=lately).get_column("status").to_list() == ["near"]


def test_several_criteria_share_the_way_and_have_no_common_shortfall():
    window = WINDOWS[3]
    both = definition(All(parts=(criterion("login", 4, window), criterion("invite", 10, window))))
    events = [("login", START + i) for i in range(3)] + [("invite", START + i) for i in range(9)]
    found = one(both, events, START + DAY)
    assert (found["status"], found["progress"], found["shortfall"]) == ("near", pytest.approx(0.825), None)
    found = one(both, [*events, ("login", START + 9)], START + DAY)
    assert (found["status"], found["progress"], found["shortfall"]) == ("near", 0.95, 1)


def test_a_way_that_is_over_is_no_way():
    """One of two: 9 of 10 logins within a window that is over, and 1 of 10 invites ever."""
    either = definition(Any(parts=(criterion("login", 10, WITHIN), criterion("invite", 10, WINDOWS[3]))))
    events = [("login", START + i) for i in range(9)] + [("invite", START + 5 * DAY)]
    before, after = one(either, events[:-1], START + WIDTH - 1), one(either, events, START + 6 * DAY)
    assert (before["status"], before["progress"], before["shortfall"]) == ("near", 0.9, 1)
    assert (after["status"], after["progress"], after["shortfall"]) == ("started", 0.1, 9)
    over = one(definition(criterion("login", 10, WITHIN)), events[:-1], START + WIDTH)
    assert (over["status"], over["progress"], over["shortfall"]) == ("missed", None, None)


@pytest.mark.parametrize(
    ("limit", "status", "progress", "missing"),
    [
        (100, "near", 0.9, "8 more logins"),
        (90, "pql", 1.0, None),
        (None, "started", 0.0, "no seats known"),
    ],
)
def test_a_share_of_a_trait_is_a_way_of_its_own(limit, status, progress, missing):
    share = Criterion(id="login", events=("login",), window=WINDOWS[3], at_least=Limit(percent=80, trait="seats"))
    people = [{"id": "a", "anchor": START}]
    events = [("a", "login", START + i) for i in range(72)]
    population = in_memory(people, events, as_of=START + DAY)
    world = population.world
    seats = world.entities.with_columns(pl.Series("t0", [limit], dtype=pl.Int64))
    population = replace(population, world=replace(world, entities=seats, traits={"seats": "t0"}))
    found = score(population, definition(share)).frame.row(0, named=True)
    assert (found["status"], found["progress"], found["missing"]) == (status, progress, missing)


def test_who_is_near_is_no_part_of_what_a_definition_means():
    plain = definition(criterion("login", 1, WITHIN))
    fresh = replace(plain, lead=Lead(fresh_for=Duration.parse("6d")))
    assert definition_hash(replace(plain, lead=HALF)) == definition_hash(plain)
    assert definition_hash(replace(fresh, lead=replace(fresh.lead, near=Near()))) == definition_hash(fresh)
    assert definition_hash(fresh) != definition_hash(plain)


@pytest.mark.parametrize(("at", "status"), [(WIDTH - 1, "pql"), (WIDTH, "missed"), (WIDTH + 1, "missed")])
def test_the_last_microsecond_of_a_window_counts(at, status):
    meaning = definition(All(parts=(criterion("login", 1, WITHIN), criterion("invite", 1, WITHIN))))
    assert one(meaning, [("login", START), ("invite", START + at)], START + 6 * DAY)["status"] == status


@pytest.mark.parametrize(("shift", "status"), [(-1, "near"), (0, "pql"), (1, "pql")])
def test_an_upper_bound_is_judged_at_the_end_of_its_window(shift, status):
    few = Criterion(id="complaints", events=("upload",), window=WITHIN, at_most=2)
    meaning = definition(All(parts=(criterion("login", 1, WITHIN), few)))
    found = one(meaning, [("login", START), ("upload", START + 1)], START + WIDTH + shift)
    assert found["status"] == status
    assert found["missing"] is None


def test_an_upper_bound_that_is_passed_cannot_be_met_any_more():
    few = Criterion(id="complaints", events=("upload",), window=WITHIN, at_most=1)
    meaning = definition(All(parts=(criterion("login", 1, WITHIN), few)))
    events = [("login", START), ("upload", START + 1), ("upload", START + 2)]
    assert one(meaning, events[:2], START + DAY)["status"] == "near", "at the bound it may still be kept to"
    assert one(meaning, events, START + DAY)["status"] == "missed"


def test_alternatives_read_as_alternatives():
    window = WINDOWS[3]
    login, invite, upload = (criterion(name, 3, window) for name in NAMES)
    either = definition(All(parts=(login, Any(parts=(invite, upload)))))
    events = [("login", START + i) for i in range(3)] + [
        ("invite", START),
        ("upload", START + 9),
        ("upload", START + 10),
    ]
    found = one(either, events, START + DAY)
    assert (found["status"], found["missing"]) == ("near", "2 more invites or 1 more upload")
    assert (found["progress"], found["shortfall"]) == (pytest.approx(5 / 6), 1)
    both = definition(All(parts=(login, Any(parts=(invite, upload)))))
    found = one(both, [("login", START), ("invite", START)], START + DAY)
    assert (found["status"], found["missing"]) == ("started", "2 more logins; (2 more invites or 3 uploads)")
    two = definition(NOf(n=2, parts=(login, invite, upload)))
    assert one(two, [("login", START)], START + DAY)["missing"] == "2 of: 2 more logins, 3 invites, 3 uploads"
    # What one criterion is called keeps its own "or".
    joint = replace(invite, events=("invite", "upload"))
    two = definition(NOf(n=2, parts=(login, joint)))
    assert one(two, [], START + DAY)["missing"] == "2 of: 3 logins, invite or upload 3 times"


def test_points_add_up_to_the_unit():
    window = WINDOWS[3]
    leaves = tuple(criterion(name, 1, window) for name in NAMES)
    points = Score(points={"login": 33.4, "invite": 33.3, "upload": 33.3}, pql_at=100, bands={"hot": 90, "warm": 60})
    meaning = definition(All(parts=leaves), score=points)
    found = one(meaning, [(name, START) for name in NAMES], START + DAY)
    assert (found["status"], found["score"], found["band"]) == ("pql", 100, "hot")
    two = one(meaning, [("login", START), ("invite", START)], START + DAY)
    assert (two["status"], two["progress"], two["shortfall"]) == ("started", pytest.approx(0.667), 1)


@pytest.mark.parametrize(("worth", "band"), [(90, "hot"), (89, "warm"), (60, "warm"), (59, None)])
def test_a_band_begins_at_its_floor(worth, band):
    points = Score(points={"login": worth}, bands={"hot": 90, "warm": 60})
    assert one(definition(criterion("login", 1, WITHIN), score=points), [("login", START)], START + DAY)["band"] == band


@pytest.mark.parametrize(("shift", "status"), [(0, "ineligible"), (1, "pql")])
def test_a_deleted_entity_is_no_lead_from_its_deletion_on(shift, status):
    now = START + DAY
    met = definition(criterion("login", 1, WITHIN))
    assert one(met, [("login", START)], now, deleted_at=now + shift)["status"] == status


def test_nothing_is_missing_of_what_is_met_whoever_it_is():
    """Somebody deleted who meets one of two alternatives lacks neither."""
    either = definition(Any(parts=(criterion("login", 1, WITHIN), criterion("invite", 1, WITHIN))))
    found = one(either, [("login", START)], START + DAY, deleted_at=START + DAY)
    assert (found["status"], found["missing"]) == ("ineligible", None)


def test_a_customer_keeps_when_it_qualified_before():
    meaning = definition(All(parts=(criterion("login", 1, WITHIN), criterion("invite", 1, WITHIN))))
    events = [("login", START), ("invite", START + 5)]
    before = one(meaning, events, START + DAY, converted=START + 6)
    assert before["status"] == "customer"
    assert before["qualified_at"] is not None
    at_once = one(meaning, events, START + DAY, converted=START + 5)
    assert (at_once["status"], at_once["qualified_at"]) == ("customer", None)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(meaning=meanings(), drawn=people, day=st.integers(5, 14))
def test_score_marks_whom_report_counts(meaning, drawn, day):
    wanted = replace(meaning[0])
    population, _, _ = build(drawn, START + day * DAY)
    found = score(population, wanted)
    counted = starts(
        population,
        qualifications(population, wanted),
        conversion_window=wanted.outcome.within,
        cooldown=wanted.cooldown,
    )
    ids = dict(population.entities.select("entity", "id").iter_rows())
    reported = {(ids[entity], on) for entity, on in counted.select("entity", "on").iter_rows()}
    assert reported == set(found.starts.select("id", "on").iter_rows())
    firsts = counted.group_by("entity").agg(pl.col("on").min())
    marked = found.frame.filter(pl.col("qualified_at").is_not_null())
    assert {(ids[entity], on) for entity, on in firsts.iter_rows()} == set(
        marked.select("user_id", pl.col("qualified_at").dt.timestamp("us")).iter_rows()
    )


def test_row_order_changes_nothing():
    meaning = definition(All(parts=(criterion("login", 1, WITHIN), criterion("invite", 2, WITHIN))))
    people = [{"id": f"u{i}", "anchor": START + i} for i in range(9)]
    events = [(f"u{i % 9}", NAMES[i % 3], START + i * 977) for i in range(200)]
    first = score(in_memory(people, events, as_of=START + DAY), meaning).frame
    second = score(in_memory(people[::-1], events[::-1], as_of=START + DAY), meaning).frame
    assert first.equals(second)
