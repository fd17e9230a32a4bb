"""The holdout: the menu of rules read on the later snapshots, and the candidates that come out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.leaks import nearly_all
from pqlkit.columns import ENTITY, ON
from pqlkit.definitions.model import ChosenBy, Evidence, EvidencePart, EvidenceView
from pqlkit.durations import WEEK
from pqlkit.measures.evaluation import spells_of_each
from pqlkit.proposal.candidate import Candidate, Group
from pqlkit.proposal.comparable import compare, compare_as_active, holding
from pqlkit.proposal.decay import changes
from pqlkit.proposal.definition_wording import definition_of, in_words, name_of, numbered
from pqlkit.proposal.evidence_figures import figures, gathered, rounded, span
from pqlkit.proposal.fingerprint import search_hash, times_read
from pqlkit.proposal.fit_view import RECENT, FitView
from pqlkit.proposal.gates import Asked, gate
from pqlkit.proposal.menu import Dish, menu
from pqlkit.proposal.points_definition import PointsOffer, as_definition, best_cut
from pqlkit.proposal.promise import promise, started
from pqlkit.proposal.rule import holds, plainness
from pqlkit.proposal.shuffles import permuted
from pqlkit.snapshots.contacts import contacted
from pqlkit.snapshots.qualifications import between
from pqlkit.snapshots.spike import too_soon_in_words
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.analysis.effect import Effect
    from pqlkit.definitions.model import Definition
    from pqlkit.measures.crossings import Stretches
    from pqlkit.measures.precursors import Precursor
    from pqlkit.proposal.brief import Brief
    from pqlkit.proposal.candidate import Promise
    from pqlkit.proposal.comparable import Activity, Comparison
    from pqlkit.proposal.crossfit import CrossFit
    from pqlkit.proposal.decay import Change
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.lives import Lives
    from pqlkit.proposal.points import Points
    from pqlkit.proposal.rule import Rule
    from pqlkit.proposal.shuffles import PermutationTest
    from pqlkit.proposal.standings import Standings
    from pqlkit.statistics.contingency import Contingency

    _Held: TypeAlias = tuple[tuple[int, ...], Sequence[Stretches]]

TOO_GOOD_RATE: Final = 0.8
TOO_GOOD_LIFT: Final = 25.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdicts:
    """What the menu came to.

    Parameters
    ----------
    candidates
        Those that later qualifications bear out, the proposed one first.
    rejected
        The others, in words, with what they failed.
    read
        How many distinct searches looked at this holdout, this one included.
    warnings
        For a person.
    selection
        The search on shuffled outcomes; None where none was asked for, or there was nothing left to test.
    changes
        Rules of the menu, in words, whose effect has surely changed, and since when; the first of the menu first.
    """

    candidates: tuple[Candidate, ...]
    rejected: tuple[tuple[str, tuple[str, ...]], ...]
    read: int
    warnings: tuple[str, ...]
    selection: PermutationTest | None
    changes: tuple[tuple[str, Change], ...] = ()


def verdicts(brief: Brief, standings: Standings, cross: CrossFit | None = None) -> Verdicts:
    """Read the menu on the later qualifications, all rules at once.

    Parameters
    ----------
    brief
        What was looked at and asked for.
    standings
        The rules of the search by their qualifications.
    cross
        With little data, where nothing is set aside: what the choices did on the parts that had no say in them. It judges the
        choice as a whole, since its rules were chosen on the very qualifications they would be read on; one rule alone is offered
        then.
    """
    dishes = menu(standings, most=min(brief.wishes.top, 5) if cross is None else 1)
    fingerprint = search_hash(brief)
    read = times_read(brief, fingerprint)
    warnings: list[str] = []
    if not dishes:
        warnings.append(nothing_stands_out(brief) + _nearest(standings))
    everything = _judged(brief, standings.view, dishes, (fingerprint, read), cross, named=True)
    candidates = [candidate for candidate in everything if candidate.gate.passed]
    rejected = [
        (in_words(candidate.rule.literals), candidate.gate.reasons)
        for candidate in everything
        if not candidate.gate.passed
    ]
    selection = permuted(brief, standings.search) if candidates else None
    if selection is not None and selection.by_chance:
        reason = f"{selection.as_good} of {selection.permutations} searches on shuffled conversions come to as much"
        rejected = [*((in_words(candidate.rule.literals), (reason,)) for candidate in candidates), *rejected]
        candidates = []
    if dishes and not candidates:
        words, reasons = rejected[0]
        warnings.append(
            f"no rule found on the earlier data held on the later: nothing is proposed. Nearest: {words}: {'; '.join(reasons)}"
        )
    if read > 1:
        warnings.append(f"this holdout was read {read} times: figures after the first reading are optimistic")
    warnings += [warning for candidate in candidates for warning in (*_narrow(candidate), *_too_good(candidate))]
    if candidates:
        candidates[0] = _examined(brief, standings, candidates[0])
        warnings += _explained(candidates[0])
    return Verdicts(
        candidates=tuple(candidates),
        rejected=tuple(rejected),
        read=read,
        warnings=tuple(warnings),
        selection=selection,
        changes=_changed(brief, standings.view, everything),
    )


def _changed(brief: Brief, view: FitView, candidates: Sequence[Candidate]) -> tuple[tuple[str, Change], ...]:
    """Find whether the effect of the first rule of the menu, of the one proposed, or of one that failed has surely changed.

    The others are corrected for and not told: what is best of many where it was chosen does less later, which is no change.
    """
    brief.say("looking for a change")
    population = brief.observed.population
    rules = [
        (started(population, candidate.definition, spells=candidate.spells), candidate.spells)
        for candidate in candidates
    ]
    proposed = next((place for place, candidate in enumerate(candidates) if candidate.gate.passed), 0)
    return tuple(
        (in_words(candidate.rule.literals), change)
        for place, (candidate, change) in enumerate(
            zip(candidates, changes(brief, view.lives, view.activity, rules, begin=brief.begin), strict=True)
        )
        if change is not None and change.sure and (place in {0, proposed} or not candidate.gate.passed)
    )


def _judged(
    brief: Brief,
    view: FitView,
    dishes: Sequence[Dish],
    search: tuple[str, int],
    cross: CrossFit | None,
    *,
    named: bool,
    taken: Sequence[str] = (),
) -> list[Candidate]:
    """Evaluate rules, most of which goes into the passes over the events, and hold each to its later qualifications."""
    drafts: list[Definition] = []
    for dish in dishes:
        names = [*taken, *(draft.name for draft in drafts)]
        drafts.append(_drafted(brief, dish.rule, names, name=brief.wishes.name if named else None))
    spells = spells_of_each(brief.observed.population.world, drafts)
    judged = [
        _candidate(brief, view, dish, bare, own, search, cross)
        for dish, bare, own in zip(dishes, drafts, spells, strict=True)
    ]
    passed = [place for place, candidate in enumerate(judged) if candidate.gate.passed]
    if passed and passed[0] > 0 and named and brief.wishes.name is not None:
        # The first that holds gets the name that was asked for.
        taken = []
        for place in passed:
            taken.append(numbered(brief.wishes.name, taken))
            judged[place] = _renamed(judged[place], taken[-1])
    return judged


def _renamed(candidate: Candidate, name: str) -> Candidate:
    return replace(candidate, definition=replace(candidate.definition, name=name))


def _drafted(brief: Brief, rule: Rule, names: Sequence[str], *, name: str | None) -> Definition:
    """Write the definition, without evidence, under a name that is not yet taken."""
    literals = strongest_first(brief, rule.literals)
    population = brief.observed.population
    notes = population.project.events.items()
    return definition_of(
        literals,
        name=numbered(name, names) if name else name_of(literals, names),
        kind=population.kind,
        outcome=brief.outcome,
        anchor=population.anchor,
        mechanical=frozenset(event for event, note in notes if note.mechanical),
    )


def _narrow(candidate: Candidate) -> list[str]:
    """Say of what passed narrowly that its figures read high."""
    if candidate.gate.conditional is None:
        return []
    return [
        f"{candidate.definition.name} passed narrowly; such figures read high: allowing for that, its leads convert "
        f"{candidate.gate.conditional:.1f} times as often as comparable others"
    ]


def _explained(candidate: Candidate) -> list[str]:
    """Say of a rule that it finds who has a trait, where the trait explains what it is seen to do."""
    effect = candidate.adjusted
    if effect is None or not effect.explained or (effect.relative_risk.low or 0) > 1:
        return []
    names = " and ".join(effect.traits)
    return [
        f"{candidate.definition.name} is explained by {names}: whoever meets it converts more often because of {names}, not because of "
        f"what was done; see the rates by {names}, and try --use-traits"
    ]


def _nearest(standings: Standings) -> str:
    """Say which rule came nearest to the bounds."""
    rule = standings.nearest()
    if rule is None:
        return ""
    read = standings.counted(rule)
    words = in_words([standings.literals[place] for place in rule])
    return f"; the highest rate of new PQLs is {read.rate:.1%} ({read.converted:,} of {read.n:,}): {words}"


def nothing_stands_out(brief: Brief) -> str:
    """Say that no rule is left, and which of the bounds that were asked for every rule had to keep."""
    wishes = brief.wishes
    size = {1: "one criterion", 2: "up to two criteria", 3: "up to three criteria"}[brief.problem.max_criteria]
    asked = [
        f"{name} {value:.0%}"
        for name, value in (
            ("--min-share", wishes.min_share),
            ("--min-recall", wishes.min_recall),
            ("--min-rate", wishes.min_rate),
        )
        if value is not None
    ]
    if wishes.capacity is not None:
        asked.append(f"--capacity {wishes.capacity:g}/week")
    wishes_price = wishes.value is not None and wishes.cost is not None
    worth = brief.least_rate if wishes_price else brief.objective.threshold
    if worth is not None:
        asked.append(f"a rate of {worth:.2g} or more, from which on a lead pays for itself")
    bounds = f" and keeps {', '.join(asked)}" if asked else ""
    return f"no rule of {size} stands out on the earlier data (relative risk of 1.5 or more){bounds}"


def mechanical(brief: Brief, candidates: Sequence[Candidate], activity: Activity) -> tuple[Candidate, ...]:
    """Read the best threshold of each event that precedes the upgrade by construction, on the later snapshots.

    Parameters
    ----------
    brief
        What was looked at and asked for.
    candidates
        The menu of behaviour, whose names are taken.
    activity
        Moments of activity of the population.

    Returns
    -------
    tuple of Candidate
        By falling score, at most five, each passing the same gate; never examined further. Empty where nothing is set aside
        to test them on.
    """
    if not brief.exclusions.mechanical or brief.cross_fitted:
        return ()
    apart = brief.search(only=brief.exclusions.mechanical)
    best = _best_of_each(apart.rules)[:5]
    if not best:
        return ()
    view = FitView.of(brief, apart.literals, activity=activity)
    fingerprint = search_hash(brief)
    dishes = [
        Dish(places=places, rule=rule, read=view.read(places), equivalents=())
        for rule in best
        for places in [tuple(sorted(apart.places(rule.literals)))]
    ]
    search = (fingerprint, times_read(brief, fingerprint))
    taken = [candidate.definition.name for candidate in candidates]
    judged = _judged(brief, view, dishes, search, None, named=False, taken=taken)
    return tuple(candidate for candidate in judged if candidate.gate.passed)


def _best_of_each(rules: Sequence[Rule]) -> list[Rule]:
    """Keep the best rule of each event: the first, as they come."""
    best: dict[str, Rule] = {}
    for rule in rules:
        best.setdefault(rule.literals[0].name, rule)
    return list(best.values())


def _tables(brief: Brief, rule: Rule) -> tuple[Contingency, Contingency, NDArray[np.bool_]]:
    met = holds(brief.cube, rule.literals, brief.traits)
    return brief.observed.table(met, brief.parts.fit), brief.observed.table(met, brief.parts.holdout), met


def _candidate(
    brief: Brief,
    view: FitView,
    dish: Dish,
    bare: Definition,
    spells: pl.DataFrame,
    search: tuple[str, int],
    cross: CrossFit | None,
) -> Candidate:
    fit, holdout, met = _tables(brief, dish.rule)
    population = brief.observed.population
    counted = started(population, bare, spells=spells)
    begin = brief.begin
    window = brief.outcome.within.microseconds
    chosen = promise(
        population, counted, first=begin, before=None if cross is not None else brief.holdout_from - window
    )
    promised = promise(population, counted, first=brief.holdout_from, before=None)
    held = view.holding(dish.places)
    compared = _compared(brief, view, (dish.places, held), counted, cross)
    weeks = max(1.0, (population.as_of - brief.holdout_from) / WEEK)
    wishes = brief.wishes
    recall = _recall(brief, view.lives, counted)
    alike = dish.alike
    since = begin if cross is not None else brief.holdout_from
    return Candidate(
        definition=replace(
            bare,
            evidence=_evidence(brief, chosen, promised, cross, recall, search),
            rationale=_rationale(brief, promised, compared, cross),
        ),
        rule=dish.rule,
        read=dish.read,
        fit=fit,
        holdout=holdout,
        gate=gate(
            compared,
            starts=promised.starts,
            weeks=weeks,
            asked=Asked(value=wishes.value, cost=wishes.cost, capacity=wishes.capacity),
            faults=(*_kept_out(brief, view, dish), *_unseen(brief, counted), *_nowhere(cross)),
        ),
        compared=compared,
        recall=recall,
        chosen=chosen,
        promised=promised,
        by_period=_groups(brief, met, "quarter"),
        by_age=_groups(brief, met, "age_band"),
        by_trait=(),
        stability=None,
        ranges={},
        adjusted=None,
        equivalents=tuple(in_words(literals) for literals in alike),
        stands_for=_stands_for(dish, alike),
        contacted=contacted(population, between(counted, since, None), brief.outcome.within),
        simpler=None,
        mechanical=any(criterion.mechanical for criterion in bare.criteria),
        over_capacity=wishes.capacity is not None
        and promised.pqls_per_week.median is not None
        and promised.pqls_per_week.median > wishes.capacity,
        precursors=_precursors(brief, dish.rule),
        spells=spells,
    )


def points_offer(brief: Brief, standings: Standings, card: Points, first: Candidate) -> PointsOffer | None:
    """Read a points card that is surely better than the rule on the later qualifications; None if they do not bear it out.

    Nothing is offered either where nothing was set aside to read it on.
    """
    if brief.cross_fitted:
        return None
    cut = best_cut(card, standings, standings.placed(first.rule.literals))
    if cut is None:
        return None
    brief.say("reading the points card")
    population, view, wishes = brief.observed.population, standings.view, brief.wishes
    bare = as_definition(
        card,
        cut.points,
        name=f"{first.definition.name}-points",
        kind=population.kind,
        outcome=brief.outcome,
        anchor=population.anchor,
    )
    counted = started(population, bare)
    begin = int(brief.observed.snapshots.frame.get_column("cutoff").min() or 0)  # type: ignore[arg-type]
    chosen = promise(population, counted, first=begin, before=brief.holdout_from - brief.outcome.within.microseconds)
    promised = promise(population, counted, first=brief.holdout_from, before=None)
    compared = _compared(brief, view, (cut.places, cut.held), counted, None)
    judged = gate(
        compared,
        starts=promised.starts,
        weeks=max(1.0, (population.as_of - brief.holdout_from) / WEEK),
        asked=Asked(value=wishes.value, cost=wishes.cost, capacity=wishes.capacity),
        faults=_unseen(brief, counted),
    )
    if not judged.passed:
        return None
    recall = _recall(brief, view.lives, counted)
    fingerprint = search_hash(brief)
    evidence = _evidence(brief, chosen, promised, None, recall, (fingerprint, times_read(brief, fingerprint)))
    return PointsOffer(
        definition=replace(bare, evidence=evidence, rationale=_rationale(brief, promised, compared, None)),
        chosen=chosen,
        promised=promised,
        compared=compared,
        recall=recall,
    )


def _nowhere(cross: CrossFit | None) -> list[str]:
    """Say so where no choice could be read on what it had not seen."""
    if cross is None or cross.leads.height:
        return []
    return [f"in none of {cross.folds} parts did a choice made without it give a lead: there is nothing to judge by"]


def _compared(
    brief: Brief, view: FitView, held: _Held, counted: pl.DataFrame, cross: CrossFit | None
) -> Comparison | None:
    """Compare complete later qualifications with comparable others."""
    lives = view.lives
    if cross is not None:
        return compare(lives, cross.leads, cross.others) if cross.leads.height else None
    leads = _later(brief, counted)
    if leads.is_empty():
        return None
    newest_from = brief.observed.population.as_of - lives.waits - RECENT
    return compare(lives, leads, _others(brief, view, held), newest_from=newest_from)


def _later(brief: Brief, counted: pl.DataFrame) -> pl.DataFrame:
    """Give the complete later qualifications."""
    import polars as pl

    return counted.filter(pl.col("mature"), pl.col(ON) >= brief.holdout_from)


def _others(brief: Brief, view: FitView, held: _Held) -> Activity:
    """Give the later moments of activity of whoever could have met a rule just then, and does not."""
    places, spells = held
    lives, at, entity = view.lives, view.activity.at, view.activity.entity
    reach = max(view.reach[place] for place in places)
    kept = (at >= brief.holdout_from) & (at + lives.waits <= brief.observed.population.as_of)
    kept &= lives.able[entity] & (at < lives.converted[entity])
    seen = lives.seen_from[entity]
    kept &= (seen == 0) | (at >= seen + reach)
    for place in places:
        if place in view.held:
            kept &= view.held[place][entity]
    others = view.activity.take(kept)
    return others.take(~holding(view.lines, spells, others))


def _as_active(brief: Brief, view: FitView, first: Candidate, places: tuple[int, ...]) -> Comparison | None:
    """Add the comparison at the same number of active days, too, to that of a rule."""
    if first.compared is None or brief.cross_fitted:
        return first.compared
    population = brief.observed.population
    leads = _later(brief, started(population, first.definition, spells=first.spells))
    named = {
        literal.behaviour.event
        for literal in (view.literals[place] for place in places)
        if literal.behaviour is not None and literal.behaviour.event is not None
    }
    others = _others(brief, view, (places, view.holding(places)))
    adjusted = compare_as_active(view.lives, leads, others, world=population.world, own_events=named)
    return replace(first.compared, adjusted=adjusted)


def _unseen(brief: Brief, counted: pl.DataFrame) -> list[str]:
    """Say so where later leads have had their window before the day on which conversions pile up."""
    later = counted.filter(counted[ON] >= brief.holdout_from)
    said = too_soon_in_words(brief.observed.population, later, brief.outcome.within)
    return [] if said is None else [said]


def _kept_out(brief: Brief, view: FitView, dish: Dish) -> list[str]:
    """Say which traits of a rule keep out later leads that convert more often than those they let in."""
    lives, faults = view.lives, []
    for place, literal in zip(dish.places, (view.literals[place] for place in dish.places), strict=True):
        if literal.trait is None:
            continue
        entity, on = view.starts(tuple(other for other in dish.places if other != place))
        complete = (on >= brief.holdout_from) & (on + lives.waits <= brief.observed.population.as_of)
        y, inside = lives.followed(entity, on), view.held[place][entity]
        in_, out = (Rate.of(int((y & rows).sum()), int(rows.sum())) for rows in (complete & inside, complete & ~inside))
        if out.rate is not None and out.rate >= (in_.rate or 0.0):
            faults.append(
                f"{in_words([literal])} keeps out better leads than it lets in: {out.rate:.1%} of {out.denominator:,}, and "
                f"{in_.rate or 0.0:.1%} of {in_.denominator:,}"
            )
    return faults


def _recall(brief: Brief, lives: Lives, counted: pl.DataFrame) -> tuple[int, int]:
    """Count the later conversions (in a cross-fitted choice: all), and those that had qualified within the window before."""
    since = brief.holdout_from
    when = lives.counted
    last = brief.observed.population.as_of - (lives.waits - lives.window)
    paid = lives.able & (when > since) & (when <= last)
    entity, on = (counted.get_column(name).to_numpy() for name in (ENTITY, ON))
    follows = (when[entity] <= on + lives.window) & paid[entity]
    return len(np.unique(entity[follows])), int(paid.sum())


def _precursors(brief: Brief, rule: Rule) -> tuple[Precursor, ...]:
    """List the events that lead to one of the rule's, and that it does not name itself."""
    named = {literal.behaviour.event for literal in rule.literals if literal.behaviour is not None}
    return tuple(
        precursor for precursor in brief.precursors if precursor.leads_to in named and precursor.event not in named
    )


def strongest_first(brief: Brief, literals: Sequence[Literal]) -> tuple[Literal, ...]:
    """Put the literal first that says most on its own (largest phi on the fit part); traits last."""

    def strength(literal: Literal) -> tuple[bool, float]:
        table = brief.observed.table(holds(brief.cube, (literal,), brief.traits), brief.parts.fit)
        return literal.behaviour is None, -(table.phi or 0.0)

    return tuple(sorted(literals, key=strength))


def _examined(brief: Brief, standings: Standings, first: Candidate) -> Candidate:
    """Add to the proposed rule what only it needs: stability, ranges, the simpler alternative, the adjusted figure."""
    from pqlkit.proposal.by_trait import by_traits
    from pqlkit.proposal.simplification import simpler, threshold_ranges
    from pqlkit.proposal.stability import stability

    brief.say("choosing on random halves")
    places = standings.placed(first.rule.literals)
    ranges = threshold_ranges(standings, places)
    plain = simpler(standings, places)
    alternative = None
    if plain is not None:
        read = standings.counted(plain)
        words = in_words([standings.literals[place] for place in plain])
        alternative = (words, Rate.of(read.converted, read.n))
    literals = strongest_first(brief, first.rule.literals)
    criteria = [literal for literal in literals if literal.behaviour is not None]
    met = holds(brief.cube, first.rule.literals, brief.traits)
    named = {literal.trait.name for literal in literals if literal.trait is not None}
    traits = brief.observed.fixed_traits(named | brief.exclusions.traits)
    of_literal = {standings.literals[place]: ends for place, ends in ranges.items()}
    return replace(
        first,
        compared=_as_active(brief, standings.view, first, places),
        stability=stability(standings, places, seed=brief.wishes.seed),
        ranges={
            criterion.id: of_literal[literal]
            for criterion, literal in zip(first.definition.criteria, criteria, strict=True)
            if literal in of_literal
        },
        simpler=alternative,
        adjusted=_adjusted(brief, first.rule, met, traits),
        by_trait=by_traits(brief.observed, met, brief.parts.holdout, traits),
    )


def _adjusted(brief: Brief, rule: Rule, met: NDArray[np.bool_], traits: Mapping[str, pl.Series]) -> Effect | None:
    """Give the effect of meeting the rule beside activity by other behaviours than its own, on the later snapshots."""
    from pqlkit.analysis.adjustment import rule_effect

    observed = brief.observed
    own = {literal.behaviour.event for literal in rule.literals if literal.behaviour is not None}
    return rule_effect(
        met,
        own,
        observed.cube,
        observed.snapshots.frame,
        skip=brief.exclusions.events,
        clusters=observed.clusters,
        rows=brief.parts.holdout,
        traits=traits,
    )


def _groups(brief: Brief, met: NDArray[np.bool_], by: str) -> tuple[Group, ...]:
    from pqlkit.snapshots.snapshots import AGE_BANDS

    frame = brief.observed.snapshots.frame
    if by == "age_band":
        keys = frame.get_column("age_band").to_numpy()
        names = dict(enumerate(AGE_BANDS))
    else:
        keys = frame.get_column("block").to_numpy()
        names = _quarters(brief)
    return tuple(
        Group(name=names[int(key)], table=brief.observed.table(met, keys == key))
        for key in np.unique(keys)
        if int(key) in names
    )


def _quarters(brief: Brief) -> dict[int, str]:
    """Name each calendar block by the quarter of its first cutoff."""
    import polars as pl

    zone = brief.observed.population.world.zone
    first = brief.observed.snapshots.frame.group_by("block").agg(pl.col("cutoff").min())
    local = pl.from_epoch("cutoff", time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    text = local.dt.year().cast(pl.String) + "-Q" + local.dt.quarter().cast(pl.String)
    return {int(block): name for block, name in first.select("block", text.alias("name")).iter_rows()}


def _evidence(
    brief: Brief,
    chosen: Promise,
    promised: Promise,
    cross: CrossFit | None,
    recall: tuple[int, int],
    search: tuple[str, int],
) -> Evidence:
    observed = brief.observed
    return Evidence(
        chosen_by=ChosenBy.PROPOSE,
        search=search[0],
        data=gathered(observed),
        fit=EvidencePart(view=EvidenceView.QUALIFICATION, **span(observed, brief.parts.fit), **figures(chosen.rate)),
        holdout=EvidencePart(
            view=EvidenceView.QUALIFICATION,
            **span(observed, brief.parts.holdout),
            **figures(promised.rate if cross is None else cross.rate),
            recall=rounded(recall[0] / recall[1] if recall[1] else None),
            times_read=search[1],
            independent=False if cross is not None else None,
        ),
    )


def _rationale(brief: Brief, promised: Promise, compared: Comparison | None, cross: CrossFit | None) -> str:
    rate = promised.rate if cross is None else cross.rate
    window = brief.outcome.within.in_words
    if rate.rate is None or compared is None or compared.active.others_rate is None:
        return "Found by search in earlier data; too few later leads to say what they did."
    what = "later leads" if cross is None else "leads of rules chosen without them (cross-validated)"
    return (
        f"{rate.numerator:,} of {rate.denominator:,} {what} converted within {window} ({rate.rate:.1%}), "
        f"against {compared.active.others_rate:.1%} of others as active then. Says who converts, not why."
    )


def _stands_for(dish: Dish, alike: Sequence[Sequence[Literal]]) -> str | None:
    """Find the plainest rule of other events that gives the same leads: the data cannot tell which of the two matters."""
    own = {literal.name for literal in dish.rule.literals}
    others = [
        literals
        for literals in alike
        if not own & {literal.name for literal in literals}
        and all(literal.leads_to is None and literal.group[0] == "event" for literal in literals)
    ]
    return in_words(min(others, key=plainness)) if others else None


def _too_good(candidate: Candidate) -> list[str]:
    rate, base = candidate.chosen.rate.rate or 0.0, candidate.fit.base.rate or 0.0
    lift = rate / base if base else 0.0
    # Where most convert anyway, four of five are no wonder.
    if rate > max(TOO_GOOD_RATE, nearly_all(base)) or lift > TOO_GOOD_LIFT:
        return [
            f"{candidate.definition.name} is too good ({rate:.0%} convert, {lift:.2g} times the base rate): look for leakage before you use it"
        ]
    return []


__all__ = ["Verdicts", "mechanical", "nothing_stands_out", "points_offer", "strongest_first", "verdicts"]
