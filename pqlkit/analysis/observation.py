"""The observation: a population with its snapshots and every behaviour measured at them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from pqlkit.definitions.model import WindowKind
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.options.settings import Exposure, Settings, default_measures
from pqlkit.population.traits import TraitKind
from pqlkit.shown import Counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.analysis.leaks import Suspect
    from pqlkit.definitions.model import Definition
    from pqlkit.measures.behaviour import Cube
    from pqlkit.population.population import Population
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.rate import Rate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Observed(Counted):
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
    judged, split
        Give `leakage` and `with_kinds`, and take the passes over the events for them once, when first asked.
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
    split: Callable[[], Cube] = field(repr=False)

    def _many(self) -> int:
        return len(self.y)

    @property
    def with_kinds(self) -> Cube:
        """The cube, and behind its behaviours the kinds of events: values of properties, and numeric ones added up."""
        return self.split()

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

    def fixed_traits(self, skip: Set[str]) -> dict[str, pl.Series]:
        """Give the values of the fixed traits (but those to `skip`) at each snapshot, as text; null = missing."""
        import polars as pl

        traits = self.population.traits
        names = [name for name, kind in traits.kinds.items() if kind is TraitKind.FIXED and name not in skip]
        held = traits.at(self.snapshots.frame.select("entity", (pl.col("cutoff") - 1).alias("at")), names)
        return {name: held.get_column(name).cast(pl.String) for name in names}

    @property
    def dependent(self) -> bool:
        """Whether snapshots go together: those of one entity overlap, or users share accounts."""
        from pqlkit.snapshots.clusters import go_together

        return go_together(self.snapshots, self.clusters)

    @property
    def left_out(self) -> frozenset[str]:
        """Events that no search may use."""
        return frozenset(suspect.event for suspect in self.leakage if suspect.excluded and not suspect.trait)


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
    from pqlkit.population.definition_clock import refuse_other_kind
    from pqlkit.population.name_families import looked_at
    from pqlkit.population.vocabulary import event_names
    from pqlkit.snapshots.clusters import clusters, snapshots_effect
    from pqlkit.snapshots.snapshots import snapshots_of
    from pqlkit.statistics.rate import Rate

    settings = replace(settings, measures=settings.measures or default_measures(population.kind))
    say = progress or (lambda _: None)
    if settings.given is not None:
        refuse_other_kind(population, settings.given)
    say("choosing when to take snapshots")
    seen = snapshots_of(
        population,
        settings.snapshots,
        windows=settings.windows,
        conversion_window=settings.conversion_window,
        gap=settings.gap,
        active_within=settings.active_within,
        until_conversion=settings.exposure is Exposure.UNTIL_CONVERSION,
    )
    seen = _narrowed(population, seen, settings.given)
    say(f"measuring every event at {seen.frame.height:,} snapshots")
    names = looked_at(event_names(population) - {population.outcome.final_event}, settings.exclude_event)
    measured = cube(
        population.world,
        seen.frame.select("snapshot", "entity", "cutoff"),
        kind=_window_kind(seen),
        windows=seen.design.windows,
        measures=settings.measures,
        events=names,
    )
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
        split=cache(lambda: _split(population, seen, measured, names, say)),
    )


def _split(
    population: Population, seen: Snapshots, measured: Cube, names: Sequence[str], say: Callable[[str], None]
) -> Cube:
    """Measure the kinds of events, without those that belong to the upgrade (a page that is the checkout)."""
    from pqlkit.analysis.leaks import leaks
    from pqlkit.measures.kinds import joined, kinds, kinds_cube, told_apart
    from pqlkit.measures.surroundings import surroundings

    say("telling the kinds of events apart")
    asked = kinds(population.world, names)
    apart, numbered = told_apart(population.world, asked)
    leaky = {numbered[suspect.event] for suspect in leaks(surroundings(apart)) if suspect.excluded} if numbered else ()
    split = kinds_cube(
        population.world,
        seen.frame.select("snapshot", "entity", "cutoff"),
        [kind for kind in asked if kind not in leaky],
        kind=_window_kind(seen),
        windows=seen.design.windows,
    )
    return joined(measured, split, snapshots=measured.snapshots)


def _window_kind(seen: Snapshots) -> WindowKind:
    return WindowKind.TRAILING if seen.design.kind is DesignKind.EVERY else WindowKind.WITHIN


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

    say("looking for events that belong to the conversion")
    around = surroundings(population.world)
    suspects = (*leaks(around, Levels.of(measured, y)), *trait_leaks(population, seen.frame, y))
    return overruled(suspects, settings.keep_event)


def _narrowed(population: Population, seen: Snapshots, given: Definition | None) -> Snapshots:
    """Keep the snapshots at which ``--given`` holds; classes and places still tell where everybody went before."""
    import polars as pl

    from pqlkit.snapshots.matches import holds_at

    if given is None:
        return seen
    frame = seen.frame.filter(pl.Series(holds_at(population, given, seen.frame)))
    return replace(seen, frame=frame.with_columns(pl.int_range(frame.height, dtype=pl.Int64).alias("snapshot")))


def outcome_events(population: Population) -> frozenset[str]:
    """Name the events that the outcome itself is made of (an outcome by definition)."""
    from pqlkit.definitions.model import Criterion, leaves

    definition = population.outcome.definition
    if definition is None:
        return frozenset()
    parts = [leaf for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion)]
    return frozenset(event for part in parts for event in part.events or ())
