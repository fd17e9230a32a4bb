"""The exclusions: events that no rule may name, judged on the snapshots that choose."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pqlkit.analysis.metering import meters
from pqlkit.analysis.observation import outcome_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.analysis.leaks import Suspect
    from pqlkit.analysis.metering import Meter
    from pqlkit.analysis.observation import Observed
    from pqlkit.proposal.split import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """What the search leaves out.

    Parameters
    ----------
    leakage
        Events and traits that look like leaks, on the fit part.
    events
        Events that the search may not use.
    mechanical
        Those of them that precede the upgrade by construction, and nothing worse is known of: for a list of their own.
    meters
        Those of these that are what is billed, as conversions before the test period show.
    """

    leakage: tuple[Suspect, ...]
    events: frozenset[str]
    mechanical: frozenset[str]
    meters: tuple[Meter, ...]

    @classmethod
    def of(cls, observed: Observed, parts: Split) -> Exclusions:
        """Judge leaks on the earlier part alone."""
        leakage = _leakage(observed, parts)
        notes = observed.population.project.events
        names = sorted({behaviour.event for behaviour in observed.cube.behaviours if behaviour.event is not None})
        billed = meters(observed.population, names, before=parts.first)
        mechanical = {name for name, note in notes.items() if note.mechanical} | {meter.event for meter in billed}
        automatic = {name for name, note in notes.items() if note.automatic}
        leaks = {suspect.event for suspect in leakage if suspect.excluded and not suspect.trait}
        own = _own_events(observed)
        kept = {name for name in own | automatic if _kept(name, observed.settings.keep_event)}
        return cls(
            leakage=leakage,
            events=frozenset((leaks | mechanical | automatic | own) - kept),
            mechanical=frozenset(mechanical - leaks - ((automatic | own) - kept)),
            meters=billed,
        )

    @property
    def traits(self) -> frozenset[str]:
        """Traits that look like leaks."""
        return frozenset(suspect.event for suspect in self.leakage if suspect.excluded and suspect.trait)


def _leakage(observed: Observed, parts: Split) -> tuple[Suspect, ...]:
    """Judge leaks on the entities and the time of the fit part alone."""
    import polars as pl

    from pqlkit.analysis.associations import Levels
    from pqlkit.analysis.leaks import leaks, overruled
    from pqlkit.analysis.trait_leaks import trait_leaks
    from pqlkit.measures.surroundings import surroundings

    frame = observed.snapshots.frame.filter(pl.Series(parts.fit))
    until = None if parts.first is None else parts.first - 1
    around = surroundings(observed.population.world, entities=frame.select("entity"), until=until)
    seen = Levels.of(observed.cube, observed.y, rows=parts.fit)
    suspects = (*leaks(around, seen), *trait_leaks(observed.population, frame, observed.y[parts.fit]))
    return overruled(suspects, observed.settings.keep_event)


def _own_events(observed: Observed) -> set[str]:
    """Name the events that the outcome is made of: by event never a behaviour, by definition only on request."""
    outcome = observed.population.outcome
    return set(outcome_events(observed.population)) | (
        {outcome.final_event} if outcome.final_event is not None else set()
    )


def _kept(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
