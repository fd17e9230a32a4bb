"""The steps of a proposal: search earlier snapshots, read later ones, and sum up."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pqlkit.analysis.tiers import HYPOTHESES_BELOW, Tier
from pqlkit.definitions.model import MeasureKind
from pqlkit.errors import UsageError
from pqlkit.inert import visible
from pqlkit.options.option import settled
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.brief import Brief
from pqlkit.proposal.definition_wording import in_words
from pqlkit.proposal.proposed import Frontier, Halves, Proposal, Refit
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pqlkit.analysis.bend import Shape
    from pqlkit.analysis.fewer import Fewer
    from pqlkit.analysis.observation import Observed
    from pqlkit.population.population import Population
    from pqlkit.proposal.benchmark_model import BenchmarkModel
    from pqlkit.proposal.candidate import Candidate
    from pqlkit.proposal.crossfit import CrossFit
    from pqlkit.proposal.fit_view import FitView
    from pqlkit.proposal.holdout import Verdicts
    from pqlkit.proposal.points import Points
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule
    from pqlkit.proposal.standings import Standings

NOTHING_HERE: Final = 0.55
"""A model with no better AUC on the later snapshots than this has found nothing."""

__all__ = ["Proposal", "proposal_of", "propose"]


def propose(
    population: Population,
    settings: Settings | None = None,
    wishes: ProposeOptions | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> Proposal:
    """Search threshold rules on earlier snapshots, check them on later ones, and write the best as definitions.

    Parameters
    ----------
    population
        Who exists.
    settings
        When snapshots are taken; None = the defaults.
    wishes
        What is asked for; None = the defaults.
    progress
        Told each step.
    **options
        Fields of `Settings` and of `ProposeOptions`, which win over those given whole, spelled as on the command line if you like.

    Returns
    -------
    Proposal
        Nothing is written to disk here. No candidate is a result; `warnings` says why.

    Raises
    ------
    UsageError
        A wish cannot be obeyed, or the definition in use is about other entities.

    Examples
    --------
    >>> import polars as pl
    >>> import pqlkit as pq
    >>> users = pl.DataFrame({"user_id": range(30), "signed_up_at": "2026-01-02"})
    >>> events = pl.DataFrame({"user_id": [0, 0], "event": "login", "timestamp": ["2026-01-02", "2026-06-01"]})
    >>> paid = pl.DataFrame({"user_id": [0], "converted_at": "2026-01-20"})
    >>> people = pq.population_of(pq.dataset_of(events=events, users=users, conversions=paid), pq.Project())
    >>> propose(people, snapshots="once:7d", capacity="50/week", permutations=0)
    <Proposal candidates=[] snapshots=30>
    """
    from pqlkit.analysis.observation import observe
    from pqlkit.population.definition_clock import refuse_other_kind

    own = {field.name for field in fields(Settings)}
    settings = settled(Settings, settings, {name: value for name, value in options.items() if name in own})
    wishes = settled(ProposeOptions, wishes, {name: value for name, value in options.items() if name not in own})
    if wishes.against is not None:
        # Before the search, which takes its time.
        refuse_other_kind(population, wishes.against)
        if wishes.against.outcome is None:
            raise UsageError(
                f"{visible(wishes.against.name)} is a milestone: it has no outcome to compare",
                hint="name a definition with an outcome, or leave --against out",
            )
    observed = observe(population, settings, progress=progress)
    return proposal_of(Brief.of(observed, wishes, progress or (lambda _: None)))


def proposal_of(brief: Brief) -> Proposal:
    """Search, choose, check, and sum up."""
    converters = brief.converters
    if converters < HYPOTHESES_BELOW:
        return _nothing(
            brief,
            f"{converters} usable conversions: no search, it would find luck (it opens at {HYPOTHESES_BELOW})",
            *_before_a_snapshot(brief),
        )
    fit = brief.observed.y[brief.parts.fit]
    if not fit.size or fit.all() or not fit.any():
        return _nothing(brief, "the earlier snapshots hold only one outcome: nothing can be chosen on them")
    return _refitted(brief, _searched(brief))


def _before_a_snapshot(brief: Brief) -> list[str]:
    """Say that so few conversions follow a snapshot because most come before the first."""
    from pqlkit.analysis.window_advice import early_warning

    population, design = brief.observed.population, brief.observed.snapshots.design
    early = None if design.kind is DesignKind.AGE else early_warning(population, design)
    return [] if early is None else [early]


def _searched(brief: Brief) -> Proposal:
    from pqlkit.proposal.crossfit import cross_fit
    from pqlkit.proposal.fit_view import FitView
    from pqlkit.proposal.holdout import nothing_stands_out, verdicts
    from pqlkit.proposal.menu import standings_of

    search, card, top = _compared(brief)
    brief.say("reading the later snapshots, once")
    warnings = _unfinished(search)
    blind = top is not None and top.auc is not None and top.auc < NOTHING_HERE
    if blind and top is not None:
        warnings.append(
            f"nothing here predicts conversions: a model of all behaviours reaches an AUC of {top.auc:.2f} later"
        )
    if not search.rules:
        return _nothing(brief, *warnings, *([] if blind else [nothing_stands_out(brief)]), search=search, top=top)
    brief.say("reading rules as qualifications")
    view = FitView.of(brief, search.literals)
    warnings += _drawn(view)
    standings = standings_of(brief, search, view)
    cross = cross_fit(brief, view.activity) if brief.cross_fitted else None
    read = verdicts(brief, standings, cross)
    if blind:
        # What has changed is seen all the same: a product that is another has nothing that its past would tell.
        return replace(_nothing(brief, *warnings, search=search, top=top), changes=read.changes, rejected=read.rejected)
    return _summed_up(brief, standings, read, card, top, cross, (*warnings, *read.warnings))


def _drawn(view: FitView) -> list[str]:
    """Say so where rules are chosen by the leads of some entities alone."""
    entities = view.part.entities
    if entities is None:
        return []
    read = f"{np.count_nonzero(entities):,} of {len(entities):,} entities"
    return [f"rules were chosen by the leads of {read}, drawn by cluster; what is promised counts all"]


def _refitted(brief: Brief, proposal: Proposal) -> Proposal:
    """Choose again on what came since a change: that rule is offered where nothing else is, and told beside another.

    The later data had their say in the moment of the change: so the choice is cross-validated.
    """
    fell = next((change for _, change in proposal.changes if change.fell), None)
    if fell is None or brief.since is not None:
        return proposal
    brief.say(f"choosing again on what came since {fell.quarter}")
    since = Brief.of(brief.observed, brief.wishes, brief.say, changed=fell.since)
    if since.converters < HYPOTHESES_BELOW:
        few = f"{since.converters} usable conversions since then: a search opens at {HYPOTHESES_BELOW}"
        return replace(proposal, refit=Refit(words=None, why=few))
    again = proposal_of(since)
    if not again.candidates:
        why = again.rejected[0][1][0] if again.rejected else again.warnings[-1]
        return replace(proposal, refit=Refit(words=None, why=why))
    if not proposal.candidates:
        return replace(again, changes=proposal.changes, rejected=proposal.rejected)
    rate = None if again.cross_fitted is None else again.cross_fitted.rate
    return replace(proposal, refit=Refit(words=in_words(again.candidates[0].rule.literals), rate=rate))


def _compared(brief: Brief) -> tuple[Search, Points | None, BenchmarkModel | None]:
    """Search and fit the card, while the model is fitted."""
    from pqlkit.proposal.points import points_card

    with model_begun(brief) as model:
        search = brief.search()
        brief.say("comparing with points and a model")
        card = points_card(search) if search.rules else None
        return search, card, model()


@contextmanager
def model_begun(brief: Brief) -> Iterator[Callable[[], BenchmarkModel | None]]:
    """Begin to fit the boosting model; not with little data, where nothing is set aside to read it on."""
    from pqlkit.proposal.benchmark_model import benchmark_model_begun

    if brief.tier is not Tier.EVERYTHING or brief.cross_fitted:
        yield lambda: None
        return
    with benchmark_model_begun(
        brief.cube,
        brief.observed.y,
        brief.parts.fit,
        brief.parts.holdout,
        columns=_columns(brief),
        entities=brief.entities,
        seed=brief.wishes.seed,
    ) as model:
        yield model


def _columns(brief: Brief) -> NDArray[np.intp]:
    """List the behaviours for the model, kinds of events as far as a search takes them in.

    The dates and users of events that are counted too say the same once more.

    Without them it took half the time, and its AUC on 82,000 snapshots fell from .7312 to .7310.
    """
    behaviours = brief.cube.behaviours
    usable = brief.problem.columns(brief.parts.fit)
    counted = {behaviour.event for behaviour in behaviours if behaviour.measure.kind is MeasureKind.COUNT}
    kept = [
        index
        for index, behaviour in enumerate(behaviours)
        if behaviour.event not in brief.exclusions.events
        and index in usable
        and not (behaviour.measure.kind in {MeasureKind.DAYS, MeasureKind.USERS} and behaviour.event in counted)
    ]
    return np.array(kept, dtype=np.intp)


def _summed_up(
    brief: Brief,
    standings: Standings,
    read: Verdicts,
    card: Points | None,
    top: BenchmarkModel | None,
    cross: CrossFit | None,
    warnings: tuple[str, ...],
) -> Proposal:
    from pqlkit.proposal.champion import champion
    from pqlkit.proposal.experiment import experiment
    from pqlkit.proposal.holdout import mechanical, points_offer
    from pqlkit.proposal.menu import ladder
    from pqlkit.proposal.replacement import replacement
    from pqlkit.proposal.rule import holds
    from pqlkit.proposal.tonight import tonight

    observed, parts, wishes = brief.observed, brief.parts, brief.wishes
    first = read.candidates[0] if read.candidates else None
    met = None if first is None else holds(brief.cube, first.rule.literals, brief.traits)
    fit, holdout = halves(brief)
    return Proposal(
        observed=observed,
        wishes=wishes,
        split=parts,
        fit=fit,
        holdout=holdout,
        read=read.read,
        tier=brief.tier,
        search=standings.search,
        candidates=read.candidates,
        mechanical=mechanical(brief, read.candidates, standings.view.activity),
        rejected=read.rejected,
        front=_front(standings),
        ladder=ladder(standings),
        points=card,
        points_offer=None if card is None or first is None else points_offer(brief, standings, card, first),
        benchmark_model=top,
        captured=None if met is None or top is None else top.captured(met),
        selection=read.selection,
        cross_fitted=cross,
        champion=None
        if wishes.against is None
        else champion(observed.population, wishes.against, first=brief.holdout_from, challenger=first),
        experiment=experiment(first.promised) if first is not None and wishes.plan_experiment else None,
        tonight=None if first is None else tonight(observed.population, first.definition, spells=first.spells),
        leakage=brief.exclusions.leakage,
        warnings=(*_known_warnings(brief), *warnings, *_missed(wishes, first)),
        changes=read.changes,
        replacement=None if wishes.against is None else replacement(brief, standings.view, wishes.against, first),
        since=brief.since,
        shapes=() if first is None else _shapes(brief, first.rule),
        contacted=None if first is None else _contacted(brief, first),
        fewer=_fewer(brief) if first is None else (),
        meters=brief.exclusions.meters,
        highest=None if first is not None else _highest(standings),
    )


def _missed(wishes: ProposeOptions, first: Candidate | None) -> list[str]:
    """Say so where the rate that was asked for was reached where the rule was chosen, and not later."""
    if first is None or wishes.min_rate is None:
        return []
    later = first.promised.rate
    if later.rate is None or later.low is None or later.high is None or later.rate >= wishes.min_rate:
        return []
    rate = f"{later.rate:.1%} [{100 * later.low:.1f}, {100 * later.high:.1f}]"
    return [f"--min-rate {wishes.min_rate:.0%} was met where chosen; in the later test period, from qualifying, {rate}"]


def _highest(standings: Standings) -> Rate | None:
    """Give the highest rate of qualifications of a rule with enough converters, where it was chosen."""
    rule = standings.nearest()
    read = None if rule is None else standings.counted(rule)
    return None if read is None else Rate.of(read.converted, read.n)


def _contacted(brief: Brief, first: Candidate) -> tuple[int, int] | None:
    """Count the later leads of a candidate that somebody had contacted before they began to meet it, and all of them."""
    import polars as pl

    from pqlkit.proposal.promise import started
    from pqlkit.snapshots.contacts import contacted_before

    counted = started(brief.observed.population, first.definition, spells=first.spells)
    leads = counted.filter(pl.col("on") >= brief.holdout_from).select("entity", pl.col("on").alias("at"))
    called = contacted_before(brief.observed.population, leads)
    return None if called is None else (int(called.sum()), leads.height)


def _shapes(brief: Brief, rule: Rule) -> tuple[Shape, ...]:
    """Look at each criterion of a rule, over all snapshots: whether those who never did it convert as often."""
    from pqlkit.analysis.bend import shape_at

    bends = [
        shape_at(brief.cube, brief.observed, literal.column, literal.threshold, tests=len(rule.literals))
        for literal in rule.literals
        if literal.behaviour is not None and literal.threshold is not None
    ]
    return tuple(shape for shape in bends if shape is not None)


def _fewer(brief: Brief) -> tuple[Fewer, ...]:
    """Find what goes with fewer conversions, where nothing goes with more: a hypothesis, tested among its like alone."""
    from pqlkit.analysis.fewer import adjusted, fewer

    observed, left_out = brief.observed, brief.exclusions
    traits = observed.fixed_traits(left_out.traits)
    return adjusted(observed, fewer(observed, skip=left_out.events), skip=left_out.events, traits=traits)


def _nothing(brief: Brief, *why: str, search: Search | None = None, top: BenchmarkModel | None = None) -> Proposal:
    fit, holdout = halves(brief)
    return Proposal(
        observed=brief.observed,
        wishes=brief.wishes,
        split=brief.parts,
        fit=fit,
        holdout=holdout,
        read=0,
        tier=brief.tier,
        search=search,
        candidates=(),
        mechanical=(),
        rejected=(),
        front=(),
        ladder=(),
        points=None,
        points_offer=None,
        benchmark_model=top,
        captured=None,
        selection=None,
        cross_fitted=None,
        champion=None,
        experiment=None,
        leakage=brief.exclusions.leakage,
        warnings=(*_known_warnings(brief), *why),
        fewer=() if search is None else _fewer(brief),
        since=brief.since,
        meters=brief.exclusions.meters,
    )


def _known_warnings(brief: Brief) -> tuple[str, ...]:
    """Give what is to be said before anything is searched."""
    from pqlkit.snapshots.schedule import shortened_in_words
    from pqlkit.snapshots.spike import unreached

    population, design = brief.observed.population, brief.observed.snapshots.design
    stated = brief.observed.settings.conversion_window
    notes = (shortened_in_words(population, design, stated=stated), unreached(population, design.conversion_window))
    return (*population.warnings, *(text for text in notes if text is not None))


def _front(standings: Standings) -> tuple[Frontier, ...]:
    from pqlkit.proposal.menu import front

    frontiers = []
    for rule in front(standings):
        read = standings.counted(rule)
        words = in_words([standings.literals[place] for place in rule])
        frontiers.append(
            Frontier(words=words, rate=read.rate, recall=read.converted / max(standings.view.converters, 1))
        )
    return tuple(frontiers)


def halves(brief: Brief) -> tuple[Halves, Halves]:
    """Describe both sides of the split."""
    return _half(brief.observed, brief.parts.fit), _half(brief.observed, brief.parts.holdout)


def _half(observed: Observed, part: NDArray[np.bool_]) -> Halves:
    cutoffs = observed.snapshots.frame.get_column("cutoff").to_numpy()[part]
    base = Rate.of(int(observed.y[part].sum()), int(part.sum()), design_effect=observed.design_effect)
    if not cutoffs.size:
        return Halves(first=None, through=None, base=base)
    return Halves(first=int(cutoffs.min()), through=int(cutoffs.max()), base=base)


def _unfinished(search: Search) -> list[str]:
    """Say what the search did not come to."""
    said = []
    if not search.in_time:
        said.append("the search stopped at the rules it may judge: a larger --max-rules lets it go on")
    if search.left_out:
        said.append(
            f"{search.left_out:,} thresholds were in no combination: fewer --windows or --measures, or a larger --max-rules, take "
            "them all in"
        )
    return said
