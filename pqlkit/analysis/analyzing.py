"""The analysis: where conversions fall, which behaviours go with converting, and which events must be left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pqlkit.analysis.observation import observe, outcome_events
from pqlkit.measures.behaviour import GRID
from pqlkit.options.option import settled
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.options.settings import Exposure, Settings
from pqlkit.shown import Tabled
from pqlkit.snapshots.schedule import LANDMARK, shortened_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.analysis.among_doers import ToldKind
    from pqlkit.analysis.association import Association
    from pqlkit.analysis.bend import Shape
    from pqlkit.analysis.cohorts import Cohorts
    from pqlkit.analysis.fewer import Fewer
    from pqlkit.analysis.follow_up import CurveRate
    from pqlkit.analysis.hypotheses import Hypotheses
    from pqlkit.analysis.metering import Meter
    from pqlkit.analysis.observation import Observed
    from pqlkit.analysis.tempo import Pace
    from pqlkit.analysis.tiers import Tier
    from pqlkit.analysis.value_metric import ValueMetric
    from pqlkit.analysis.window_advice import ConversionWindowAdvice, Delays
    from pqlkit.population.population import Population
    from pqlkit.snapshots.spike import Spike
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Analysis(Tabled):
    """What `pqlkit analyze` found.

    Parameters
    ----------
    observed
        The snapshots and what was measured at them.
    fewer
        Behaviours after which fewer convert than of those as active, the clearest first.
    kinds
        Kinds of events that go with converting among those who did the event, the clearest first.
    contacted
        Who had been contacted before the snapshot (bool, one per snapshot); None without a contacts table.
    meters
        Events that are what is billed: listed apart, never among the behaviours.
    shapes
        Behaviours that are not monotone: those who never did it convert as often.
    paces
        Any event and the most telling ones, by whether they lately come more or less often than before: described, never tested.
    tests
        How many tests were made, over which the false discovery rate is held.
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
    fewer: tuple[Fewer, ...]
    kinds: tuple[ToldKind, ...]
    meters: tuple[Meter, ...]
    shapes: tuple[Shape, ...]
    paces: tuple[Pace, ...]
    tests: int
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
    contacted: NDArray[np.bool_] | None = None

    def contacted_before(self, association: Association) -> tuple[int, int] | None:
        """Count the snapshots at which a behaviour was done, and of them those contacted before: (contacted, all)."""
        if self.contacted is None:
            return None
        cube = self.observed.cube
        rows, levels = cube.column(cube.behaviours.index(association.behaviour))
        did = rows[levels > GRID.index(association.threshold)]
        return int(self.contacted[did].sum()), len(did)


def analyze(
    population: Population,
    settings: Settings | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    **options: Any,
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
    **options
        Fields of `Settings`, which win over those of `settings`, spelled as on the command line if you like.

    Returns
    -------
    Analysis
        Every figure is an association: it says who converts, not why.

    Raises
    ------
    UsageError
        A setting cannot be read or obeyed.

    Examples
    --------
    >>> import polars as pl
    >>> import pqlkit as pq
    >>> who = list(range(300))
    >>> users = pl.DataFrame({"user_id": who, "signed_up_at": "2026-01-02"})
    >>> days = ["2026-01-02T10:00:00Z"] * 400 + ["2026-06-01T10:00:00Z"]
    >>> names = ["login"] * 300 + ["invite"] * 100 + ["login"]
    >>> events = pl.DataFrame({"user_id": [*who, *who[::3], 0], "event": names, "timestamp": days})
    >>> paid = pl.DataFrame({"user_id": [n for n in who if n % 6 == 0 or n % 25 == 1], "converted_at": "2026-01-20"})
    >>> people = pq.population_of(pq.dataset_of(events=events, users=users, conversions=paid), pq.Project())
    >>> analyze(people, snapshots="once:14d", conversion_window="14d")
    <Analysis users=300 snapshots=300 converted=60 top='invite 1+ times, 3d' rr=13.0 [6.4, 26.3]>
    """
    import polars as pl

    from pqlkit.analysis.adjustment import adjust
    from pqlkit.analysis.among_doers import kind_tests, told
    from pqlkit.analysis.associations import Levels, associations, q_values
    from pqlkit.analysis.behaviour_cohorts import behaviour_cohorts
    from pqlkit.analysis.bend import shapes
    from pqlkit.analysis.cohorts import cohorts
    from pqlkit.analysis.fewer import adjusted, fewer
    from pqlkit.analysis.follow_up import curve_rate, disagreement_in_words
    from pqlkit.analysis.grouping import behaviours
    from pqlkit.analysis.hypotheses import hypotheses
    from pqlkit.analysis.metering import meters
    from pqlkit.analysis.tempo import paces
    from pqlkit.analysis.tiers import HYPOTHESES_BELOW, Floors, tier
    from pqlkit.analysis.value_metric import compare
    from pqlkit.analysis.window_advice import (
        conversion_ages,
        conversion_window_advice,
        early_warning,
        search_opens,
    )
    from pqlkit.snapshots.contacts import contacted_before
    from pqlkit.snapshots.spike import spike, unreached

    settings = settled(Settings, settings, options)
    say = progress or (lambda _: None)
    done = behaviours(population, settings.by, windows=settings.windows or (LANDMARK,))
    observed = observe(population, settings, progress=progress)
    billed = meters(population, _names(observed))
    flags = _flags(observed, billed)
    say("comparing those who did with those who did not")
    usable = observed.converters
    floors = Floors.of(len(observed.y), usable)
    levels = Levels.of(observed.cube, observed.y)
    associated = associations(
        levels,
        design_effect=observed.design_effect,
        rare_below=(floors.snapshots, floors.converters),
        flags=flags,
    )
    less = fewer(observed, skip=observed.left_out)
    little = usable < HYPOTHESES_BELOW
    kinds = (
        {}
        if little
        else kind_tests(
            observed.with_kinds,
            observed.y,
            first=len(observed.cube.behaviours),
            design_effect=observed.design_effect,
            skip=observed.left_out.union(meter.event for meter in billed),
        )
    )
    families = (
        [row.p_value for row in associated],
        [row.p_value for row in less],
        [rows[0].p_value for rows in kinds.values()],
    )
    q = q_values(*families)
    associated = tuple(replace(row, q_value=value) for row, value in zip(associated, q[0], strict=True))
    less = tuple(replace(row, q_value=value) for row, value in zip(less, q[1], strict=True))
    say("allowing for activity")
    traits = observed.fixed_traits({suspect.event for suspect in observed.leakage if suspect.trait})
    less = adjusted(observed, less, skip=observed.left_out, traits=traits)
    associated = adjust(
        associated,
        observed.cube,
        observed.snapshots.frame,
        skip=observed.left_out,
        clusters=observed.clusters,
        traits=traits,
    )
    associated = tuple(sorted(associated, key=_order))
    told_by = (
        []
        if little
        else [row.behaviour.event for row in associated if row.behaviour.event is not None and not row.flags]
    )
    say("drawing the cohorts")
    design = observed.snapshots.design
    once = design.kind is DesignKind.ONCE
    warnings = [*population.warnings, *_warnings(observed)]
    landmark = once and settings.exposure is Exposure.LANDMARK
    early = early_warning(population, design) if landmark or design.kind is DesignKind.EVERY else None
    curve = curve_rate(observed)
    shortened = shortened_in_words(population, design, stated=settings.conversion_window)
    notes = (shortened, early, disagreement_in_words(observed, curve), unreached(population, design.conversion_window))
    called = contacted_before(population, observed.snapshots.frame.select("entity", pl.col("cutoff").alias("at")))
    return Analysis(
        observed=observed,
        behaviours=associated,
        fewer=less,
        shapes=shapes(observed, levels, skip=observed.left_out),
        paces=() if little else paces(observed, told_by),
        kinds=told(kinds, dict(zip(kinds, q[2], strict=True))),
        meters=billed,
        tests=sum(len(family) for family in families),
        cohorts=tuple(
            behaviour_cohorts(observed, by, done[by])
            if by in done
            else cohorts(population, observed.snapshots, by, design_effect=observed.design_effect)
            for by in settings.by
        ),
        tier=tier(usable),
        advice=conversion_window_advice(population, design.cutoffs[0]) if once else None,
        spike=spike(population),
        early=early,
        ages=conversion_ages(population),
        hypotheses=hypotheses(observed) if little else None,
        search_opens=search_opens(observed.snapshots, population, HYPOTHESES_BELOW) if little else None,
        warnings=(*warnings, *(text for text in notes if text)),
        comparison=compare(observed, settings.compare, behaviours=done),
        curve=curve,
        contacted=None if called is None else called.to_numpy(),
    )


def _names(observed: Observed) -> list[str]:
    return sorted({behaviour.event for behaviour in observed.cube.behaviours if behaviour.event is not None})


def _flags(observed: Observed, billed: Sequence[Meter]) -> Mapping[str | None, tuple[str, ...]]:
    notes = observed.population.project.events
    flags: dict[str | None, list[str]] = {None: ["activity"]}
    for name, note in notes.items():
        flags.setdefault(name, []).extend(
            flag for flag, on in (("mechanical", note.mechanical), ("automatic", note.automatic)) if on
        )
    for meter in billed:
        flags.setdefault(meter.event, []).append("meter")
    for suspect in observed.leakage:
        flags.setdefault(suspect.event, []).append(suspect.reason.value)
    for name in outcome_events(observed.population):
        flags.setdefault(name, []).append("part-of-outcome")
    return {name: tuple(values) for name, values in flags.items()}


def _order(association: Association) -> tuple[int, float, float, str]:
    shown = association.as_shown()
    adjusted = None if shown is None else shown.adjusted
    fitted = adjusted is not None and adjusted.value is not None
    risk = (shown or association).table.relative_risk()
    near = _distance(adjusted.low, adjusted.high) if fitted and adjusted is not None else 0.0
    plain = _distance(risk.low, risk.high)
    return (2 if shown is None else 0 if fitted else 1, -near, -plain, _sortable(association))


def _sortable(association: Association) -> str:
    window = association.behaviour.window
    return f"{association.behaviour.event or ''}\0{association.behaviour.measure.kind}\0{window.length.microseconds if window.length else 0:020d}"


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
    if any(measure.kind.facts.state for measure in observed.settings.measures) and (
        observed.snapshots.design.kind is DesignKind.EVERY
    ):
        warnings.append("the measure last has no trailing window; it was left out of snapshots every so many days")
    if observed.y.size and not observed.y.any():
        warnings.append("no snapshot was followed by a conversion: nothing can be compared")
    return warnings
