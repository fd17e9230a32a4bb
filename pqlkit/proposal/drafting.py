"""The draft: a proposal on its way, from snapshots over a search to candidates."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.tiers import HYPOTHESES_BELOW, Tier, tier
from pqlkit.definitions.model import MeasureKind
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.proposal.proposing import Frontier, Halves, Proposal
from pqlkit.proposal.split import TOO_FEW, SplitKind, split
from pqlkit.proposal.wording import in_words
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from pqlkit.analysis.leaks import Suspect
    from pqlkit.analysis.observation import Observed
    from pqlkit.definitions.model import Outcome
    from pqlkit.measures.precursors import Precursor
    from pqlkit.options.search import ProposeOptions
    from pqlkit.proposal.benchmark_model import BenchmarkModel
    from pqlkit.proposal.choosing import Choice
    from pqlkit.proposal.crossfit import CrossFit
    from pqlkit.proposal.literals import Floors, Trait
    from pqlkit.proposal.objective import Constraints, Objective
    from pqlkit.proposal.points import Points
    from pqlkit.proposal.search import Search
    from pqlkit.proposal.selection_test import SelectionTest
    from pqlkit.proposal.split import Split

NOTHING_HERE: Final = 0.55
"""A model with no better AUC on the later snapshots than this has found nothing."""

WEEK: Final = 7 * 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """What the steps of a proposal share.

    Parameters
    ----------
    observed, wishes, say
        What was looked at, what is asked for, and whom to tell the steps.
    parts
        The split.
    suspects
        Judged on the fit part.
    excluded
        Events that the search may not use.
    mechanical
        Those of them that precede the upgrade by construction, and nothing worse is known of: for a list of their own.
    traits
        Fixed traits as literals, where asked for.
    precursors
        Events that mostly lead to another, seen before the later snapshots begin; none are looked for where nothing is searched.
    """

    observed: Observed
    wishes: ProposeOptions
    say: Callable[[str], None]
    parts: Split
    leakage: tuple[Suspect, ...]
    excluded: frozenset[str]
    mechanical: frozenset[str]
    traits: tuple[Trait, ...]
    precursors: tuple[Precursor, ...] = ()

    @classmethod
    def of(cls, observed: Observed, wishes: ProposeOptions, say: Callable[[str], None]) -> Draft:
        """Split the snapshots and judge leaks on the earlier part alone."""
        from pqlkit.measures.precursors import precursors

        say("setting later snapshots aside")
        parts = _split(observed, wishes, coarse=tier(observed.converters) is Tier.COARSE)
        leakage = _leakage(observed, parts)
        notes = observed.population.project.events
        mechanical = {name for name, note in notes.items() if note.mechanical}
        automatic = {name for name, note in notes.items() if note.automatic}
        leaks = {one.event for one in leakage if one.excluded and not one.trait}
        leaky_traits = {one.event for one in leakage if one.excluded and one.trait}
        own = _own_events(observed)
        kept = {name for name in own | automatic if _kept(name, observed.settings.keep_event)}
        return cls(
            observed=observed,
            wishes=wishes,
            say=say,
            parts=parts,
            leakage=leakage,
            excluded=frozenset((leaks | mechanical | automatic | own) - kept),
            mechanical=frozenset(mechanical - leaks - ((automatic | own) - kept)),
            traits=_traits(observed, leaky_traits) if wishes.use_traits else (),
            precursors=precursors(observed.population.world, before=parts.first)
            if observed.converters >= HYPOTHESES_BELOW
            else (),
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome of every definition that comes out: the analysis' conversion window, all keys of the population's outcome."""
        from dataclasses import replace

        from pqlkit.durations import Duration

        return replace(
            self.observed.population.outcome,
            within=Duration.parse(self.observed.snapshots.design.conversion_window.emitted),
        )

    @property
    def holdout_from(self) -> int:
        """The first moment of the holdout period; for cross-fitted snapshots the first cutoff of all."""
        if self.parts.first is not None:
            return self.parts.first
        return int(self.observed.snapshots.frame.get_column("cutoff").min() or 0)  # type: ignore[arg-type]

    @property
    def tier(self) -> Tier:
        """What the data bears, by its usable converters."""
        return tier(self.observed.converters)

    @property
    def thresholds(self) -> tuple[int, ...] | None:
        """The thresholds that may be tried: few with little data, else None for the whole grid."""
        from pqlkit.proposal.literals import COARSE

        return COARSE if self.tier is Tier.COARSE else None

    def halves(self) -> tuple[Halves, Halves]:
        """Describe both sides of the split."""
        return _half(self.observed, self.parts.fit), _half(self.observed, self.parts.holdout)

    def search(self, *, only: frozenset[str] | None = None) -> Search:
        """Search all rules over the literals of the fit part.

        Parameters
        ----------
        only
            These events alone (the mechanical ones); None = all that are not excluded.
        """
        from pqlkit.proposal.literals import literals
        from pqlkit.proposal.search import search

        observed, fit = self.observed, self.parts.fit
        self.say("searching rules")
        listed = literals(
            observed.cube,
            observed.y,
            fit,
            floors=self.floors(fit),
            entities=observed.snapshots.frame.get_column("entity").to_numpy(),
            exclude=self.excluded if only is None else (),
            only=only,
            traits=self.traits if only is None else (),
            leads_to=self.leads_to,
        )
        return search(
            observed.cube,
            observed.y,
            fit,
            listed,
            objective=self.objective(),
            constraints=self.constraints(),
            traits=self.traits,
            max_criteria=self.max_criteria if only is None else 1,
            max_seconds=self.wishes.max_seconds,
            seed=self.wishes.seed,
        )

    @property
    def leads_to(self) -> dict[str, str]:
        """What each precursor leads to."""
        return {one.event: one.leads_to for one in self.precursors}

    def floors(self, part: NDArray[np.bool_]) -> Floors:
        """Say what a literal needs to enter a search of some snapshots."""
        from pqlkit.proposal.literals import Floors

        heads = self.observed.heads(part & self.observed.y)
        return Floors.of(int(part.sum()), heads, thresholds=self.thresholds)

    @property
    def max_criteria(self) -> int:
        """At most two criteria with little data."""
        return min(self.wishes.max_criteria, 2 if self.tier is Tier.COARSE else 3)

    def objective(self) -> Objective:
        """Say what is best."""
        from pqlkit.proposal.objective import parse_objective

        fit = self.parts.fit
        return parse_objective(
            self.wishes.objective,
            base_rate=float(self.observed.y[fit].mean()),
            value=self.wishes.value,
            cost=self.wishes.cost,
            capacity=self.wishes.capacity is not None,
        )

    def constraints(self, part: NDArray[np.bool_] | None = None) -> Constraints:
        """Say what counts at all; a capacity becomes the largest share of snapshots that gives no more leads a week.

        Where a lead has a price, a rule that loses money on the average lead does not count: calling nobody is better.

        Parameters
        ----------
        part
            The snapshots that choose; None = the fit part.
        """
        from pqlkit.proposal.objective import Constraints

        wishes = self.wishes
        converted = (self.parts.fit if part is None else part) & self.observed.y
        return Constraints.of(
            int(converted.sum()),
            heads=self.observed.heads(converted),
            min_share=wishes.min_share,
            max_share=self._capacity_share(),
            min_recall=wishes.min_recall,
            min_rate=self._least_rate(),
        )

    def _least_rate(self) -> float | None:
        """Give the rate that a rule must reach: what was asked for, and what a lead must bring to pay for itself."""
        bounds = [bound for bound in (self.wishes.min_rate, self.objective().threshold) if bound is not None]
        return max(bounds, default=None)

    def _capacity_share(self) -> float | None:
        if self.wishes.capacity is None:
            return None
        cutoffs = self.observed.snapshots.frame.get_column("cutoff").to_numpy()[self.parts.fit]
        weeks = max(1.0, float(np.ptp(cutoffs)) / WEEK)
        # At several ages an entity is one lead, whatever the number of its snapshots.
        leads = (
            self.observed.heads(self.parts.fit)
            if self.observed.snapshots.design.kind is DesignKind.AGE
            else len(cutoffs)
        )
        return min(1.0, self.wishes.capacity * weeks / leads)

    def proposal(self) -> Proposal:
        """Search, choose, check, and sum up."""
        converters = self.observed.converters
        if converters < HYPOTHESES_BELOW:
            return self._empty(
                f"{converters} usable upgrades: no search, it would find luck (it opens at {HYPOTHESES_BELOW})",
                'test what you believe: pqlkit try "EVENT >= 3 in 14d"',
            )
        fit = self.observed.y[self.parts.fit]
        if not fit.size or fit.all() or not fit.any():
            return self._empty("the earlier snapshots hold only one outcome: nothing can be chosen on them")
        return self._searched()

    def _searched(self) -> Proposal:
        from pqlkit.proposal.choosing import choose

        found, card, top = self._compared()
        self.say("reading the later snapshots, once")
        warnings = _unfinished(found)
        if top is not None and top.auc is not None and top.auc < NOTHING_HERE:
            warnings.append(
                f"nothing here predicts upgrades: a model of all behaviours reaches an AUC of {top.auc:.2f} later"
            )
            return self._empty(*warnings, found=found, top=top)
        cross = self.cross_fitted()
        choice = choose(self, found, cross)
        warnings += choice.warnings
        return self._summed_up(found, choice, card, top, warnings, cross)

    def _compared(self) -> tuple[Search, Points | None, BenchmarkModel | None]:
        """Search and fit the card, while the model is fitted."""
        from pqlkit.proposal.points import points_card

        observed, fit = self.observed, self.parts.fit
        with self.benchmark_model_begun() as benchmark_model:
            found = self.search()
            self.say("comparing with points and a model")
            card = points_card(observed.cube, observed.y, fit, found) if found.rules else None
            return found, card, benchmark_model()

    @contextmanager
    def benchmark_model_begun(self) -> Iterator[Callable[[], BenchmarkModel | None]]:
        """Begin to fit the boosting model; not with little data, where nothing is set aside to read it on."""
        from pqlkit.proposal.benchmark_model import benchmark_model_begun

        if self.tier is not Tier.EVERYTHING or self.parts.kind is SplitKind.CROSS_FITTED:
            yield lambda: None
            return
        with benchmark_model_begun(
            self.observed.cube,
            self.observed.y,
            self.parts.fit,
            self.parts.holdout,
            columns=self._columns(),
            entities=self.observed.snapshots.frame.get_column("entity").to_numpy(),
            seed=self.wishes.seed,
        ) as benchmark_model:
            yield benchmark_model

    def _summed_up(
        self,
        found: Search,
        choice: Choice,
        card: Points | None,
        top: BenchmarkModel | None,
        warnings: list[str],
        cross: CrossFit | None,
    ) -> Proposal:
        from pqlkit.proposal.champion import champion
        from pqlkit.proposal.choosing import mechanical
        from pqlkit.proposal.experiment import experiment
        from pqlkit.proposal.menu import ladder
        from pqlkit.proposal.points import prefer_points
        from pqlkit.proposal.rule import holds
        from pqlkit.proposal.tonight import tonight

        observed, parts, wishes = self.observed, self.parts, self.wishes
        first = choice.candidates[0] if choice.candidates else None
        met = None if first is None else holds(observed.cube, first.rule.literals, self.traits)
        fit, holdout = self.halves()
        return Proposal(
            observed=observed,
            wishes=wishes,
            split=parts,
            fit=fit,
            holdout=holdout,
            read=choice.read,
            tier=self.tier,
            search=found,
            candidates=choice.candidates,
            mechanical=mechanical(self, choice.candidates),
            rejected=choice.rejected,
            front=self._front(found),
            ladder=ladder(found),
            points=card,
            prefer_points=card is not None
            and met is not None
            and prefer_points(card, observed.cube, observed.y, parts.holdout, met),
            benchmark_model=top,
            captured=None if met is None or top is None else top.captured(met),
            selection=self._selection() if found.rules else None,
            cross_fitted=cross,
            champion=None
            if wishes.against is None
            else champion(observed, wishes.against, parts.holdout, first=self.holdout_from, challenger=met),
            experiment=experiment(first.promised) if first is not None and wishes.plan_experiment else None,
            tonight=None if first is None else tonight(observed.population, first.definition, spells=first.spells),
            leakage=self.leakage,
            warnings=(*observed.population.warnings, *warnings),
        )

    def _front(self, found: Search) -> tuple[Frontier, ...]:
        from pqlkit.proposal.menu import front

        return tuple(
            Frontier(words=in_words(rule.literals), rate=rule.rate, recall=rule.converted / found.converters)
            for rule in front(found)
        )

    def _columns(self) -> NDArray[np.intp]:
        """List the behaviours for the model: the dates and users of events that are counted too say the same once more.

        Without them it took half the time, and its AUC on 82,000 snapshots fell from .7312 to .7310.
        """
        behaviours = self.observed.cube.behaviours
        counted = {one.event for one in behaviours if one.measure.kind is MeasureKind.COUNT}
        kept = [
            index
            for index, one in enumerate(behaviours)
            if one.event not in self.excluded
            and not (one.measure.kind in {MeasureKind.DAYS, MeasureKind.USERS} and one.event in counted)
        ]
        return np.array(kept, dtype=np.intp)

    def strata(self) -> NDArray[np.int64]:
        """Calendar block x age band: outcomes are shuffled only within."""
        frame = self.observed.snapshots.frame
        block = frame.get_column("block").to_numpy().astype(np.int64)
        strata: NDArray[np.int64] = block * 100 + frame.get_column("age_band").to_numpy().astype(np.int64)
        return strata

    def _selection(self) -> SelectionTest | None:
        from pqlkit.proposal.selection_test import selection_test

        if self.wishes.permutations == 0:
            return None
        self.say(f"searching {self.wishes.permutations} shuffled outcomes")
        observed, part = self.observed, self._independent()
        return selection_test(
            observed.cube,
            observed.y,
            part,
            self.strata(),
            objective=self.objective(),
            constraints=self.constraints(part),
            floors=self.floors(part),
            entities=observed.snapshots.frame.get_column("entity").to_numpy(),
            exclude=self.excluded,
            traits=self.traits,
            max_criteria=self.max_criteria,
            permutations=self.wishes.permutations,
            seed=self.wishes.seed,
        )

    def _independent(self) -> NDArray[np.bool_]:
        """Give the snapshots of the fit part that may be shuffled: one drawn of each label where snapshots depend on each other.

        Shuffled one by one, the snapshots of one entity would each get another outcome, and chance would look weaker than it is.
        """
        if not self.observed.dependent:
            return self.parts.fit
        rows = np.random.default_rng(self.wishes.seed).permutation(np.flatnonzero(self.parts.fit))
        _, first = np.unique(self.observed.clusters[rows], return_index=True)
        part = np.zeros(len(self.parts.fit), dtype=np.bool_)
        part[rows[first]] = True
        return part

    def cross_fitted(self) -> CrossFit | None:
        """Read the choices of the search where they had no say; None where later snapshots are set aside."""
        from pqlkit.proposal.crossfit import cross_fit

        if self.parts.kind is not SplitKind.CROSS_FITTED:
            return None
        observed = self.observed
        return cross_fit(
            observed.cube,
            observed.y,
            self.parts.folds,
            objective=self.objective(),
            thresholds=self.thresholds,
            entities=observed.snapshots.frame.get_column("entity").to_numpy(),
            exclude=self.excluded,
            traits=self.traits,
            leads_to=self.leads_to,
            max_criteria=self.max_criteria,
            max_seconds=self.wishes.max_seconds,
            seed=self.wishes.seed,
        )

    def _empty(self, *why: str, found: Search | None = None, top: BenchmarkModel | None = None) -> Proposal:
        fit, holdout = self.halves()
        return Proposal(
            observed=self.observed,
            wishes=self.wishes,
            split=self.parts,
            fit=fit,
            holdout=holdout,
            read=0,
            tier=self.tier,
            search=found,
            candidates=(),
            mechanical=(),
            rejected=(),
            front=() if found is None else self._front(found),
            ladder=(),
            points=None,
            prefer_points=False,
            benchmark_model=top,
            captured=None,
            selection=None,
            cross_fitted=None,
            champion=None,
            experiment=None,
            leakage=self.leakage,
            warnings=(*self.observed.population.warnings, *why),
        )


def _half(observed: Observed, part: NDArray[np.bool_]) -> Halves:
    cutoffs = observed.snapshots.frame.get_column("cutoff").to_numpy()[part]
    base = Rate.of(int(observed.y[part].sum()), int(part.sum()), design_effect=observed.design_effect)
    if not cutoffs.size:
        return Halves(first=None, through=None, base=base)
    return Halves(first=int(cutoffs.min()), through=int(cutoffs.max()), base=base)


def _unfinished(found: Search) -> list[str]:
    """Say what the search did not come to."""
    said = []
    if not found.in_time:
        said.append(f"the search was stopped after {found.seconds:.0f} s: --max-seconds gives it longer")
    if found.left_out:
        said.append(
            f"{found.left_out:,} thresholds were in no combination, for want of time: fewer --windows or --measures, or a longer "
            "--max-seconds, take them all in"
        )
    return said


def _split(observed: Observed, wishes: ProposeOptions, *, coarse: bool) -> Split:
    """Divide the snapshots; with little data every part is needed for choosing, and the choice is cross-fitted."""
    import polars as pl

    frame = observed.snapshots.frame
    outcome, design = observed.population.outcome, observed.snapshots.design
    retained = outcome.retained_for.microseconds if outcome.retained_for is not None else 0
    cutoff = frame.get_column("cutoff").to_numpy()
    since = wishes.holdout_from
    if since is not None and design.cutoffs and len(design.cutoffs) == 1:
        since += design.cutoffs[0].microseconds  # `once` is split by the anchor
    block, counts = (
        pl.col("block"),
        pl.col("y") & (pl.col("cutoff") == pl.col("cutoff").filter("y").max().over("entity")),
    )
    if observed.dependent:
        # Snapshots that overlap go into one fold.
        block = block.min().over(pl.Series(observed.clusters))
    blocks, last = frame.select(block.cast(pl.Int64).alias("block"), counts.fill_null(value=False).alias("last"))
    return split(
        cutoff,
        cutoff + design.conversion_window.microseconds + retained,
        observed.y,
        block=blocks.to_numpy(),
        counts=last.to_numpy(),
        share=wishes.holdout,
        holdout_from=since,
        too_few=float("inf") if coarse else TOO_FEW,
    )


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
    found = (*leaks(around, seen), *trait_leaks(observed.population, frame, observed.y[parts.fit]))
    return overruled(found, observed.settings.keep_event)


def _own_events(observed: Observed) -> set[str]:
    """Name the events that the outcome is made of: by event never a behaviour, by definition only on request."""
    from pqlkit.analysis.observation import outcome_events

    outcome = observed.population.outcome
    return set(outcome_events(observed.population)) | ({outcome.event} if outcome.event is not None else set())


def _kept(name: str, patterns: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _traits(observed: Observed, leaky: set[str]) -> tuple[Trait, ...]:
    """Make one literal of each common value of each fixed trait (at most 20 values a trait) that is no leak."""
    import polars as pl

    from pqlkit.definitions.model import Condition, Operator
    from pqlkit.proposal.literals import Trait

    traits, frame = observed.population.traits, observed.snapshots.frame
    fixed = [name for name, kind in traits.kinds.items() if kind.value == "fixed" and name not in leaky | {"email"}]
    moments = frame.select("entity", pl.col("cutoff").alias("at"))
    found: list[Trait] = []
    for name in fixed:
        values = traits.at(moments, [name]).get_column(name)
        # Ties of the count go to the smaller value, so that the order of rows never matters.
        counted = values.drop_nulls().value_counts().sort("count", name, descending=[True, False])
        common = counted.head(20).get_column(name).sort().to_list()
        for value in common:
            condition = Condition(name=name, operator=Operator.EQUALS, values=(value,))
            found.append(Trait(condition=condition, holds=(values == value).fill_null(value=False).to_numpy()))
    return tuple(found)
