"""One trial: a simulated product, looked at and searched as `propose` does, with its truth beside every snapshot."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pqlkit.analysis.observation import observe
from pqlkit.durations import DAY
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import read_project
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.proposal.brief import Brief
from pqlkit.proposal.crossfit import cross_fit
from pqlkit.proposal.fit_view import FitView
from pqlkit.proposal.holdout import verdicts
from pqlkit.proposal.menu import standings_of
from pqlkit.proposal.proposing import NOTHING_HERE, model_begun
from pqlkit.proposal.rule import holds
from pqlkit.snapshots.snapshots import snapshots_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pqlkit.population.population import Population
    from pqlkit.proposal.candidate import Candidate
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.standings import Standings
    from tests.worlds.simulated import SimulatedWorld


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A world's brief; `meets` and `chance` are the truth at each snapshot (`chance` NaN where it is not defined)."""

    world: SimulatedWorld
    population: Population
    brief: Brief
    meets: NDArray[np.bool_]
    chance: NDArray[np.float64]

    @property
    def y(self) -> NDArray[np.bool_]:
        return self.brief.observed.y

    @property
    def later(self) -> NDArray[np.bool_]:
        return self.brief.parts.holdout

    def held(self, literals: Sequence[Literal]) -> NDArray[np.bool_]:
        return holds(self.brief.observed.cube, literals, self.brief.traits)


@contextmanager
def populated(world: SimulatedWorld) -> Iterator[Population]:
    """Write a world and read it back; the events stay on disk until the end of the block."""
    with TemporaryDirectory(prefix="pqlkit-simulation-") as folder:
        project = read_project(world.write(folder) / "pqlkit.yml")
        yield population_of(open_dataset(project), project)


@contextmanager
def trial(
    world: SimulatedWorld, *, snapshots: str = "once:14d", wishes: ProposeOptions | None = None
) -> Iterator[Trial]:
    """Look at a world, and set later snapshots aside."""
    with populated(world) as people:
        observed = observe(people, Settings(snapshots=snapshots))
        brief = Brief.of(observed, wishes or ProposeOptions(permutations=0), lambda _: None)
        truth = _truth(world, people)
        entity = observed.snapshots.frame["entity"].to_numpy()
        yield Trial(
            world=world,
            population=people,
            brief=brief,
            meets=truth["meets"].fill_null(value=False).to_numpy()[entity],
            chance=truth["chance"].fill_null(float("nan")).to_numpy()[entity],
        )


def _truth(world: SimulatedWorld, people: Population) -> pl.DataFrame:
    key = people.entities.select("entity", pl.col("id").cast(pl.String))
    known = world.truth.entities.select(pl.col("entity").cast(pl.String).alias("id"), "meets", "chance")
    return key.join(known, on="id", how="left", maintain_order="left")


def offered(made: Trial) -> tuple[Search, tuple[Candidate, ...]]:
    """Search and offer what `propose` would, in the order that costs least: the model only where rules passed the gate."""
    brief = made.brief
    found = brief.search()
    if not found.rules:
        return found, ()
    standings = read(brief, found)
    cross = cross_fit(brief, standings.view.activity) if brief.cross_fitted else None
    candidates = verdicts(brief, standings, cross).candidates
    if candidates:
        with model_begun(brief) as benchmark_model:
            top = benchmark_model()
        if top is not None and top.auc is not None and top.auc < NOTHING_HERE:
            return found, ()
    return found, candidates


def read(brief: Brief, found: Search) -> Standings:
    """Read the rules of a search as qualifications."""
    return standings_of(brief, found, FitView.of(brief, found.literals))


def chosen(brief: Brief, found: Search) -> tuple[Literal, ...]:
    """Give the rule that heads the menu; nothing if there is none."""
    first = read(brief, found).first() if found.rules else None
    return () if first is None else tuple(found.literals[place] for place in first)


def true_rate(world: SimulatedWorld, literals: Sequence[Literal]) -> float:
    """Give the mean chance of those who meet a rule at the landmark, among everybody at risk there."""
    from pqlkit.definitions.model import WindowKind
    from pqlkit.measures.cube import cube

    behaviours = [one.behaviour for one in literals if one.behaviour is not None]
    with populated(world) as people:
        seen = snapshots_of(people, "once:14d").frame
        measured = cube(
            people.world,
            seen.select("snapshot", "entity", "cutoff"),
            kind=WindowKind.WITHIN,
            windows=sorted({one.window.length for one in behaviours if one.window.length is not None}),
            measures=list(dict.fromkeys(one.measure for one in behaviours)),
            events=sorted({one.event for one in behaviours if one.event is not None}),
        )
        here = [replace(one, column=measured.behaviours.index(one.behaviour)) for one in literals if one.behaviour]
        chance = _truth(world, people)["chance"].fill_null(float("nan")).to_numpy()[seen["entity"].to_numpy()]
        return float(np.nanmean(chance[holds(measured, here)]))


def as_planted(literals: Sequence[Literal]) -> set[tuple[str, int, int]]:
    """Spell literals as (event, days, threshold); of a measure other than count the threshold is negative."""
    spelled = set()
    for one in literals:
        if one.behaviour is None or one.behaviour.window.length is None:
            spelled.add((one.name, 0, 0))
            continue
        sign = 1 if one.behaviour.measure.kind.value == "count" else -1
        spelled.add((one.name, one.behaviour.window.length.microseconds // DAY, sign * int(one.threshold or 0)))
    return spelled


def planted(world: SimulatedWorld) -> set[tuple[str, int, int]]:
    """Spell the planted rule the same way."""
    rule = world.truth.rule
    assert rule is not None
    return {
        (
            (one.events or ("",))[0],
            (one.window.length.microseconds // DAY if one.window.length else 0),
            int(one.at_least),
        )
        for one in rule.criteria
        if isinstance(one.at_least, int)
    }


def f1(met: NDArray[np.bool_], y: NDArray[np.bool_]) -> float:
    """Give the harmonic mean of rate and recall."""
    return 2 * int((met & y).sum()) / max(1, int(met.sum() + y.sum()))
