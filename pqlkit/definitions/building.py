"""Building: a form without faults becomes the model, defaults filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pqlkit.definitions import ids
from pqlkit.definitions.form import (
    BoundsForm,
    DefinitionForm,
    EventAnchorForm,
    EvidenceForm,
    LeadForm,
    NearForm,
    OutcomeForm,
)
from pqlkit.definitions.formula_form import (
    AllForm,
    AnyForm,
    CriterionForm,
    LimitForm,
    NOfForm,
    NotForm,
    OperatorsForm,
    PropertyLimitForm,
    RefForm,
    TraitForm,
    TraitLimitForm,
)
from pqlkit.definitions.model import (
    All,
    Anchor,
    Bounds,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Evidence,
    EvidenceData,
    EvidencePart,
    Expect,
    Lead,
    Limit,
    Measure,
    MeasureKind,
    Near,
    NOf,
    Not,
    Operator,
    Outcome,
    Ref,
    Score,
    Window,
    WindowKind,
)
from pqlkit.definitions.model import Any as AnyOf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pqlkit.definitions.model import Bound, Node
    from pqlkit.definitions.shape import Form
    from pqlkit.durations import Duration

Find: TypeAlias = "Callable[[str], Definition]"
"""Gives the definition of a name that is known to exist."""

AnyNodeForm: TypeAlias = "CriterionForm | RefForm | AllForm | AnyForm | NOfForm | NotForm"


def build_definition(form: DefinitionForm, find: Find, path: str | None) -> Definition:
    """Give the definition that a form means; its refs are looked up with `find`."""
    return Definition(
        name=form.name,
        entity=form.entity,
        qualify=ids.given(_qualify(form, find)),
        outcome=build_outcome(form.outcome, form.outcome.within, find) if form.outcome is not None else None,
        version=form.version,
        title=form.title or form.name,
        owner=form.owner,
        rationale=form.rationale,
        status=form.status,
        review_by=form.review_by,
        milestone=form.kind is not None,
        anchor=_anchor(form),
        within=form.within,
        eligible=build_eligible(form.eligible or ()),
        score=_score(form),
        lead=_lead(form.lead) if form.lead is not None else None,
        expect=_expect(form),
        evidence=_evidence(form.evidence),
        path=path,
    )


def _lead(form: LeadForm) -> Lead:
    return Lead(
        fresh_for=form.fresh_for,
        cooldown=form.cooldown,
        near=_near(form.near) if form.near is not None else None,
    )


def _near(form: NearForm) -> Near:
    usual = Near()
    return Near(
        at_least=form.at_least if form.at_least is not None else usual.at_least,
        active_within=form.active_within if form.active_within is not None else usual.active_within,
    )


def build_outcome(form: OutcomeForm, within: Duration, find: Find) -> Outcome:
    """Give the outcome that a form means, over the conversion window `within`."""
    return Outcome(
        within=within,
        where=_where(form.where),
        retained_for=form.retained_for,
        kind=form.kind,
        from_plan=_names(form.from_),
        to_plan=_names(form.to),
        event=form.event,
        after=form.after,
        definition=find(form.definition) if form.definition is not None else None,
        returns_after=form.returns_after,
    )


def build_eligible(forms: Sequence[TraitForm]) -> tuple[Condition, ...]:
    """Give the conditions of a list of trait forms, all of which must hold."""
    return tuple(condition for form in forms for condition in _conditions(form.trait, form))


def _qualify(form: DefinitionForm, find: Find) -> Node:
    if isinstance(form.qualify, list):
        return All(parts=tuple(_criterion(part, form.within) for part in form.qualify))
    return _node(form.qualify, form, find)


def _node(form: AnyNodeForm, root: DefinitionForm, find: Find) -> Node:
    match form:
        case CriterionForm():
            return _criterion(form, root.within)
        case RefForm():
            return _ref(form, root.entity, find(form.ref))
        case AllForm():
            return All(parts=tuple(_node(part, root, find) for part in form.all))
        case AnyForm():
            return AnyOf(parts=tuple(_node(part, root, find) for part in form.any))
        case NOfForm():
            return NOf(n=form.n_of.n, parts=tuple(_node(part, root, find) for part in form.n_of.of))
        case NotForm():
            return Not(part=_node(form.not_, root, find))


def _criterion(form: CriterionForm, within: Duration | None) -> Criterion:
    unbounded = form.at_least is None and form.at_most is None
    return Criterion(
        id=form.id or "",
        events=None if form.event == "any" else _names(form.event),
        measure=_measure(form),
        window=_window(form, within),
        where=_where(form.where),
        at_least=1 if unbounded else _bound(form.at_least),
        at_most=_bound(form.at_most),
        mechanical=form.mechanical,
        say=form.say,
    )


def _ref(form: RefForm, entity: EntityKind, target: Definition) -> Ref:
    counted = entity is EntityKind.ACCOUNT and target.entity is EntityKind.USER
    return Ref(
        id=form.id or "",
        name=form.ref,
        target=target,
        users_at_least=(form.at_least or 1) if counted else None,
        say=form.say,
    )


def _measure(form: CriterionForm) -> Measure:
    if isinstance(form.measure, str):
        return Measure(kind=MeasureKind(form.measure))
    ((kind, name),) = form.measure.plain().items()
    return Measure(kind=MeasureKind(kind), property=name if MeasureKind(kind).needs_property else None)


def _window(form: CriterionForm, within: Duration | None) -> Window:
    for kind in (WindowKind.WITHIN, WindowKind.ROLLING, WindowKind.TRAILING):
        length = getattr(form, kind)
        if length is not None:
            return Window(kind=kind, length=length)
    return Window(kind=WindowKind.EVER) if form.ever else Window(kind=WindowKind.WITHIN, length=within)


def _bound(form: int | float | LimitForm | None) -> Bound | None:
    if not isinstance(form, LimitForm):
        return form
    match form.of:
        case PropertyLimitForm(property=name):
            return Limit(percent=form.percent, property=name)
        case TraitLimitForm(trait=name):
            return Limit(percent=form.percent, trait=name)
        case number:
            return Limit(percent=form.percent, number=number)


def _where(form: Mapping[str, Any] | None) -> tuple[Condition, ...]:
    return tuple(condition for name, value in (form or {}).items() for condition in _conditions(name, value))


def _conditions(name: str, value: Any) -> list[Condition]:
    if isinstance(value, OperatorsForm):
        return [Condition(name=name, operator=operator, values=values) for operator, values in value.tests]
    if isinstance(value, list):
        return [Condition(name=name, operator=Operator.IN, values=tuple(value))]
    return [Condition(name=name, operator=Operator.EQUALS, values=(value,))]


def _names(form: str | list[str] | None) -> tuple[str, ...] | None:
    return form if form is None else (form,) if isinstance(form, str) else tuple(form)


def _anchor(form: DefinitionForm) -> Anchor:
    if isinstance(form.anchor, EventAnchorForm):
        return Anchor(kind="event", event=form.anchor.event)
    return Anchor(kind=form.anchor)


def _score(form: DefinitionForm) -> Score | None:
    if form.score is None:
        return None
    return Score(points=dict(form.score.points), pql_at=form.score.pql_at, bands=dict(form.score.bands or {}))


def _expect(form: DefinitionForm) -> Expect | None:
    if form.expect is None:
        return None
    return Expect(rate=_bounds(form.expect.rate), share=_bounds(form.expect.share))


def _evidence(form: EvidenceForm | None) -> Evidence | None:
    if form is None:
        return None
    return Evidence(
        chosen_by=form.chosen_by,
        search=form.search,
        data=None if form.data is None else EvidenceData(**_values(form.data)),
        fit=None if form.fit is None else EvidencePart(**_values(form.fit)),
        holdout=None if form.holdout is None else EvidencePart(**_values(form.holdout)),
    )


def _values(form: Form) -> dict[str, Any]:
    """Give every field of a form whose names are those of the value it becomes."""
    return {name: getattr(form, name) for name in form.fields()}


def _bounds(form: BoundsForm | None) -> Bounds | None:
    return Bounds(at_least=form.at_least, at_most=form.at_most) if form is not None else None
