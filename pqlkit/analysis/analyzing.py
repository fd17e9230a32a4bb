"""The analysis: where conversions fall, which behaviours go with converting, and which events must be left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from pqlkit.definitions.model import MeasureKind, WindowKind
from pqlkit.options.schedule import DesignKind
from pqlkit.options.settings import Exposure, Settings, default_measures
from pqlkit.snapshots.schedule import LANDMARK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.analysis.association import Association
    from pqlkit.analysis.cohorts import Cohorts
    from pqlkit.analysis.follow_up import CurveRate
    from pqlkit.analysis.hypotheses import Hypotheses
    from pqlkit.analysis.leaks import Suspect
    from pqlkit.analysis.tiers import Tier
    from pqlkit.analysis.value_metric import ValueMetric
    from pqlkit.analysis.window_advice import ConversionWindowAdvice, Delays, Spike
    from pqlkit.definitions.model import Definition
    from pqlkit.measures.behaviour import Cube
    from pqlkit.population.population import Population
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Microseconds

__all__ = ["Analysis", "Observed", "analyze", "observe"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """A population looked at and measured: what `analyze`, `propose` and `try` all start from.

    Parameters
    ----------
    population, snapshots, settings
        Who, when, and how it was asked for.
    cube
        Levels of every behaviour at every snapshot, without the events that the settings exclude.
    y
        Converted, one per snapshot.
    clusters
        int64, one per snapshot: snapshots of one label are not independent (one entity, or users of one account).
    design_effect
        Rows per independent row: 1 unless an entity has several snapshots that overlap, or users share accounts.
    base
        Conversions among snapshots.
    judged
        Gives `leakage`, and takes the passes over the events for it once, when first asked.
    """

    population: Population
    snapshots: Snapshots
    settings: Settings
    cube: Cube
    y: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    design_effect: float
    base: Rate
    judged: Callable[[], tuple[Suspect, ...]] = field(repr=False)

    @property
    def leakage(self) -> tuple[Suspect, ...]:
        """Events and traits that look like leaks, judged on all snapshots (`propose` judges the fit part alone instead)."""
        return self.judged()

    @property
    def converters(self) -> int:
        """Usable converters: entities with a snapshot that was followed by their conversion. One may have several such snapshots."""
        return self.heads(self.y)

    def heads(self, rows: NDArray[np.bool_]) -> int:
        """Count the entities of some snapshots (bool, one per snapshot)."""
        import numpy as np

        return len(np.unique(self.snapshots.frame.get_column("entity").to_numpy()[rows]))

    def table(self, met: NDArray[np.bool_], part: NDArray[np.bool_] | None = None) -> Contingency:
        """Count the snapshots (of a part) at which something holds, and those that converted; intervals allow for dependence."""
        return self.snapshots.table(met, part=part, design_effect=self.design_effect)

    @property
    def dependent(self) -> bool:
        """Whether snapshots go together: those of one entity overlap, or users share accounts."""
        from pqlkit.snapshots.clusters import go_together

        return go_together(self.snapshots, self.clusters)

    @property
    def left_out(self) -> frozenset[str]:
        """Events that no search may use."""
        return frozenset(suspect.event for suspect in self.leakage if suspect.excluded and not suspect.trait)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """What `pqlkit analyze` found.

    Parameters
    ----------
    observed
        The snapshots and what was measured at them.
    behaviours
        One per event x measure x window, ordered by adjusted effect at the dependable threshold: first those whose interval
        stays farthest from 1, then the others by the same of their unadjusted relative risk, then what is rare.
    cohorts
        One group per ``--by``.
    tier
        What the data bears.
    advice, early, spike
        About the conversion window; that too many convert before the first snapshot, and which snapshots would see them; a day on which
        conversions pile up.
    ages
        How long after their beginning entities converted.
    hypotheses, search_opens
        Where there is too little to search: what the project's own definitions did, and when a search opens at the present
        pace (None = no pace). None elsewhere.
    warnings
        Sentences for a person.
    comparison
        The events of ``--compare`` as value metrics, the best first.
    curve
        The base rate as the conversion curve has it.
    """

    observed: Observed
    behaviours: tuple[Association, ...]
    cohorts: tuple[Cohorts, ...]
    tier: Tier
    advice: ConversionWindowAdvice | None
    early: str | None
    spike: Spike | None
    ages: Delays
    hypotheses: Hypotheses | None
    search_opens: Microseconds | None
    warnings: tuple[str, ...]
    curve: CurveRate
    comparison: tuple[ValueMetric, ...] = ()


def observe(population: Population, settings: Settings, *, progress: Callable[[str], None] | None = None) -> Observed:
    """Look at a population and measure every behaviour at every snapshot.

    Parameters
    ----------
    population
        Who exists.
    settings
        When snapshots are taken.
    progress
        Told each step.

    Raises
    ------
    UsageError
        A design, window or measure cannot be obeyed, or ``--given`` is about other entities.
    """
    from pqlkit.measures.cube import cube
    from pqlkit.population.clocks import refuse_other_kind
    from pqlkit.snapshots.clusters import clusters, snapshots_effect
    from pqlkit.snapshots.snapshots import snapshots as snapshot
    from pqlkit.statistics.rate import Rate

    settings = replace(settings, measures=settings.measures or default_measures(population.kind))
    say = progress or (lambda _: None)
    if settings.given is not None:
        refuse_other_kind(population, settings.given)
    say("choosing when to take snapshots")
    seen = snapshot(
        population,
        settings.snapshots,
        windows=settings.windows,
        conversion_window=settings.conversion_window,
        gap=settings.gap,
        active_within=settings.active_within,
        events_from=settings.events_from,
        until_conversion=settings.exposure is Exposure.UNTIL_CONVERSION,
    )
    seen = _narrowed(population, seen, settings.given)
    say(f"measuring every event at {seen.frame.height:,} snapshots")
    trailing = seen.design.kind is DesignKind.EVERY
    measured = cube(
        population.world,
        seen.frame.select("snapshot", "entity", "cutoff"),
        kind=WindowKind.TRAILING if trailing else WindowKind.WITHIN,
        windows=seen.design.windows,
        measures=settings.measures,
    )
    measured = _without(measured, settings.exclude_event, population.outcome.event)
    y = seen.frame.get_column("y").to_numpy()
    entity = seen.frame.get_column("entity").to_numpy()
    labels = clusters(population, entity)
    effect = snapshots_effect(seen, labels)
    return Observed(
        population=population,
        snapshots=seen,
        settings=settings,
        cube=measured,
        y=y,
        clusters=labels,
        design_effect=effect,
        base=Rate.of(int(y.sum()), len(y), design_effect=effect),
        judged=cache(lambda: _leakage(population, seen, measured, y, settings, say)),
    )


def _leakage(
    population: Population,
    seen: Snapshots,
    measured: Cube,
    y: NDArray[np.bool_],
    settings: Settings,
    say: Callable[[str], None],
) -> tuple[Suspect, ...]:
    from pqlkit.analysis.associations import Levels
    from pqlkit.analysis.leaks import leaks, overruled
    from pqlkit.analysis.trait_leaks import trait_leaks
    from pqlkit.measures.surroundings import surroundings

    say("looking for events that belong to the upgrade")
    around = surroundings(population.world)
    found = (*leaks(around, Levels.of(measured, y)), *trait_leaks(population, seen.frame, y))
    return overruled(found, settings.keep_event)


def analyze(
    population: Population, settings: Settings | None = None, *, progress: Callable[[str], None] | None = None
) -> Analysis:
    """Find which behaviours go with converting.

    Parameters
    ----------
    population
        Who exists.
    settings
        When snapshots are taken; None = the defaults.
    progress
        Told each step.

    Returns
    -------
    Analysis
        Every figure is an association: it says who upgrades, not why.
    """
    from pqlkit.analysis.adjustment import adjust
    from pqlkit.analysis.associations import Levels, associations
    from pqlkit.analysis.behaviour_cohorts import behaviour_cohorts
    from pqlkit.analysis.cohorts import cohorts
    from pqlkit.analysis.follow_up import curve_rate, disagreement_in_words
    from pqlkit.analysis.grouping import behaviours
    from pqlkit.analysis.hypotheses import hypotheses
    from pqlkit.analysis.tiers import HYPOTHESES_BELOW, Floors, tier
    from pqlkit.analysis.value_metric import compare
    from pqlkit.analysis.window_advice import (
        conversion_ages,
        conversion_window_advice,
        early_warning,
        search_opens,
        spike,
    )

    settings = settings or Settings()
    say = progress or (lambda _: None)
    done = behaviours(population, settings.by, windows=settings.windows or (LANDMARK,))
    observed = observe(population, settings, progress=progress)
    flags = _flags(observed)
    say("comparing those who did with those who did not")
    usable = observed.converters
    floors = Floors.of(len(observed.y), usable)
    found = associations(
        Levels.of(observed.cube, observed.y),
        design_effect=observed.design_effect,
        rare_below=(floors.snapshots, floors.converters),
        flags=flags,
    )
    say("allowing for activity")
    found = adjust(found, observed.cube, observed.snapshots.frame, skip=observed.left_out, clusters=observed.clusters)
    say("drawing the cohorts")
    design = observed.snapshots.design
    once = design.kind is DesignKind.ONCE
    warnings = [*population.warnings, *_warnings(observed)]
    landmark = once and settings.exposure is Exposure.LANDMARK
    early = early_warning(population, design) if landmark or design.kind is DesignKind.EVERY else None
    piled = spike(population)
    curve = curve_rate(observed)
    notes = (early, disagreement_in_words(observed, curve), None if piled is None else str(piled))
    little = usable < HYPOTHESES_BELOW
    return Analysis(
        observed=observed,
        behaviours=tuple(sorted(found, key=_order)),
        cohorts=tuple(
            behaviour_cohorts(observed, by, done[by])
            if by in done
            else cohorts(population, observed.snapshots, by, design_effect=observed.design_effect)
            for by in settings.by
        ),
        tier=tier(usable),
        advice=conversion_window_advice(population, design.cutoffs[0]) if once else None,
        spike=piled,
        early=early,
        ages=conversion_ages(population),
        hypotheses=hypotheses(observed) if little else None,
        search_opens=search_opens(observed.snapshots, population, HYPOTHESES_BELOW) if little else None,
        warnings=(*warnings, *(text for text in notes if text)),
        comparison=compare(observed, settings.compare, behaviours=done),
        curve=curve,
    )


def _narrowed(population: Population, seen: Snapshots, given: Definition | None) -> Snapshots:
    """Keep the snapshots at which ``--given`` holds; classes and places still tell where everybody went before."""
    import polars as pl

    from pqlkit.snapshots.matches import holds_at

    if given is None:
        return seen
    frame = seen.frame.filter(pl.Series(holds_at(population, given, seen.frame)))
    return replace(seen, frame=frame.with_columns(pl.int_range(frame.height, dtype=pl.Int64).alias("snapshot")))


def _without(measured: Cube, patterns: Sequence[str], outcome: str | None) -> Cube:
    """Drop the behaviours of events that match a glob, and of the event that is the outcome."""
    import numpy as np

    from pqlkit.measures.behaviour import Cube

    keep = [
        index
        for index, one in enumerate(measured.behaviours)
        if one.event is None
        or not (one.event == outcome or any(fnmatchcase(one.event, pattern) for pattern in patterns))
    ]
    if len(keep) == len(measured.behaviours):
        return measured
    columns = [measured.column(index) for index in keep]
    sizes = [len(rows) for rows, _ in columns]
    return Cube(
        behaviours=tuple(measured.behaviours[index] for index in keep),
        snapshots=measured.snapshots,
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        rows=np.concatenate([rows for rows, _ in columns]) if columns else measured.rows[:0],
        levels=np.concatenate([levels for _, levels in columns]) if columns else measured.levels[:0],
    )


def _flags(observed: Observed) -> Mapping[str | None, tuple[str, ...]]:
    notes = observed.population.project.events
    flags: dict[str | None, list[str]] = {None: ["activity"]}
    for name, note in notes.items():
        flags.setdefault(name, []).extend(
            flag for flag, on in (("mechanical", note.mechanical), ("automatic", note.automatic)) if on
        )
    for suspect in observed.leakage:
        flags.setdefault(suspect.event, []).append(suspect.reason.value)
    for name in outcome_events(observed.population):
        flags.setdefault(name, []).append("part-of-outcome")
    return {name: tuple(values) for name, values in flags.items()}


def outcome_events(population: Population) -> frozenset[str]:
    """Name the events that the outcome itself is made of (an outcome by definition)."""
    from pqlkit.definitions.model import Criterion, leaves

    definition = population.outcome.definition
    if definition is None:
        return frozenset()
    parts = [leaf for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion)]
    return frozenset(event for part in parts for event in part.events or ())


def _order(one: Association) -> tuple[int, float, float, str]:
    shown = one.as_shown()
    adjusted = None if shown is None else shown.adjusted
    fitted = adjusted is not None and adjusted.value is not None
    risk = (shown or one).table.relative_risk()
    near = _distance(adjusted.low, adjusted.high) if fitted and adjusted is not None else 0.0
    plain = _distance(risk.low, risk.high)
    return (2 if shown is None else 0 if fitted else 1, -near, -plain, _sortable(one))


def _sortable(one: Association) -> str:
    window = one.behaviour.window
    return f"{one.behaviour.event or ''}\0{one.behaviour.measure.kind}\0{window.length.microseconds if window.length else 0:020d}"


def _distance(low: float | None, high: float | None) -> float:
    """How far an interval of a ratio stays from 1, on the log scale; 0 if it holds 1."""
    import math

    if low is not None and low > 1:
        return math.log(low)
    if high is not None and 0 < high < 1:
        return -math.log(high)
    return 0.0


def _warnings(observed: Observed) -> list[str]:
    warnings = []
    snapshots, given = observed.snapshots, observed.settings.given
    if given is not None:
        warnings.append(
            f"given {given.name}: the tables are of the {snapshots.frame.height:,} of {snapshots.classes.snapshots:,} snapshots that meet it; "
            "the classes and the places of conversions are of everybody"
        )
    if observed.settings.exposure is Exposure.UNTIL_CONVERSION:
        warnings.append(
            "exposure until-conversion keeps those who converted before the cutoff and stops each clock at its conversion: "
            "converters were watched for a shorter time, and the rates are not those of a rule that fires in time"
        )
    if any(measure.kind is MeasureKind.LAST for measure in observed.settings.measures) and (
        observed.snapshots.design.kind is DesignKind.EVERY
    ):
        warnings.append("the measure last has no trailing window; it was left out of snapshots every so many days")
    if observed.y.size and not observed.y.any():
        warnings.append("no snapshot was followed by a conversion: nothing can be compared")
    return warnings
