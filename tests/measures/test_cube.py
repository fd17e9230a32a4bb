"""The cube and its reduction: every cell is the criterion's value at the cutoff."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqlkit.definitions.model import Criterion, Measure, MeasureKind, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.engines import ENGINES
from pqlkit.errors import UsageError
from pqlkit.measures.behaviour import GRID
from pqlkit.measures.cube import by_name, cube
from pqlkit.measures.reduction import histogram
from tests.measures.oracle import DAY, Question, Rules
from tests.measures.worlds import START, draw_lives, make_world

HOUR = DAY // 24
MEASURES = (
    Measure(),
    Measure(kind=MeasureKind.DAYS),
    Measure(kind=MeasureKind.USERS),
    Measure(kind=MeasureKind.DISTINCT_EVENTS),
    Measure(kind=MeasureKind.DISTINCT, property="kind"),
    Measure(kind=MeasureKind.SUM, property="amount"),
    Measure(kind=MeasureKind.MAX, property="amount"),
    Measure(kind=MeasureKind.LAST, property="amount"),
)
AUTUMN = int(datetime(2026, 10, 26, 4, tzinfo=UTC).timestamp()) * 1_000_000


def draw_snapshots(dice, lives, design, start):
    rows = []
    for entity, life in enumerate(lives):
        if life.anchor is None:
            continue
        match design:
            case "once":
                cutoffs = [life.anchor + 14 * DAY]
            case "age":
                cutoffs = [life.anchor + age * DAY for age in (1, 2, 5, 10) if dice.random() < 0.8]
            case "every":
                first = start - start % (7 * DAY) + dice.randint(0, 1) * 7 * DAY
                cutoffs = [first + 14 * DAY * k for k in range(-1, 4) if dice.random() < 0.8]
            case "offset":
                cutoffs = [life.anchor + DAY // 3 + k * 3 * DAY for k in range(4)]
            case _:
                cutoffs = sorted({life.anchor + dice.randint(1, 20 * 24) * HOUR for _ in range(2)})
        rows += [(entity, cutoff) for cutoff in cutoffs]
    dice.shuffle(rows)
    frame = pl.DataFrame(rows, schema={"entity": pl.Int64, "cutoff": pl.Int64}, orient="row").with_row_index("snapshot")
    return frame.with_columns(pl.col("snapshot").cast(pl.Int64), (pl.col("entity") % 3).alias("group"))


def cells_of(made):
    cells = {}
    for i, behaviour in enumerate(made.behaviours):
        rows, levels = made.column(i)
        assert (rows[1:] > rows[:-1]).all()
        assert (levels > 0).all()
        for snapshot, level in zip(rows.tolist(), levels.tolist(), strict=True):
            cells[behaviour.event, behaviour.measure, str(behaviour.window.length), snapshot] = level
    return cells


def level_of(rules, life, cutoff, criterion):
    question = Question(rules, life, criterion)
    question.events = [seen for seen in question.events if rules.instant(seen[0]) < cutoff]
    value = question.shown(rules.clock(cutoff - 1))
    return 0 if value is None else sum(value >= step for step in GRID)


def check(seed, design, kind, *, name="polars", zone="UTC", start=START, dates_only=False, size=25, rising=False):
    dice = random.Random(seed)
    rules = Rules(as_of=start + 40 * DAY, zone=zone, dates_only=dates_only)
    lives = draw_lives(seed, size, start=start, since=True)
    if dates_only:
        for seen in (seen for life in lives for seen in life.events):
            seen.at = rules.instant(rules.clock(seen.at))
    if rising:
        for seen in (seen for life in lives for seen in life.events):
            seen.properties["amount"] = None if seen.properties["amount"] is None else abs(seen.properties["amount"])
    world = make_world(lives, rules, name=name)
    snapshots = draw_snapshots(dice, lives, design, start)
    names = dice.choice([["3d", "7d", "14d"], ["7d"], ["7d", "28d"], ["5h", "30h", "9d"]])
    windows = [Duration.parse(name) for name in names]
    measures = MEASURES if kind is WindowKind.WITHIN else MEASURES[:-1]
    events = dice.choice([None, ["a", "b"], ["b", "never seen"]])
    asked: dict[str, Any] = {"kind": kind, "windows": windows, "measures": measures, "events": events}
    made = cube(world, snapshots, **asked)
    assert made.snapshots == snapshots.height
    cells = cells_of(made)
    for snapshot, entity, cutoff, _ in snapshots.iter_rows():
        for event in [None, *(events or ["a", "b", "c"])]:
            # Different events of one name are one: they are told of any event alone.
            for measure in (
                measures[:4]
                if event is None
                else [part for part in measures if part.kind is not MeasureKind.DISTINCT_EVENTS]
            ):
                for window in windows:
                    criterion = Criterion(
                        id="x",
                        events=None if event is None else (event,),
                        measure=measure,
                        window=Window(kind=kind, length=window),
                        at_least=1,
                    )
                    wanted = level_of(rules, lives[entity], cutoff, criterion)
                    assert cells.get((event, measure, str(window), snapshot), 0) == wanted, (
                        criterion,
                        cutoff,
                        lives[entity],
                    )
    behaviours, counts = histogram(world, snapshots, groups=["group"], **asked)
    assert behaviours == made.behaviours
    group_of = dict(snapshots.select("snapshot", "group").iter_rows())
    counted = Counter(
        (i, level, group_of[snapshot])
        for i in range(len(made.behaviours))
        for snapshot, level in zip(*(part.tolist() for part in made.column(i)), strict=True)
    )
    assert counted == {tuple(row[:3]): row[3] for row in counts.iter_rows()}
    return made


@pytest.mark.parametrize("kind", [WindowKind.WITHIN, WindowKind.TRAILING])
@pytest.mark.parametrize("design", ["once", "age", "every", "offset", "odd"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_cell_is_the_value_at_the_cutoff(seed, design, kind):
    assert check(seed, design, kind, size=8 if design == "odd" else 14).behaviours


@pytest.mark.parametrize("dates_only", [False, True])
@pytest.mark.parametrize("design", ["age", "every", "offset"])
def test_dates_are_counted_once_where_the_offset_changes(design, dates_only):
    check(5, design, WindowKind.TRAILING, zone="America/New_York", start=AUTUMN, dates_only=dates_only, size=11)
    check(6, design, WindowKind.WITHIN, zone="America/New_York", start=AUTUMN, dates_only=dates_only, size=11)


@pytest.mark.parametrize("kind", [WindowKind.WITHIN, WindowKind.TRAILING])
@pytest.mark.parametrize("name", [name for name in ENGINES if name != "polars"])
def test_other_engines_give_the_same(kind, name):
    check(3, "every", kind, name=name, size=8)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("design", ["once", "age"])
def test_sums_that_never_fall_are_added_up_as_they_are_reached(design, name):
    check(4, design, WindowKind.WITHIN, name=name, size=12, rising=True)


def test_nothing_looked_at_is_an_empty_cube():
    world = make_world(draw_lives(1, 5), Rules(as_of=START + 40 * DAY))
    snapshots = pl.DataFrame(schema={"snapshot": pl.Int64, "entity": pl.Int64, "cutoff": pl.Int64})
    asked: dict[str, Any] = {"kind": WindowKind.WITHIN, "windows": [Duration.parse("7d")], "measures": MEASURES[:2]}
    made = cube(world, snapshots, **asked)
    assert made.behaviours == ()
    assert made.offsets.tolist() == [0]
    behaviours, counts = histogram(world, snapshots, groups=[], **asked)
    assert behaviours == ()
    assert counts.is_empty()


def test_last_over_trailing_windows_is_refused():
    world = make_world(draw_lives(1, 5), Rules(as_of=START + 40 * DAY))
    snapshots = pl.DataFrame({"snapshot": [0], "entity": [0], "cutoff": [START + DAY]})
    with pytest.raises(UsageError, match="last has no meaning over trailing windows"):
        cube(world, snapshots, kind=WindowKind.TRAILING, windows=[Duration.parse("7d")], measures=MEASURES)


@pytest.mark.parametrize("names", [3, 70_000])
@pytest.mark.parametrize("snapshots", [5, 200_000])
def test_cells_are_ordered_by_name_then_snapshot(names, snapshots):
    dice = np.random.default_rng(names + snapshots)
    codes = dice.integers(-1, names, 5_000).astype(np.int32)
    rows = dice.integers(0, snapshots, 5_000).astype(np.uint32)
    for snapshot in (rows, np.sort(rows)):
        assert by_name(codes, snapshot).tolist() == np.lexsort((snapshot, codes)).tolist()
    assert by_name(codes[:0], rows[:0]).tolist() == []
