"""The tally: the same numbers however they are cut."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pqlkit.definitions.model import Measure, MeasureKind, WindowKind
from pqlkit.durations import Duration
from pqlkit.engines import tallies
from pqlkit.engines.tallies import Packing, Tally, stretches_of
from pqlkit.measures import cells
from pqlkit.measures.cube import cube
from pqlkit.measures.trails import Trail
from tests.measures.oracle import DAY, Rules
from tests.measures.worlds import START, draw_lives, make_world

MEASURES = (Measure(kind=MeasureKind.DAYS), Measure())


def measured(kind: WindowKind, zone: str) -> Any:
    import polars as pl

    lives = draw_lives(3, 12, start=START, since=True)
    world = make_world(lives, Rules(as_of=START + 60 * DAY, zone=zone))
    first = START - START % DAY
    rows = [
        (entity, first + (14 + 7 * k) * DAY)
        for entity, life in enumerate(lives)
        if life.anchor is not None
        for k in range(4)
    ]
    frame = pl.DataFrame(rows, schema={"entity": pl.Int64, "cutoff": pl.Int64}, orient="row").with_row_index("snapshot")
    found = cube(
        world,
        frame.with_columns(pl.col("snapshot").cast(pl.Int64)),
        kind=kind,
        windows=[Duration.parse(window) for window in ("3d", "7d", "10d", "28d")],
        measures=MEASURES,
    )
    return found.behaviours, found.offsets.tolist(), found.rows.tolist(), found.levels.tolist()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("kind", [WindowKind.WITHIN, WindowKind.TRAILING])
def test_cuts_change_nothing(monkeypatch, kind, zone):
    whole = measured(kind, zone)
    assert len(whole[2]) > 100
    monkeypatch.setattr(tallies, "_AT_ONCE", 20)
    assert measured(kind, zone) == whole
    monkeypatch.setattr(cells, "_MOST_EVENTS", 100)
    assert measured(kind, zone) == whole
    # So few bits that only a handful of entities fits at once.
    monkeypatch.setattr(tallies, "_BITS", 23)
    assert measured(kind, zone) == whole


def test_a_stretch_never_parts_an_entity():
    pack = Packing.of(codes=2, stretches=4, dates=8, bands=2)
    dice = np.random.default_rng(1)
    numbers = np.sort(dice.integers(0, 500, 3000) << pack.whole | dice.integers(0, 1 << pack.whole, 3000))
    for whos in (3, 1 << 40):
        parts = list(stretches_of(numbers, pack, whos=whos))
        assert (np.concatenate(parts) == numbers).all()
        ends = [(int(part[0]) >> pack.whole, int(part[-1]) >> pack.whole) for part in parts]
        assert all(before[1] < after[0] for before, after in pairwise(ends))
        assert all(last - first < whos for first, last in ends)


@pytest.mark.parametrize("reach", [1, 3, 8, 9, 20])
def test_a_trail_adds_up_what_a_loop_does(reach):
    dice = random.Random(reach)
    blocks = sorted(dice.sample(range(60), 35)) + sorted(dice.sample(range(100, 160), 35))
    table = np.array([[dice.randint(0, 3) for _ in blocks], [dice.randint(3, 9) for _ in blocks]], np.int32)
    trail = Trail.of(np.array(blocks), table)
    for band in (0, 1):
        expected = [
            sum(
                int(table[band if blocks[i] - block == reach else 1][j])
                for j, block in enumerate(blocks)
                if 0 <= blocks[i] - block <= reach
            )
            for i in range(len(blocks))
        ]
        assert trail.seen(np.arange(len(blocks)), reach, band).tolist() == expected


def test_nothing_tallies_to_nothing():
    pack = Packing.of(codes=2, stretches=1, dates=8, bands=2)
    tally = Tally.of(np.array([], np.int64), pack)
    assert tally.cells.size == 0
    assert tally.counts.shape == tally.days.shape == (2, 0)
