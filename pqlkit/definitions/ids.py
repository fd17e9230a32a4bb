"""The id: the name of a criterion in leads and points, made from event and measure where none is written."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pqlkit.columns import LEAD_COLUMNS
from pqlkit.definitions.model import All, Any, Criterion, Measure, MeasureKind, NOf, Not, Ref, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pqlkit.definitions.model import Node

_LONGEST: Final = 60
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER: Final = re.compile(r"[^a-z0-9]+")


def made(leaf: Criterion | Ref) -> str:
    """Make the id of a criterion from event and measure, that of a ref from the name it refers to.

    Examples
    --------
    >>> from pqlkit.definitions.model import Criterion, Window, WindowKind
    >>> made(Criterion(id="", events=("Trial Started",), window=Window(kind=WindowKind.EVER)))
    'trial_started'
    """
    if isinstance(leaf, Criterion):
        return of_behaviour(leaf.events, leaf.measure)
    return _free(_slug(leaf.name))


def of_behaviour(events: Sequence[str] | None, measure: Measure) -> str:
    """Make an id of a behaviour: ``login``, ``login_days``, ``contacts_imported_sum_contacts``, ``any_event_days``."""
    subject = "any_event" if events is None else "_or_".join(_slug(event) for event in events[:3])
    if measure.kind is not MeasureKind.COUNT:
        subject = f"{subject[:_LONGEST]}_{measure.kind}"
    if measure.property is not None:
        subject = f"{subject}_{_slug(measure.property)}"
    return _free(subject)


def unique(wanted: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Make ids differ: the later ones of equals become ``login_2``, ``login_3``; `taken` are the ids that were written."""
    used = set(taken)
    result = []
    for name in wanted:
        candidate, number = name, 1
        while candidate in used:
            number += 1
            candidate = f"{name}_{number}"
        used.add(candidate)
        result.append(candidate)
    return result


def given(node: Node) -> Node:
    """Give every leaf without an id (the empty text) the one made from it."""
    unnamed = [leaf for leaf in leaves(node) if not leaf.id]
    names = unique(map(made, unnamed), [leaf.id for leaf in leaves(node) if leaf.id])
    return _named(node, iter(names).__next__)


def _named(node: Node, following: Callable[[], str]) -> Node:
    match node:
        case Criterion() | Ref():
            return node if node.id else replace(node, id=following())
        case Not(part=part):
            return Not(part=_named(part, following))
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            return replace(node, parts=tuple(_named(part, following) for part in parts))


def _slug(name: str) -> str:
    words = _OTHER.sub("_", _HUMP.sub("_", name[:1000]).lower()).strip("_")
    return words[:_LONGEST].rstrip("_") or "event"


def _free(name: str) -> str:
    """Keep an id within its alphabet and off the columns of the lead list."""
    name = name[: 2 * _LONGEST - 20].rstrip("_")
    name = name if name[0].isalpha() else f"event_{name}"
    return f"{name}_event" if name in LEAD_COLUMNS else name
