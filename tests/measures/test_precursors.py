"""An precursor leads to another event: the next thing done, within a minute, mostly."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from pqlkit.measures.precursors import LATEST, SOONEST, precursors
from tests.analysis.canonical import in_memory
from tests.simulation.trial import populated
from tests.worlds.by_name import recipe

HOUR = 3_600_000_000
END = 1_000 * HOUR


def people(count: int = 25):
    return [{"id": f"u{n:02d}", "anchor": 0} for n in range(count)]


def errands(gap: int, *, users: int = 25, times: int = 2, between: int | None = None):
    """Let every user open something and do it `gap` later, so often; with `between`, something else comes in between."""
    rows = []
    for user in range(users):
        for time in range(times):
            begun = (time + 1) * HOUR
            rows += [(f"u{user:02d}", "opened", begun), (f"u{user:02d}", "done", begun + gap)]
            if between is not None:
                rows.append((f"u{user:02d}", "other", begun + between))
    return rows


def found(rows):
    return [(one.event, one.leads_to) for one in precursors(in_memory(people(), rows, as_of=END).world)]


@pytest.mark.parametrize(
    ("gap", "leads"), [(SOONEST, False), (SOONEST + 1, True), (LATEST, True), (LATEST + 1, False), (0, False)]
)
def test_more_than_a_second_and_at_most_a_minute(gap, leads):
    assert (found(errands(gap)) == [("opened", "done")]) is leads


def test_what_comes_in_between_breaks_it():
    assert found(errands(30_000_000, between=10_000_000)) == [("opened", "other"), ("other", "done")]


def test_half_of_either_must_go_with_the_other():
    rows = errands(30_000_000)
    idle = [(f"u{n % 25:02d}", "opened", 10 * HOUR + n * HOUR) for n in range(51)]
    assert found([*rows, *idle[:50]]) == [("opened", "done")]
    assert found([*rows, *idle]) == []
    straight = [(f"u{n % 25:02d}", "done", 10 * HOUR + n * HOUR) for n in range(51)]
    assert found([*rows, *straight[:50]]) == [("opened", "done")]
    assert found([*rows, *straight]) == []


def test_two_that_lead_to_each_other_are_no_precursors():
    rounds = []
    for user in range(25):
        for time in range(6):
            name = "there" if time % 2 else "back"
            rounds.append((f"u{user:02d}", name, HOUR + time * 30_000_000))
    assert found(rounds) == []


def test_few_times_or_few_users_say_nothing():
    assert found(errands(30_000_000, users=20, times=2)) == [("opened", "done")]
    assert found(errands(30_000_000, users=19, times=2)) == []
    assert found(errands(30_000_000, users=25, times=1)) == []


def test_only_what_came_before_is_looked_at():
    people_ = in_memory(people(), errands(30_000_000), as_of=END)
    last = 2 * HOUR + 30_000_000
    assert precursors(people_.world, before=last + 1)[0].times == 50
    assert precursors(people_.world, before=last) == ()  # 25 times are too few


def test_another_user_is_another_errand():
    rows = [(f"u{n % 25:02d}", "opened", n * HOUR) for n in range(1, 60)]
    rows += [(f"u{(n + 1) % 25:02d}", "done", n * HOUR + 30_000_000) for n in range(1, 60)]
    assert found(rows) == []


def test_where_events_are_dates_nothing_is_known():
    from dataclasses import replace

    world = in_memory(people(), errands(30_000_000), as_of=END).world
    assert precursors(replace(world, dates_only=True)) == ()


def test_the_order_of_rows_does_not_matter():
    rows = errands(30_000_000)
    assert precursors(in_memory(people(), rows, as_of=END).world) == precursors(
        in_memory(people(), rows[::-1], as_of=END).world
    )


def test_in_a_planted_world_it_is_the_proxy_and_nothing_else_as_sql_says():
    world = recipe(3_000, 11)
    with populated(world) as population:
        [one] = precursors(population.world)
        events = population.world.engine.collect(population.world.events.select("user_id", "event", "at"))
    assert one.event == f"{one.leads_to}_opened"
    assert events.schema["at"] == pl.Int64
    [(times, share)] = duckdb.execute(
        """
        with placed as (
            select event, "at" as moment, lag(event) over w as earlier, lag("at") over w as earlier_moment from events
            window w as (partition by user_id order by "at", event)
        )
        select count(*) filter (earlier = $begun and moment - earlier_moment > 1000000 and moment - earlier_moment <= 60000000),
            count(*)
        from placed where event = $done
        """,
        {"begun": one.event, "done": one.leads_to},
    ).fetchall()
    assert one.times == times
    assert one.share == pytest.approx(times / share)
