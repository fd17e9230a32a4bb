"""The lives: for each entity what a qualification is judged by, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, ENTITY
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.population.entity_world import SIGNUP
from pqlkit.snapshots.clusters import clusters
from pqlkit.snapshots.snapshots import is_retained

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pqlkit.population.population import Population
    from pqlkit.snapshots.schedule import Design
    from pqlkit.typing import Microseconds

NEVER: Final = np.iinfo(np.int64).max
_PRESENT: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lives:
    """What happened to each entity; one value per entity, by its number.

    Parameters
    ----------
    anchor
        When its clock starts.
    converted, counted
        When it converted, and when it did so as the outcome asks (stayed); `NEVER` = not.
    able
        Whether it may qualify at all.
    seen_from
        When a moving window of it is first seen whole is this plus the window; 0 = from its beginning.
    cluster
        Entities of one label are not independent.
    window, waits, gap
        How long after a moment a conversion counts, until it is known, and from when on.
    last
        ``once`` and ``age``: until this age a qualification is one of this choice, and all have until this age and the window to
        convert (else a rule would gain by beginning late). None for ``every``.
    returns
        When an outcome with ``after`` came, asked of moments: then nobody converts once and for all. None = of conversions.
    """

    anchor: NDArray[np.int64]
    converted: NDArray[np.int64]
    counted: NDArray[np.int64]
    able: NDArray[np.bool_]
    seen_from: NDArray[np.int64]
    cluster: NDArray[np.int64]
    window: Microseconds
    waits: Microseconds
    gap: Microseconds
    last: Microseconds | None
    returns: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]] | None = None

    @classmethod
    def of(cls, population: Population, design: Design) -> Lives:
        """Read them off a population that is looked at by a design."""
        kept = population.outcome.retained_for
        facts = population.entities.sort(ENTITY).select(
            pl.col(ANCHOR).fill_null(_PRESENT),
            pl.col(CONVERTED).fill_null(NEVER),
            able=~pl.col("invalid") & pl.col("at_risk") & pl.col(ANCHOR).is_not_null(),
            kept=is_retained(kept),
        )
        converted = facts.get_column(CONVERTED).to_numpy()
        anchor = facts.get_column(ANCHOR).to_numpy()
        lives = population.world.entities
        signup = lives.get_column(SIGNUP if SIGNUP in lives.columns else ANCHOR).fill_null(_PRESENT).to_numpy()
        begin, window = population.history_from, design.conversion_window.microseconds
        able = facts.get_column("able").to_numpy()
        every = design.kind is DesignKind.EVERY
        return cls(
            anchor=anchor,
            converted=converted,
            counted=np.where(facts.get_column("kept").fill_null(value=False).to_numpy(), converted, NEVER),
            able=able if every else able & (anchor >= begin),
            seen_from=np.where(signup >= begin, 0, begin),
            cluster=clusters(population, np.arange(len(anchor), dtype=np.int64)),
            window=window,
            waits=window + (kept.microseconds if kept is not None else 0),
            gap=design.gap.microseconds,
            last=None if every else max(cutoff.microseconds for cutoff in design.cutoffs),
            returns=None if population.recurring is None else partial(_returned, population, window),
        )

    def followed(self, entity: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which moments a conversion followed within the window: what is promised and reported."""
        if self.returns is not None:
            return self.returns(entity, at)
        return self.counted[entity] <= at + self.window

    def deadline(self, entity: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give until when a moment may be followed by a conversion where rules are chosen."""
        if self.last is None:
            return at + self.window
        return self.anchor[entity] + (self.last + self.window)

    def chosen_by(self, entity: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which moments count as converted where rules are chosen."""
        if self.returns is not None:
            return self.returns(entity, at)
        when = self.counted[entity]
        return (when <= self.deadline(entity, at)) & ((self.last is not None) | (when > at + self.gap))


def _returned(
    population: Population, window: Microseconds, entity: NDArray[np.int64], at: NDArray[np.int64]
) -> NDArray[np.bool_]:
    came = population.outcome_at(pl.Series(entity, dtype=pl.Int64), pl.Series(at, dtype=pl.Int64), window)
    return came.is_not_null().to_numpy()
