"""The rule by trait: whether it holds for every value of what is known of entities beside their events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.adjustment import POOLED
from pqlkit.proposal.candidate import ByTrait, Group
from pqlkit.proposal.objective import RELATIVE_RISK

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.analysis.observation import Observed
    from pqlkit.statistics.stratified import Excess

LEVEL: Final = 0.05
MISSING: Final = "missing"
OTHERS: Final = "other values"

__all__ = ["by_traits"]


def by_traits(
    observed: Observed, met: NDArray[np.bool_], rows: NDArray[np.bool_], traits: Mapping[str, pl.Series]
) -> tuple[ByTrait, ...]:
    """Split a rule by each trait, and test whether it goes with converting equally for all values.

    Parameters
    ----------
    observed
        The snapshots.
    met, rows
        bool, one per snapshot: who meets the rule, and which snapshots are read.
    traits
        Values, one per snapshot.

    Returns
    -------
    tuple of ByTrait
        Traits with at least two values of 5 or more converters, one test each, corrected for all of them by Holm. A rule holds
        only for some values where the corrected p is at most 5 %, its relative risk is clearly above 1 for these, and for the
        rest together surely below 1.5.
    """
    from pqlkit.statistics.homogeneity import homogeneity
    from pqlkit.statistics.multiplicity import holm

    split = []
    for name, values in traits.items():
        labels = _labels(values, observed.y & rows, rows)
        kinds = sorted(set(labels[rows]), key=lambda kind: (kind in {MISSING, OTHERS}, kind))
        if len(kinds) < 2:
            continue
        groups = tuple(Group(name=kind, table=observed.table(met, rows & (labels == kind))) for kind in kinds)
        p_value = homogeneity([group.table for group in groups])
        split.append((labels, ByTrait(name=name, groups=groups, p_value=p_value)))
    adjusted = holm([np.nan if trait.p_value is None else trait.p_value for _, trait in split])
    return tuple(
        _judged(observed, met & rows, ~met & rows, labels, replace(trait, p_adjusted=None if np.isnan(p) else float(p)))
        for (labels, trait), p in zip(split, adjusted, strict=True)
    )


def _labels(values: pl.Series, converted: NDArray[np.bool_], rows: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Name the value at each snapshot; those of fewer than 5 converters are taken together."""
    text = values.fill_null(MISSING).to_numpy().astype(str)
    kinds, place = np.unique(text, return_inverse=True)
    rare = np.bincount(place[rows], weights=converted[rows], minlength=len(kinds)) < POOLED
    return np.where(rare[place], OTHERS, text)


def _judged(
    observed: Observed,
    with_: NDArray[np.bool_],
    without: NDArray[np.bool_],
    labels: NDArray[np.str_],
    trait: ByTrait,
) -> ByTrait:
    """Say for which values it holds alone, if it does not hold equally."""
    if trait.p_adjusted is None or trait.p_adjusted > LEVEL:
        return trait
    clear = [group.name for group in trait.groups if (group.table.relative_risk().low or 0) > 1]
    if not clear or len(clear) == len(trait.groups):
        return trait
    rest = _rest(observed, with_, without, labels, ~np.isin(labels, clear))
    only = rest.high is not None and rest.high < RELATIVE_RISK
    return replace(trait, only_for=tuple(clear) if only else (), rest=rest)


def _rest(
    observed: Observed,
    with_: NDArray[np.bool_],
    without: NDArray[np.bool_],
    labels: NDArray[np.str_],
    inside: NDArray[np.bool_],
) -> Excess:
    """Compare within each of the other values those who meet it with those who do not."""
    from pqlkit.statistics.stratified import Moments, excess

    place = np.unique(labels, return_inverse=True)[1].astype(np.int64)

    def moments(rows: NDArray[np.bool_]) -> Moments:
        own = place[rows]
        return Moments(y=observed.y[rows], cluster=observed.clusters[rows], strata=[own, np.zeros_like(own)])

    return excess(moments(with_ & inside), moments(without & inside))
