"""The meeting: a look sees the microsecond before its cutoff, and nothing at it."""

from __future__ import annotations

import random

import polars as pl
import pytest

from pqlkit.analysis.meeting import judged_at_the_end, meets
from pqlkit.definitions.model import All, Criterion, Measure, MeasureKind, Not, Window, WindowKind
from pqlkit.durations import DAY, Duration
from pqlkit.measures.evaluation import spells_of
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import definition

SPELLS = {"entity": pl.Int64, "on": pl.Int64, "off": pl.Int64}
L = 14 * DAY


def frame(*rows: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={"entity": pl.Int64, "cutoff": pl.Int64}, orient="row")


def spells(*rows: tuple[int, int, int | None]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SPELLS, orient="row")


@pytest.mark.parametrize(
    ("on", "off", "held"),
    [
        (L - 1, None, True),
        (L, None, False),
        (L + 1, None, False),
        (0, L - 1, False),
        (0, L, True),
        (0, L + 1, True),
        (L - 1, L, True),
    ],
)
def test_a_spell_must_cover_the_microsecond_before_the_cutoff(on, off, held):
    assert meets(spells((0, on, off)), frame((0, L))).tolist() == [held]


@pytest.mark.parametrize(
    ("on", "off", "held"), [(L, None, True), (L + 1, None, False), (0, L, False), (0, L + 1, True)]
)
def test_what_a_window_decides_at_its_end_is_read_at_the_cutoff(on, off, held):
    assert meets(spells((0, on, off)), frame((0, L)), at_cutoff=True).tolist() == [held]


@pytest.mark.parametrize("seed", range(3))
def test_random_spells_are_met_as_a_plain_loop_says(seed):
    dice = random.Random(seed)
    known: list[tuple[int, int, int | None]] = []
    for entity in range(20):
        at = 0
        for _ in range(dice.randrange(4)):
            on = at + dice.randrange(1, 5)
            at = on + dice.randrange(1, 5)
            known.append((entity, on, at if dice.random() < 0.8 else None))
            if known[-1][2] is None:
                break
    dice.shuffle(known)
    asked = [(dice.randrange(22), dice.randrange(30)) for _ in range(300)]
    wanted = [
        any(who == entity and on <= cutoff - 1 and (off is None or off > cutoff - 1) for who, on, off in known)
        for entity, cutoff in asked
    ]
    assert meets(spells(*known), frame(*asked)).tolist() == wanted
    assert 20 < sum(wanted) < 280


def test_an_empty_world_meets_nothing():
    assert meets(spells(), frame((0, 5))).tolist() == [False]
    assert meets(spells((0, 1, 2)), frame()).tolist() == []


def criterion(**bounds) -> Criterion:
    return Criterion(
        id="e",
        events=("e",),
        measure=Measure(kind=MeasureKind.COUNT),
        window=Window(kind=WindowKind.WITHIN, length=Duration(14, "d")),
        **bounds,
    )


def test_which_formulas_are_judged_at_the_end():
    plain, most = criterion(at_least=2), criterion(at_most=1)
    assert not judged_at_the_end(plain)
    assert judged_at_the_end(most)
    assert judged_at_the_end(Not(part=plain))
    assert judged_at_the_end(All(parts=(plain, most)))


@pytest.mark.parametrize(("at", "counts"), [(L - 1, True), (L, False), (L + 1, False)])
@pytest.mark.parametrize("negated", [False, True])
def test_the_event_at_the_end_of_the_window_is_out_in_both_readings(at, counts, negated):
    people = in_memory([{"id": "a", "anchor": 0}], [("a", "e", at)], as_of=90 * DAY)
    node = Not(part=criterion(at_least=1)) if negated else criterion(at_least=1)
    found = spells_of(people.world, definition(node))
    held = meets(found, frame((0, L)), at_cutoff=judged_at_the_end(node)).tolist()
    assert held == [counts is not negated]
