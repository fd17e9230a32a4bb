"""The change: what differs in meaning between two versions of a definition, in words for a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pqlkit.definitions.meaning import (
    bound_meaning,
    conditions_meaning,
    meaning,
    node_meaning,
    outcome_meaning,
    qualify_meaning,
    score_meaning,
)
from pqlkit.definitions.model import All, Any, Criterion, EntityKind, Limit, NOf, Not, Ref, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pqlkit.definitions.facts import ComparisonFacts
    from pqlkit.definitions.model import Anchor, Bound, Condition, Definition, Node, Outcome
    from pqlkit.durations import Duration


class Part(StrEnum):
    """The parts of a definition that make its meaning."""

    ENTITY = "entity"
    ANCHOR = "anchor"
    WINDOWS = "windows"
    ELIGIBLE = "eligible"
    QUALIFY = "qualify"
    OUTCOME = "outcome"
    POINTS = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference in meaning: `text` is a sentence, `before` and `after` the two sides (None = absent)."""

    part: Part
    text: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One definition against its base.

    `before` is None for a new definition, `after` for one that was removed. `unreadable` says that the base has the file,
    but with faults, so that nothing can be compared.
    """

    path: str
    before: Definition | None
    after: Definition | None
    changes: tuple[Change, ...] = ()
    comparison: ComparisonFacts | None = None
    unreadable: bool = False

    @property
    def name(self) -> str:
        """The definition's name, the new one if it changed."""
        known = self.after or self.before
        return known.name if known is not None else self.path

    @property
    def version_raised(self) -> bool:
        """The new version is greater than the old one."""
        return self.before is not None and self.after is not None and self.after.version > self.before.version


def changes(before: Definition, after: Definition) -> tuple[Change, ...]:
    """Say what changed in meaning; empty when both mean the same, however they are written.

    Parameters
    ----------
    before, after
        The two versions, refs resolved: a ref whose target changed is a change too.
    """
    if meaning(before) == meaning(after):
        return ()
    changes = [*_frame(before, after), *_criteria(before, after), *_points(before, after)]
    changes += _outcome(before.outcome, after.outcome)
    if not changes:
        changes = [Change(part=Part.QUALIFY, text="the formula means something else")]
    return tuple(changes)


def _frame(before: Definition, after: Definition) -> Iterator[Change]:
    if before.entity is not after.entity:
        said = {EntityKind.USER: "a user", EntityKind.ACCOUNT: "an account"}
        yield _turned(Part.ENTITY, "what qualifies", said[before.entity], said[after.entity])
    if (before.anchor.kind, before.anchor.event) != (after.anchor.kind, after.anchor.event):
        yield _turned(Part.ANCHOR, "the clock starts", _anchor(before.anchor), _anchor(after.anchor))
    yield from _conditions(Part.ELIGIBLE, "eligible", before.eligible, after.eligible)


def _turned(part: Part, what: str, before: str, after: str, note: str = "") -> Change:
    return Change(part=part, text=f"{what}: {before} → {after}{note}", before=before, after=after)


def _anchor(anchor: Anchor) -> str:
    if anchor.event is not None:
        return f"at the first {anchor.event!r}"
    return {"signup": "at signup", "first_event": "at the first event"}.get(anchor.kind, anchor.kind)


def _conditions(part: Part, what: str, before: tuple[Condition, ...], after: tuple[Condition, ...]) -> Iterator[Change]:
    old = {conditions_meaning((condition,)): condition for condition in before}
    new = {conditions_meaning((condition,)): condition for condition in after}
    for key in (key for key in old if key not in new):
        yield Change(part=part, text=f"{what}: no longer asks for {_said(old[key])}", before=_said(old[key]))
    for key in (key for key in new if key not in old):
        yield Change(part=part, text=f"{what}: now asks for {_said(new[key])}", after=_said(new[key]))


def _said(condition: Condition) -> str:
    values = ", ".join(str(value) for value in condition.values)
    return f"{condition.name} {condition.operator.value.replace('_', ' ')} {values}"


def _criteria(before: Definition, after: Definition) -> Iterator[Change]:
    formulas = qualify_meaning(before)[0] == qualify_meaning(after)[0] == "formula"
    if formulas and node_meaning(before.qualify) == node_meaning(after.qualify):
        return
    old, new = _leaves(before), _leaves(after)
    matched = _matched(old, new)
    for mine, other in matched.items():
        yield from _leaf(old[mine], new[other])
    removed = [leaf for name, leaf in old.items() if name not in matched]
    added = [leaf for name, leaf in new.items() if name not in matched.values()]
    for leaf in removed:
        yield Change(part=Part.QUALIFY, text=f"no longer asks for {_phrase(leaf)}", before=_phrase(leaf))
    for leaf in added:
        yield Change(part=Part.QUALIFY, text=f"now asks for {_phrase(leaf)}", after=_phrase(leaf))
    names = {other: mine for mine, other in matched.items()}
    first, second = _formula(before.qualify, {}), _formula(after.qualify, names)
    plain = _flat(before.qualify) and _flat(after.qualify)
    if first != second and not plain:
        yield _turned(Part.QUALIFY, "the formula", first, second)


def _leaves(definition: Definition) -> dict[str, Criterion | Ref]:
    return {leaf.id: leaf for leaf in leaves(definition.qualify)}


def _matched(old: Mapping[str, Criterion | Ref], new: Mapping[str, Criterion | Ref]) -> dict[str, str]:
    """Pair the leaves of two versions: the same meaning first (a renamed id changes nothing), then the same id."""
    pairs: dict[str, str] = {}
    free = dict(new)
    for same in (lambda name, leaf: name, lambda name, leaf: None):
        for name, leaf in old.items():
            if name in pairs:
                continue
            wanted = same(name, leaf)
            partner = wanted if wanted in free and _alike(leaf, free[wanted]) else None
            if wanted is None:
                partner = next((n for n, other in free.items() if node_meaning(other) == node_meaning(leaf)), None)
            if partner is not None:
                pairs[name] = partner
                del free[partner]
    return pairs


def _alike(a: Criterion | Ref, b: Criterion | Ref) -> bool:
    """One could be a new version of the other: the same kind of leaf about the same thing."""
    if isinstance(a, Ref) and isinstance(b, Ref):
        return a.name == b.name
    return isinstance(a, Criterion) and isinstance(b, Criterion)


def _leaf(before: Criterion | Ref, after: Criterion | Ref) -> Iterator[Change]:
    if isinstance(before, Ref) and isinstance(after, Ref):
        yield from _ref(before, after)
    elif isinstance(before, Criterion) and isinstance(after, Criterion):
        yield from _criterion(before, after)


def _ref(before: Ref, after: Ref) -> Iterator[Change]:
    if before.users_at_least != after.users_at_least:
        old, new = (f"{ref.users_at_least or 1} users" for ref in (before, after))
        yield _turned(Part.QUALIFY, f"{after.id}: {after.name}", old, new)
    if meaning(before.target) != meaning(after.target):
        yield Change(part=Part.QUALIFY, text=f"{after.name}, which this refers to, changed its meaning")


def _criterion(before: Criterion, after: Criterion) -> Iterator[Change]:
    name = after.id
    if _events(before) != _events(after):
        yield _turned(Part.QUALIFY, f"{name}, event", _events(before), _events(after))
    if before.measure != after.measure:
        yield _turned(Part.QUALIFY, f"{name}, measure", _measure(before), _measure(after))
    if (before.window.kind, before.window.length) != (after.window.kind, after.window.length):
        yield _turned(Part.WINDOWS, f"{name}, window", _window(before), _window(after))
    for key in ("at_least", "at_most"):
        old, new = getattr(before, key), getattr(after, key)
        if bound_meaning(old) != bound_meaning(new):
            note = _direction(old, new, lower=key == "at_least")
            yield _turned(Part.QUALIFY, f"{name}, {key.replace('_', ' ')}", _bound(old), _bound(new), note)
    yield from _conditions(Part.QUALIFY, f"{name}, where", before.where, after.where)


def _events(criterion: Criterion) -> str:
    return "any event" if criterion.events is None else " or ".join(sorted(set(criterion.events)))


def _measure(criterion: Criterion) -> str:
    measure = criterion.measure
    return measure.kind.value if measure.property is None else f"{measure.kind.value} of {measure.property}"


def _window(criterion: Criterion) -> str:
    length = criterion.window.length
    return criterion.window.kind.value + (f" {length.emitted}" if length is not None else "")


def _bound(bound: Bound | None) -> str:
    if isinstance(bound, Limit):
        of = next(value for value in (bound.number, bound.property, bound.trait) if value is not None)
        return f"{bound.percent:g} % of {of}"
    return "none" if bound is None else f"{bound:g}"


def _direction(before: Bound | None, after: Bound | None, *, lower: bool) -> str:
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return ""
    return ", stricter" if (after > before) is lower else ", looser"


def _phrase(leaf: Criterion | Ref) -> str:
    from pqlkit.definitions.describing import phrase

    return phrase(leaf)


def _flat(node: Node) -> bool:
    return isinstance(node, Criterion | Ref) or (
        isinstance(node, All) and all(isinstance(part, Criterion | Ref) for part in node.parts)
    )


def _formula(node: Node, names: Mapping[str, str]) -> str:
    """Write the shape of a formula with the ids of its leaves, those of the old version where they were matched."""
    match node:
        case Criterion() | Ref():
            return names.get(node.id, node.id)
        case Not(part=part):
            return f"not {_formula(part, names)}"
        case NOf(n=n, parts=parts):
            return f"{n} of ({', '.join(_formula(part, names) for part in parts)})"
        case All(parts=parts):
            return f"({' and '.join(_formula(part, names) for part in parts)})"
        case Any(parts=parts):
            return f"({' or '.join(_formula(part, names) for part in parts)})"


def _points(before: Definition, after: Definition) -> Iterator[Change]:
    if score_meaning(before) == score_meaning(after):
        return
    old, new = before.score, after.score
    mark_before, mark_after = (None if score is None else score.pql_at for score in (old, new))
    if mark_before != mark_after:
        note = _direction(mark_before, mark_after, lower=True)
        yield _turned(Part.POINTS, "points to qualify", _bound(mark_before), _bound(mark_after), note)
    points_before, points_after = ({} if score is None else score.points for score in (old, new))
    for name in dict.fromkeys((*points_before, *points_after)):
        mine, other = points_before.get(name), points_after.get(name)
        if mine != other:
            yield _turned(Part.POINTS, f"points for {name}", _bound(mine), _bound(other))


def _outcome(before: Outcome | None, after: Outcome | None) -> Iterator[Change]:
    if outcome_meaning(before) == outcome_meaning(after):
        return
    if before is None or after is None:
        sides = ("none" if outcome is None else f"within {outcome.within.emitted}" for outcome in (before, after))
        yield _turned(Part.OUTCOME, "the outcome", *sides)
        return
    for what, old, new in (
        ("conversion window", _length(before.within), _length(after.within)),
        ("after", _length(before.after), _length(after.after)),
        ("retained for", _length(before.retained_for), _length(after.retained_for)),
        ("returns after", _length(before.returns_after), _length(after.returns_after)),
        ("kind", before.kind or "any", after.kind or "any"),
        ("from plan", _plans(before.from_plan), _plans(after.from_plan)),
        ("to plan", _plans(before.to_plan), _plans(after.to_plan)),
        ("event", before.event or "a conversion", after.event or "a conversion"),
        ("definition", _target(before), _target(after)),
    ):
        if old != new:
            yield _turned(Part.OUTCOME, f"outcome, {what}", old, new)
    yield from _conditions(Part.OUTCOME, "outcome", before.where, after.where)


def _length(length: Duration | None) -> str:
    return "none" if length is None else length.emitted


def _plans(plans: tuple[str, ...] | None) -> str:
    return "any" if plans is None else " or ".join(sorted(plans))


def _target(outcome: Outcome) -> str:
    return "none" if outcome.definition is None else outcome.definition.name
