"""Describing: definitions, and what an entity did for each criterion, in plain English.

The same thing always gets the same words. A definition is said with the names of the export (`phrases`); what a sales rep
reads of one lead is said in natural units (`wording`). Names from exports are made inert before they enter a sentence.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, assert_never

from pqlkit.definitions.model import ANY_EVENT, Criterion, EntityKind, Limit, Measure, MeasureKind, Ref, leaves
from pqlkit.definitions.phrases import (
    condition_phrase,
    either,
    formula,
    listed,
    phrase,
    window_phrase,
)
from pqlkit.definitions.wording import Wording, counted, figure, named, plural, singular, wording, words

if TYPE_CHECKING:
    from pqlkit.definitions.model import Bound, Definition, Outcome
    from pqlkit.typing import Number

__all__ = ["describe", "evidence", "missing", "phrase", "qualifying"]


def describe(definition: Definition) -> str:
    """Say a whole definition in one paragraph.

    Examples
    --------
    >>> from pqlkit.definitions.folders import load_definition
    >>> from pqlkit.shipped import shipped
    >>> print(describe(load_definition(shipped("definitions") / "team-rollout.yml")))
    An account that, in the last 28 days, has 4 or more teammate_invited events and 10 or more active days. Success is
    a conversion within 28 days of qualifying. A lead is fresh for 30 days and may qualify again 28 days after it lapsed.
    """
    sentences = [
        _subject(definition),
        _eligible(definition),
        _outcome(definition.outcome),
        _lead(definition),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def qualifying(definition: Definition) -> str:
    """Say who meets a definition, in sentences.

    Examples
    --------
    >>> from pqlkit.definitions.folders import load_definition
    >>> from pqlkit.shipped import shipped
    >>> print(qualifying(load_definition(shipped("definitions") / "team-rollout.yml")))
    An account qualifies when, in the last 28 days, it has 4 or more teammate_invited events and 10 or more active days.
    """
    user = definition.entity is EntityKind.USER
    who, has = ("A user", "they have") if user else ("An account", "it has")
    when, what = _met(definition)
    met = f"when, {when}, {has} {what}." if when else f"when {has} {what}."
    return " ".join(part for part in (f"{who} qualifies {met}", _eligible(definition)) if part)


def evidence(part: Criterion | Ref, value: Number | None) -> str:
    """Say what was measured: ``4 teammates invited``, ``active on 6 days``.

    Parameters
    ----------
    part
        The criterion.
    value
        Its measured value; None = undefined (a max or last without events).

    Examples
    --------
    >>> from pqlkit.definitions.expression import parse_expression
    >>> [evidence(parse_expression(f"{text} ever"), 4) for text in ("teammate_invited", "login", "days(any)")]
    ['4 teammates invited', '4 logins', 'active on 4 days']
    """
    if isinstance(part, Ref):
        return _users_of(part, value or 0, more=False) if part.users_at_least is not None else named(part.name)
    return _amount(part, value)


def missing(part: Criterion | Ref, value: Number | None, *, limit: Number | None = None) -> str | None:
    """Say what one more step would take, in natural units: ``2 more teammate invites``; None if nothing is missing.

    Parameters
    ----------
    part
        The criterion.
    value
        Its measured value; None = undefined (a max or last without events).
    limit
        The limit's value, where the bound is a percentage of a property or trait; None = unknown.

    Examples
    --------
    >>> from pqlkit.definitions.expression import parse_expression
    >>> missing(parse_expression("teammate_invited >= 4 ever"), 2)
    '2 more teammate invites'
    """
    if isinstance(part, Ref):
        return _missing_ref(part, value)
    least, most = part.at_least, part.at_most
    for bound in (least, most):
        if isinstance(bound, Limit) and _whole(bound, limit) is None:
            return f"no {named(bound.property or bound.trait or '')} known"
    if least is not None and (value is None or _lacks(value, least, limit) > 0):
        return _more(part, value, _lacks(value or 0, least, limit))
    if most is not None and value is not None and _lacks(value, most, limit) < 0:
        return f"{figure(-_lacks(value, most, limit))} fewer than {_amount(part, value)}"
    return None


def _subject(definition: Definition) -> str:
    who = "A user who" if definition.entity is EntityKind.USER else "An account that"
    when, what = _met(definition)
    return f"{who}, {when}, has {what}." if when else f"{who} has {what}."


def _met(definition: Definition) -> tuple[str | None, str]:
    """Say over which time all is counted, if it is one, and what there must be."""
    if definition.score is not None and definition.score.pql_at is not None:
        return None, _points(definition)
    windows = {leaf.window for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion)}
    if len(windows) != 1:
        return None, phrase(definition.qualify, definition.anchor)
    when = window_phrase(next(iter(windows)), definition.anchor)
    return when, formula(definition.qualify, definition.anchor, with_windows=False, inner=False)


def _points(definition: Definition) -> str:
    score = definition.score
    if score is None or score.pql_at is None:
        return ""
    given = [
        f"{figure(score.points[leaf.id])} for {formula(leaf, definition.anchor, with_windows=True, inner=True)}"
        for leaf in leaves(definition.qualify)
        if leaf.id in score.points
    ]
    return f"at least {figure(score.pql_at)} of 100 points: {'; '.join(given)}"


def _eligible(definition: Definition) -> str:
    if not definition.eligible:
        return ""
    conditions = [f"whose {condition_phrase(condition)}" for condition in definition.eligible]
    return f"Only {definition.entity}s {listed(conditions, 'and')}."


def _outcome(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    if outcome.definition is not None:
        what = f"meeting the definition {named(outcome.definition.name)}"
    else:
        what = f"the event {named(outcome.event)}" if outcome.event is not None else "a conversion"
        what = "any event" if outcome.event == ANY_EVENT and outcome.after is not None else what
    details = [condition_phrase(condition) for condition in outcome.where]
    details += [f"kind is {named(outcome.kind)}"] if outcome.kind is not None else []
    details += [f"the plan before is {either(outcome.from_plan)}"] if outcome.from_plan is not None else []
    details += [f"the plan after is {either(outcome.to_plan)}"] if outcome.to_plan is not None else []
    where = f", where {listed(details, 'and')}" if details else ""
    joint = " and" if details else ","
    stays = f"{joint} which lasts {outcome.retained_for.in_words}" if outcome.retained_for is not None else ""
    if outcome.after is not None:
        return f"Success is {what} more than {outcome.after.in_words}, at most {outcome.within.in_words} after qualifying{where}."
    return f"Success is {what} within {outcome.within.in_words} of qualifying{where}{stays}."


def _lead(definition: Definition) -> str:
    lead = definition.lead
    if lead is None:
        return ""
    parts = []
    if lead.fresh_for is not None:
        parts.append(f"is fresh for {lead.fresh_for.in_words}")
    if lead.cooldown is not None:
        parts.append(f"may qualify again {lead.cooldown.in_words} after it lapsed")
    sentence = f"A lead {' and '.join(parts)}." if parts else ""
    if lead.near is None:
        return sentence
    share, lately = f"{100 * lead.near.at_least:.6g} %", lead.near.active_within.in_words
    return " ".join(filter(None, [sentence, f"Near is who has done {share} and was active in the last {lately}."]))


# ---------------------------------------------------------------- one lead


def _whole(bound: Limit, limit: Number | None) -> Number | None:
    """Give what the percentage is of; a limit that is not positive is no limit."""
    whole = bound.number if bound.number is not None else limit
    return whole if whole is not None and whole > 0 else None


def _lacks(value: Number, bound: Bound, limit: Number | None) -> Number:
    """Give how much `value` is short of a bound (negative: how far above), exactly, to 6 decimals."""
    threshold = _exact(bound) if not isinstance(bound, Limit) else _share(bound, limit)
    lack = threshold - _exact(value)
    return int(lack) if lack == lack.to_integral_value() else float(lack)


def _share(bound: Limit, limit: Number | None) -> Decimal:
    share = _exact(bound.percent) * _exact(_whole(bound, limit) or 0) / 100
    return share.quantize(Decimal("0.000001"), ROUND_CEILING)


def _exact(number: Number) -> Decimal:
    return Decimal(repr(number))


def _missing_ref(ref: Ref, value: Number | None) -> str | None:
    needed = ref.users_at_least if ref.users_at_least is not None else 1
    lack = needed - int(value or 0)
    if lack <= 0:
        return None
    return _users_of(ref, lack, more=True) if ref.users_at_least is not None else named(ref.name)


def _users_of(ref: Ref, number: Number, *, more: bool) -> str:
    return f"{counted(number, 'user', more=more)} qualified as {named(ref.name)}"


def _worded(criterion: Criterion) -> Wording | None:
    """Give the wording of a single event; lists and hostile names have none."""
    if criterion.events is None or len(criterion.events) != 1:
        return None
    return wording(criterion.events[0])


def _subject_of(criterion: Criterion) -> str:
    """Name the behaviour in a sentence: in words if it has a wording, else as it is."""
    event = _worded(criterion)
    if event is not None:
        return event.once
    return "any event" if criterion.events is None else either(criterion.events)


def _amount(criterion: Criterion, value: Number | None) -> str:
    """Say a measured value."""
    measure = criterion.measure
    if value is None:
        if measure.kind.facts.null_without_events:
            return f"no {_of(measure)} known"
        value = 0
    match measure.kind:
        case MeasureKind.COUNT:
            return _times(criterion, value)
        case MeasureKind.DAYS:
            subject = "active" if criterion.events is None else _subject_of(criterion)
            return f"{subject} on {counted(value, 'day')}"
        case MeasureKind.USERS:
            return (
                counted(value, "active user") if criterion.events is None else _by_users(criterion, value, more=False)
            )
        case MeasureKind.DISTINCT:
            return f"{figure(value)} different {_things(measure, value)}"
        case MeasureKind.DISTINCT_EVENTS:
            return counted(value, "different event")
        case MeasureKind.SUM:
            return _total(criterion, value)
        case MeasureKind.MAX:
            return f"largest {_of(measure)} {figure(value)}"
        case MeasureKind.LAST:
            return _latest(_of(measure), value)
        case _:
            assert_never(measure.kind)


def _latest(noun: str, value: Number) -> str:
    """Say a latest value: ``8,000 contacts``, ``latest balance 12``."""
    if plural(noun) == noun:
        return f"{figure(value)} {singular(noun) if value == 1 else noun}"
    return f"latest {noun} {figure(value)}"


def _more(criterion: Criterion, value: Number | None, lack: Number) -> str:
    """Say an amount that is missing; "more" only where there is something already."""
    measure, more = criterion.measure, bool(value)
    match measure.kind:
        case MeasureKind.COUNT:
            return _times(criterion, lack, more=more)
        case MeasureKind.DAYS:
            subject = "active" if criterion.events is None else _subject_of(criterion)
            return f"{subject} on {counted(lack, 'day', more=more)}"
        case MeasureKind.USERS if criterion.events is None:
            return counted(lack, "active user", more=more)
        case MeasureKind.USERS:
            return _by_users(criterion, lack, more=more)
        case MeasureKind.DISTINCT:
            return f"{figure(lack)} {'more ' if more else ''}different {_things(measure, lack)}"
        case MeasureKind.DISTINCT_EVENTS:
            return counted(lack, "different event", more=more)
        case MeasureKind.SUM:
            return f"{figure(lack)} {'more ' if more else ''}{_things(measure, lack)}"
        case MeasureKind.MAX | MeasureKind.LAST if value is None:
            return f"no {_of(measure)} known"
        case MeasureKind.MAX | MeasureKind.LAST:
            return f"{figure(lack)} more {_of(measure)} ({figure(value)} so far)"
        case _:
            assert_never(measure.kind)


def _times(criterion: Criterion, number: Number, *, more: bool = False) -> str:
    """Say how often something happened, as a count of things where the name allows."""
    event = _worded(criterion)
    if event is None or event.is_plural:
        return _repeated(criterion, event, number, more=more)
    if more and event.act is not None:
        return counted(number, event.act, more=True)
    return counted(number, event.once, event.many, more=more)


def _repeated(criterion: Criterion, event: Wording | None, number: Number, *, more: bool) -> str:
    """Say it as a repetition: one event of ``contacts_imported`` is not one contact, and a strange name has no plural."""
    if more and event is not None and event.done is not None and event.act is not None:
        return counted(number, event.act, more=True)
    if criterion.events is None:
        return counted(number, "event", more=more)
    return f"{_subject_of(criterion)} {counted(number, 'time', more=more)}"


def _by_users(criterion: Criterion, number: Number, *, more: bool) -> str:
    return f"{_subject_of(criterion)} by {counted(number, 'user', more=more)}"


def _total(criterion: Criterion, value: Number) -> str:
    """Say a sum: ``62 contacts imported``, ``150 minutes``, ``1,200 of amount``."""
    event, things = _worded(criterion), _property(criterion.measure)
    if event is not None and event.done is not None and things is not None and plural(things) == plural(event.subject):
        return f"{figure(value)} {singular(things) if value == 1 else plural(things)} {event.done}"
    return f"{figure(value)} {_things(criterion.measure, value)}"


def _property(measure: Measure) -> str | None:
    """Give a property's name as a noun: ``friend_id`` is about friends."""
    name = (measure.property or "").removesuffix("_id").removesuffix("Id").removesuffix(" id")
    return words(name) if name else None


def _things(measure: Measure, number: Number) -> str:
    """Name what a property counts, agreeing with the number."""
    noun = _property(measure)
    if noun is None:
        return (
            f"of {named(measure.property or '')}"
            if measure.kind is MeasureKind.SUM
            else f"{named(measure.property or '')}"
        )
    if measure.kind is MeasureKind.DISTINCT:
        return noun if number == 1 else plural(noun)
    # A sum of contacts counts contacts; a sum of amount is not a number of amounts.
    if plural(noun) != noun:
        return f"of {noun}"
    return singular(noun) if number == 1 else noun


def _of(measure: Measure) -> str:
    return _property(measure) or named(measure.property or "")
