"""Leaks: what belongs to the upgrade is caught at any base rate, and what does not is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqlkit.analysis.leaks import LeakReason, leaks, overruled, sounds_like_paying
from pqlkit.analysis.observation import observe
from pqlkit.analysis.trait_leaks import trait_leaks
from pqlkit.durations import DAY, HOUR, MINUTE
from pqlkit.measures.surroundings import Surroundings, surroundings
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.brief import Brief
from tests.analysis.canonical import in_memory
from tests.simulation.trial import populated, trial
from tests.worlds.by_name import recipe

SECOND = 1_000_000
ORDINARY = ("login", "view", "search", "export")


def product(base: float, seed: int, *, users: int = 500, days: int = 60, visits: float = 0.003):
    """Make a small product: sessions of everyday events, an upgrade in the middle of a session, a bill after it.

    The page "Upgrade" is visited in a share `visits` of all sessions, and within the minutes before every upgrade. A
    "paid_bill" comes some seconds after the upgrade and monthly from then on.
    """
    rng = np.random.default_rng(seed)
    people, events = [], []
    for user in range(users):
        name, anchor = f"u{user:04}", int(rng.integers(0, 30 * DAY))
        sessions = np.sort(rng.integers(anchor, anchor + days * DAY, rng.poisson(12) + 1))
        converted = int(rng.choice(sessions)) + 5 * MINUTE if rng.random() < base else None
        people.append({"id": name, "anchor": anchor, "converted": converted})
        for start in sessions.tolist():
            events.append((name, "login", start))
            at = start
            for _ in range(rng.poisson(6)):
                at += int(rng.exponential(3 * MINUTE))
                events.append((name, str(rng.choice(ORDINARY)), at))
            if rng.random() < visits:
                events.append((name, "Upgrade", start + MINUTE))
        if converted is not None:
            events.append((name, "Upgrade", converted - int(rng.integers(5, 200)) * SECOND))
            events += [(name, "paid_bill", converted + 20 * SECOND + month * 30 * DAY) for month in range(3)]
    return in_memory(people, events, as_of=120 * DAY, history_from=0)


@pytest.mark.parametrize("base", [0.03, 0.15, 0.3, 0.6])
def test_leaks_are_caught_and_ordinary_events_are_not_at_any_base_rate(base):
    people = product(base, 1, users=1200 if base < 0.1 else 500)
    found = {one.event: one for one in leaks(surroundings(people.world))}
    assert {name for name, one in found.items() if one.excluded} == {"Upgrade", "paid_bill"}
    assert found["Upgrade"].reason is LeakReason.PART_OF_CONVERSION
    assert found["paid_bill"].reason is LeakReason.FOLLOWS_CONVERSION
    assert not set(found) & set(ORDINARY)


def counts(**changed: Any) -> Surroundings:
    """Count one event: 1,000 entities, 100 converters, 40 of them in the hour before, 100 users, 40 within a day."""
    arrays = {"users": 100, "users_converted": 60, "first_late": 10, "within_a_day": 40, "hazard": 40, "control": 1.0}
    whole: dict[str, Any] = {
        "entities": 1000,
        "converters": 100,
        "active_hazard": 50,
        "active_control": 25.0,
        "days_at_risk": 50_000.0,
    }
    given: dict[str, Any] = {name: changed.pop(name, value) for name, value in arrays.items()}
    return Surroundings(events=("e",), **whole | {name: np.array([value]) for name, value in given.items()} | changed)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, "part-of-conversion"),
        ({"within_a_day": 25}, "part-of-conversion"),
        ({"within_a_day": 24}, "suspect"),
        ({"hazard": 20}, "part-of-conversion"),
        ({"hazard": 19}, "suspect"),
        ({"control": 3.55}, "part-of-conversion"),
        ({"control": 3.56}, "suspect"),
        ({"hazard": 9, "control": 0.0}, None),
        ({"hazard": 10, "control": 0.0, "active_control": 50.0}, "suspect"),
        ({"within_a_day": 0, "active_hazard": 99, "active_control": 2.0}, None),
        ({"hazard": 0, "users_converted": 83, "first_late": 67}, "follows-conversion"),
        ({"hazard": 0, "users_converted": 83, "first_late": 66}, None),
        ({"hazard": 0, "users_converted": 81, "first_late": 81}, None),
        ({"users": 19, "users_converted": 19, "first_late": 19}, None),
    ],
)
def test_each_bound_is_drawn_where_it_is_stated(changed, reason):
    found = leaks(counts(**changed))
    assert [one.reason.value for one in found] == ([] if reason is None else [reason])
    assert all(one.excluded is (one.reason is not LeakReason.SUSPECT) for one in found)


@pytest.mark.parametrize(
    ("changed", "caught"),
    [
        ({"users": 40, "users_converted": 34, "first_late": 10}, True),
        ({"users": 40, "users_converted": 33, "first_late": 10}, False),
        ({"users": 39, "users_converted": 39, "first_late": 10}, False),
    ],
)
def test_whoever_does_it_pays_however_late(changed, caught):
    found = leaks(counts(hazard=0, **changed))
    assert [one.reason.value for one in found] == (["near-deterministic"] if caught else [])


def test_the_two_traps_of_the_recipe_and_nothing_else():
    for seed in (51, 52):
        world = recipe(5_000, seed)
        with populated(world) as people:
            found = {one.event for one in leaks(surroundings(people.world))}
        traps = world.truth.traps
        assert found == {traps.before, traps.after}
        assert traps.common not in found


def test_where_everybody_converts_nothing_decides_it():
    starts = {f"u{user:02}": user * HOUR for user in range(60)}
    people = [{"id": name, "anchor": anchor, "converted": anchor + 20 * DAY} for name, anchor in starts.items()]
    events = [(name, "login", anchor + day * DAY) for name, anchor in starts.items() for day in range(10)]
    observed = observe(in_memory(people, events, as_of=120 * DAY, history_from=0), Settings(snapshots="once:14d"))
    assert observed.y.all()
    assert observed.leakage == ()


def test_where_nothing_leaks_nothing_is_flagged():
    with populated(recipe(6_000, 54, traps=False)) as people:
        assert leaks(surroundings(people.world)) == ()


def test_a_leak_that_begins_in_the_later_period_is_not_known_to_the_search():
    """Judged on the fit part alone: what only the holdout knows must not steer the search."""
    world = recipe(8_000, 55)
    late = world.truth.traps.before
    with trial(world) as made:
        first = made.brief.parts.first
        assert first is not None
        cut = pl.from_epoch(pl.lit(first), time_unit="us").dt.replace_time_zone("UTC")
        early = world.events.filter((pl.col("event") != late) | (pl.col("timestamp") >= cut))
    with populated(replace(world, events=early)) as people:
        observed = observe(people, Settings(snapshots="once:14d"))
        brief = Brief.of(observed, ProposeOptions(permutations=0), lambda _: None)
        assert late in {one.event for one in observed.leakage}
        assert late not in {one.event for one in brief.exclusions.leakage}


def test_keep_event_overrules_and_still_shows():
    people = product(0.3, 3)
    kept = overruled(leaks(surroundings(people.world)), ["paid_*"])
    by_name = {one.event: one for one in kept}
    assert by_name["paid_bill"].kept
    assert not by_name["paid_bill"].excluded
    assert by_name["Upgrade"].excluded


def test_names_are_a_hint_only():
    assert sounds_like_paying("Billing page viewed")
    people = product(0.3, 4)
    events = people.world.events
    import narwhals as nw

    renamed = events.with_columns(
        event=nw.when(nw.col("event") == "view").then(nw.lit("invoice_viewed")).otherwise(nw.col("event"))
    )
    found = {one.event for one in leaks(surroundings(replace(people.world, events=renamed)))}
    assert "invoice_viewed" not in found


def test_events_of_fewer_than_twenty_are_never_judged():
    people = [{"id": f"u{n:03}", "anchor": 0, "converted": 10 * DAY if n < 19 else None} for n in range(100)]
    events = [(f"u{n:03}", "secret", 10 * DAY + 1) for n in range(19)] + [("u050", "login", DAY)]
    few = in_memory(people, events, as_of=90 * DAY)
    assert leaks(surroundings(few.world)) == ()
    more = [{"id": f"u{n:03}", "anchor": 0, "converted": 10 * DAY if n < 20 else None} for n in range(100)]
    events.append(("u019", "secret", 10 * DAY + 1))
    found = leaks(surroundings(in_memory(more, events, as_of=90 * DAY).world))
    assert [one.event for one in found] == ["secret"]


def traited(values: dict[str, Any], y: list[bool]):
    rows = len(y)
    people = [{"id": f"u{n:04}", "anchor": 0, "converted": 15 * DAY if y[n] else None} for n in range(rows)]
    made = in_memory(people, [], as_of=90 * DAY, fixed=values)
    frame = pl.DataFrame({"entity": range(rows), "cutoff": [14 * DAY] * rows})
    return trait_leaks(made, frame, np.array(y))


def test_a_trait_that_only_payers_have_is_a_leak():
    y = [n % 10 == 0 for n in range(1000)]
    card = ["visa" if converted else None for converted in y]
    channel = [["ads", "search", "friends"][n % 3] for n in range(1000)]
    (found,) = traited({"card": card, "channel": channel}, y)
    assert found.event == "card"
    assert found.trait
    assert found.excluded
    assert found.reason is LeakReason.NEAR_DETERMINISTIC
    assert "100 of 100" in found.evidence


@pytest.mark.parametrize(("hits", "caught"), [(24, True), (23, False)])
def test_a_value_leaks_from_eighty_percent_of_thirty_snapshots_on(hits, caught):
    y = [n < hits for n in range(30)] + [n < 20 for n in range(470)]
    plan = ["pro"] * 30 + ["free"] * 470
    assert bool(traited({"plan": plan}, y)) is caught


def tiled(values: dict[str, Any], bought: list[int | None], *, newest: int = 10):
    """Look at each user ten times, every 28 days, until it buys in the given stretch; stretches that nobody looked at exist."""
    people = [
        {"id": f"u{n:04}", "anchor": 0, "converted": None if at is None else (28 * at + 9) * DAY}
        for n, at in enumerate(bought)
    ]
    made = in_memory(people, [], as_of=400 * DAY, fixed=values)
    rows = [
        (n, 28 * step * DAY, at == step)
        for n, at in enumerate(bought)
        for step in range(newest)
        if (at is None or step <= at) and step % 3 != 1
    ]
    frame = pl.DataFrame(rows, schema=["entity", "cutoff", "y"], orient="row")
    return trait_leaks(made, frame, frame["y"].to_numpy())


def buyers(number: int, of: int) -> list[int | None]:
    return [n % 9 if n < number else None for n in range(of)]


def test_a_value_of_late_buyers_leaks_although_few_of_their_snapshots_are_followed_by_it():
    bought = buyers(60, 1000)
    plan = ["team" if at is not None else "free" for at in bought]
    country = [["NL", "DE", "FR"][n % 3] for n in range(1000)]
    (found,) = tiled({"plan": plan, "country": country}, bought)
    assert (found.event, found.evidence) == ("plan", "60 of 60 with the value team convert (100%)")


def test_what_is_bought_after_the_snapshots_is_not_known_to_them():
    bought = [9 if n < 60 else None for n in range(1000)]
    plan = ["team" if at is not None else "free" for at in bought]
    assert tiled({"plan": plan}, bought, newest=9) == ()
    assert tiled({"plan": plan}, [8, *bought[1:]], newest=9) == ()
    assert len(tiled({"plan": plan}, [n % 8 if at is not None else None for n, at in enumerate(bought)], newest=9)) == 1


@pytest.mark.parametrize(("others", "caught"), [(53, True), (54, False)])
def test_a_value_that_rules_buying_out_leaks_where_half_of_the_others_buy(others, caught):
    # Seats of those who bought lie apart: no single value has 30 heads.
    bought = buyers(60, 1000)
    seats = [2 + n % 40 if n < 60 + others else 1 for n in range(1000)]
    found = tiled({"seats": seats}, bought)
    assert [one.evidence for one in found] == (
        [f"0 of {940 - others} with the value 1 convert, where {0.06 * (940 - others):.0f} are to be expected"]
        if caught
        else []
    )


def test_what_the_outcome_asks_for_is_no_leak():
    """Only who began on the free plan can upgrade from it: the others never do, and a third of these."""
    bought = buyers(300, 1200)
    assert tiled({"initial": ["free" if n < 900 else "paid" for n in range(1200)]}, bought) == ()


def test_a_trait_with_few_snapshots_is_not_judged():
    y = [True] * 29 + [n < 20 for n in range(471)]
    assert traited({"plan": ["pro"] * 29 + ["free"] * 471}, y) == ()


def test_where_most_convert_a_common_value_is_no_leak():
    y = [n % 20 < 16 for n in range(1000)]
    assert traited({"country": ["NL"] * 1000}, y) == ()


def test_a_leaky_trait_never_becomes_eligibility():
    from pqlkit.proposal.brief import _traits

    y = [n % 10 == 0 for n in range(1000)]
    people = [{"id": f"u{n:04}", "anchor": n, "converted": 15 * DAY if y[n] else None} for n in range(1000)]
    card = ["visa" if converted else "none" for converted in y]
    made = in_memory(people, [("u0000", "login", HOUR)], as_of=90 * DAY, fixed={"card": card, "tier": ["a", "b"] * 500})
    observed = observe(made, Settings(snapshots="once:14d"))
    assert [one.event for one in observed.leakage if one.trait] == ["card"]
    assert observed.left_out == frozenset()
    offered = {one.condition.name for one in _traits(observed, {"card"})}
    assert offered == {"tier"}


@pytest.mark.parametrize(("customers", "others", "caught"), [(38, 250, True), (28, 600, False)])
def test_a_trait_that_the_sale_filled_in_is_a_leak(customers, others, caught):
    """How many of 40 customers and of 960 others have one; what many have without buying was asked of everybody."""
    y = [n < 40 for n in range(1000)]
    employees = [str(n % 7) if n < customers or 40 <= n < 40 + others else None for n in range(1000)]
    found = traited({"employees": employees}, y)
    assert bool(found) is caught
    if caught:
        assert found[0].trait
        assert found[0].excluded
        assert found[0].evidence == "filled for 95% of customers, 26% of others"


def test_nine_customers_with_a_value_are_too_few_to_say_who_filled_it_in():
    y = [n < 12 for n in range(1000)]
    assert traited({"employees": ["10" if n < 9 else None for n in range(1000)]}, y) == ()
    assert traited({"employees": ["10" if n < 10 or n > 990 else None for n in range(1000)]}, y) != ()
