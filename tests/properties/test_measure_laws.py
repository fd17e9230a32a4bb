"""Laws of measurement: what must not matter does not, and what must grow grows."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pqlkit.definitions.model import Criterion, Measure, MeasureKind, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.engines import engine
from pqlkit.measures.behaviour import GRID
from pqlkit.measures.cube import cube
from pqlkit.measures.evaluation import criterion_spells, values
from tests.measures.grid import every_criterion
from tests.measures.oracle import DAY, Rules, Seen
from tests.measures.worlds import START, draw_lives, event_table, make_world

LAW = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RULES = Rules(as_of=START + 15 * DAY)
CRITERIA = every_criterion()
SEEDS = st.integers(0, 10_000)
SMALL = settings(LAW, max_examples=3)


def answers(world, criteria):
    spells = world.engine.collect(criterion_spells(world, criteria)).sort("entity", "criterion", "on")
    shown = values(world, criteria).sort("entity", "criterion")
    return spells, shown


def same(one, other):
    return all(a.cast(dict(b.schema)).equals(b) for a, b in zip(one, other, strict=True))


def some_criteria(seed, size=12):
    return random.Random(seed).sample(CRITERIA, size)


@LAW
@given(seed=SEEDS)
def test_row_order_and_file_split_do_not_matter(seed, tmp_path_factory):
    lives, criteria = draw_lives(seed, 30), some_criteria(seed)
    folder = tmp_path_factory.mktemp("split")
    table = event_table(lives).sample(fraction=1.0, shuffle=True, seed=seed)
    cut = seed % (table.height + 1)
    paths = [str(folder / "one.parquet"), str(folder / "two.parquet")]
    table[:cut].write_parquet(paths[0])
    table[cut:].write_parquet(paths[1])
    whole = answers(make_world(lives, RULES), criteria)
    assert same(whole, answers(make_world(lives, RULES, paths=paths), criteria))
    assert same(whole, answers(make_world(lives, RULES, paths=paths[::-1]), criteria))


@SMALL
@given(seed=SEEDS)
def test_the_engine_does_not_matter(seed):
    lives, criteria = draw_lives(seed, 20), some_criteria(seed, 5)
    assert same(answers(make_world(lives, RULES), criteria), answers(make_world(lives, RULES, name="duckdb"), criteria))


@LAW
@given(seed=SEEDS)
def test_what_does_not_exist_changes_nothing(seed):
    lives, criteria = draw_lives(seed, 30), some_criteria(seed)
    before = answers(make_world(lives, RULES), criteria)
    for life in lives:
        ghosts = [RULES.as_of + 1, RULES.as_of + 3 * DAY]
        if life.converted is not None:
            ghosts += [life.converted, life.converted + 1, life.converted + DAY]
        life.events.extend(
            Seen(at=at, event="a", user="ghost", properties={"amount": 9.0, "limit": 9.0, "kind": "z"}) for at in ghosts
        )
    assert same(before, answers(make_world(lives, RULES), criteria))


@LAW
@given(seed=SEEDS)
def test_which_other_criteria_are_asked_for_does_not_matter(seed):
    world, criteria = make_world(draw_lives(seed, 25), RULES), some_criteria(seed, 5)
    together = answers(world, criteria)
    for position, criterion in enumerate(criteria):
        for all_of_them, alone in zip(together, answers(world, [criterion]), strict=True):
            mine = all_of_them.filter(pl.col("criterion") == position).drop("criterion")
            assert mine.equals(alone.drop("criterion"))


@LAW
@given(seed=SEEDS, kind=st.sampled_from(list(WindowKind)), measure=st.sampled_from(list(MeasureKind)))
def test_a_higher_threshold_never_qualifies_more(seed, kind, measure):
    if measure is MeasureKind.LAST and kind not in {WindowKind.WITHIN, WindowKind.EVER}:
        kind = WindowKind.EVER
    named = {
        MeasureKind.DISTINCT: "kind",
        MeasureKind.SUM: "amount",
        MeasureKind.MAX: "amount",
        MeasureKind.LAST: "amount",
    }
    window = Window(kind=kind, length=None if kind is WindowKind.EVER else Duration.parse("5d"))
    asked = [
        Criterion(
            id=f"c{k}",
            events=("a",),
            measure=Measure(kind=measure, property=named.get(measure)),
            window=window,
            at_least=k,
        )
        for k in (0.5, 1, 2, 2.5, 3)
    ]
    world = make_world(draw_lives(seed, 40), RULES)
    spells = world.engine.collect(criterion_spells(world, asked))
    firsts = spells.group_by("entity", "criterion").agg(pl.col("on").min()).sort("entity", "criterion")
    reached = [
        dict(firsts.filter(pl.col("criterion") == i).select("entity", "on").iter_rows()) for i in range(len(asked))
    ]
    for low, high in pairwise(reached):
        assert high.keys() <= low.keys()
        assert all(high[entity] >= low[entity] for entity in high)


@LAW
@given(seed=SEEDS, kind=st.sampled_from([WindowKind.WITHIN, WindowKind.TRAILING]))
def test_the_cube_counts_whose_spell_covers_the_microsecond_before_the_cutoff(seed, kind):
    dice = random.Random(seed)
    lives = [life for life in draw_lives(seed, 40) if life.anchor is not None]
    world = make_world(lives, RULES)
    cutoffs = [(life.anchor or 0) + dice.choice([5, 8, 14]) * DAY + dice.choice([-1, 0, 1]) for life in lives]
    usable = [
        c <= RULES.as_of and (v.converted is None or v.converted >= c) for v, c in zip(lives, cutoffs, strict=True)
    ]
    snapshots = (
        pl.DataFrame({"entity": range(len(lives)), "cutoff": cutoffs})
        .filter(pl.Series(usable))
        .with_row_index("snapshot")
    )
    window, measures = (
        Duration.parse("4d"),
        [Measure(), Measure(kind=MeasureKind.DAYS), Measure(kind=MeasureKind.SUM, property="amount")],
    )
    made = cube(world, snapshots, kind=kind, windows=[window], measures=measures, events=["a", "b"])
    entity_of = dict(snapshots.select("snapshot", "entity").iter_rows())
    cutoff_of = dict(snapshots.select("entity", "cutoff").iter_rows())
    for i, behaviour in enumerate(made.behaviours):
        rows, levels = made.column(i)
        for step in (1, 2, 3):
            criterion = Criterion(
                id="x",
                events=None if behaviour.event is None else (behaviour.event,),
                measure=behaviour.measure,
                window=behaviour.window,
                at_least=GRID[step - 1],
            )
            spells = world.engine.collect(criterion_spells(world, [criterion]))
            covering = {
                entity
                for entity, on, off in spells.select("entity", "on", "off").iter_rows()
                if entity in cutoff_of and on <= cutoff_of[entity] - 1 and (off is None or off > cutoff_of[entity] - 1)
            }
            assert {entity_of[int(row)] for row in rows[levels >= step]} == covering, (behaviour, step)


@LAW
@given(seed=SEEDS, kind=st.sampled_from([WindowKind.WITHIN, WindowKind.TRAILING]))
def test_a_snapshot_uses_nothing_at_or_after_its_cutoff(seed, kind):
    lives = [life for life in draw_lives(seed, 25) if life.anchor is not None]
    cutoff = START + 6 * DAY
    snapshots = pl.DataFrame(
        {"snapshot": range(len(lives)), "entity": range(len(lives)), "cutoff": [cutoff] * len(lives)}
    )
    asked: dict[str, Any] = {
        "kind": kind,
        "windows": [Duration.parse("7d")],
        "measures": [Measure(), Measure(kind=MeasureKind.DAYS)],
    }
    whole = cube(make_world(lives, RULES), snapshots, **asked)
    cut = [replace(life, events=[seen for seen in life.events if seen.at < cutoff]) for life in lives]
    truncated = cube(make_world(cut, RULES), snapshots, **asked)
    assert whole.behaviours == truncated.behaviours
    for part in ("offsets", "rows", "levels"):
        assert getattr(whole, part).tolist() == getattr(truncated, part).tolist()


@pytest.mark.parametrize("kind", [WindowKind.TRAILING, WindowKind.ROLLING])
def test_one_entity_with_very_many_events_is_not_quadratic(kind):
    size = 200_000
    run = engine("polars")
    lives = draw_lives(1, 2)
    world = make_world(lives, Rules(as_of=START + 400 * DAY))
    at = [START + i * 60_000_000 for i in range(size)]
    table = {"user_id": ["bot"] * size, "account_id": ["acc0"] * size, "event": ["a"] * size, "at": at}
    bot = pl.DataFrame(table).with_columns(
        pl.lit(1.0).alias("p0"),
        pl.lit(None, pl.String).alias("p1"),
        pl.lit("x").alias("p2"),
        pl.lit(None, pl.Float64).alias("p3"),
        pl.lit(None, pl.Boolean).alias("p4"),
    )
    crowded = replace(world, engine=run, events=run.lift(bot))
    window = Window(kind=kind, length=Duration.parse("7d"))
    users = Criterion(id="u", events=("a",), measure=Measure(kind=MeasureKind.USERS), window=window, at_least=2)
    count = Criterion(id="c", events=("a",), window=window, at_least=7 * 24 * 60)
    spells = run.collect(criterion_spells(crowded, [users, count])).filter(pl.col("entity") == 0)
    assert spells.get_column("criterion").to_list() == [1]
    assert spells.get_column("on").item() >= START + 7 * DAY - 60_000_000
