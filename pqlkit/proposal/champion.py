"""The champion: a definition in use, read on the same later qualifications at the same number of leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.proposal.promise import promise, started

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population
    from pqlkit.proposal.candidate import Candidate, Promise
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Champion:
    """How the definition in use did.

    Parameters
    ----------
    definition
        Which.
    promised
        Its qualifications in the holdout period, by its own conversion window.
    at_same_leads
        If it had given as many complete leads as the proposed rule: some of its own, or all and comparable others beside them, in
        expectation, as (converted, leads); None without a proposal, or where there is nobody to compare with.
    """

    definition: Definition
    promised: Promise
    at_same_leads: tuple[float, int] | None


def champion(
    population: Population, definition: Definition, *, first: Microseconds, challenger: Candidate | None
) -> Champion:
    """Read a definition on the holdout.

    Parameters
    ----------
    population
        Who exists.
    definition
        The one in use.
    first
        Beginning of the holdout period.
    challenger
        The proposed rule: for the number of leads, and how comparable others convert.

    Raises
    ------
    UsageError
        The definition is about other entities.
    """
    from pqlkit.population.definition_clock import clocked

    population = clocked(population, definition)
    promised = promise(population, started(population, definition), first=first, before=None)
    return Champion(
        definition=definition,
        promised=promised,
        at_same_leads=None if challenger is None else _at_same_leads(promised, challenger),
    )


def _at_same_leads(promised: Promise, challenger: Candidate) -> tuple[float, int] | None:
    """Expect the conversions of as many leads as the challenger's: the champion's own first, comparable others after."""
    leads, own = challenger.promised.rate.denominator, promised.rate
    inside = min(leads, own.denominator)
    converted = inside * (own.rate or 0.0)
    others = None if challenger.compared is None else challenger.compared.active.others_rate
    if leads == inside:
        return converted, leads
    return None if others is None else (converted + others * (leads - inside), leads)
