"""The analysis: where conversions fall, which behaviours go with converting, and which events must be left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pqlkit.analysis.design import DesignKind
from pqlkit.analysis.settings import Exposure, Settings
from pqlkit.definitions.model import MeasureKind, WindowKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.analysis.association import Association
    from pqlkit.analysis.cohorts import Cohorts
    from pqlkit.analysis.comparison import ValueMetric
    from pqlkit.analysis.hypotheses import Hypotheses
    from pqlkit.analysis.leaks import Suspect
    from pqlkit.analysis.looks import Looks
    from pqlkit.analysis.population import Population
    from pqlkit.analysis.tiers import Tier
    from pqlkit.analysis.windows import HorizonAdvice, Spike
    from pqlkit.definitions.model import Definition
    from pqlkit.measures.behaviour import Cube
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Microseconds

__all__ = ["Analysis", "Observed", "analyze", "observe"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """A population looked at and measured: what `analyze`, `propose` and `try` all start from.

    Parameters
    ----------
    population, looks, settings
        Who, when, and how it was asked for.
    cube
        Levels of every behaviour at every look, without the events that the settings exclude.
    y
        Converted, one per look.
    clusters
        int64, one per look: looks of one label are not independent (one entity, or users of one account).
    design_effect
        Rows per independent row: 1 unless an entity has several looks that overlap, or users share accounts.
    base
        Conversions among looks.
    suspects
        Events and traits that look like leaks, judged on all looks.
    """

    population: Population
    looks: Looks
    settings: Settings
    cube: Cube
    y: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    design_effect: float
    base: Rate
    suspects: tuple[Suspect, ...]

    @property
    def left_out(self) -> frozenset[str]:
        """Events that no search may use."""
        return frozenset(suspect.event for suspect in self.suspects if suspect.excluded and not suspect.trait)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """What `pqlkit analyze` found.

    Parameters
    ----------
    observed
        The looks and what was measured at them.
    behaviours
        One per event x measure x window, ordered by adjusted effect at the dependable threshold: first those whose interval
        stays farthest from 1, then the others by the same of their unadjusted relative risk, then what is rare.
    cohorts
        One group per ``--by``.
    tier
        What the data bears.
    advice, spike
        About the horizon, and a day on which conversions pile up.
    hypotheses, search_opens
        Where there is too little to search: what the project's own definitions did, and when a search opens at the present
        pace (None = no pace). None elsewhere.
    warnings
        Sentences for a person.
    comparison
        The events of ``--compare`` as value metrics, the best first.
    """

    observed: Observed
    behaviours: tuple[Association, ...]
    cohorts: tuple[Cohorts, ...]
    tier: Tier
    advice: HorizonAdvice | None
    spike: Spike | None
    hypotheses: Hypotheses | None
    search_opens: Microseconds | None
    warnings: tuple[str, ...]
    comparison: tuple[ValueMetric, ...] = ()


def observe(population: Population, settings: Settings, *, progress: Callable[[str], None] | None = None) -> Observed:
    """Look at a population and measure every behaviour at every look.

    Parameters
    ----------
    population
        Who exists.
    settings
        How to look.
    progress
        Told each step.

    Raises
    ------
    UsageError
        A design, window or measure cannot be obeyed, or ``--given`` is about other entities.
    """
    from pqlkit.analysis.associations import Levels
    from pqlkit.analysis.clusters import clusters
    from pqlkit.analysis.leaks import leaks, overruled
    from pqlkit.analysis.looks import looks as look
    from pqlkit.analysis.trait_leaks import trait_leaks
    from pqlkit.analysis.worlds import refuse_other_kind
    from pqlkit.measures.cube import cube
    from pqlkit.measures.surroundings import surroundings
    from pqlkit.statistics.design_effect import design_effect
    from pqlkit.statistics.rate import Rate

    say = progress or (lambda _: None)
    if settings.given is not None:
        refuse_other_kind(population, settings.given)
    say("choosing when to look")
    seen = look(
        population,
        settings.looks,
        windows=settings.windows,
        horizon=settings.horizon,
        gap=settings.gap,
        active_within=settings.active_within,
        events_from=settings.events_from,
        until_conversion=settings.exposure is Exposure.UNTIL_CONVERSION,
    )
    seen = _narrowed(population, seen, settings.given)
    say(f"measuring every event at {seen.frame.height:,} looks")
    trailing = seen.design.kind is DesignKind.EVERY
    measured = cube(
        population.world,
        seen.frame.select("look", "entity", "cutoff"),
        kind=WindowKind.TRAILING if trailing else WindowKind.WITHIN,
        windows=seen.design.windows,
        measures=settings.measures,
    )
    measured = _without(measured, settings.exclude, population.outcome.event)
    y = seen.frame.get_column("y").to_numpy()
    say("looking for events that belong to the upgrade")
    around = surroundings(population.world)
    found = (*leaks(around, Levels.of(measured, y)), *trait_leaks(population, seen.frame, y))
    suspects = overruled(found, settings.keep)
    entity = seen.frame.get_column("entity").to_numpy()
    labels = clusters(population, entity)
    # Looks of `every` tile an entity's life without overlap: only shared accounts make them dependent.
    dependent = seen.design.kind is DesignKind.AGE or labels is not entity
    effect = design_effect(y, labels) if dependent else None
    return Observed(
        population=population,
        looks=seen,
        settings=settings,
        cube=measured,
        y=y,
        clusters=labels,
        design_effect=max(1.0, effect or 1.0),
        base=Rate.of(int(y.sum()), len(y), design_effect=effect),
        suspects=suspects,
    )


def analyze(
    population: Population, settings: Settings | None = None, *, progress: Callable[[str], None] | None = None
) -> Analysis:
    """Find which behaviours go with converting.

    Parameters
    ----------
    population
        Who exists.
    settings
        How to look; None = the defaults.
    progress
        Told each step.

    Returns
    -------
    Analysis
        Every figure is an association: it says who upgrades, not why.
    """
    from pqlkit.analysis.adjustment import adjust
    from pqlkit.analysis.associations import Levels, associations
    from pqlkit.analysis.cohorts import cohorts
    from pqlkit.analysis.comparison import compare
    from pqlkit.analysis.hypotheses import hypotheses
    from pqlkit.analysis.tiers import HYPOTHESES_BELOW, Floors, tier
    from pqlkit.analysis.windows import early_warning, horizon_advice, search_opens, spike

    settings = settings or Settings()
    say = progress or (lambda _: None)
    observed = observe(population, settings, progress=progress)
    say("comparing those who did with those who did not")
    positives = int(observed.y.sum())
    floors = Floors.of(len(observed.y), positives)
    found = associations(
        Levels.of(observed.cube, observed.y),
        design_effect=observed.design_effect,
        rare_below=(floors.looks, floors.converters),
        flags=_flags(observed),
    )
    say("allowing for activity")
    found = adjust(found, observed.cube, observed.looks.frame, skip=observed.left_out, clusters=observed.clusters)
    say("drawing the cohorts")
    design = observed.looks.design
    once = design.kind is DesignKind.ONCE
    warnings = [*population.warnings, *_warnings(observed)]
    landmark = once and settings.exposure is Exposure.LANDMARK
    early = early_warning(population, design) if landmark else None
    parted = disagrees(observed) if landmark else None
    usable = observed.looks.frame.filter("y").get_column("entity").n_unique()
    little = usable < HYPOTHESES_BELOW
    return Analysis(
        observed=observed,
        behaviours=tuple(sorted(found, key=_order)),
        cohorts=tuple(cohorts(population, observed.looks, by) for by in settings.by),
        tier=tier(usable),
        advice=horizon_advice(population, design.cutoffs[0]) if once else None,
        spike=spike(population),
        hypotheses=hypotheses(observed) if little else None,
        search_opens=search_opens(observed.looks, population, HYPOTHESES_BELOW) if little else None,
        warnings=(*warnings, *(text for text in (early, parted) if text)),
        comparison=compare(observed, settings.compare),
    )


def disagrees(observed: Observed) -> str | None:
    """Warn where the conversion curve, which uses the newest entities too, parts from the plain rate of the mature ones.

    Returns
    -------
    str or None
        A sentence, for looks at one age that no other condition narrows; None where both agree within two standard errors
        of their difference, or the outcome cannot be read off one time (a gap, a retention).
    """
    import polars as pl

    from pqlkit.analysis.classes import EntityClass
    from pqlkit.durations import DAY
    from pqlkit.statistics.survival import LifeTable, disagreement, kaplan_meier

    design, settings, population = observed.looks.design, observed.settings, observed.population
    if settings.given is not None or design.gap.microseconds or population.outcome.retained_for is not None:
        return None
    anchor, converted = pl.col("anchor") + design.cutoffs[0].microseconds, pl.col("converted")
    kept = (EntityClass.IMMATURE, EntityClass.CONVERTED, EntityClass.NOT_CONVERTED)
    lives = (
        population.entities.join(observed.looks.entity_classes, on="entity")
        .filter(pl.col("class").is_in(kept), anchor < population.as_of)
        .select(
            # Where a deletion date is known it ends no follow-up: whoever left stays among those who did not convert.
            ((pl.coalesce(converted, pl.lit(population.as_of)) - anchor) / DAY).alias("days"),
            converted.is_not_null().alias("done"),
        )
    )
    days, done = lives["days"].to_numpy(), lives["done"].to_numpy()
    horizon = design.horizon.microseconds / DAY
    curve = kaplan_meier(LifeTable.of(days, done, ~done))
    found = disagreement(curve, observed.base, horizon)
    if found is None or not found.drift or observed.base.rate is None:
        return None
    return (
        f"the conversion curve with the newest entities reaches {observed.base.rate + found.difference:.1%} in "
        f"{design.horizon}, the plain rate of the mature ones is {observed.base.rate:.1%}: newer entities convert "
        f"{'better' if found.difference > 0 else 'worse'} than older ones did"
    )


def _narrowed(population: Population, seen: Looks, given: Definition | None) -> Looks:
    """Keep the looks at which ``--given`` holds; classes and places still tell where everybody went before."""
    import polars as pl

    from pqlkit.analysis.meeting import met_at
    from pqlkit.analysis.worlds import clocked

    if given is None:
        return seen
    held = met_at(clocked(population, given), given, seen.frame)
    frame = seen.frame.filter(pl.Series(held))
    return replace(seen, frame=frame.with_columns(pl.int_range(frame.height, dtype=pl.Int64).alias("look")))


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
        looks=measured.looks,
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
    for suspect in observed.suspects:
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
    looks, given = observed.looks, observed.settings.given
    if given is not None:
        warnings.append(
            f"given {given.name}: the tables are of the {looks.frame.height:,} of {looks.classes.looks:,} looks that meet it; "
            "the classes and the places of conversions are of everybody"
        )
    if observed.settings.exposure is Exposure.UNTIL_CONVERSION:
        warnings.append(
            "exposure until-conversion keeps those who converted before the cutoff and stops each clock at its conversion: "
            "converters were watched for a shorter time, and the rates are not those of a rule that fires in time"
        )
    if any(measure.kind is MeasureKind.LAST for measure in observed.settings.measures) and (
        observed.looks.design.kind is DesignKind.EVERY
    ):
        warnings.append("the measure last has no trailing window; it was left out of looks every so many days")
    if observed.y.size and not observed.y.any():
        warnings.append("no look was followed by a conversion: nothing can be compared")
    return warnings
