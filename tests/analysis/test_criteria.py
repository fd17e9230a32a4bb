"""The criteria: each alone, the rule without it, and what is left of a formula."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.analysis.criteria import criteria, without
from pqlkit.definitions.model import All, Any, NOf, Not
from pqlkit.durations import DAY
from pqlkit.snapshots.matches import meets, met_at
from pqlkit.snapshots.snapshots import snapshots_of
from pqlkit.snapshots.spells import qualifications
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import definition, part

A, B, C = part("a"), part("b"), part("c")


@pytest.mark.parametrize(
    ("node", "leaf", "left"),
    [
        (A, A, None),
        (All(parts=(A, B)), A, B),
        (All(parts=(A, B, C)), B, All(parts=(A, C))),
        (Any(parts=(A, All(parts=(B, C)))), C, Any(parts=(A, B))),
        (All(parts=(A, Not(part=B))), B, A),
        (Not(part=A), A, None),
        (NOf(n=2, parts=(A, B, C)), C, NOf(n=1, parts=(A, B))),
        (NOf(n=1, parts=(A, B, C)), C, NOf(n=1, parts=(A, B))),
        (All(parts=(A, B)), C, All(parts=(A, B))),
    ],
)
def test_a_leaf_is_struck_out(node, leaf, left):
    assert without(node, leaf) == left


def test_only_the_leaf_itself_goes_and_not_its_twin():
    twin = part("a")
    assert without(All(parts=(A, twin, B)), twin) == All(parts=(A, B))


def people():
    who = {"u0": "ab", "u1": "a", "u2": "b", "u3": "", "u4": "ab"}
    converted = {"u0": 20 * DAY, "u1": 21 * DAY}
    return in_memory(
        [{"id": name, "anchor": 0, "converted": converted.get(name)} for name in who],
        [(name, event, DAY) for name, events in who.items() for event in events],
        as_of=90 * DAY,
    )


def test_alone_and_without_are_plain_counts():
    made, rule = people(), definition(All(parts=(A, B)))
    seen = snapshots_of(made, "once:14d")
    met = meets(qualifications(made, rule), seen.frame)
    assert met.tolist() == [True, False, False, False, True]
    first, second = criteria(made, rule, seen, met)
    assert first.alone.cells == (2, 1, 0, 2)
    assert second.alone.cells == (1, 2, 1, 1)
    assert first.without_it is not None
    assert first.without_it.cells == second.alone.cells
    assert second.without_it is not None
    assert second.without_it.cells == first.alone.cells


def test_a_single_criterion_is_the_rule_and_nothing_is_left_without_it():
    made, rule = people(), definition(A)
    seen = snapshots_of(made, "once:14d")
    met = meets(qualifications(made, rule), seen.frame)
    (only,) = criteria(made, rule, seen, met)
    assert only.alone.n1 == int(np.sum(met)) == 3
    assert only.without_it is None


def test_a_criterion_that_the_rule_turns_round_is_read_turned_round():
    made, rule = people(), definition(All(parts=(A, Not(part=B))))
    seen = snapshots_of(made, "once:14d")
    first, second = criteria(made, rule, seen, met_at(made, rule, seen.frame))
    assert (first.part, second.part, second.leaf) == (A, Not(part=B), B)
    assert second.alone.cells == (1, 1, 1, 2)
    assert first.without_it == second.alone
    twice = definition(Not(part=All(parts=(A, Not(part=B)))))
    assert [one.part for one in criteria(made, twice, seen, met_at(made, twice, seen.frame))] == [Not(part=A), B]
