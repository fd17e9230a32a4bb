"""Funnels: how many signed up, became PQLs and became customers, so that its levels add up, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.durations import DAY, Duration
from pqlkit.measures.ownership import owned
from pqlkit.snapshots.classes import EntityClass
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.measures.world import World
    from pqlkit.population.population import Population
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.typing import LazyFrame, Microseconds

DORMANT: Final = Duration(28, "d")
"""A customer without an event for so long before converting was dormant."""

OUT: Final = (EntityClass.INVALID, EntityClass.INELIGIBLE, EntityClass.CUSTOMER_ALREADY, EntityClass.UNOBSERVED)
"""The classes of entities that a funnel leaves out, in the order in which they are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long those took who got there, in days from the anchor.

    Everybody counted has been followed for the whole of `within`, so nobody is censored and nobody had less time than
    another: `n` entities were followed, `reached` of them got there in time, and the quartiles (interpolated linearly; None
    = nobody) are of these. The entities are those of the funnel's cohort.
    """

    within: Duration
    n: int
    reached: int
    p25_days: float | None
    median_days: float | None
    p75_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The levels of a funnel: each is part of the one above, and the customers are those of both branches.

    Parameters
    ----------
    pqls
        Of the signups, those that qualified before they converted.
    pql_customers
        Of these, the customers.
    other_customers
        Of the signups that are not among the PQLs, the customers.
    """

    pqls: Rate
    pql_customers: Rate
    other_customers: Rate

    @classmethod
    def of(cls, signups: pl.DataFrame, *, pql: str, customer: str) -> Levels:
        """Count entities by two columns that say whether each became a PQL, and a customer."""
        qualified, others = signups.filter(pql), signups.filter(~signups.get_column(pql))
        return cls(
            pqls=Rate.of(qualified.height, signups.height),
            pql_customers=Rate.of(int(qualified.get_column(customer).sum()), qualified.height),
            other_customers=Rate.of(int(others.get_column(customer).sum()), others.height),
        )

    @property
    def signups(self) -> int:
        """Who is counted."""
        return self.pqls.denominator

    @property
    def customers(self) -> Rate:
        """Customers of both branches, of the signups."""
        return Rate.of(self.pql_customers.numerator + self.other_customers.numerator, self.signups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """One cohort followed for a named time: whoever signed up in [`first`, `through`], for `customer_by` each.

    Parameters
    ----------
    first, through
        The first anchor that the events export saw from its beginning on, and the last that has had all the time.
    pql_within
        T: whoever qualifies by anchor + T is a PQL here.
    customer_by
        T and the conversion window: whoever converts by anchor + this is a customer here.
    levels
        The counts.
    """

    first: Microseconds
    through: Microseconds
    pql_within: Duration
    customer_by: Duration
    levels: Levels


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Entities of one class that the funnel does not count, and the customers among them.

    Without a `reason` it is another definition of the same report that does not count them.
    """

    reason: EntityClass | None
    entities: int
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """Customers who had never been PQLs because they had not used the product.

    Parameters
    ----------
    never
        Without an event before they converted.
    dormant
        With events, but none in the 28 days before they converted.
    """

    never: int
    dormant: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Signup -> PQL -> customer.

    Parameters
    ----------
    to_date
        Everybody so far: entities that are eligible and observed (see `pqlkit.snapshots.classes`).
    cohort
        Those of them whose whole life it has seen and who have had the time, followed equally long.
    pql_to_customer
        The one PQL-to-customer rate: conversions within the conversion window of a counted start, among mature starts.
    unrated
        PQLs without a counted start: they qualified before the definition's windows were full, and are in no rate.
    recall
        Of the customers, those with a counted start within the conversion window before converting.
    qualified_first
        Of the customers, those that were PQLs at any time before converting.
    left_out
        Who is not counted, and why.
    used
        Of the signups, those with an event (before they converted).
    unused
        Of the customers who were never PQLs, those that had not used the product.
    snapshot
        The snapshot view, with and without: everything that compares with non-PQLs.
    """

    to_date: Levels
    cohort: Cohort
    pql_to_customer: Rate
    unrated: int
    recall: Rate
    qualified_first: Rate
    left_out: tuple[LeftOut, ...]
    used: Rate
    unused: Unused
    snapshot: Contingency

    @property
    def signups(self) -> int:
        """Everybody so far."""
        return self.to_date.signups

    @property
    def pqls(self) -> int:
        """Who of them became a PQL before converting."""
        return self.to_date.pqls.numerator

    @property
    def customers(self) -> int:
        """Who of them became a customer."""
        return self.to_date.customers.numerator


def lives(
    population: Population, seen: Snapshots, spells: pl.DataFrame, patience: Duration, until: Duration
) -> pl.DataFrame:
    """Say of each signup when it became a PQL and a customer, and whether it belongs to the cohort.

    Parameters
    ----------
    population, seen, spells
        As reported on.
    patience, until
        The cohort's `pql_within` and `customer_by`.

    Returns
    -------
    DataFrame
        One row per signup, in entity order: ``entity``, ``pql`` (qualified before converting), ``customer``, ``in_cohort``, and for
        ``pql`` and ``customer`` whether it got there in the cohort's time (``_in_time``) and after how many ``_days``.
    """
    import polars as pl

    first = spells.group_by("entity").agg(pl.col("on").min())
    anchor, on, converted = pl.col("anchor"), pl.col("on"), pl.col("converted")
    wait, reach = patience.microseconds, until.microseconds
    # Where the export begins later than a life, what it did first is not known: neither that it qualified, nor that it did not.
    whole = (anchor >= population.history_from) & (converted.is_null() | (converted >= anchor))
    before = on.is_not_null() & (converted.is_null() | (on < converted))
    return (
        population.entities.select("entity", "anchor", "converted")
        .join(_classes(population, seen), on="entity", how="inner", maintain_order="left")
        .join(first, on="entity", how="left", maintain_order="left")
        .filter(~pl.col("class").is_in(OUT))
        .select(
            "entity",
            pql=before,
            customer=converted.is_not_null(),
            in_cohort=whole & (anchor + reach <= population.as_of),
            pql_in_time=before & (on <= anchor + wait),
            pql_days=(on - anchor) / DAY,
            customer_in_time=(converted <= anchor + reach).fill_null(value=False),
            customer_days=(converted - anchor) / DAY,
        )
    )


def funnel(
    population: Population,
    seen: Snapshots,
    signups: pl.DataFrame,
    counted: pl.DataFrame,
    snapshot: Contingency,
    *,
    patience: Duration,
    until: Duration,
) -> Funnel:
    """Count the levels.

    Parameters
    ----------
    population, seen, snapshot
        As reported on.
    signups
        From `lives`.
    counted
        Counted starts of these.
    patience, until
        The cohort's `pql_within` and `customer_by`.
    """
    import polars as pl

    from pqlkit.snapshots.qualifications import pql_conversion_rate

    to_date = Levels.of(signups, pql="pql", customer="customer")
    customers = to_date.customers.numerator
    last = _last_use(population, signups)
    outside = _classes(population, seen).join(signups, on="entity", how="anti")
    soon = counted.filter(pl.col("delay") <= until.microseconds - patience.microseconds)
    return Funnel(
        to_date=to_date,
        cohort=Cohort(
            first=population.history_from,
            through=population.as_of - until.microseconds,
            pql_within=patience,
            customer_by=until,
            levels=cohort_levels(signups),
        ),
        pql_to_customer=pql_conversion_rate(counted),
        unrated=signups.filter("pql").join(counted, on="entity", how="anti").height,
        recall=Rate.of(soon.join(signups.filter("customer"), on="entity", how="semi").n_unique("entity"), customers),
        qualified_first=Rate.of(to_date.pql_customers.numerator, customers),
        left_out=tuple(
            LeftOut(reason=reason, entities=part.height, customers=int(part.get_column("place").is_not_null().sum()))
            for reason in (*OUT, None)
            if (part := outside.filter(pl.col("class") == reason if reason else ~pl.col("class").is_in(OUT))).height
        ),
        used=Rate.of(last.height, signups.height),
        unused=_unused(last, signups.filter(pl.col("customer") & ~pl.col("pql"))),
        snapshot=snapshot,
    )


def _classes(population: Population, seen: Snapshots) -> pl.DataFrame:
    """Give the classes for a funnel: ``entity``, ``class``, ``place``.

    A snapshot needs events of its longest window before it, a funnel does not: whoever converted before there were so many is
    unobserved only where its life began before the export. If it converted before it began, that is told.
    """
    import polars as pl

    anchor, converted = pl.col("anchor"), pl.col("converted")
    unobserved = pl.col("class") == EntityClass.UNOBSERVED
    told = (
        pl.when(unobserved & (converted < anchor))
        .then(pl.lit(EntityClass.CUSTOMER_ALREADY.value))
        .when(unobserved & (anchor >= population.history_from))
        .then(pl.lit(EntityClass.EARLY.value))
        .otherwise("class")
    )
    return (
        seen.entity_classes.join(population.entities.select("entity", "anchor", "converted"), on="entity")
        .with_columns(told.alias("class"))
        .select("entity", "class", "place")
    )


def cohort_levels(signups: pl.DataFrame) -> Levels:
    """Count the levels of those that were followed for the cohort's whole time."""
    return Levels.of(signups.filter("in_cohort"), pql="pql_in_time", customer="customer_in_time")


def waiting(signups: pl.DataFrame, step: str, within: Duration) -> Waiting:
    """Say how long the cohort took to become ``pql`` or ``customer``."""
    followed = signups.filter("in_cohort")
    days = followed.filter(f"{step}_in_time").get_column(f"{step}_days")
    quartiles = [days.quantile(share, interpolation="linear") for share in (0.25, 0.5, 0.75)]
    return Waiting(
        within=within,
        n=followed.height,
        reached=days.len(),
        p25_days=quartiles[0],
        median_days=quartiles[1],
        p75_days=quartiles[2],
    )


def _last_use(population: Population, signups: pl.DataFrame) -> pl.DataFrame:
    """Find the last event of each before it converted; events that a machine sends are none: ``entity``, ``at``, ``converted``."""
    import narwhals as nw
    import polars as pl

    world = population.world
    lives = population.entities.select("entity", "converted").join(signups, on="entity", how="semi")
    automatic = sorted(name for name, note in population.project.events.items() if note.automatic)
    if automatic:
        return _newest_before(world, world.events.filter(~nw.col("event").is_in(automatic)), lives)
    # Who did nothing since it converted is told by its last event of all, which is known; the others are few.
    newest = owned(world, world.seen.with_columns(nw.col("last").alias("at")))
    last = world.engine.collect(newest.group_by("entity").agg(nw.col("at").max())).join(lives, on="entity")
    later = pl.col("at") >= pl.col("converted")
    after = last.filter(later).select("entity", "converted")
    if after.is_empty():
        return last
    return pl.concat([last.filter(~later.fill_null(value=False)), _newest_before(world, world.events, after)])


def _newest_before(world: World, events: LazyFrame, lives: pl.DataFrame) -> pl.DataFrame:
    import narwhals as nw

    before = owned(world, events, lives)
    alive = before.filter(nw.col("converted").is_null() | (nw.col("at") < nw.col("converted")))
    return world.engine.collect(alive.group_by("entity").agg(nw.col("at").max())).join(lives, on="entity")


def _unused(last: pl.DataFrame, customers: pl.DataFrame) -> Unused:
    """Say which customers had not used the product."""
    import polars as pl

    used = last.join(customers, on="entity", how="semi")
    dormant = used.filter(pl.col("at") < pl.col("converted") - DORMANT.microseconds)
    return Unused(never=customers.height - used.height, dormant=dormant.height)
