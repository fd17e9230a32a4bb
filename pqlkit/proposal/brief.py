"""The brief: what a proposal stands on, and what is asked of it; every step reads it, none changes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pqlkit.analysis.tiers import HYPOTHESES_BELOW, Tier, tier
from pqlkit.durations import Duration
from pqlkit.proposal.exclusions import Exclusions
from pqlkit.proposal.literals import COARSE
from pqlkit.proposal.objective import parse_objective
from pqlkit.proposal.problem import Problem
from pqlkit.proposal.search import search
from pqlkit.proposal.split import FOLDS, TOO_FEW, SplitKind, split
from pqlkit.proposal.split import since as divided_since

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.analysis.observation import Observed
    from pqlkit.definitions.model import Outcome
    from pqlkit.measures.behaviour import Cube
    from pqlkit.measures.precursors import Precursor
    from pqlkit.options.search import ProposeOptions
    from pqlkit.proposal.literals import Trait
    from pqlkit.proposal.objective import Objective
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.split import Split
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Brief:
    """What the steps of a proposal share.

    Parameters
    ----------
    observed, wishes, say
        What was looked at, what is asked for, and whom to tell the steps.
    parts
        The split.
    exclusions
        Events that no rule may name.
    traits
        Fixed traits as literals, where asked for.
    precursors
        Events that mostly lead to another, seen before the later snapshots begin; none are looked for where nothing is searched.
    since
        Snapshots from here on choose and test; None = all.
    known_later
        Whether later snapshots had a say in that moment: they were read once more.
    """

    observed: Observed
    wishes: ProposeOptions
    say: Callable[[str], None]
    parts: Split
    exclusions: Exclusions
    traits: tuple[Trait, ...]
    precursors: tuple[Precursor, ...] = ()
    since: Microseconds | None = None
    known_later: bool = False

    @classmethod
    def of(
        cls,
        observed: Observed,
        wishes: ProposeOptions,
        say: Callable[[str], None],
        *,
        changed: Microseconds | None = None,
    ) -> Brief:
        """Split the snapshots and judge leaks on the earlier part alone.

        Parameters
        ----------
        observed, wishes, say
            As of the class.
        changed
            Since when the product is another, where later snapshots have shown it; None = as `wishes` say.
        """
        from pqlkit.measures.precursors import precursors

        say("setting later snapshots aside")
        since = changed if changed is not None else wishes.learn_from
        if since is not None:
            since = _shifted(observed, since)
        plain, parts = _split(observed, wishes, since, known_later=changed is not None)
        exclusions = Exclusions.of(observed, parts)
        return cls(
            observed=observed,
            wishes=wishes,
            say=say,
            parts=parts,
            exclusions=exclusions,
            traits=_traits(observed, exclusions.traits) if wishes.use_traits else (),
            precursors=precursors(observed.population.world, before=parts.first)
            if observed.converters >= HYPOTHESES_BELOW
            else (),
            since=since,
            known_later=plain.first is not None and parts.first is None,
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome of every definition that comes out: the analysis' conversion window, all keys of the population's outcome."""
        return replace(
            self.observed.population.outcome,
            within=Duration.parse(self.observed.snapshots.design.conversion_window.emitted),
        )

    @property
    def entities(self) -> NDArray[np.int64]:
        """The entity of each snapshot."""
        return self.observed.snapshots.frame.get_column("entity").to_numpy()

    @property
    def holdout_from(self) -> int:
        """The first moment of the holdout period; for cross-fitted snapshots the first cutoff of all."""
        return self.begin if self.parts.first is None else self.parts.first

    @property
    def begin(self) -> int:
        """The first cutoff of the snapshots that choose."""
        cutoff = self.observed.snapshots.frame.get_column("cutoff").to_numpy()
        chosen = cutoff if self.since is None else cutoff[cutoff >= self.since]
        return int(chosen.min()) if len(chosen) else 0

    @property
    def converters(self) -> int:
        """Usable converters of the snapshots that choose and test."""
        return _converters(self.observed, self.since)

    @property
    def cross_fitted(self) -> bool:
        """Whether no later snapshots are set aside."""
        return self.parts.kind is SplitKind.CROSS_FITTED

    @property
    def tier(self) -> Tier:
        """What the data bears, by its usable converters."""
        return tier(self.converters)

    @property
    def cube(self) -> Cube:
        """What rules are made of: every behaviour, and the kinds of events where there is enough for a search."""
        observed = self.observed
        return observed.cube if observed.converters < HYPOTHESES_BELOW else observed.with_kinds

    @property
    def problem(self) -> Problem:
        """What is searched: few thresholds and at most two criteria with little data."""
        coarse = self.tier is Tier.COARSE
        return Problem(
            cube=self.cube,
            kinds_from=len(self.observed.cube.behaviours),
            design_effect=self.observed.design_effect,
            any_event=not self.exclusions.meters,
            y=self.observed.y,
            entities=self.entities,
            objective=parse_objective(self.wishes.objective, base_rate=float(self.observed.y[self.parts.fit].mean())),
            max_criteria=min(self.wishes.max_criteria, 2 if coarse else 3),
            excluded=self.exclusions.events,
            traits=self.traits,
            leads_to={precursor.event: precursor.leads_to for precursor in self.precursors},
            thresholds=COARSE if coarse else None,
            seed=self.wishes.seed,
            max_rules=self.wishes.max_rules,
        )

    @property
    def objective(self) -> Objective:
        """What is best of qualifications: by what is asked for, a capacity or a price included."""
        return parse_objective(
            self.wishes.objective,
            base_rate=float(self.observed.y[self.parts.fit].mean()),
            value=self.wishes.value,
            cost=self.wishes.cost,
            capacity=self.wishes.capacity is not None,
        )

    @property
    def least_rate(self) -> float | None:
        """The rate of qualifications that a rule must reach: what was asked for, and what a lead must bring to pay for itself."""
        wishes = self.wishes
        pays = None if wishes.value is None or wishes.cost is None else wishes.cost / wishes.value
        return max((bound for bound in (wishes.min_rate, pays) if bound is not None), default=None)

    def search(self, *, only: frozenset[str] | None = None) -> Search:
        """Search all rules over the literals of the fit part.

        Parameters
        ----------
        only
            Single criteria of these events alone (the mechanical ones); None = all rules of what is not excluded.
        """
        self.say("searching rules")
        problem, fit = self.problem, self.parts.fit
        goal = problem.goal(fit)
        return search(
            problem,
            fit,
            problem.literals(fit, only=only),
            goal=goal if only is None else replace(goal, max_criteria=1),
            say=self.say,
        )


def _shifted(observed: Observed, moment: Microseconds) -> Microseconds:
    """Give the cutoff of whoever begins at a moment, where each entity has one."""
    design = observed.snapshots.design
    one_age = design.cutoffs and len(design.cutoffs) == 1
    return moment + (design.cutoffs[0].microseconds if one_age else 0)


def _converters(observed: Observed, since: Microseconds | None) -> int:
    """Count the usable converters of snapshots from a moment on."""
    if since is None:
        return observed.converters
    cutoff = observed.snapshots.frame.get_column("cutoff").to_numpy()
    return observed.heads(observed.y & (cutoff >= since))


def _split(
    observed: Observed, wishes: ProposeOptions, since: Microseconds | None, *, known_later: bool
) -> tuple[Split, Split]:
    """Divide the snapshots, all and those of a moment on; with little data all choose, and the choice is cross-fitted."""
    import polars as pl

    frame = observed.snapshots.frame
    outcome, design = observed.population.outcome, observed.snapshots.design
    retained = outcome.retained_for.microseconds if outcome.retained_for is not None else 0
    cutoff = frame.get_column("cutoff").to_numpy()
    holdout_from = None if wishes.holdout_from is None else _shifted(observed, wishes.holdout_from)
    block, counts = (
        pl.col("block"),
        pl.col("y") & (pl.col("cutoff") == pl.col("cutoff").filter("y").max().over("entity")),
    )
    if observed.dependent:
        # Snapshots that overlap go into one fold.
        block = block.min().over(pl.Series(observed.clusters))
    elif not design.cutoffs:
        # Everybody is looked at in all quarters: without one, and without the windows around it, hardly anything would choose.
        block = pl.col("entity") % FOLDS
    columns = frame.select(block.cast(pl.Int64).alias("block"), counts.fill_null(value=False).alias("last"))
    blocks, last = (column.to_numpy() for column in columns)
    parts = split(
        cutoff,
        cutoff + design.conversion_window.microseconds + retained,
        observed.y,
        block=blocks,
        counts=last,
        share=wishes.holdout,
        holdout_from=holdout_from,
        too_few=_too_few(observed.converters),
    )
    if since is None:
        return parts, parts
    return parts, divided_since(
        parts,
        cutoff,
        observed.y,
        since,
        block=blocks,
        counts=last,
        known_later=known_later,
        too_few=_too_few(_converters(observed, since)),
    )


def _too_few(converters: int) -> float:
    """Give the converters that each part of a split needs; with little data none has enough."""
    return float("inf") if tier(converters) is Tier.COARSE else TOO_FEW


def _traits(observed: Observed, leaky: Set[str]) -> tuple[Trait, ...]:
    """Make one literal of each common value of each fixed trait (at most 20 values a trait) that is no leak."""
    import polars as pl

    from pqlkit.definitions.model import Condition, Operator
    from pqlkit.proposal.literals import Trait

    traits, frame = observed.population.traits, observed.snapshots.frame
    fixed = [name for name, kind in traits.kinds.items() if kind.value == "fixed" and name not in leaky | {"email"}]
    moments = frame.select("entity", pl.col("cutoff").alias("at"))
    held: list[Trait] = []
    for name in fixed:
        values = traits.at(moments, [name]).get_column(name)
        # Ties of the count go to the smaller value, so that the order of rows never matters.
        counted = values.drop_nulls().value_counts().sort("count", name, descending=[True, False])
        common = counted.head(20).get_column(name).sort().to_list()
        for value in common:
            condition = Condition(name=name, operator=Operator.EQUALS, values=(value,))
            held.append(Trait(condition=condition, holds=(values == value).fill_null(value=False).to_numpy()))
    return tuple(held)
