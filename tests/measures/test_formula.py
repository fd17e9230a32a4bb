"""Whole formulas: all, any, n_of, not, points and refs, judged by the oracle at every change."""

from __future__ import annotations

import random
from collections import defaultdict

import polars as pl
import pytest

from pqlkit.definitions.model import (
    All,
    Anchor,
    Any,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Measure,
    MeasureKind,
    NOf,
    Not,
    Operator,
    Ref,
    Score,
    Window,
    WindowKind,
    leaves,
)
from pqlkit.durations import Duration
from pqlkit.engines import engine
from pqlkit.errors import DataError, DefinitionError
from pqlkit.measures.evaluation import evaluate, spells_of
from pqlkit.measures.formula import combine, combine_lasting
from pqlkit.measures.world import World
from tests.measures.oracle import DAY, Rules, formula_spells
from tests.measures.worlds import START, draw_lives, make_world

ENDING = (
    Window(kind=WindowKind.WITHIN, length=Duration.parse("7d")),
    Window(kind=WindowKind.TRAILING, length=Duration.parse("3d")),
)
ENDLESS = (Window(kind=WindowKind.EVER), Window(kind=WindowKind.ROLLING, length=Duration.parse("2d")))
KINDS = (MeasureKind.COUNT, MeasureKind.DAYS, MeasureKind.USERS)


def draw_criterion(dice, name, *, ending):
    window = dice.choice(ENDING if ending else ENDING + ENDLESS)
    bounds = [(1, None), (2, None), (3, None)] + ([(None, 1), (1, 2)] if window in ENDING else [])
    low, high = dice.choice(bounds)
    measure = Measure(kind=dice.choice(KINDS))
    events = dice.choice([("a",), ("b",), None])
    return Criterion(id=name, events=events, measure=measure, window=window, at_least=low, at_most=high)


def draw_node(dice, depth, names, *, ending=False):
    if depth == 0 or dice.random() < 0.3:
        return draw_criterion(dice, f"c{next(names)}", ending=ending)
    kind = dice.choice(["all", "any", "n_of", "not"])
    if kind == "not":
        return Not(part=draw_node(dice, depth - 1, names, ending=True))
    parts = tuple(draw_node(dice, depth - 1, names, ending=ending) for _ in range(dice.randint(1, 3)))
    match kind:
        case "all":
            return All(parts=parts)
        case "any":
            return Any(parts=parts)
        case _:
            return NOf(n=dice.randint(1, len(parts)), parts=parts)


def check(node, lives, rules, score=None):
    world = make_world(lives, rules)
    definition = Definition(name="d", entity=EntityKind.ACCOUNT, qualify=node, outcome=None, score=score)
    found = defaultdict(list)
    for entity, on, off in spells_of(world, definition).iter_rows():
        found[entity].append((on, off))
    for entity, life in enumerate(lives):
        assert found[entity] == formula_spells(rules, life, node, score), (node, life)


@pytest.mark.parametrize("seed", range(25))
def test_a_tree_holds_where_its_words_say(seed):
    dice = random.Random(seed)
    zone, dates_only = dice.choice([("UTC", False), ("UTC", False), ("America/New_York", True)])
    rules = Rules(as_of=START + 13 * DAY + DAY // 3, zone=zone, dates_only=dates_only)
    lives = draw_lives(seed, 50)
    if dates_only:
        for seen in (seen for life in lives for seen in life.events):
            seen.at = rules.instant(rules.clock(seen.at))
    check(draw_node(dice, 3, iter(range(99))), lives, rules)


@pytest.mark.parametrize("seed", range(5))
def test_points_hold_where_enough_of_them_are_on(seed):
    dice = random.Random(seed)
    node = All(parts=tuple(draw_criterion(dice, f"c{i}", ending=False) for i in range(3)))
    score = Score(points={"c0": 33.3, "c1": 33.4, "c2": 33.3}, pql_at=66.7)
    check(node, draw_lives(seed, 50), Rules(as_of=START + 13 * DAY), score)


@pytest.mark.parametrize("seed", range(30))
def test_leaves_that_hold_for_good_are_combined_by_their_moments(seed):
    dice = random.Random(seed)
    names = iter(range(99))
    node = draw_node(dice, 3, names)
    count = len(tuple(leaves(node)))
    rows = [(entity, leaf, dice.randint(1, 4)) for entity in range(40) for leaf in range(count) if dice.random() < 0.7]
    spells = pl.DataFrame(rows, schema={"entity": pl.Int64, "criterion": pl.Int32, "on": pl.Int64}, orient="row")
    spells = spells.sample(fraction=1.0, shuffle=True, seed=seed).with_columns(pl.lit(None, pl.Int64).alias("off"))
    found = combine_lasting(node, spells)
    assert (found is None) == ("Not(" in repr(node))
    assert found is None or found.equals(combine(node, spells, pl.DataFrame({"entity": range(40)})))


def test_a_leaf_whose_spell_ends_is_not_combined_by_its_moment():
    node = Criterion(id="x", events=("a",), window=ENDLESS[0])
    spells = {"entity": [0, 1], "criterion": [0, 0], "on": [1, 1], "off": [None, 2]}
    assert combine_lasting(node, pl.DataFrame(spells)) is None


def test_not_over_a_window_that_does_not_end_is_refused():
    never = Not(part=Criterion(id="x", events=("a",), window=Window(kind=WindowKind.EVER)))
    with pytest.raises(DefinitionError, match="needs parts whose windows end"):
        check(never, draw_lives(1, 3), Rules(as_of=START + 13 * DAY))


def milestone(count, *, entity=EntityKind.USER, within="2d", **others):
    window = Window(kind=WindowKind.WITHIN, length=Duration.parse(within))
    return Definition(
        name="activated",
        entity=entity,
        qualify=Criterion(id="x", events=("a",), window=window, at_least=count),
        outcome=None,
        milestone=True,
        **others,
    )


def team_world(rows, users, *, anchor=START, converted=None, with_anchors=True):
    """One account 0; users are (name, anchor); rows are (user, at)."""
    run = engine("polars")
    events = pl.DataFrame(
        [(user, "a", at) for user, at in rows],
        schema={"user_id": pl.String, "event": pl.String, "at": pl.Int64},
        orient="row",
    )
    members = pl.DataFrame(
        [(user, 0, start) for user, start in users],
        schema={"user_id": pl.String, "entity": pl.Int64, "anchor": pl.Int64},
        orient="row",
    )
    return World(
        engine=run,
        kind=EntityKind.ACCOUNT,
        events=run.lift(events),
        entities=pl.DataFrame(
            {"entity": [0], "anchor": [anchor], "converted": [converted]},
            schema={"entity": pl.Int64, "anchor": pl.Int64, "converted": pl.Int64},
        ),
        members=members if with_anchors else members.drop("anchor"),
        as_of=START + 30 * DAY,
    )


def team(target, users):
    ref = Ref(id="activated", name="activated", target=target, users_at_least=users)
    return Definition(name="team", entity=EntityKind.ACCOUNT, qualify=ref, outcome=None)


def test_an_account_qualifies_with_its_third_activated_user():
    users = [(name, START + i * DAY) for i, name in enumerate("wxyz")]
    rows = [(name, start + step) for name, start in users for step in (0, 5)]
    rows += [("y", START + 2 * DAY + 2 * DAY)]
    found = evaluate(team_world(rows, users), team(milestone(2), 3))
    assert found.spells.rows() == [(0, START + 2 * DAY + 5, None)]
    assert found.criteria.rows() == [(0, 0, 4.0, START + 2 * DAY + 5, True)]


def test_users_start_at_their_own_anchor_else_at_their_first_event():
    users = [("x", START)]
    rows = [("x", START + 2 * DAY - 1), ("x", START + 2 * DAY)]
    assert spells_of(team_world(rows, users), team(milestone(2), 1)).is_empty()
    late = spells_of(team_world(rows, users, with_anchors=False), team(milestone(2), 1))
    assert late.rows() == [(0, START + 2 * DAY, None)]


def test_users_stop_counting_at_their_accounts_conversion():
    users, rows = [("x", START)], [("x", START), ("x", START + 9)]
    assert spells_of(team_world(rows, users, converted=START + 9), team(milestone(2), 1)).is_empty()
    assert spells_of(team_world(rows, users, converted=START + 10), team(milestone(2), 1)).height == 1


def test_a_ref_of_the_same_entities_holds_while_its_definition_does():
    lives = draw_lives(3, 40)
    world = make_world(lives, Rules(as_of=START + 20 * DAY))
    target = milestone(2, entity=EntityKind.ACCOUNT, within="7d")
    ref = Ref(id="activated", name="activated", target=target)
    whole = Definition(name="d", entity=EntityKind.ACCOUNT, qualify=ref, outcome=None)
    assert spells_of(world, whole).equals(spells_of(world, target))
    assert spells_of(world, target).height > 5


def test_a_ref_keeps_its_own_anchor_and_eligibility():
    users, rows = [("x", START)], [("x", START + 5 * DAY), ("x", START + 6 * DAY)]
    world = team_world(rows, users)
    own = milestone(2, entity=EntityKind.ACCOUNT, anchor=Anchor(kind="first_event"))
    ref = Ref(id="activated", name="activated", target=own)
    whole = Definition(name="d", entity=EntityKind.ACCOUNT, qualify=ref, outcome=None)
    assert spells_of(world, whole).rows() == [(0, START + 6 * DAY, None)]
    picky = milestone(
        2, entity=EntityKind.ACCOUNT, eligible=(Condition(name="plan", operator=Operator.EQUALS, values=("free",)),)
    )
    ref = Ref(id="activated", name="activated", target=picky)
    with pytest.raises(DataError, match="asks for the trait 'plan'"):
        spells_of(world, Definition(name="d", entity=EntityKind.ACCOUNT, qualify=ref, outcome=None))


def test_an_accounts_milestone_cannot_stand_among_users():
    ref = Ref(id="team", name="team", target=milestone(1, entity=EntityKind.ACCOUNT))
    whole = Definition(name="d", entity=EntityKind.USER, qualify=ref, outcome=None)
    with pytest.raises(DefinitionError, match="is about accounts"):
        spells_of(team_world([], []), whole)
