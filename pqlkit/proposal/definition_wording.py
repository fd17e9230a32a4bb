"""The wording: a rule of the search as a definition that reads as if a person had written it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.model import All, Anchor, Criterion, Definition, Lead, MeasureKind, Status, Window, WindowKind
from pqlkit.durations import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import EntityKind, Outcome
    from pqlkit.proposal.literals import Literal

LONGEST_NAME: Final = 60
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def slug(text: str) -> str:
    """Make a name of small ASCII words and hyphens.

    Examples
    --------
    >>> slug("Teammate Invited"), slug("projectCreated"), slug("$autocapture"), slug("登录")
    ('teammate-invited', 'project-created', 'autocapture', 'behaviour')
    """
    return "-".join(word.lower() for word in _WORD.findall(text)) or "behaviour"


def name_of(literals: Sequence[Literal], taken: Sequence[str] = ()) -> str:
    """Name a rule after its events, numbered if the name is taken.

    Parameters
    ----------
    literals
        In reading order.
    taken
        Names that exist.
    """
    parts = list(
        dict.fromkeys(
            "active" if literal.name == "any event" else slug(" ".join([literal.name, *_kind(literal)]))
            for literal in literals
            if literal.behaviour
        )
    )
    while len("-and-".join(parts)) > LONGEST_NAME and len(parts) > 1:
        parts.pop()  # the weakest: half a word would tell less than none
    return numbered("-and-".join(parts)[:LONGEST_NAME].rstrip("-"), taken)


def _kind(literal: Literal) -> list[str]:
    """Name the values that an event must have, or the property that is added up."""
    behaviour = literal.behaviour
    if behaviour is None:
        return []
    return [*(str(condition.values[0]) for condition in behaviour.where), *filter(None, [behaviour.measure.property])]


def numbered(base: str, taken: Sequence[str]) -> str:
    """Give `base`, or `base`-2, -3 ... if that is taken.

    Examples
    --------
    >>> numbered("login", ["login", "login-2"])
    'login-3'
    """
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def definition_of(
    literals: Sequence[Literal],
    *,
    name: str,
    kind: EntityKind,
    outcome: Outcome,
    anchor: Anchor | None = None,
    mechanical: frozenset[str] = frozenset(),
) -> Definition:
    """Write a rule as a definition.

    Parameters
    ----------
    literals
        At least one behaviour; traits become `eligible`.
    name, kind, outcome, anchor
        Of the definition.
    mechanical
        Events that precede the upgrade by construction.

    Returns
    -------
    Definition
        Status ``hypothesis``, the strongest criterion first as the search ordered them. A lead is fresh for one conversion
        window: what the rate is promised for. With trailing windows it may come again a conversion window after it lapsed.
    """
    criteria = tuple(_criterion(literal, mechanical) for literal in literals if literal.behaviour is not None)
    ids = _ids(criteria)
    named = tuple(_with_id(literal, ids[index]) for index, literal in enumerate(criteria))
    trailing = any(literal.window.kind is WindowKind.TRAILING for literal in named)
    definition = Definition(
        name=name,
        entity=kind,
        title="",
        status=Status.HYPOTHESIS,
        anchor=anchor or Anchor(),
        within=_shared_window(named),
        eligible=tuple(literal.trait for literal in literals if literal.trait is not None),
        qualify=named[0] if len(named) == 1 else All(parts=named),
        outcome=outcome,
        lead=Lead(fresh_for=outcome.within, cooldown=outcome.within if trailing else None),
    )
    return _titled(definition)


def _titled(definition: Definition) -> Definition:
    from pqlkit.definitions.describing import phrase

    text = phrase(definition.qualify)
    return replace(definition, title=(text[:1].upper() + text[1:])[:200])


def _criterion(literal: Literal, mechanical: frozenset[str]) -> Criterion:
    behaviour = literal.behaviour
    if behaviour is None or literal.threshold is None:
        message = "a trait is no criterion"
        raise ValueError(message)
    return replace(
        behaviour.criterion(at_least=literal.threshold),
        window=Window(kind=behaviour.window.kind, length=_emitted(behaviour.window.length)),
        mechanical=behaviour.event in mechanical,
    )


def _emitted(length: Duration | None) -> Duration | None:
    return None if length is None else Duration.parse(length.emitted)


def _with_id(criterion: Criterion, name: str) -> Criterion:
    return replace(criterion, id=name)


def _ids(criteria: Sequence[Criterion]) -> list[str]:
    from pqlkit.definitions import ids

    return list(ids.unique([ids.made(criterion) for criterion in criteria], []))


def _shared_window(criteria: Sequence[Criterion]) -> Duration | None:
    windows = {criterion.window for criterion in criteria}
    if len(windows) == 1 and (only := next(iter(windows))).kind is WindowKind.WITHIN:
        return only.length
    return None


def in_words(literals: Sequence[Literal]) -> str:
    """Say a rule on one line: ``teammate_invited >= 4 in 28d, any event (days) >= 10 in 28d``."""
    parts = []
    for literal in literals:
        if literal.trait is not None:
            parts.append(f"{literal.trait.name} = {literal.trait.values[0]}")
        if literal.behaviour is None:
            continue
        measure = literal.behaviour.measure
        way = " ".join(word for word in (measure.kind.value, measure.property) if word)
        said = "" if measure.kind is MeasureKind.COUNT else f" ({way})"
        where = "".join(f"[{condition.name} = {condition.values[0]}]" for condition in literal.behaviour.where)
        parts.append(f"{literal.name}{where}{said} >= {literal.threshold:,} in {literal.behaviour.window.length}")
    return ", ".join(parts)
