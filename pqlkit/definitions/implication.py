"""Implication: when one part of a formula can only hold while another does.

Everything here is sound and none of it is complete: True is a proof, False is no answer. The proofs follow the spells of
definition.md: "reached is reached" for ``at_least`` under ``within``, ``rolling`` and ``ever``; exactly while for
``trailing`` and ``last``; judged at the end of the window for ``at_most``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.model import (
    All,
    Anchor,
    Any,
    Condition,
    Criterion,
    Limit,
    MeasureKind,
    NOf,
    Operator,
    Ref,
    WindowKind,
)
from pqlkit.durations import DAY

if TYPE_CHECKING:
    from pqlkit.definitions.model import Bound, Node, Window

COUNTING: Final = frozenset(kind for kind in MeasureKind if not kind.numeric)
"""Measures whose value is a whole number, never below 0, and never falls when events are added."""

MONOTONE: Final = frozenset(kind for kind in MeasureKind if kind.facts.grows)
"""Measures that never fall when events are added."""

_WIDENS: Final = {
    WindowKind.WITHIN: {WindowKind.WITHIN, WindowKind.ROLLING, WindowKind.EVER},
    WindowKind.ROLLING: {WindowKind.ROLLING, WindowKind.EVER},
    WindowKind.TRAILING: {WindowKind.TRAILING, WindowKind.ROLLING, WindowKind.EVER},
    WindowKind.EVER: {WindowKind.EVER},
}
"""From a window to those that, at the same length or longer, see every event that it sees."""


def node_implies(node: Node, criterion: Criterion | Ref, anchor: Anchor) -> bool:
    """Prove that `criterion` holds whenever `node` does; both belong to a definition with this `anchor`."""
    match node:
        case Criterion():
            return isinstance(criterion, Criterion) and implies(node, criterion)
        case Ref():
            return _ref_implies(node, criterion, anchor)
        case All(parts=parts):
            return any(node_implies(part, criterion, anchor) for part in parts)
        case Any(parts=parts):
            return bool(parts) and all(node_implies(part, criterion, anchor) for part in parts)
        case NOf(n=n, parts=parts):
            # Of any n parts at least one is among these, if fewer than n are not.
            implying = sum(node_implies(part, criterion, anchor) for part in parts)
            return n >= 1 and len(parts) - implying < n
        case _:
            return False


def implies(a: Criterion, b: Criterion) -> bool:
    """Prove that `b` holds whenever `a` does.

    Examples
    --------
    >>> from pqlkit.definitions.model import Criterion, Window, WindowKind
    >>> from pqlkit.durations import Duration
    >>> within = lambda days: Window(kind=WindowKind.WITHIN, length=Duration(days, "d"))
    >>> five = Criterion(id="a", events=("login",), window=within(7), at_least=5)
    >>> two = Criterion(id="b", events=("login",), window=within(14), at_least=2)
    >>> implies(five, two), implies(two, five)
    (True, False)
    """
    lower = b.at_least is None or _lower_implies(a, b)
    upper = b.at_most is None or _upper_implies(a, b)
    return lower and upper and (b.at_most is None or b.at_least is None or a.window == b.window)


def contradicts(a: Criterion, b: Criterion) -> bool:
    """Prove that `a` and `b` never hold together: `a` implies more than `b`'s ``at_most`` allows."""
    if not isinstance(b.at_most, int | float) or a.at_least is None:
        return False
    if b.measure.kind in COUNTING:
        return implies(replace(a, at_most=None), replace(b, at_most=None, at_least=math.floor(b.at_most) + 1))
    exact = b.measure.kind.facts.null_without_events
    above = isinstance(a.at_least, int | float) and a.at_least > b.at_most
    return exact and above and _same_behaviour(a, b) and a.window == b.window


def most_dates(window: Window) -> int | None:
    """Give how many calendar dates a window can touch: 14 x 24 hours touch at most 15. None = no bound."""
    return math.ceil(window.length.microseconds / DAY) + 1 if window.length is not None else None


def unsatisfiable(conditions: tuple[Condition, ...]) -> tuple[Condition, Condition] | None:
    """Find two conditions on one name that no value passes together (a pair of the same one if it alone is empty)."""
    for i, first in enumerate(conditions):
        for second in conditions[i:]:
            if first.name == second.name and _disjoint(first, second):
                return first, second
    return None


def _ref_implies(ref: Ref, other: Criterion | Ref, anchor: Anchor) -> bool:
    if isinstance(other, Ref):
        more = (ref.users_at_least or 0) >= (other.users_at_least or 0)
        return ref.name == other.name and more and (ref.users_at_least is None) == (other.users_at_least is None)
    target = ref.target
    plain = ref.users_at_least is None and (target.score is None or target.score.pql_at is None)
    return plain and target.anchor == anchor and _permanent(other) and node_implies(target.qualify, other, anchor)


def _permanent(criterion: Criterion) -> bool:
    """Once on, it stays on."""
    return criterion.window.kind is not WindowKind.TRAILING and not criterion.measure.kind.facts.state


def _lower_implies(a: Criterion, b: Criterion) -> bool:
    """Prove ``value of b >= b.at_least`` (reached) from `a` being on."""
    if a.at_least is None or b.at_least is None or not _judged_alike(a, b):
        return False
    if _same_behaviour(a, b) and a.window == b.window:
        # A range may hold without a single event, a threshold is reached at one.
        alike = (a.at_most is None) == (b.at_most is None) or not _met_by_nothing(b)
        return alike and _reaches(a.at_least, b.at_least)
    if not isinstance(a.at_least, int | float) or not isinstance(b.at_least, int | float) or _met_by_nothing(b):
        return False  # of other events or another window, a limit may be another too
    return not b.measure.kind.facts.state and _sees_all(a, b) and _outgrows(a, b)


def _met_by_nothing(criterion: Criterion) -> bool:
    """No event at all may satisfy the lower bound."""
    low, null = criterion.at_least, criterion.measure.kind.facts.null_without_events
    return isinstance(low, int | float) and low <= 0 and not null


def _judged_alike(a: Criterion, b: Criterion) -> bool:
    """Prove that `b` does not lapse earlier than `a`."""
    if b.window.kind is WindowKind.TRAILING:
        return a.window.kind is WindowKind.TRAILING
    if b.measure.kind.facts.state:
        return a.measure.kind is b.measure.kind and a.window == b.window
    return True


def _upper_implies(a: Criterion, b: Criterion) -> bool:
    """Prove ``value of b <= b.at_most`` from `a` being on: the same judgement of the same or fewer events."""
    if not isinstance(a.at_most, int | float) or not isinstance(b.at_most, int | float) or a.window != b.window:
        return a.at_most is not None and a.at_most == b.at_most and _same_behaviour(a, b) and a.window == b.window
    same = _same_behaviour(a, b)
    fewer = a.measure == b.measure and a.measure.kind in COUNTING and _narrower(b, a)
    return a.at_most <= b.at_most and (same or fewer)


def _same_behaviour(a: Criterion, b: Criterion) -> bool:
    return (
        a.measure == b.measure and _events(a) == _events(b) and sorted(map(repr, a.where)) == sorted(map(repr, b.where))
    )


def _events(criterion: Criterion) -> frozenset[str] | None:
    return None if criterion.events is None else frozenset(criterion.events)


def _sees_all(a: Criterion, b: Criterion) -> bool:
    """Every event in `a`'s window counts for `b` too."""
    wide = b.window.kind in _WIDENS[a.window.kind]
    long = b.window.length is None or (a.window.length is not None and a.window.length <= b.window.length)
    return wide and long and _narrower(a, b)


def _narrower(a: Criterion, b: Criterion) -> bool:
    """Every event of `a` is one of `b`."""
    events = b.events is None or (a.events is not None and set(a.events) <= set(b.events))
    return events and all(any(_tighter(own, other) for own in a.where) for other in b.where)


def _tighter(a: Condition, b: Condition) -> bool:
    """Every value that passes `a` passes `b`."""
    if a == b:
        return True
    if a.name != b.name:
        return False
    positive = {Operator.EQUALS, Operator.IN}
    if a.operator in positive and b.operator in positive:
        return {_typed(v) for v in a.values} <= {_typed(v) for v in b.values}
    if a.operator is b.operator and a.operator in {Operator.AT_LEAST, Operator.AT_MOST}:
        mine, other = a.values[0], b.values[0]
        if isinstance(mine, int | float) and isinstance(other, int | float):
            return mine >= other if a.operator is Operator.AT_LEAST else mine <= other
    return False


def _outgrows(a: Criterion, b: Criterion) -> bool:
    """Prove the value of `b` from the value of `a` over the same or more events."""
    mine, other = a.measure, b.measure
    if mine == other and mine.kind in MONOTONE:
        return _reaches(a.at_least, b.at_least)
    if not isinstance(a.at_least, int | float) or not isinstance(b.at_least, int | float):
        return False
    if mine.kind in COUNTING and other.kind is MeasureKind.COUNT:
        return a.at_least >= b.at_least
    some = a.at_least > 0 or mine.kind.facts.null_without_events
    return some and b.at_least <= 1 and other.kind.facts.times_alone


def _reaches(mine: Bound | None, other: Bound | None) -> bool:
    if isinstance(mine, Limit) and isinstance(other, Limit):
        return replace(mine, percent=other.percent) == other and mine.percent >= other.percent
    if isinstance(mine, int | float) and isinstance(other, int | float):
        return mine >= other
    return False


def _disjoint(a: Condition, b: Condition) -> bool:
    positive = {Operator.EQUALS, Operator.IN}
    if a.operator in positive and b.operator in positive:
        return not {_typed(v) for v in a.values} & {_typed(v) for v in b.values}
    if a.operator is Operator.EXISTS or b.operator is Operator.EXISTS:
        absent = Condition(name=a.name, operator=Operator.EXISTS, values=(False,))
        return absent in {a, b} and a != b and not {a.operator, b.operator} & {Operator.NOT_IN, Operator.NOT_MATCHING}
    for low, high in ((a, b), (b, a)):
        if low.operator is Operator.AT_LEAST and high.operator is Operator.AT_MOST:
            return bool(float(low.values[0]) > float(high.values[0])) if _numbers(low, high) else False
        if low.operator in positive and high.operator is Operator.NOT_IN:
            return {_typed(v) for v in low.values} <= {_typed(v) for v in high.values}
    return False


def _numbers(*conditions: Condition) -> bool:
    return all(isinstance(c.values[0], int | float) for c in conditions)


def _typed(value: str | float | bool) -> str:
    """Compare values as the evaluator does: text that is a number equals the number."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return repr(float(value))
    except ValueError:
        return f"'{value}'"
