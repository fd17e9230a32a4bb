"""The meeting: a snapshot sees the microsecond before its cutoff, and nothing at it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any as Anything

import polars as pl
import pytest

from pqlkit.definitions.model import All, Any, Criterion, Measure, MeasureKind, Not, Window, WindowKind, leaves
from pqlkit.durations import DAY, WEEK, Duration
from pqlkit.snapshots.matches import judged_at_the_end, meets, met_at
from pqlkit.snapshots.snapshots import snapshots_of
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
    assert met_at(people, definition(node), frame((0, L))).tolist() == [counts is not negated]


def test_spells_that_are_known_serve_unless_something_is_judged_at_an_end():
    people = in_memory([{"id": "a", "anchor": 0}], [("a", "e", 1)], as_of=90 * DAY)
    known = spells((0, 0, None))
    assert met_at(people, definition(criterion(at_least=2)), frame((0, L)), spells=known).tolist() == [True]
    assert met_at(people, definition(criterion(at_most=0)), frame((0, L)), spells=known).tolist() == [False]


# ---------------------------------------------------------------- against a look at every row that may be used

MONDAY = 946_857_600_000_000  # 2000-01-03
KINDS = [WindowKind.WITHIN, WindowKind.WITHIN, WindowKind.TRAILING, WindowKind.TRAILING]


def drawn_leaf(dice: random.Random, *, ends: bool) -> Criterion:
    kind = dice.choice(KINDS if ends else [*KINDS, WindowKind.ROLLING, WindowKind.EVER])
    weeks = dice.choice([1, 2, 4])
    least, most = dice.choice([(1, None), (2, None), (None, 0), (None, 1), (1, 2)])
    if kind in {WindowKind.ROLLING, WindowKind.EVER}:
        least, most = least or 1, None
    length = None if kind is WindowKind.EVER else Duration(weeks, "w")
    event = dice.choice("ef")
    return Criterion(id=event, events=(event,), window=Window(kind=kind, length=length), at_least=least, at_most=most)


def drawn_formula(dice: random.Random) -> Anything:
    one = drawn_leaf(dice, ends=False)
    ended = [drawn_leaf(dice, ends=True) for _ in range(3)]
    return dice.choice(
        [
            ended[0],
            Not(part=ended[0]),
            All(parts=(one, Not(part=ended[0]))),
            Any(parts=(one, ended[1])),
            Not(part=All(parts=(ended[0], ended[1]))),
            All(parts=(one, Not(part=Not(part=ended[2])))),
        ]
    )


def length_of(leaf: Anything) -> int:
    return leaf.window.length.microseconds if leaf.window.length else 0


def held_at(node: Anything, anchor: int, seen: list[tuple[str, int]], s: int, *, dates: bool) -> bool:
    """Read a formula off the rows before s: [s - w, s), [anchor, anchor + w) if that is over by s, and so on."""
    begin = anchor // DAY * DAY if dates else anchor
    match node:
        case All(parts=parts):
            return all(held_at(part, anchor, seen, s, dates=dates) for part in parts)
        case Any(parts=parts):
            return any(held_at(part, anchor, seen, s, dates=dates) for part in parts)
        case Not(part=part):
            over = all(begin + length_of(leaf) <= s for leaf in leaves(part))
            return over and not held_at(part, anchor, seen, s, dates=dates)
    times = sorted(at for event, at in seen if event in node.events and at < s)
    length = length_of(node)
    match node.window.kind:
        case WindowKind.WITHIN:
            value = sum(begin <= at < begin + length for at in times)
        case WindowKind.TRAILING:
            value = sum(s - length <= at for at in times)
        case WindowKind.ROLLING:
            value = max((sum(at - length < other <= at for other in times) for at in times), default=0)
        case _:
            value = len(times)
    if node.at_most is None:
        return bool(value >= node.at_least)
    return bool(begin + length <= s and (node.at_least or 0) <= value <= node.at_most)


@pytest.mark.parametrize("dates", [False, True], ids=["instants", "dates"])
@pytest.mark.parametrize("design", ["once:14d", "age:1d,7d,14d", "every:28d"])
def test_a_snapshot_uses_no_row_at_or_after_its_cutoff(design, dates):
    dice = random.Random(f"{design}{dates}")
    start = MONDAY + 1300 * WEEK
    anchors = [start + dice.choice([0, 0, 7 * DAY, DAY, 5 * 3_600_000_000]) for _ in range(40)]
    events = []
    for index, anchor in enumerate(anchors):
        edges = [anchor + DAY, anchor + WEEK, anchor + 2 * WEEK, *(start + weeks * WEEK for weeks in range(1, 13))]
        for _ in range(dice.randrange(12)):
            shift = dice.choice([-1, 0, 1, 0, -WEEK, 3_600_000_000])
            at = dice.choice(edges) + shift
            events.append((f"u{index:02}", dice.choice("ef"), at // DAY * DAY if dates else at))
    people = in_memory(
        [{"id": f"u{index:02}", "anchor": anchor} for index, anchor in enumerate(anchors)],
        [
            *events,
            ("u00", "begins", start - 90 * WEEK),
            *((f"u{i:02}", "any", start + w * WEEK + 1) for i in range(40) for w in range(16)),
        ],
        as_of=start + 30 * WEEK,
        history_from=start - 90 * WEEK,
    )
    people = replace(people, world=replace(people.world, dates_only=dates))
    rows = snapshots_of(people, design, windows=[Duration(1, "w")] if design.startswith("every") else None).frame
    assert rows.height >= 40
    known = {index: [(event, at) for who, event, at in events if who == f"u{index:02}"] for index in range(40)}
    answers = set()
    for _ in range(20):
        node = drawn_formula(dice)
        met = met_at(people, definition(node), rows).tolist()
        asked = rows.select("entity", "anchor", "cutoff").iter_rows()
        # Nothing holds before the anchor, and so nothing at a snapshot that stands on it.
        wanted = [anchor < s and held_at(node, anchor, known[who], s, dates=dates) for who, anchor, s in asked]
        assert met == wanted, node
        answers |= set(met)
    assert answers == {False, True}
