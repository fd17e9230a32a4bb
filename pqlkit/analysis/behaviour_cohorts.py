"""The behaviour's cohorts: snapshots at which it had been done by the cutoff and snapshots at which it had not, and what followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.analysis.cohorts import Cohort, Cohorts, Start, conversion_curve
from pqlkit.analysis.follow_up import follow_up, life_table
from pqlkit.snapshots.matches import holds_at
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.analysis.observation import Observed
    from pqlkit.definitions.model import Definition, Node
    from pqlkit.population.population import Population

__all__ = ["DID", "DID_NOT", "behaviour_cohorts", "did", "did_at"]

DID: Final = "did"
DID_NOT: Final = "did not"


def behaviour_cohorts(observed: Observed, by: str, node: Node) -> Cohorts:
    """Split the snapshots by a behaviour, and draw each part's conversion curve from the cutoff on.

    Parameters
    ----------
    observed
        The snapshots.
    by, node
        The behaviour as written, and as the expression language reads it.

    Returns
    -------
    Cohorts
        ``did`` and ``did not``, always both. Who belongs where is known at the cutoff, by what came before it, and the clock
        starts there: a curve from signup would give those who did it the time that they had to stay unconverted to do it.
        Rates are of the snapshots of the analysis, and add up to its base; curves also use snapshots whose conversion window is not over.

    Notes
    -----
    Snapshots of ``every`` follow one another without overlap, and who is at risk in each, and in which group, is known when it
    begins: the plain log-rank test adds up their surprises and holds. Snapshots of ``age`` overlap, and users of one account are
    alike: there the variance is that between entities, or accounts.
    """
    frame, followed = observed.snapshots.frame, follow_up(observed)
    definition = _definition(observed.population, by, node)
    held, watched = (holds_at(observed.population, definition, rows) for rows in (frame, followed))
    groups = ((DID, held, watched), (DID_NOT, ~held, ~watched))
    return Cohorts(
        by=by,
        cohorts=tuple(
            Cohort(
                by=by,
                cohort=name,
                rate=Rate.of(int(observed.y[inside].sum()), int(inside.sum()), design_effect=observed.design_effect),
                entities=int(seen.sum()),
                curve=conversion_curve(
                    life_table(followed.filter(pl.Series(seen))), design_effect=observed.design_effect
                ),
            )
            for name, inside, seen in groups
        ),
        p_value=_differ(observed, followed, watched),
        start=Start.CUTOFF,
        clustered=observed.dependent,
    )


def did(observed: Observed, by: str, node: Node) -> pl.Series:
    """Name the group of each snapshot of the analysis, in its order."""
    return did_at(observed.population, by, node, observed.snapshots.frame)


def did_at(population: Population, by: str, node: Node, moments: pl.DataFrame) -> pl.Series:
    """Name the group of each moment: ``entity`` and ``cutoff``."""
    held = holds_at(population, _definition(population, by, node), moments)
    return pl.select(pl.when(pl.Series(held)).then(pl.lit(DID)).otherwise(pl.lit(DID_NOT)).alias("cohort")).to_series()


def _differ(observed: Observed, followed: pl.DataFrame, watched: NDArray[np.bool_]) -> float | None:
    """Test whether the two curves are one."""
    from pqlkit.snapshots.clusters import clusters
    from pqlkit.statistics.clustered_log_rank import clustered_log_rank
    from pqlkit.statistics.survival import log_rank

    if not observed.dependent:
        parts = [life_table(followed.filter(pl.Series(side))) for side in (watched, ~watched)]
        return log_rank(parts).p_value
    days, done = (followed.get_column(name).to_numpy() for name in ("days", "done"))
    labels = clusters(observed.population, followed.get_column("entity").to_numpy())
    return clustered_log_rank(days, done, watched, labels).p_value


def _definition(population: Population, by: str, node: Node) -> Definition:
    from pqlkit.definitions.model import Definition

    return Definition(
        name="behaviour", title=by[:200], entity=population.kind, anchor=population.anchor, qualify=node, outcome=None
    )
