"""The hypothesis: a definition that somebody wrote down, tested exactly where there is too little data to search."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from pqlkit.columns import AT, CUTOFF, ENTITY
from pqlkit.errors import PqlkitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.analysis.observation import Observed
    from pqlkit.definitions.model import Definition, Outcome
    from pqlkit.population.population import Population
    from pqlkit.snapshots.qualifications import PqlsPerWeek
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate

MOST: Final = 5
"""More than so many questions to so few upgrades would be a search."""

LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """How one written definition did at the snapshots.

    Parameters
    ----------
    definition
        Which.
    table
        Snapshots that meet it, and the others, of those who are eligible by it.
    odds_ratio
        Exact: the conditional estimate with Cornfield's interval.
    relative_risk
        With Katz' interval, for people.
    p_value, p_adjusted
        Fisher's exact test on either side, and after Holm's correction over the hypotheses; None = untestable.
    pqls_per_week
        How many new leads it would give.
    """

    definition: Definition
    table: Contingency
    odds_ratio: Estimate
    relative_risk: Estimate
    p_value: float | None
    p_adjusted: float | None
    pqls_per_week: PqlsPerWeek

    @property
    def verdict(self) -> str:
        """``more`` or ``fewer`` upgrades than the others, or ``open``: these data do not say."""
        if self.p_adjusted is None or self.p_adjusted > LEVEL:
            return "open"
        return "more" if self.table.a * self.table.n0 > self.table.c * self.table.n1 else "fewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypotheses:
    """All that were tested, by file name, and why others were not (name and reason)."""

    tested: tuple[Hypothesis, ...]
    left_out: tuple[tuple[str, str], ...]


def hypotheses(observed: Observed) -> Hypotheses:
    """Test the definitions of the project's folder, at most five, on the snapshots.

    Parameters
    ----------
    observed
        The snapshots and who they are of.

    Returns
    -------
    Hypotheses
        Left out are files with faults, milestones, other entities, other outcomes, retired definitions, whatever ``propose`` chose (it was
        found in data, not written down before), and all beyond five.

    References
    ----------
    Fisher, R. A. (1935). The logic of inductive inference. Journal of the Royal Statistical Society 98, 39-82.

    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65-70.
    """
    wanted, left_out = written(observed)
    hypothesises: list[Hypothesis] = []
    for definition in wanted:
        if len(hypothesises) == MOST:
            left_out.append((definition.name, f"only the first {MOST} are tested"))
            continue
        try:
            hypothesises.append(_tested(observed, definition))
        except PqlkitError as error:
            left_out.append((definition.name, error.message))
    return Hypotheses(tested=_corrected(hypothesises), left_out=tuple(left_out))


def written(observed: Observed) -> tuple[list[Definition], list[tuple[str, str]]]:
    """Read the folder: what can be asked, in the order of file names, and what cannot, with the reason."""
    from pqlkit.definitions.folders import load_definitions

    folder = observed.population.project.definitions
    wanted: list[Definition] = []
    left_out: list[tuple[str, str]] = []
    for loaded in load_definitions([folder]) if folder.is_dir() else ():
        definition = loaded.definition
        if definition is None:
            left_out.append((str(loaded.document.path), "has faults: pqlkit validate says which"))
        elif (reason := _unasked(definition, observed)) is not None:
            left_out.append((definition.name, reason))
        else:
            wanted.append(definition)
    return wanted, left_out


def _unasked(definition: Definition, observed: Observed) -> str | None:
    """Say why a definition is no hypothesis here; None = it is one."""
    from pqlkit.definitions.model import ChosenBy, Status

    if definition.milestone or definition.outcome is None:
        return "is a milestone"
    if definition.entity is not observed.population.kind:
        return f"is about {definition.entity.value}s"
    if _asks_for_more(definition.outcome, observed.population.outcome):
        return "has an outcome of its own: pqlkit report -d reads it"
    if definition.status is Status.RETIRED:
        return "is retired"
    if definition.evidence is not None and definition.evidence.chosen_by is ChosenBy.PROPOSE:
        return "was found in data, not written down before"
    return None


def _asks_for_more(own: Outcome, outcome: Outcome) -> bool:
    """Whether a definition counts other conversions than the snapshots do; the conversion window is the snapshots' either way."""
    stated = {item.name: getattr(own, item.name) for item in fields(own) if item.name != "within"}
    return any(value not in (None, ()) and value != getattr(outcome, name) for name, value in stated.items())


def _eligible(population: Population, snapshots: Snapshots, definition: Definition) -> Snapshots:
    """Keep the snapshots at which the definition could hold; who is not eligible is no comparison."""
    import polars as pl

    if not definition.eligible:
        return snapshots
    moments = snapshots.frame.select(ENTITY, (pl.col(CUTOFF) - 1).alias(AT))
    return replace(snapshots, frame=snapshots.frame.filter(population.traits.holds(definition.eligible, moments)))


def _tested(observed: Observed, definition: Definition) -> Hypothesis:
    from pqlkit.population.definition_clock import clocked
    from pqlkit.snapshots.matches import met_at
    from pqlkit.snapshots.qualifications import pqls_per_week, reach_of, starts
    from pqlkit.snapshots.spells import qualifications
    from pqlkit.statistics.arrays import number
    from pqlkit.statistics.exact import fisher, odds_ratio

    population = clocked(observed.population, definition)
    spells = qualifications(population, definition)
    snapshots = _eligible(population, observed.snapshots, definition)
    met = met_at(population, definition, snapshots.frame, spells=spells)
    table = snapshots.table(met, design_effect=observed.design_effect)
    # The exact tests count independent rows: snapshots of one entity that overlap say the same thing several times.
    cells = table.independent.cells
    counted = starts(
        population,
        spells,
        conversion_window=snapshots.design.conversion_window,
        cooldown=definition.cooldown,
        reaches_back=reach_of(definition),
    )
    first = int(population.entities["anchor"].drop_nulls().min() or 0)  # type: ignore[arg-type]
    return Hypothesis(
        definition=definition,
        table=table,
        odds_ratio=odds_ratio(*cells),
        relative_risk=table.relative_risk(),
        p_value=number(fisher(*cells)),
        p_adjusted=None,
        pqls_per_week=pqls_per_week(
            counted,
            first=max(first, population.history_from),
            through=population.as_of,
            zone=population.world.zone,
        ),
    )


def _corrected(hypothesises: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    import numpy as np

    from pqlkit.statistics.arrays import number
    from pqlkit.statistics.multiplicity import holm

    adjusted = holm([np.nan if hypothesis.p_value is None else hypothesis.p_value for hypothesis in hypothesises])
    return tuple(
        replace(hypothesis, p_adjusted=number(p)) for hypothesis, p in zip(hypothesises, adjusted, strict=True)
    )
