"""Emitting: a definition becomes the YAML text that a person would have written."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pqlkit.definitions import ids
from pqlkit.definitions.model import (
    All,
    Anchor,
    Criterion,
    Limit,
    MeasureKind,
    NOf,
    Not,
    Operator,
    Ref,
    Status,
    WindowKind,
    leaves,
)
from pqlkit.definitions.model import Any as AnyOf
from pqlkit.definitions.values import FORMAT
from pqlkit.definitions.yaml_text import write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.definitions.model import (
        Bound,
        Bounds,
        Condition,
        Definition,
        Evidence,
        EvidenceData,
        EvidencePart,
        Measure,
        Node,
        Outcome,
    )
    from pqlkit.durations import Duration
    from pqlkit.typing import Json


def emit(definition: Definition) -> str:
    """Write a definition as YAML, in a stable order, durations in days where whole; reading it gives the same back.

    Parameters
    ----------
    definition
        One whose conditions on a property stand together, at most one per operator (reading gives no other).

    Examples
    --------
    >>> from pqlkit.definitions.folders import load_definition
    >>> from pqlkit.shipped import shipped
    >>> print(emit(load_definition(shipped("definitions") / "minimum-viable.yml")).split("qualify:")[1].split("outcome")[0])
      event: login
      at_least: 10
    """
    return write(plain(definition))


def definition_hash(definition: Definition) -> str:
    """Name what a definition means: 12 hexadecimal digits of a hash of its text without evidence, title, status and who is near."""
    lead = definition.lead
    if lead is not None:
        # Who is near says nothing of who is a lead.
        lead = replace(lead, near=None) if lead.fresh_for is not None or lead.cooldown is not None else None
    meaning = replace(
        definition,
        lead=lead,
        evidence=None,
        title="",
        rationale=None,
        owner=None,
        review_by=None,
        status=Status.ACTIVE,
        expect=None,
    )
    return hashlib.blake2b(emit(meaning).encode(), digest_size=6).hexdigest()


def plain(definition: Definition) -> dict[str, Json]:
    """Give the same mapping as data that JSON can hold (for ``definition`` in proposals)."""
    mapping = {
        "pqlkit": FORMAT,
        "name": definition.name,
        "kind": "milestone" if definition.milestone else None,
        "version": definition.version,
        "title": definition.title if definition.title != definition.name else None,
        "owner": definition.owner,
        "rationale": definition.rationale,
        "status": definition.status.value,
        "review_by": definition.review_by.isoformat() if definition.review_by is not None else None,
        "entity": definition.entity.value,
        "anchor": _anchor(definition.anchor),
        "within": _span(definition.within),
        "eligible": [_trait(condition) for condition in definition.eligible] or None,
        "qualify": _qualify(definition),
        "score": _score(definition),
        "outcome": _outcome(definition.outcome) if definition.outcome is not None else None,
        "lead": _lead(definition),
        "expect": _expect(definition),
        "evidence": _evidence(definition.evidence),
    }
    return _written(mapping)


def _written(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the keys that are not written."""
    return {key: value for key, value in mapping.items() if value is not None}


def _evidence(evidence: Evidence | None) -> Json:
    if evidence is None:
        return None
    return _written(
        {
            "chosen_by": evidence.chosen_by.value if evidence.chosen_by is not None else None,
            "search": evidence.search,
            **{part: _figures(getattr(evidence, part)) for part in ("data", "fit", "holdout")},
        }
    )


def _figures(part: EvidenceData | EvidencePart | None) -> Json:
    """Write the fields of a part of the evidence that are known, in their order."""
    if part is None:
        return None
    keys = {"start": "from", "times_read": "read"}
    known = {keys.get(field.name, field.name): getattr(part, field.name) for field in fields(part)}
    return _written({key: str(value) if isinstance(value, date | str) else value for key, value in known.items()})


def _span(duration: Duration | None) -> str | None:
    return duration.emitted if duration is not None else None


def _anchor(anchor: Anchor) -> Json:
    return {"event": anchor.event} if anchor.event is not None else anchor.kind


def _trait(condition: Condition) -> dict[str, Json]:
    return {"trait": condition.name, **_operator(condition)}


def _operator(condition: Condition) -> dict[str, Json]:
    if condition.operator in {Operator.IN, Operator.NOT_IN}:
        return {condition.operator.value: list(condition.values)}
    return {condition.operator.value: condition.values[0]}


def _where(conditions: Sequence[Condition]) -> dict[str, Json] | None:
    where: dict[str, Any] = {}
    for condition in conditions:
        where.setdefault(condition.name, {}).update(_operator(condition))
    short = {"equals", "in"}
    return {
        name: next(iter(tests.values())) if len(tests) == 1 and short >= tests.keys() else tests
        for name, tests in where.items()
    } or None


def _qualify(definition: Definition) -> Json:
    points = definition.score.points if definition.score is not None else ()
    names = _ids(definition.qualify).union(points)
    if definition.score is not None and definition.score.pql_at is not None and isinstance(definition.qualify, All):
        return [_node(part, definition, names) for part in definition.qualify.parts]
    return _node(definition.qualify, definition, names)


def _ids(node: Node) -> frozenset[str]:
    """Find the ids that must be written: reading would not make them from event and measure."""
    made = Counter(ids.made(leaf) for leaf in leaves(node))
    written = Counter(leaf.id for leaf in leaves(node))
    return frozenset(
        leaf.id for leaf in leaves(node) if leaf.id != ids.made(leaf) or made[leaf.id] > 1 or written[leaf.id] > 1
    )


def _node(node: Node, definition: Definition, names: frozenset[str]) -> dict[str, Json]:
    match node:
        case Criterion():
            return _criterion(node, definition, names)
        case Ref():
            counted = node.users_at_least is not None
            mapping = {
                "id": node.id if node.id in names else None,
                "ref": node.name,
                "measure": "users" if counted else None,
                "at_least": node.users_at_least,
                "say": node.say,
            }
            return _written(mapping)
        case All(parts=parts):
            return {"all": [_node(part, definition, names) for part in parts]}
        case AnyOf(parts=parts):
            return {"any": [_node(part, definition, names) for part in parts]}
        case NOf(n=n, parts=parts):
            return {"n_of": {"n": n, "of": [_node(part, definition, names) for part in parts]}}
        case Not(part=part):
            return {"not": _node(part, definition, names)}


def _criterion(criterion: Criterion, definition: Definition, names: frozenset[str]) -> dict[str, Json]:
    measure, window = criterion.measure, criterion.window
    silent = criterion.at_least == 1 and isinstance(criterion.at_least, int) and criterion.at_most is None
    by_default = window.kind is WindowKind.WITHIN and window.length == definition.within
    mapping = {
        "id": criterion.id if criterion.id in names else None,
        "event": _events(criterion.events),
        "where": _where(criterion.where),
        "measure": _measure(measure),
        "at_least": None if silent and not measure.kind.numeric else _bound(criterion.at_least),
        "at_most": _bound(criterion.at_most),
        **({} if by_default else {window.kind.value: _span(window.length) or True}),
        "mechanical": criterion.mechanical or None,
        "say": criterion.say,
    }
    return _written(mapping)


def _events(events: tuple[str, ...] | None) -> Json:
    if events is None:
        return "any"
    return events[0] if len(events) == 1 and events[0] != "any" else list(events)


def _measure(measure: Measure) -> Json:
    if measure.kind is MeasureKind.DISTINCT_EVENTS:
        return {measure.kind.value: True}
    if measure.property is not None:
        return {measure.kind.value: measure.property}
    return None if measure.kind is MeasureKind.COUNT else measure.kind.value


def _bound(bound: Bound | None) -> Json:
    if not isinstance(bound, Limit):
        return bound
    if bound.property is not None:
        return {"percent": bound.percent, "of": {"property": bound.property}}
    if bound.trait is not None:
        return {"percent": bound.percent, "of": {"trait": bound.trait}}
    return {"percent": bound.percent, "of": bound.number}


def _score(definition: Definition) -> dict[str, Json] | None:
    score = definition.score
    if score is None:
        return None
    bands = dict(score.bands) if score.bands else None
    return _written({"points": dict(score.points), "pql_at": score.pql_at, "bands": bands})


def _outcome(outcome: Outcome) -> dict[str, Json]:
    mapping = {
        "within": _span(outcome.within),
        "where": _where(outcome.where),
        "retained_for": _span(outcome.retained_for),
        "kind": outcome.kind,
        "from": _names(outcome.from_plan),
        "to": _names(outcome.to_plan),
        "event": outcome.event,
        "after": _span(outcome.after),
        "definition": outcome.definition.name if outcome.definition is not None else None,
        "returns_after": _span(outcome.returns_after),
    }
    return _written(mapping)


def _names(names: tuple[str, ...] | None) -> Json:
    return names if names is None else names[0] if len(names) == 1 else list(names)


def _lead(definition: Definition) -> dict[str, Json] | None:
    lead = definition.lead
    if lead is None:
        return None
    near = lead.near
    return _written(
        {
            "fresh_for": _span(lead.fresh_for),
            "cooldown": _span(lead.cooldown),
            "near": None
            if near is None
            else {"at_least": _percent(near.at_least), "active_within": _span(near.active_within)},
        }
    )


def _expect(definition: Definition) -> dict[str, Json] | None:
    expect = definition.expect
    if expect is None:
        return None
    return _written({"rate": _bounds(expect.rate), "share": _bounds(expect.share)})


def _bounds(bounds: Bounds | None) -> dict[str, Json] | None:
    if bounds is None:
        return None
    return _written({"at_least": _percent(bounds.at_least), "at_most": _percent(bounds.at_most)})


def _percent(rate: float | None) -> str | None:
    return f"{(Decimal(repr(rate)) * 100).normalize():f}%" if rate is not None else None
