"""The holdout: the menu of rules read on the later snapshots, and the candidates that come out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.leaks import nearly_all
from pqlkit.definitions.model import ChosenBy, Evidence, EvidencePart, EvidenceView
from pqlkit.measures.evaluation import spells_of_each
from pqlkit.proposal.candidate import Candidate, Group
from pqlkit.proposal.evidence import figures, gathered, rounded, span
from pqlkit.proposal.fingerprint import search_hash, times_read
from pqlkit.proposal.gates import gate
from pqlkit.proposal.menu import Dish
from pqlkit.proposal.promise import promise, started
from pqlkit.proposal.rule import holds
from pqlkit.proposal.wording import definition_of, in_words, name_of, numbered
from pqlkit.statistics.contingency import Contingency

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition
    from pqlkit.measures.precursors import Precursor
    from pqlkit.proposal.brief import Brief
    from pqlkit.proposal.candidate import Promise
    from pqlkit.proposal.crossfit import CrossFit
    from pqlkit.proposal.gates import Gate
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule
    from pqlkit.statistics.estimate import Estimate

TOO_GOOD_RATE: Final = 0.8
TOO_GOOD_LIFT: Final = 25.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdicts:
    """What the menu came to.

    Parameters
    ----------
    candidates
        Those that later snapshots bear out, the proposed one first.
    rejected
        The others, in words, with what they failed.
    read
        How many distinct searches looked at this holdout, this one included.
    warnings
        For a person.
    """

    candidates: tuple[Candidate, ...]
    rejected: tuple[tuple[str, tuple[str, ...]], ...]
    read: int
    warnings: list[str]


def verdicts(brief: Brief, found: Search, cross: CrossFit | None = None) -> Verdicts:
    """Read the menu on the later snapshots, all rules at once.

    Parameters
    ----------
    brief
        What was looked at and asked for.
    found
        The search.
    cross
        With little data, where no later snapshots are set aside: what the choices of the search did on the parts that had no say
        in them. It judges the search as a whole, since its rules were chosen on the very snapshots they would be read on; one rule
        alone is offered then, with these figures for its later snapshots.
    """
    from pqlkit.proposal.menu import menu

    dishes = menu(found, most=min(brief.wishes.top, 5) if cross is None else 1)
    fingerprint = search_hash(brief)
    read = times_read(brief, fingerprint)
    warnings: list[str] = []
    if not dishes:
        warnings.append(nothing_stands_out(brief))
    passed: list[_Passed] = []
    rejected: list[tuple[str, tuple[str, ...]]] = []
    for dish in dishes:
        tables = _tables(brief, dish.rule)
        if cross is not None:
            tables = (tables[0], cross_table(cross, brief.observed.design_effect), tables[2])
        verdict = _verdict(brief, tables[1])
        if verdict.passed:
            names = [one.bare.name for one in passed]
            passed.append(_Passed.of(brief, dish, tables, verdict, names, name=brief.wishes.name))
        else:
            rejected.append((in_words(dish.rule.literals), verdict.reasons))
    candidates = _candidates(brief, passed, (fingerprint, read))
    if dishes and not candidates:
        warnings.append("no rule found on the earlier snapshots held on the later ones: nothing is proposed")
    if read > 1:
        warnings.append(f"this holdout was read {read} times: figures after the first reading are optimistic")
    warnings += [warning for one in candidates for warning in _too_good(one)]
    ordered = sorted(candidates, key=lambda one: one.over_capacity)  # stable: the search's order within
    if candidates:
        ordered[0] = _examined(brief, found, ordered[0])
    return Verdicts(candidates=tuple(ordered), rejected=tuple(rejected), read=read, warnings=warnings)


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
    worth = brief.objective.threshold
    if worth is not None:
        asked.append(f"a rate of {worth:.2g} or more, from which on a lead pays for itself")
    bounds = f" and keeps {', '.join(asked)}" if asked else ""
    return f"no rule of {size} stands out on the earlier snapshots (relative risk of 1.5 or more){bounds}"


def cross_table(cross: CrossFit, design_effect: float = 1.0) -> Contingency:
    """Count what cross-fitted choices did as a 2x2 table."""
    return Contingency.of(
        qualified=cross.qualified,
        converted=cross.converted,
        entities=cross.snapshots,
        converters=cross.converters,
        design_effect=design_effect,
    )


def mechanical(brief: Brief, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Read the best threshold of each event that precedes the upgrade by construction, on the later snapshots.

    Parameters
    ----------
    brief
        What was looked at and asked for.
    candidates
        The menu of behaviour, whose names are taken.

    Returns
    -------
    tuple of Candidate
        By falling score, at most five, each passing the same gate; never examined further. Empty where nothing is set aside
        to test them on.
    """
    if not brief.exclusions.mechanical or brief.cross_fitted:
        return ()
    found = brief.search(only=brief.exclusions.mechanical)
    fingerprint = search_hash(brief)
    search = (fingerprint, times_read(brief, fingerprint))
    names = [one.definition.name for one in candidates]
    passed: list[_Passed] = []
    for rule in _best_of_each(found.rules)[:5]:
        tables = _tables(brief, rule)
        verdict = _verdict(brief, tables[1])
        if verdict.passed:
            dish = Dish(rule=rule, equivalents=())
            taken = [*names, *(one.bare.name for one in passed)]
            passed.append(_Passed.of(brief, dish, tables, verdict, taken, name=None))
    return tuple(_candidates(brief, passed, search))


def _best_of_each(rules: Sequence[Rule]) -> list[Rule]:
    """Keep the best rule of each event: the first, as they come."""
    best: dict[str, Rule] = {}
    for rule in rules:
        best.setdefault(rule.literals[0].name, rule)
    return list(best.values())


def _tables(brief: Brief, rule: Rule) -> tuple[Contingency, Contingency, NDArray[np.bool_]]:
    met = holds(brief.observed.cube, rule.literals, brief.traits)
    return brief.observed.table(met, brief.parts.fit), brief.observed.table(met, brief.parts.holdout), met


def _verdict(brief: Brief, table: Contingency) -> Gate:
    return gate(
        qualified=table.n1,
        converted=table.a,
        snapshots=table.total,
        converters=table.m1,
        deff=brief.observed.design_effect,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Passed:
    """A rule that later snapshots bear out, its tables of both parts, where it holds, and its definition without evidence."""

    dish: Dish
    tables: tuple[Contingency, Contingency, NDArray[np.bool_]]
    verdict: Gate
    bare: Definition

    @classmethod
    def of(
        cls,
        brief: Brief,
        dish: Dish,
        tables: tuple[Contingency, Contingency, NDArray[np.bool_]],
        verdict: Gate,
        names: Sequence[str],
        *,
        name: str | None,
    ) -> _Passed:
        """Write the definition under a name that is not yet taken."""
        literals = strongest_first(brief, dish.rule.literals)
        population = brief.observed.population
        notes = population.project.events.items()
        bare = definition_of(
            literals,
            name=numbered(name, names) if name else name_of(literals, names),
            kind=population.kind,
            outcome=brief.outcome,
            anchor=population.anchor,
            mechanical=frozenset(event for event, note in notes if note.mechanical),
        )
        return cls(dish=dish, tables=tables, verdict=verdict, bare=bare)


def _candidates(brief: Brief, passed: Sequence[_Passed], search: tuple[str, int]) -> list[Candidate]:
    """Evaluate all rules at once: most of the time goes into the passes over the events."""
    spells = spells_of_each(brief.observed.population.world, [one.bare for one in passed])
    return [_candidate(brief, one, own, search) for one, own in zip(passed, spells, strict=True)]


def _candidate(brief: Brief, one: _Passed, spells: pl.DataFrame, search: tuple[str, int]) -> Candidate:
    rule, bare = one.dish.rule, one.bare
    fit, holdout, met = one.tables
    population = brief.observed.population
    counted = started(population, bare, spells=spells)
    begin = int(brief.observed.snapshots.frame.get_column("cutoff").min() or 0)  # type: ignore[arg-type]
    conversion_window = brief.outcome.within.microseconds
    cross = brief.cross_fitted
    chosen = promise(population, counted, first=begin, before=None if cross else brief.holdout_from - conversion_window)
    promised = promise(population, counted, first=brief.holdout_from, before=None)
    evidence = _evidence(brief, fit, holdout, promised, search)
    capacity = brief.wishes.capacity
    weekly = promised.pqls_per_week.median
    return Candidate(
        definition=replace(bare, evidence=evidence, rationale=_rationale(brief, promised)),
        rule=rule,
        fit=fit,
        holdout=holdout,
        gate=one.verdict,
        chosen=chosen,
        promised=promised,
        by_period=_groups(brief, met, "quarter"),
        by_age=_groups(brief, met, "age_band"),
        stability=None,
        ranges={},
        adjusted=None,
        equivalents=tuple(in_words(other.literals) for other in one.dish.equivalents),
        simpler=None,
        mechanical=any(criterion.mechanical for criterion in bare.criteria),
        over_capacity=capacity is not None and weekly is not None and weekly > capacity,
        precursors=_precursors(brief, rule),
        spells=spells,
    )


def _precursors(brief: Brief, rule: Rule) -> tuple[Precursor, ...]:
    """List the events that lead to one of the rule's, and that it does not name itself."""
    named = {literal.behaviour.event for literal in rule.literals if literal.behaviour is not None}
    return tuple(one for one in brief.precursors if one.leads_to in named and one.event not in named)


def strongest_first(brief: Brief, literals: Sequence[Literal]) -> tuple[Literal, ...]:
    """Put the literal first that says most on its own (largest phi on the fit part); traits last."""

    def strength(one: Literal) -> tuple[bool, float]:
        table = brief.observed.table(holds(brief.observed.cube, (one,), brief.traits), brief.parts.fit)
        return one.behaviour is None, -(table.phi or 0.0)

    return tuple(sorted(literals, key=strength))


def _examined(brief: Brief, found: Search, first: Candidate) -> Candidate:
    """Add to the proposed rule what only it needs: stability, ranges, the simpler alternative, the adjusted figure."""
    from pqlkit.proposal.simplification import simpler, threshold_ranges
    from pqlkit.proposal.stability import stability

    brief.say("searching random halves")
    ranges = threshold_ranges(found, first.rule, seed=brief.wishes.seed)
    plain = simpler(found, first.rule, seed=brief.wishes.seed)
    alternative = None
    if plain is not None:
        alternative = (in_words(plain.literals), _tables(brief, plain)[1])
    literals = strongest_first(brief, first.rule.literals)
    criteria = [one for one in literals if one.behaviour is not None]
    return replace(
        first,
        stability=stability(found, first.rule, seed=brief.wishes.seed),
        ranges={
            criterion.id: ranges[literal]
            for criterion, literal in zip(first.definition.criteria, criteria, strict=True)
            if literal in ranges
        },
        simpler=alternative,
        adjusted=_adjusted(brief, first.rule),
    )


def _adjusted(brief: Brief, rule: Rule) -> Estimate | None:
    """Give the odds ratio of meeting the rule beside activity by other behaviours than its own, on the later snapshots."""
    from pqlkit.analysis.adjustment import rule_effect

    observed = brief.observed
    met = holds(observed.cube, rule.literals, brief.traits)
    own = {literal.behaviour.event for literal in rule.literals if literal.behaviour is not None}
    return rule_effect(
        met,
        own,
        observed.cube,
        observed.snapshots.frame,
        skip=brief.exclusions.events,
        clusters=observed.clusters,
        rows=brief.parts.holdout,
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
    brief: Brief, fit: Contingency, holdout: Contingency, promised: Promise, search: tuple[str, int]
) -> Evidence:
    observed = brief.observed
    return Evidence(
        chosen_by=ChosenBy.PROPOSE,
        search=search[0],
        data=gathered(observed),
        fit=EvidencePart(
            view=EvidenceView.SNAPSHOT,
            **span(observed, brief.parts.fit),
            **figures(fit.with_),
            recall=rounded(fit.recall.rate),
        ),
        holdout=EvidencePart(
            view=EvidenceView.QUALIFICATION,
            **span(observed, brief.parts.holdout),
            **figures(promised.rate),
            recall=rounded(holdout.recall.rate),
            times_read=search[1],
            independent=False if brief.cross_fitted else None,
        ),
    )


def _rationale(brief: Brief, promised: Promise) -> str:
    rate = promised.rate
    conversion_window = brief.outcome.within.in_words
    base = brief.observed.table(np.zeros(len(brief.observed.y), dtype=np.bool_), brief.parts.holdout).base
    if rate.rate is None or base.rate is None:
        return "Found by search in earlier data; too few later leads to say what they did."
    what = "later leads" if not brief.cross_fitted else "leads (not independent of the choice)"
    return (
        f"{rate.numerator:,} of {rate.denominator:,} {what} upgraded within {conversion_window} ({rate.rate:.1%}), "
        f"against {base.rate:.1%} of all snapshots in that time. Says who upgrades, not why."
    )


def _too_good(one: Candidate) -> list[str]:
    rate, lift, base = one.fit.with_.rate or 0.0, one.fit.lift or 0.0, one.fit.base.rate or 0.0
    # Where most convert anyway, four of five are no wonder.
    if rate > max(TOO_GOOD_RATE, nearly_all(base)) or lift > TOO_GOOD_LIFT:
        return [
            f"{one.definition.name} is too good ({rate:.0%} upgrade, lift {lift:.0f}): look for leakage before you use it"
        ]
    return []


__all__ = ["Verdicts", "mechanical", "nothing_stands_out", "strongest_first", "verdicts"]
