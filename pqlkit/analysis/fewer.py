"""The behaviour after which fewer convert: found among those who are as active by everything else that they do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.adjustment import GRID_VALUES, SHORTLIST, Models, counted
from pqlkit.analysis.associations import LEVELS
from pqlkit.measures.behaviour import GRID

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.analysis.effect import Effect
    from pqlkit.analysis.observation import Observed
    from pqlkit.measures.behaviour import Behaviour, Cube
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate

EXPECTED: Final = 10
"""Conversions that those who do it would have had: 0 of 305 where 34 were expected is a finding, 0 of 5 is none."""

DIFFERENT: Final = 1 / 1.2
"""A relative risk that matters lies below this, and its whole interval where nothing could be adjusted for."""

LEVEL: Final = 0.05

_STEPS: Final = 2  # strata of activity for each doubling of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fewer:
    """One event x window, among the snapshots at which other things were done, at the threshold that tells most.

    Parameters
    ----------
    behaviour, threshold
        Who did it at least so often is compared with those who did it less often.
    table
        The snapshots with other activity: at the threshold or above it, and below.
    expected
        Conversions of those who did it, had they converted as all who are as active by other behaviours.
    p_value
        Mantel and Haenszel's test over strata of that activity, on both sides, times the thresholds tried.
    q_value
        By Benjamini and Hochberg among all tests of the analysis.
    effect
        What is left of it beside other activity, calendar, age and fixed traits, of the active; None where it was not fitted.
    """

    behaviour: Behaviour
    threshold: int
    table: Contingency
    expected: float
    p_value: float
    q_value: float | None = None
    effect: Effect | None = None

    @property
    def relative_risk(self) -> Estimate:
        """Those who did it against the others, all of them active."""
        return self.table.relative_risk()

    @property
    def stands(self) -> bool:
        """Whether it goes with fewer conversions by more than chance and by a size that matters, adjusted where that could be fitted."""
        risk = self.relative_risk if self.effect is None else self.effect.relative_risk
        if risk.value is None or risk.high is None or self.q_value is None:
            return False
        bound = DIFFERENT if self.effect is None else 1.0
        return self.q_value < LEVEL and risk.value < DIFFERENT and risk.high < bound

    @property
    def expression(self) -> str:
        """The hypothesis that ``pqlkit try`` reads: that it was done less often."""
        from pqlkit.definitions.expression import expression

        return expression(self.behaviour.criterion(at_most=self.threshold - 1))


def fewer(observed: Observed, *, skip: Collection[str] = ()) -> tuple[Fewer, ...]:
    """Test every event in every window for fewer conversions than among those as active.

    Parameters
    ----------
    observed
        The snapshots and what was measured at them.
    skip
        Events that leak the outcome: neither tested nor anybody's activity.

    Returns
    -------
    tuple of Fewer
        One an event and window at which at least `EXPECTED` conversions were expected of those who did it, whatever the
        test says, without adjusted figures. `q_value` is among these alone; an analysis makes further tests.

    Notes
    -----
    Who is more active does more of everything and converts more often, so an event that goes with fewer conversions can look
    harmless among all. Strata are two to each doubling of the count of *other* behaviours in the longest window.
    """
    from pqlkit.statistics.multiplicity import benjamini_hochberg

    cube = observed.cube
    counts = counted(cube, skip)
    if not counts or not observed.y.any():
        return ()
    activity = Activity.of(cube, counts)
    # The windows of one event stand together, and the others' activity is the same for all of them.
    by_event = groupby(counts, key=lambda index: cube.behaviours[index].event)
    strata = ((_Strata.of(observed, activity.others(event)), own) for event, own in by_event)
    tested = [row for part, own in strata for index in own if (row := _tested(observed, index, part)) is not None]
    q = benjamini_hochberg([row.p_value for row in tested])
    return tuple(replace(row, q_value=float(value)) for row, value in zip(tested, q, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """How much was done at each snapshot, by the events that are counted in the longest window."""

    cube: Cube
    own: dict[str | None, int]
    total: NDArray[np.float64]

    @classmethod
    def of(cls, cube: Cube, counted: Sequence[int]) -> Activity:
        """Add up the counts of these behaviours, as far as they are of the longest window."""
        longest = max(
            (length for index in counted if (length := cube.behaviours[index].window.length) is not None), default=None
        )
        own = {
            cube.behaviours[index].event: index for index in counted if cube.behaviours[index].window.length == longest
        }
        total = np.zeros(cube.snapshots)
        for index in own.values():
            rows, levels = cube.column(index)
            total[rows] += GRID_VALUES[levels]
        return cls(cube, own, total)

    def others(self, event: str | None) -> NDArray[np.float64]:
        """Leave one event out."""
        others = self.total.copy()
        if event in self.own:
            rows, levels = self.cube.column(self.own[event])
            others[rows] -= GRID_VALUES[levels]
        return others


@dataclass(frozen=True, slots=True, eq=False)
class _Strata:
    """Snapshots by how much else was done: the active ones, the stratum of each, and which of them converted."""

    active: NDArray[np.bool_]
    number: NDArray[np.int64]
    converted: NDArray[np.bool_]

    @classmethod
    def of(cls, observed: Observed, others: NDArray[np.float64]) -> _Strata:
        active = others > 0
        return cls(active, np.floor(_STEPS * np.log2(others[active])).astype(np.int64), observed.y[active])


def _tested(observed: Observed, index: int, strata: _Strata) -> Fewer | None:
    from scipy.special import ndtr

    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.multiplicity import bonferroni
    from pqlkit.statistics.stratified import mantel_haenszel

    behaviour = observed.cube.behaviours[index]
    rows, levels = observed.cube.column(index)
    level = np.zeros(strata.active.size, dtype=np.uint8)
    level[rows] = levels
    shape = (int(strata.number.max(initial=0)) + 1, LEVELS)
    place = strata.number * LEVELS + level[strata.active]
    size = np.bincount(place, minlength=shape[0] * LEVELS).reshape(shape)
    converted = np.bincount(place[strata.converted], minlength=shape[0] * LEVELS).reshape(shape)
    reach, hits = _at_least(size), _at_least(converted)
    expected, z = mantel_haenszel(hits[:, 1:], reach[:, 1:], hits[:, 0], reach[:, 0])
    tried = np.flatnonzero((expected >= EXPECTED) & ~np.isnan(z))
    if not tried.size:
        return None
    z = z / np.sqrt(observed.design_effect)
    best = int(tried[np.argmin(z[tried])])
    a, n1 = int(hits[:, best + 1].sum()), int(reach[:, best + 1].sum())
    return Fewer(
        behaviour=behaviour,
        threshold=GRID[best],
        table=Contingency.of(
            qualified=n1,
            converted=a,
            entities=int(reach[:, 0].sum()),
            converters=int(hits[:, 0].sum()),
            design_effect=observed.design_effect,
        ),
        expected=float(expected[best]),
        p_value=float(bonferroni(2 * ndtr(-abs(z[best])), tried.size)),
    )


def adjusted(
    observed: Observed,
    rows: Sequence[Fewer],
    *,
    skip: Collection[str] = (),
    traits: Mapping[str, pl.Series] | None = None,
) -> tuple[Fewer, ...]:
    """Keep what stands, one row an event, each with its adjusted figures: of the snapshots at which something was done.

    Parameters
    ----------
    observed, skip
        As for `fewer`.
    rows
        With their q values.
    traits
        As for `pqlkit.analysis.adjustment.rule_effect`.
    """
    best: dict[str | None, Fewer] = {}
    for row in sorted(rows, key=lambda row: (row.p_value, -row.expected)):
        if row.q_value is not None and row.q_value < LEVEL and row.table.a < row.expected:
            best.setdefault(row.behaviour.event, row)
    if not best:
        return ()
    cube = observed.cube
    active = Activity.of(cube, counted(cube, skip)).total > 0
    models = Models.of(
        cube, observed.snapshots.frame, skip=skip, clusters=observed.clusters, traits=traits, rows=active
    )
    places = {behaviour: index for index, behaviour in enumerate(cube.behaviours)}
    full = []
    for row in list(best.values())[:SHORTLIST]:
        effect = None if models is None else models.effect(places[row.behaviour], row.threshold)
        if effect is not None and effect.odds_ratio.value is not None:
            full.append(replace(row, effect=effect))
        else:
            full.append(row)
    return tuple(row for row in full if row.stands)


def _at_least(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
