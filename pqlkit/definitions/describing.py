"""Describing: definitions and criteria in plain English, always the same words for the same thing.

Names from exports are made inert (`inert.visible`) before they enter a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.definitions.model import Criterion, Definition, Measure, Node, Ref
    from pqlkit.typing import Number


def describe(definition: Definition) -> str:
    """Say a whole definition in one paragraph."""
    raise NotImplementedError


def phrase(part: Node) -> str:
    """Say one criterion (or formula) as what must hold: ``teammate_invited at least 4 times in the last 28 days``."""
    raise NotImplementedError


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
    """
    raise NotImplementedError


def evidence(part: Criterion | Ref, value: Number | None) -> str:
    """Say what was measured: ``4 teammates invited``, ``active on 6 days``."""
    raise NotImplementedError


def behaviour(events: tuple[str, ...] | None, measure: Measure) -> str:
    """Name a behaviour in a table: ``teammate_invited``, ``login (days)``, ``contacts_imported (sum of contacts)``."""
    raise NotImplementedError
