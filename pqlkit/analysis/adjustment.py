"""The adjustment: a behaviour's association beside activity by other behaviours, calendar and age."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.effect import Effect
from pqlkit.definitions.model import MeasureKind
from pqlkit.measures.behaviour import GRID
from pqlkit.statistics.arrays import Z95

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.analysis.association import Association
    from pqlkit.definitions.model import Window
    from pqlkit.measures.behaviour import Cube
    from pqlkit.statistics.adjusted import LogisticFit

SHORTLIST: Final = 40
CONTROLS: Final = 10
POSITIVES: Final = 5_000
"""Converted snapshots that a model sees: with ten others to each the error of a log odds ratio is about 0.05, in a quarter of the
time that 20,000 take."""
ALL: Final = 20_000
"""Others that one rule's model sees at least: it is fitted once or twice, and a draw of few others moves its ratio."""

PER_PARAMETER: Final = 10
POOLED: Final = 5
"""Values of a trait with fewer converters are taken together."""
ALIKE: Final = 0.8
GRID_VALUES: Final = np.array([0, *GRID][:256], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """The snapshots that the models are fitted on: all converters (at most 5,000), and 10 others for each or more.

    Slopes of a logistic regression do not change in expectation when controls are sampled; only its intercept does.

    Parameters
    ----------
    snapshots
        Row numbers, ascending.
    y
        Of these rows.
    cluster
        Of these rows; None where each is one of its own.
    adjusters
        Calendar blocks and age bands as 0/1 columns, the commonest of each (in which some convert and some do not) left out.
    fractions
        How many of the converted and of the other snapshots were drawn, as shares.

    References
    ----------
    Prentice, R. L. and Pyke, R. (1979). Logistic disease incidence models and case-control studies. Biometrika 66, 403-411.
    """

    snapshots: NDArray[np.int64]
    y: NDArray[np.bool_]
    cluster: NDArray[np.int64] | None
    adjusters: NDArray[np.float64]
    fractions: tuple[float, float] = (1.0, 1.0)

    @property
    def weights(self) -> NDArray[np.float64]:
        """How many snapshots each of the sample stands for."""
        converted, others = self.fractions
        weights: NDArray[np.float64] = np.where(self.y, 1 / converted, 1 / others)
        return weights

    @property
    def shift(self) -> float:
        """What the sample's intercept lacks to be that of all snapshots."""
        converted, others = self.fractions
        return float(np.log(others / converted))

    @classmethod
    def of(
        cls,
        frame: pl.DataFrame,
        *,
        clusters: NDArray[np.int64] | None = None,
        rows: NDArray[np.bool_] | None = None,
        least: int = 0,
        seed: int = 0,
    ) -> Sample:
        """Draw the sample.

        Parameters
        ----------
        frame
            The snapshots: ``y``, ``entity``, ``block``, ``age_band``.
        clusters
            int64, one per snapshot; None = each entity is one.
        rows
            bool, one per snapshot: only these. None = all.
        least
            So many others are drawn at least, however few convert.
        seed
            Of the draw.
        """
        y = frame.get_column("y").to_numpy()
        labels = frame.get_column("entity").to_numpy() if clusters is None else clusters
        inside = np.ones(len(y), dtype=np.bool_) if rows is None else rows
        generator = np.random.default_rng([seed, 1])
        positive = _some(np.flatnonzero(y & inside), POSITIVES, generator)
        negative = _some(np.flatnonzero(~y & inside), max(CONTROLS * len(positive), least, CONTROLS), generator)
        snapshots = np.sort(np.concatenate([positive, negative]))
        fractions = (
            max(len(positive), 1) / max(int((y & inside).sum()), 1),
            max(len(negative), 1) / max(int((~y & inside).sum()), 1),
        )
        strata = [frame.get_column(name).to_numpy()[snapshots] for name in ("block", "age_band")]
        columns = [_dummies(values, y[snapshots]) for values in strata]
        cluster = labels[snapshots]
        return cls(
            snapshots=snapshots,
            y=y[snapshots],
            cluster=None if np.unique(cluster).size == cluster.size else cluster,
            adjusters=np.concatenate(columns, axis=1),
            fractions=fractions,
        )

    def sized(self, cube: Cube) -> Sample:
        """Adjust for the size of accounts too: how many users were active in the longest window, where that was measured."""
        sizes = [
            index
            for index, behaviour in enumerate(cube.behaviours)
            if behaviour.event is None
            and behaviour.measure.kind is MeasureKind.USERS
            and behaviour.window == max((b.window for b in cube.behaviours), key=_length)
        ]
        columns = [np.log1p(self.column(cube, index))[:, None] for index in sizes]
        return replace(self, adjusters=np.concatenate([self.adjusters, *columns], axis=1))

    def column(self, cube: Cube, index: int) -> NDArray[np.float64]:
        """Give the values (on the grid) of one behaviour at the sampled snapshots."""
        rows, levels = cube.column(index)
        dense = np.zeros(cube.snapshots, dtype=np.uint8)
        dense[rows] = levels
        values: NDArray[np.float64] = GRID_VALUES[dense[self.snapshots]]
        return values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Model:
    """A model of the sample of which the first column is asked about, and what it says of that."""

    design: NDArray[np.float64]
    fit: LogisticFit
    effect: Effect


def _model(design: NDArray[np.float64], sample: Sample, *, penalise: bool) -> _Model:
    """Fit a model; where that has an empty cell, Firth's if it may take the time."""
    from pqlkit.statistics.adjusted import contrasts, fit_logistic
    from pqlkit.statistics.design_effect import design_effect
    from pqlkit.statistics.estimate import Undefined
    from pqlkit.statistics.firth import fit_firth
    from pqlkit.statistics.standardisation import firth_risk_ratio, risk_ratio

    y = sample.y.astype(np.float64)
    fit = fit_logistic(design, y, clusters=sample.cluster)
    odds = fit.odds_ratio(0)
    if odds.undefined is Undefined.SEPARATION and penalise:
        used, limits = contrasts(design, y, asked=0)
        part = design[np.ix_(used, limits == 0)]
        deff = 1.0 if sample.cluster is None else design_effect(y[used], sample.cluster[used])
        firth = fit_firth(part, y[used], design_effect=max(deff or 1.0, 1.0)) if np.ptp(part[:, 0]) > 0 else None
        if firth is not None:
            effect = Effect(
                odds_ratio=firth.odds_ratio(),
                relative_risk=firth_risk_ratio(firth, part, weights=sample.weights[used], shift=sample.shift),
                left_out=round(float(sample.weights[~used].sum())),
                penalised=True,
            )
            return _Model(design=design, fit=fit, effect=effect)
    effect = Effect(
        odds_ratio=odds,
        relative_risk=risk_ratio(fit, design, weights=sample.weights, shift=sample.shift),
        left_out=0 if fit.used is None else round(float(sample.weights[~fit.used].sum())),
    )
    return _Model(design=design, fit=fit, effect=effect)


def _effect(design: NDArray[np.float64], sample: Sample, traits: Mapping[str, pl.Series], *, penalise: bool) -> Effect:
    """Estimate what is asked about in the first column, without traits and, where there are converters enough, with them."""
    plain = _model(design, sample, penalise=penalise)
    wider, taken = _with_traits(design, sample, traits)
    if not taken:
        return plain.effect
    wide = _model(wider, sample, penalise=penalise)
    return replace(wide.effect, traits=taken, without_traits=plain.effect, explained=_explained(plain, wide, sample))


def _explained(plain: _Model, wide: _Model, sample: Sample) -> bool:
    """Tell whether the wider model surely leaves less of the association.

    Its relative risk lies below the other's by more than 1.96 standard errors of their difference, and so does its whole interval.
    """
    from pqlkit.statistics.standardisation import log_ratio_change

    before, high = plain.effect.relative_risk.value, wide.effect.relative_risk.high
    if before is None or high is None or high >= before or wide.effect.penalised or plain.effect.penalised:
        return False
    change = log_ratio_change(
        (plain.fit, plain.design),
        (wide.fit, wide.design),
        sample.y,
        weights=sample.weights,
        shift=sample.shift,
        clusters=sample.cluster,
    )
    return change is not None and change[0] > Z95 * change[1]


def _with_traits(
    design: NDArray[np.float64], sample: Sample, traits: Mapping[str, pl.Series]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Add the columns of traits, most informative first, while there are converters enough for another parameter."""
    levels = {
        name: _pooled(values.rank("dense").fill_null(0).to_numpy()[sample.snapshots], sample.y)
        for name, values in traits.items()
    }
    converters = np.count_nonzero(sample.y)
    taken = []
    for name in sorted(levels, key=lambda name: (-_information(levels[name], sample.y), name)):
        columns = _dummies(levels[name], sample.y)
        if columns.shape[1] and converters >= PER_PARAMETER * (design.shape[1] + columns.shape[1] + 1):
            design = np.concatenate([design, columns], axis=1)
            taken.append(name)
    return design, tuple(taken)


def _pooled(values: NDArray[np.int64], y: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Put the values that fewer than 5 converters have into one."""
    kinds, place = np.unique(values, return_inverse=True)
    rare = np.bincount(place, weights=y, minlength=len(kinds)) < POOLED
    pooled: NDArray[np.int64] = np.where(rare[place], -1, place)
    return pooled


def _information(values: NDArray[np.int64], y: NDArray[np.bool_]) -> float:
    """How much a trait says of the outcome: the likelihood ratio of its table, rounded so that no processor decides the order."""
    _, place = np.unique(values, return_inverse=True)
    seen = np.stack([np.bincount(place, weights=y), np.bincount(place, weights=~y)])
    expected = seen.sum(axis=0) * seen.sum(axis=1, keepdims=True) / seen.sum()
    told = seen[seen > 0] * np.log(seen[seen > 0] / expected[seen > 0])
    return round(2 * float(told.sum()), 6)


def _some(rows: NDArray[np.int64], most: int, generator: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= most else generator.choice(rows, size=most, replace=False)


def _dummies(values: NDArray[np.int64], y: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Make a column of each kind but one: the commonest of those in which some convert and some do not, else of all."""
    kinds, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    converted = np.bincount(place, weights=y, minlength=len(kinds))
    mixed = (converted > 0) & (converted < counts)
    others = np.delete(kinds, np.argmax(np.where(mixed, counts, 0) if mixed.any() else counts)) if len(kinds) else kinds
    columns: NDArray[np.float64] = (values[:, None] == others[None, :]).astype(np.float64)
    return columns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Models:
    """The models of one sample, each of one behaviour beside log counts of others, calendar, age and size.

    Parameters
    ----------
    cube, sample
        What they are fitted on.
    by_window
        The counted behaviours of the longest and of the shortest window.
    dense, activity
        Their values at the sampled snapshots, and the sums of those by window.
    traits
        As for `rule_effect`.
    """

    cube: Cube
    sample: Sample
    by_window: tuple[Sequence[int], Sequence[int]]
    dense: dict[int, NDArray[np.float64]]
    activity: tuple[NDArray[np.float64], NDArray[np.float64]]
    traits: Mapping[str, pl.Series]

    @classmethod
    def of(
        cls,
        cube: Cube,
        frame: pl.DataFrame,
        *,
        skip: Iterable[str] = (),
        clusters: NDArray[np.int64] | None = None,
        traits: Mapping[str, pl.Series] | None = None,
        rows: NDArray[np.bool_] | None = None,
    ) -> Models | None:
        """Make the models of some snapshots ready; None where nothing is counted, or only one outcome is there.

        Parameters
        ----------
        cube, frame, skip, clusters, traits
            As for `adjust`.
        rows
            bool, one per snapshot: only these. None = all.
        """
        counts = counted(cube, skip)
        sample = Sample.of(frame, clusters=clusters, rows=rows).sized(cube)
        if not counts or sample.y.all() or not sample.y.any():
            return None
        lengths = sorted({length for index in counts if (length := cube.behaviours[index].window.length) is not None})
        longest, shortest = (
            [i for i in counts if cube.behaviours[i].window.length == length] for length in (lengths[-1], lengths[0])
        )
        dense = {index: sample.column(cube, index) for part in (longest, shortest) for index in part}
        activity = (np.sum([dense[i] for i in longest], axis=0), np.sum([dense[i] for i in shortest], axis=0))
        return cls(
            cube=cube,
            sample=sample,
            by_window=(longest, shortest),
            dense=dense,
            activity=activity,
            traits=traits or {},
        )

    def effect(self, index: int, threshold: int) -> Effect:
        """Fit the model of one behaviour reaching a threshold."""
        own = [{self.cube.behaviours[i].event: i for i in part} for part in self.by_window]
        does = self.sample.column(self.cube, index) >= threshold
        return _fit(self.cube.behaviours[index].event, does, self.sample, self.activity, own, self.dense, self.traits)


def counted(cube: Cube, skip: Iterable[str] = ()) -> list[int]:
    """List the behaviours that are plain counts of a named event, without these events."""
    leaks = set(skip)
    return [
        index
        for index, behaviour in enumerate(cube.behaviours)
        if behaviour.event is not None
        and behaviour.event not in leaks
        and behaviour.measure.kind is MeasureKind.COUNT
        and not behaviour.where
    ]


def adjust(
    associations: Sequence[Association],
    cube: Cube,
    frame: pl.DataFrame,
    *,
    skip: Iterable[str] = (),
    clusters: NDArray[np.int64] | None = None,
    traits: Mapping[str, pl.Series] | None = None,
) -> tuple[Association, ...]:
    """Fill in `order`, `effect` and `alike`.

    Parameters
    ----------
    associations
        As `associations` gives them, in the cube's order.
    cube, frame
        The same snapshots.
    skip
        Events that leak the outcome: in no model, not even as somebody's activity.
    clusters
        int64, one per snapshot: snapshots of one label are not independent. None = snapshots of one entity.
    traits
        As for `rule_effect`.

    Returns
    -------
    tuple of Association
        Same order; `dependable` too has its own figure. The joint ridge (one column an event: log count in the longest window) ranks the events; the best row
        of each of the first 40 is then put, unpenalised and alone, beside log counts of *other* behaviours in the longest
        and the shortest window, calendar blocks, age bands and, for accounts, the number of active users. Errors are robust, by cluster. Fewer than 10
        converters a parameter: not fitted.

    Notes
    -----
    The pseudo-behaviour "any event" is activity itself and gets no adjusted figure.
    """
    models = Models.of(cube, frame, skip=skip, clusters=clusters, traits=traits)
    if models is None:
        return tuple(associations)
    order = _ridge(models.sample, models.by_window[0], models.dense, cube)
    chosen = _shortlist(associations, order)
    fitted = {
        (index, threshold): models.effect(index, threshold)
        for index in chosen
        for threshold in _thresholds(associations[index])
    }
    alike = _alike(models.sample, models.by_window[0], models.dense, cube, order)
    return tuple(
        replace(
            association,
            order=order.get(association.behaviour.event or ""),
            effect=fitted.get((index, association.threshold)),
            dependable=None
            if association.dependable is None
            else replace(association.dependable, effect=fitted.get((index, association.dependable.threshold))),
            alike=alike.get(association.behaviour.event or "", ()),
        )
        for index, association in enumerate(associations)
    )


def _ridge(
    sample: Sample, columns: Sequence[int], dense: dict[int, NDArray[np.float64]], cube: Cube
) -> dict[str, float]:
    from pqlkit.statistics.adjusted import ridge_logistic

    kept = [i for i in columns if np.ptp(dense[i]) > 0]
    if not kept:
        return {}
    design = np.column_stack([np.log1p(dense[i]) for i in kept] + [sample.adjusters])
    fit = ridge_logistic(design, sample.y)
    if fit is None:
        return {}
    # Behaviours that say the same have the same coefficient but for the last digits, which differ between processors.
    sizes = np.round(fit.coefficients, 9)
    return {str(cube.behaviours[i].event): float(sizes[position]) for position, i in enumerate(kept)}


def _shortlist(associations: Sequence[Association], order: dict[str, float]) -> list[int]:
    """Pick the best row of each event, the events by the size of their ridge coefficient."""
    best: dict[str, int] = {}
    for index, association in enumerate(associations):
        event = association.behaviour.event
        if event is not None and event in order:
            rival = best.get(event)
            if rival is None or _strength(association) > _strength(associations[rival]):
                best[event] = index
    events = sorted(best, key=lambda event: (-abs(order[event]), event))
    return [best[event] for event in events[:SHORTLIST]]


def _strength(association: Association) -> tuple[bool, float]:
    """Rank a row by what people will be shown of it, where there is something."""
    shown = association.dependable
    return shown is not None, abs((association.table if shown is None else shown.table).phi or 0)


def _thresholds(association: Association) -> set[int]:
    return {association.threshold, *(() if association.dependable is None else (association.dependable.threshold,))}


def _fit(
    event: str | None,
    does: NDArray[np.bool_],
    sample: Sample,
    activity: Sequence[NDArray[np.float64]],
    own: Sequence[dict[str | None, int]],
    dense: dict[int, NDArray[np.float64]],
    traits: Mapping[str, pl.Series],
) -> Effect:
    from pqlkit.statistics.estimate import Undefined

    indicator = does.astype(np.float64)
    others = [
        np.log1p(total - (dense[part[event]] if event in part else 0.0))
        for total, part in zip(activity, own, strict=True)
    ]
    if len(others) == 2 and np.array_equal(others[0], others[1]):
        others = others[:1]
    columns = [indicator, *others, *sample.adjusters.T]
    design = np.column_stack([column for column in columns if np.ptp(column) > 0])
    if np.ptp(indicator) == 0:
        return Effect.none(Undefined.EMPTY_GROUP)
    if np.count_nonzero(sample.y) < PER_PARAMETER * (design.shape[1] + 1):
        return Effect.none(Undefined.TOO_FEW)
    return _effect(design, sample, traits, penalise=False)


def _alike(
    sample: Sample, columns: Sequence[int], dense: dict[int, NDArray[np.float64]], cube: Cube, order: dict[str, float]
) -> dict[str, tuple[str, ...]]:
    """Name the events whose counts rank the snapshots nearly the same way (Spearman above 0.8)."""
    from pqlkit.statistics.collinearity import interchangeable, spearman_matrix

    kept = [i for i in columns if str(cube.behaviours[i].event) in order]
    kept = sorted(kept, key=lambda i: -abs(order[str(cube.behaviours[i].event)]))[: 2 * SHORTLIST]
    if len(kept) < 2:
        return {}
    names = [str(cube.behaviours[i].event) for i in kept]
    groups = interchangeable(spearman_matrix(np.column_stack([dense[i] for i in kept])), threshold=ALIKE)
    return {names[i]: tuple(sorted(names[j] for j in group if j != i)) for group in groups for i in group}


def rule_effect(
    met: NDArray[np.bool_],
    own: set[str | None],
    cube: Cube,
    frame: pl.DataFrame,
    *,
    skip: Iterable[str] = (),
    clusters: NDArray[np.int64] | None = None,
    rows: NDArray[np.bool_] | None = None,
    traits: Mapping[str, pl.Series] | None = None,
) -> Effect | None:
    """Estimate the effect of meeting a rule, beside activity by other behaviours than its own, size, calendar and age.

    Parameters
    ----------
    met
        Who meets it, one per snapshot.
    own
        The rule's events: their counts are left out of activity. None among them (any event) is activity itself: then
        there is nothing to adjust for but calendar and age, not even the number of active users.
    cube, frame, skip, clusters
        As for `adjust`.
    rows
        bool, one per snapshot: only these (the later ones). None = all.
    traits
        Of each fixed trait its value, one per snapshot, a missing one a value of its own: allowed for, as far as there are
        converters enough.
    """
    from pqlkit.statistics.estimate import Undefined

    sample = Sample.of(frame, clusters=clusters, rows=rows, least=ALL)
    if None not in own:
        sample = sample.sized(cube)
    indicator = met[sample.snapshots].astype(np.float64)
    if sample.y.all() or not sample.y.any() or np.ptp(indicator) == 0:
        return None
    leaks = set(skip)
    others = [
        sample.column(cube, index)
        for index, behaviour in enumerate(cube.behaviours)
        if behaviour.event is not None
        and None not in own
        and behaviour.event not in leaks | own
        and behaviour.measure.kind is MeasureKind.COUNT
        and behaviour.window == max((b.window for b in cube.behaviours), key=_length)
    ]
    activity = [np.log1p(np.sum(others, axis=0))] if others else []
    columns = [indicator, *activity, *sample.adjusters.T]
    design = np.column_stack([column for column in columns if np.ptp(column) > 0])
    if np.count_nonzero(sample.y) < PER_PARAMETER * (design.shape[1] + 1):
        return Effect.none(Undefined.TOO_FEW)
    return _effect(design, sample, traits or {}, penalise=True)


def _length(window: Window) -> int:
    return window.length.microseconds if window.length is not None else 0
