"""The champion: a definition in use, read on the same holdout at the same number of leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.proposal.promise import promise, started

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.analysis.observation import Observed
    from pqlkit.definitions.model import Definition
    from pqlkit.proposal.candidate import Promise
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Champion:
    """How the definition in use did.

    Parameters
    ----------
    definition
        Which.
    holdout
        The snapshot view on the later snapshots.
    promised
        The qualification view in the holdout period.
    at_same_share
        The snapshot view if it had given as many leads as the proposed rule: its qualified snapshots drawn (or others added at
        random) in expectation, as (converted, snapshots); None without a proposal.
    """

    definition: Definition
    holdout: Contingency
    promised: Promise
    at_same_share: tuple[float, int] | None


def champion(
    observed: Observed,
    definition: Definition,
    holdout: NDArray[np.bool_],
    *,
    first: Microseconds,
    challenger: NDArray[np.bool_] | None,
) -> Champion:
    """Read a definition on the holdout.

    Parameters
    ----------
    observed
        The snapshots.
    definition
        The one in use; its outcome is read with the analysis' conversion window in the snapshot view, its own in the qualification view.
    holdout
        bool, one per snapshot.
    first
        Beginning of the holdout period.
    challenger
        bool, one per snapshot: the proposed rule, for the number of leads.

    Raises
    ------
    UsageError
        The definition is about other entities.
    """
    from pqlkit.population.definition_clock import clocked
    from pqlkit.snapshots.matches import met_at
    from pqlkit.snapshots.spells import qualifications

    population = clocked(observed.population, definition)
    spells = qualifications(population, definition)
    met = met_at(population, definition, observed.snapshots.frame, spells=spells)
    table = observed.table(met, holdout)
    counted = started(population, definition, spells=spells)
    return Champion(
        definition=definition,
        holdout=table,
        promised=promise(population, counted, first=first, before=None),
        at_same_share=None if challenger is None else _same_share(table, int((challenger & holdout).sum())),
    )


def _same_share(table: Contingency, leads: int) -> tuple[float, int]:
    """Expect the conversions of `leads` snapshots taken from those that meet it first, from the others at random after."""
    inside = min(leads, table.n1)
    outside = leads - inside
    converted = table.a * (inside / table.n1 if table.n1 else 0.0) + table.c * (outside / table.n0 if table.n0 else 0.0)
    return float(converted), leads
