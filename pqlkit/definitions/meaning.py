"""The meaning: a definition without its spelling. Two definitions with one meaning qualify the same entities at the same time.

Order under ``all``, ``any``, ``n_of`` and in lists, ids, titles, ``say``, and how a duration is written do not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pqlkit.definitions.model import All, Any, Criterion, Limit, NOf, Not, Operator, Ref

if TYPE_CHECKING:
    from pqlkit.definitions.model import Bound, Condition, Definition, Node, Outcome, Score

Meaning: TypeAlias = "tuple[object, ...]"
"""Nested tuples of text and numbers: equal when the meaning is, and with a stable `repr`."""


def meaning(definition: Definition) -> Meaning:
    """Give the meaning of a definition: entity, anchor, eligible, qualify with its windows, outcome and points."""
    return (
        definition.entity.value,
        (definition.anchor.kind, definition.anchor.event),
        conditions_meaning(definition.eligible),
        qualify_meaning(definition),
        outcome_meaning(definition.outcome),
    )


def qualify_meaning(definition: Definition) -> Meaning:
    """Give the meaning of the formula, or of the points in its stead."""
    points = score_meaning(definition)
    if definition.score is not None and definition.score.pql_at is not None:
        return ("points", points)
    return ("formula", node_meaning(definition.qualify), points)


def node_meaning(node: Node) -> Meaning:
    """Give the meaning of a tree.

    Examples
    --------
    >>> from pqlkit.definitions.model import All, Any, Criterion, Window, WindowKind
    >>> a, b = (Criterion(id=n, events=(n,), window=Window(kind=WindowKind.EVER), at_least=1) for n in "ab")
    >>> node_meaning(All(parts=(a, b))) == node_meaning(All(parts=(b, Any(parts=(a,)))))
    True
    """
    match node:
        case Criterion():
            return criterion_meaning(node)
        case Ref():
            return ("ref", node.name, node.users_at_least, meaning(node.target))
        case Not(part=part):
            return ("not", node_meaning(part))
        case All(parts=parts):
            return _joined("all", parts)
        case Any(parts=parts):
            return _joined("any", parts)
        case NOf(n=n, parts=parts):
            if n == 1 or n == len(parts):
                return _joined("any" if n == 1 else "all", parts)
            return ("n_of", n, *sorted(map(node_meaning, parts), key=repr))


def criterion_meaning(criterion: Criterion) -> Meaning:
    """Give the meaning of a criterion: everything but its id and what reps are told."""
    window = criterion.window
    return (
        "criterion",
        None if criterion.events is None else tuple(sorted(set(criterion.events))),
        criterion.measure.kind.value,
        criterion.measure.property,
        window.kind.value,
        window.length.microseconds if window.length is not None else None,
        conditions_meaning(criterion.where),
        bound_meaning(criterion.at_least),
        bound_meaning(criterion.at_most),
    )


def conditions_meaning(conditions: tuple[Condition, ...]) -> Meaning:
    """Give the meaning of conditions that must all hold."""
    return tuple(sorted({_condition(condition) for condition in conditions}, key=repr))


def bound_meaning(bound: Bound | None) -> Meaning | None:
    """Give the meaning of a bound: 5 and 5.0 are one."""
    if isinstance(bound, Limit):
        of = None if bound.number is None else float(bound.number)
        return ("limit", float(bound.percent), of, bound.property, bound.trait)
    return None if bound is None else ("number", float(bound))


def outcome_meaning(outcome: Outcome | None) -> Meaning | None:
    """Give the meaning of an outcome."""
    if outcome is None:
        return None
    lengths = (outcome.within, outcome.after, outcome.retained_for, outcome.returns_after)
    return (
        *(None if length is None else length.microseconds for length in lengths),
        conditions_meaning(outcome.where),
        outcome.kind,
        *(None if plans is None else tuple(sorted(plans)) for plans in (outcome.from_plan, outcome.to_plan)),
        outcome.event,
        None if outcome.definition is None else (outcome.definition.name, meaning(outcome.definition)),
    )


def score_meaning(definition: Definition) -> Meaning | None:
    """Give the meaning of the points: what each criterion (not its id) is worth, and the mark."""
    score: Score | None = definition.score
    if score is None:
        return None
    leaves = {criterion.id: criterion_meaning(criterion) for criterion in definition.criteria}
    worth = sorted(((leaves.get(name, (name,)), float(points)) for name, points in score.points.items()), key=repr)
    return (tuple(worth), None if score.pql_at is None else float(score.pql_at))


def _joined(word: str, parts: tuple[Node, ...]) -> Meaning:
    flat: list[Meaning] = []
    for part in map(node_meaning, parts):
        flat += part[1:] if part[0] == word else [part]  # type: ignore[arg-type]
    unique = sorted({repr(part): part for part in flat}.values(), key=repr)
    return unique[0] if len(unique) == 1 else (word, *unique)


def _condition(condition: Condition) -> Meaning:
    values = tuple(sorted({_value(value) for value in condition.values}))
    single = condition.operator is Operator.IN and len(values) == 1
    return (condition.name, (Operator.EQUALS if single else condition.operator).value, values)


def _value(value: str | float | bool) -> str:
    return repr(value) if isinstance(value, str | bool) else repr(float(value))
