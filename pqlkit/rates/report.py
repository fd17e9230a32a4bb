"""The report: the rates of one definition, from signup to customer, by period, cohort and criterion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.model import Criterion, EvidenceView, WindowKind, leaves
from pqlkit.definitions.nouns import nouns_of
from pqlkit.durations import DAY, Duration
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.rates.funnel import Funnel, Waiting, cohort_levels, funnel, lives, waiting
from pqlkit.shown import Tabled
from pqlkit.snapshots.schedule import Design
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import polars as pl

    from pqlkit.analysis.criteria import CriterionRates
    from pqlkit.definitions.model import Definition, Node, Outcome
    from pqlkit.definitions.nouns import Nouns
    from pqlkit.population.population import Population
    from pqlkit.rates.arm_rates import Arms
    from pqlkit.rates.customer_value import CustomerValue
    from pqlkit.rates.near_misses import NearMisses
    from pqlkit.rates.periods import PeriodRates
    from pqlkit.rates.teams import Team
    from pqlkit.snapshots.contacts import Contacted
    from pqlkit.snapshots.qualifications import PqlsPerWeek, TimeToConvert
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.contingency import Contingency

LONG: Final = Duration(84, "d")
"""How long after the anchor an entity may take to qualify before it counts as not having, where windows do not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One cohort, trait value or band: the same rates among its entities.

    With a behaviour, the new PQLs that had done it by qualifying (``did``), or not: what is asked of signups is empty then.
    """

    by: str
    name: str
    signups: int | None
    signup_to_pql: Rate
    pql_to_customer: Rate
    signup_to_customer: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What conversions are worth: mean amount per customer among mature starts' conversions, and per mature start."""

    customers: int
    per_customer: float | None
    per_pql: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long those took who have come so far: to their PQL and to customer since the anchor, to convert since their PQL."""

    to_pql: Waiting
    to_customer: Waiting
    to_convert: TimeToConvert


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenOn:
    """The leads that the rule was chosen on, as its evidence says, and the rate of the mature starts that came later (dates: UTC)."""

    start: date
    through: date
    leads: int
    later_from: date
    later: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """What became of the mature starts that converted.

    Parameters
    ----------
    retained
        Of those that did within the conversion window, those that stayed for ``retained_for``; None without it.
    value
        What kind of customers PQLs become, against the others; None where the conversions do not say.
    amounts
        Mean amount per mature start and per customer, where conversions have amounts.
    """

    retained: Rate | None
    value: CustomerValue | None
    amounts: Amounts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The same rates of parts of the population, and of the starts.

    Parameters
    ----------
    by
        What was asked for, behaviours with their windows.
    cohorts, segments
        By anchor, and by trait or behaviour.
    contacted
        Starts by when somebody first contacted them; None without a contacts table.
    arms
        Starts by the arm that a ledger gave them; None without a ledger or without arms in it.
    """

    by: tuple[str, ...]
    cohorts: tuple[Segment, ...]
    segments: tuple[Segment, ...]
    contacted: Contacted | None
    arms: Arms | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Report(Tabled):
    """What `pqlkit report` says of one definition.

    Parameters
    ----------
    population, definition, snapshots, spells, starts
        What the rates were counted on: the definition's own snapshots, its spells and its counted starts.
    signups
        Whom the funnel counts, and who of them became a PQL and a customer; see `pqlkit.rates.funnel.lives`.
    funnel, times, pqls_per_week
        The whole.
    in_progress
        Counted starts whose conversion window is not over: in no rate.
    criteria
        Each alone, and the rule without it.
    without_mechanical
        The snapshot view of the rule with every mechanical criterion struck out; None where it has none, or has no other.
    parts
        Cohorts, segments, and starts by contact and by arm.
    periods
        By start, with drift.
    near_misses
        What became of those who had nearly qualified, and who is near now.
    customers
        What became of those that converted.
    chosen_on
        On which leads the rule was chosen; None where its evidence does not say.
    teams
        What each team is measured by.
    warnings
        For a person.
    """

    population: Population
    definition: Definition
    snapshots: Snapshots
    spells: pl.DataFrame
    starts: pl.DataFrame
    signups: pl.DataFrame
    funnel: Funnel
    times: Times
    pqls_per_week: PqlsPerWeek
    in_progress: int
    criteria: tuple[CriterionRates, ...]
    without_mechanical: Contingency | None
    parts: Parts
    periods: tuple[PeriodRates, ...]
    near_misses: NearMisses
    customers: Customers
    chosen_on: ChosenOn | None
    teams: tuple[Team, ...]
    warnings: tuple[str, ...]

    @property
    def drifted(self) -> bool:
        """Whether something was found in the newest period of which enough is complete to say so."""
        from pqlkit.rates.periods import newest_judged

        newest = newest_judged(self.periods)
        return newest is not None and newest.drift is not None and newest.drift.drifted

    @property
    def nouns(self) -> Nouns:
        """What those who met the definition are called, and what became of them."""
        return nouns_of(self.definition)

    def falls_short(self, floor: float) -> bool:
        """Whether the whole interval of the PQL-to-customer rate lies below a floor (a fraction)."""
        high = self.funnel.pql_to_customer.high
        return high is not None and high < floor


def report(
    population: Population,
    definition: Definition,
    *,
    by: Sequence[str] = (),
    ledger: Path | str | None = None,
    visitors: int | None = None,
    among: pl.Series | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Count the rates of a definition.

    Parameters
    ----------
    population
        Of the definition: its entity, anchor and outcome.
    definition
        A milestone, which has no outcome of its own, is followed by the population's.
    by
        ``signup_week``, ``signup_month``, ``signup_quarter`` (cohorts), traits, bands of a numeric trait (``seats:5,20``) and
        behaviours as `try` reads them (segments); none: by quarter.
    ledger
        What ``pqlkit score --ledger --control`` wrote: who was left alone.
    visitors
        Of the site, over the time in which these signed up.
    among
        Ids, as text: the others are in no funnel and no rate, and that is said. None = all.
    progress
        Told each step.

    Raises
    ------
    UsageError
        A trait is not there or only today's, or there were fewer visitors than signups.
    """
    import polars as pl

    from pqlkit.analysis.criteria import criteria, without_mechanical
    from pqlkit.analysis.grouping import behaviours
    from pqlkit.definitions.expression import expression
    from pqlkit.measures.evaluation import keep_spells
    from pqlkit.measures.gaps import gap_warnings
    from pqlkit.measures.ownership import narrowed
    from pqlkit.population.vocabulary import unknown_events
    from pqlkit.rates.already import met_before
    from pqlkit.rates.arm_rates import arms
    from pqlkit.rates.customer_value import customer_value
    from pqlkit.rates.near_misses import near_misses
    from pqlkit.rates.periods import periods
    from pqlkit.rates.teams import teams
    from pqlkit.snapshots.clusters import clusters, snapshots_effect
    from pqlkit.snapshots.contacts import contacted
    from pqlkit.snapshots.matches import met_at
    from pqlkit.snapshots.qualifications import pqls_per_week, reach_of, starts, time_to_convert
    from pqlkit.snapshots.schedule import LANDMARK
    from pqlkit.snapshots.snapshots import snapshots_of
    from pqlkit.snapshots.spells import qualifications
    from pqlkit.snapshots.spike import too_soon_in_words

    say = progress or (lambda _: None)
    # Of a milestone, and where the project says that the outcome comes later, it is the population's.
    own = definition.outcome if population.outcome.after is None else None
    outcome = own or population.outcome
    definition = replace(definition, outcome=outcome)
    say("finding who qualified, and when")
    # The criteria are measured at many moments and in many combinations; their events are read once for all of it.
    measured = replace(population, world=narrowed(population.world, definition))
    keep_spells(measured.world)
    spells = qualifications(measured, definition)
    counted = starts(
        population,
        spells,
        conversion_window=outcome.within,
        cooldown=definition.cooldown,
        retained_for=outcome.retained_for,
        reaches_back=reach_of(definition),
    )
    say("comparing with those who did not")
    seen = snapshots_of(population, design_of(definition, outcome), eligible=definition.eligible)
    met = met_at(measured, definition, seen.frame, spells=spells)
    effect = snapshots_effect(seen, clusters(population, seen.frame.get_column("entity").to_numpy()))
    patience = _patience(definition)
    until = Duration.of(patience.microseconds + outcome.within.microseconds)
    people = lives(population, seen, spells, patience, until)
    if among is not None:
        inside = population.entities["id"].cast(pl.String).is_in(among.implode())
        people = people.filter(inside.gather(people["entity"]))
    # One population for every figure: who is no signup of the funnel is in no rate of its PQLs either.
    counted = counted.join(people, on="entity", how="semi", maintain_order="left")
    first = int(counted.get_column("on").min() or population.as_of) if counted.height else population.as_of  # type: ignore[arg-type]
    say("counting by period and criterion")
    mature = counted.filter("mature")
    stages = funnel(
        population,
        seen,
        people,
        counted,
        seen.table(met, design_effect=effect),
        patience=patience,
        until=until,
    )
    calendar = [column for column in by if column.startswith("signup_")]
    done = behaviours(population, by, windows=(LANDMARK,))
    customers = Customers(
        retained=_retained(mature, outcome),
        value=customer_value(population, people),
        amounts=_amounts(population, mature),
    )
    soon = too_soon_in_words(population, counted, outcome.within)
    return Report(
        population=population,
        definition=definition,
        snapshots=seen,
        spells=spells,
        starts=counted,
        signups=people,
        funnel=stages,
        times=Times(
            to_pql=waiting(people, "pql", patience),
            to_customer=waiting(people, "customer", until),
            to_convert=time_to_convert(counted),
        ),
        pqls_per_week=pqls_per_week(counted, first=first, through=population.as_of, zone=population.world.zone),
        in_progress=counted.height - mature.height - int(counted["too_soon"].sum()),
        criteria=criteria(measured, definition, seen, met, design_effect=effect),
        without_mechanical=without_mechanical(measured, definition, seen, design_effect=effect),
        parts=Parts(
            by=tuple(expression(done[kind]) if kind in done else kind for kind in by),
            cohorts=_segments(population, people, counted, calendar or ["signup_quarter"], done),
            segments=_segments(population, people, counted, [column for column in by if column not in calendar], done),
            contacted=contacted(population, counted, outcome.within),
            arms=None if ledger is None else arms(population, counted, ledger, definition),
        ),
        periods=periods(population, definition, seen, met, counted, measured.world),
        near_misses=near_misses(population, definition, outcome, spells, measured.world),
        customers=customers,
        chosen_on=_chosen_on(definition, mature),
        teams=teams(stages, customers.retained, customers.value, nouns_of(definition), visitors=visitors),
        warnings=(
            *population.warnings,
            *unknown_events(population, definition, nobody=spells.is_empty()),
            *gap_warnings(population.world, definition),
            *([] if soon is None else [soon]),
            *met_before(population, definition, spells, counted),
        ),
    )


def design_of(definition: Definition, outcome: Outcome) -> Design:
    """Give the snapshots that a definition is compared by: ``once`` at its longest `within` if all its windows are, else ``every``."""
    windows = [leaf.window for leaf in _flat(definition)]
    lengths = [window.length for window in windows if window.length is not None]
    if windows and all(window.kind is WindowKind.WITHIN for window in windows):
        longest = max(lengths)
        return Design(kind=DesignKind.ONCE, cutoffs=(longest,), windows=(longest,), conversion_window=outcome.within)
    weeks = max(1, outcome.within.microseconds // (7 * DAY))
    step = Duration(7 * weeks, "d")
    # The snapshots must have seen the longest window; one without end counts as the 84 days of the funnel.
    longest = max([*lengths, Duration(7, "d")]) if all(w.length for w in windows) else LONG
    whole = Duration(7 * -(-longest.microseconds // (7 * DAY)), "d")
    return Design(kind=DesignKind.EVERY, step=step, windows=(whole,), conversion_window=step)


def _flat(definition: Definition) -> list[Criterion]:
    criterions: list[Criterion] = []
    for leaf in leaves(definition.qualify):
        criterions += [leaf] if isinstance(leaf, Criterion) else _flat(leaf.target)
    return criterions


def _patience(definition: Definition) -> Duration:
    """Give T: the longest `within` if all windows are, else 84 days."""
    windows = [leaf.window for leaf in _flat(definition)]
    lengths = [window.length for window in windows if window.kind is WindowKind.WITHIN and window.length is not None]
    return max(lengths) if lengths and len(lengths) == len(windows) else LONG


def _retained(mature: pl.DataFrame, outcome: Outcome) -> Rate | None:
    """Count who stayed among those who converted in time."""
    import polars as pl

    if outcome.retained_for is None:
        return None
    bought = mature.filter(pl.col("delay") <= outcome.within.microseconds)
    return Rate.of(int(bought.get_column("y").sum()), bought.height)


def _segments(
    population: Population, people: pl.DataFrame, counted: pl.DataFrame, by: Sequence[str], done: Mapping[str, Node]
) -> tuple[Segment, ...]:
    from pqlkit.analysis.cohorts import cohort_names, cohort_order
    from pqlkit.definitions.expression import expression
    from pqlkit.snapshots.qualifications import pql_conversion_rate

    segments = []
    for kind in by:
        if kind in done:
            # With the window that a term without one is given.
            segments += _by_behaviour(population, counted, expression(done[kind]), done[kind])
            continue
        names = cohort_names(population, kind)
        groups = people.join(names, on="entity").partition_by("cohort", as_dict=True)
        started = counted.join(names, on="entity", maintain_order="left").partition_by("cohort", as_dict=True)
        for key in sorted({*groups, *started}, key=lambda pair: cohort_order(str(pair[0]))):
            part = groups.get(key, people.clear())
            levels = cohort_levels(part)
            segments.append(
                Segment(
                    by=kind,
                    name=str(key[0]),
                    signups=part.height,
                    signup_to_pql=levels.pqls,
                    pql_to_customer=pql_conversion_rate(started.get(key, counted.clear())),
                    signup_to_customer=levels.customers,
                )
            )
    return tuple(segments)


def _by_behaviour(population: Population, counted: pl.DataFrame, by: str, node: Node) -> list[Segment]:
    """Split the new PQLs by what they had done up to the moment of qualifying, that moment included."""
    import polars as pl

    from pqlkit.analysis.behaviour_cohorts import DID, DID_NOT, did_at
    from pqlkit.snapshots.qualifications import pql_conversion_rate

    done = did_at(population, by, node, counted.select("entity", cutoff=pl.col("on") + 1))
    return [
        Segment(
            by=by,
            name=name,
            signups=None,
            signup_to_pql=Rate.of(0, 0),
            pql_to_customer=pql_conversion_rate(counted.filter(done == name)),
            signup_to_customer=Rate.of(0, 0),
        )
        for name in (DID, DID_NOT)
    ]


def _chosen_on(definition: Definition, mature: pl.DataFrame) -> ChosenOn | None:
    """Read from the evidence on which leads the rule was chosen, and count those since its later test period began."""
    import polars as pl

    evidence = definition.evidence
    fit, later = (evidence.fit, evidence.holdout) if evidence is not None else (None, None)
    if fit is None or later is None or fit.view is not EvidenceView.QUALIFICATION or not fit.qualified:
        return None
    # Where one part of the data both chose the rule and tested it, none came later.
    if fit.start is None or fit.through is None or later.start is None or later.start <= fit.through:
        return None
    since = mature.filter(pl.from_epoch("on", time_unit="us").dt.date() >= later.start)
    return ChosenOn(
        start=fit.start,
        through=fit.through,
        leads=fit.qualified,
        later_from=later.start,
        later=Rate.of(int(since["y"].sum()), since.height),
    )


def _amounts(population: Population, mature: pl.DataFrame) -> Amounts | None:
    """Average the amounts of the conversions that count; None where no conversion has one."""
    import polars as pl

    amounts = population.entities.select("entity", "amount").filter(pl.col("amount").is_not_null())
    if not amounts.height:
        return None
    paid = mature.filter("y").join(amounts, on="entity", how="inner")
    # Sorted before the sum: the order of rows must not move the last digit.
    total = float(paid.get_column("amount").sort().sum())
    return Amounts(
        customers=paid.height,
        per_customer=total / paid.height if paid.height else None,
        per_pql=total / mature.height if mature.height else None,
    )
