"""The scoring: a definition over a population as a list of leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import AFTER_CRITERIA, AT, BEFORE_CRITERIA, ENTITY, LEAD_COLUMNS, OFF, ON, USER_ID
from pqlkit.definitions.emitting import definition_hash
from pqlkit.definitions.model import Criterion, EntityKind, leaves
from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.exports.tables import EMAIL
from pqlkit.scoring.lead import ORDER, READ, LeadStatus, lead_ids
from pqlkit.scoring.nearness import far_along, standing
from pqlkit.scoring.progress import TINY
from pqlkit.shown import Tabled

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition, Ref
    from pqlkit.population.population import Population
    from pqlkit.scoring.nearness import Standing

FRESHNESS: Final = 30 * DAY
"""Over which the newest start's points fade where the definition does not say."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Leads(Tabled):
    """Every entity of a population, scored.

    Parameters
    ----------
    population, definition
        What was scored with what.
    frame
        One row per entity, in the contract's columns and order (product.md, ``pqlkit score``); times are
        ``Datetime[us, UTC]``. Column ``user_id`` or ``account_id`` first.
    starts
        Counted starts of the definition's spells: ``entity``, ``id``, ``on``, ``off``.
    hash
        What the definition means, in 12 hexadecimal digits.
    people
        ``entity``, ``id`` of the rows of `frame`, in entity order: with an expansion outcome an id has one stay after the
        other, and tonight's lead is the last.
    places
        Of each row of `frame`, its row in `people`.
    named
        Whether leads have their ``lead_id``.
    score_parts
        What each score is the sum of, rounded down: one row per entity of the population, one column per part.
    evidence
        What each entity did, in words: one row per entity of the population, one column per criterion.
    contacts
        ``id``, ``user_id`` (text): which user of an account the column ``who`` is about.
    """

    population: Population
    definition: Definition
    frame: pl.DataFrame
    starts: pl.DataFrame
    hash: str
    people: pl.DataFrame
    places: pl.Series
    named: bool
    score_parts: pl.DataFrame
    evidence: pl.DataFrame
    contacts: pl.DataFrame

    @property
    def key(self) -> str:
        """The name of the id's column."""
        return f"{self.population.kind.value}_id"


def score(
    population: Population,
    definition: Definition,
    *,
    keep: Sequence[str] = (),
    key: str | None = None,
    read: Collection[LeadStatus] = READ,
    named: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Leads:
    """Turn a population into leads.

    Parameters
    ----------
    population
        Of the definition: its entity, anchor and outcome.
    definition
        What qualifies.
    keep
        Traits to add as columns, as of now.
    key
        What a CRM knows a lead by: one more such column; see `pqlkit.scoring.recipient.key_column`.
    read
        Whose reasons name their time: looking it up is one more pass over their events.
    named
        Whether leads get their ``lead_id``: of a million users it takes a second, and not every list has that column.
    progress
        Told each step.

    Raises
    ------
    DataError
        The data has no such trait, property or limit.
    UsageError
        A trait to add is called as a column that every list has.
    """
    from pqlkit.measures.evaluation import evaluate
    from pqlkit.scoring.reasons import evidence_columns

    say = progress or (lambda _: None)
    say("measuring the criteria")
    evaluation = evaluate(population.world, definition)
    eligible = _eligible(population, definition)
    spells = _spells(population, definition, evaluation.spells, eligible)
    say("writing the reasons")
    stand = standing(population.world, definition, evaluation)
    starts = _starts(population, definition, spells)
    frame = _moments(population, definition, spells, starts).with_columns(
        pl.Series("need", stand.need),
        pl.Series("any", (np.nan_to_num(stand.values) > 0).any(axis=1)),
        pl.Series("progress", stand.way.share).fill_nan(None),
        pl.Series("far", far_along(stand, definition.near)),
    )
    frame = frame.with_columns(_status(population, definition, eligible).alias("status"))
    parts = _score_parts(definition, stand, frame)
    total = pl.select((pl.sum_horizontal(parts.get_columns()) + TINY).floor().cast(pl.Int64)).to_series()
    frame = frame.with_columns(total.alias("score"))
    readers = frame.get_column("status").is_in([status.value for status in read]).arg_true().to_list()
    told = evidence_columns(population.world, stand, readers, evaluation.stretches)
    extra = _extra(population, definition, keep, key)
    people = _people(population)
    table = _finished(population, definition, frame, stand, told, extra, named=named)
    table = table if table.height == people.height else table[people.get_column(ENTITY)]
    places = ranking(table)
    return Leads(
        population=population,
        definition=definition,
        frame=table[places],
        starts=starts,
        hash=definition_hash(definition),
        people=people,
        places=places,
        named=named,
        score_parts=parts,
        evidence=told,
        contacts=frame.select(pl.col("id").cast(pl.String), pl.col("contact").alias(USER_ID)).drop_nulls(),
    )


def _spells(population: Population, definition: Definition, spells: pl.DataFrame, eligible: pl.Series) -> pl.DataFrame:
    """Keep the spells of who is eligible today, and those that began while the entity was, as far as the past is known."""
    from pqlkit.population.traits import TraitKind

    kinds = population.traits.kinds
    known = [condition for condition in definition.eligible if kinds.get(condition.name) is not TraitKind.CURRENT]
    began = population.traits.holds(known, spells.select(ENTITY, pl.col(ON).alias(AT)))
    today = eligible.gather(spells.get_column(ENTITY))
    return spells.filter(began | today).select(ENTITY, ON, OFF)


def _moments(
    population: Population, definition: Definition, spells: pl.DataFrame, starts: pl.DataFrame
) -> pl.DataFrame:
    """One row per entity: first start and newest counted one, whether the newest spell still holds, the last event.

    A spell within the cooldown is no start: it does not make a lead fresh again.
    """
    cooldown = definition.cooldown.microseconds if definition.cooldown is not None else 0
    whose = spells.get_column(ENTITY)
    before = spells.select(pl.when(whose == whose.shift(1)).then(pl.col(OFF).shift(1))).to_series()
    first, last = whose.ne_missing(whose.shift(1)), whose.ne_missing(whose.shift(-1))
    again = (spells.get_column(ON) - before >= cooldown).fill_null(value=False)
    height = population.entities.height
    newest = _laid(height, starts.group_by(ENTITY).agg(pl.col(ON).max()), ON)
    active = _last_active(population)
    return population.entities.with_columns(
        _laid(height, spells.filter(first), ON).alias("qualified"),
        _laid(height, spells.filter(last & again), ON).alias("requalified"),
        _laid(height, spells.filter(last).with_columns(on_now=pl.col(OFF).is_null()), "on_now").fill_null(value=False),
        newest.alias("newest"),
        (population.as_of - newest).alias("age"),
        *(_laid(height, active, name) for name in active.columns if name != ENTITY),
    )


def _laid(height: int, rows: pl.DataFrame, name: str) -> pl.Series:
    """Lay a column out by entity: null where no row is of it."""
    values = rows.get_column(name)
    return pl.repeat(None, height, dtype=values.dtype, eager=True).scatter(rows.get_column(ENTITY), values).alias(name)


def _people(population: Population) -> pl.DataFrame:
    """List the last stay of each id: entities stand in the order of their ids, and stays in that of time."""
    own = pl.col("id")
    return population.entities.select(ENTITY, "id").filter(own.ne_missing(own.shift(-1)))


def _last_active(population: Population) -> pl.DataFrame:
    """Find each entity's last event by `as_of`, whatever came before it, and whom to write to.

    Adds ``last_active``, ``who`` (an address; the id where there is none) and ``contact`` (an account's user who that is).
    """
    from pqlkit.measures.last_activity import last_active
    from pqlkit.scoring.recipient import addresses

    written = addresses(population)
    last = last_active(population.world, written.get_column(USER_ID)).rename({"who": "contact"})
    last = last.with_columns(pl.col("contact").cast(pl.String))
    asked = pl.col("contact")
    if population.kind is EntityKind.USER:
        last = last.join(population.entities.select(ENTITY, pl.col("id").cast(pl.String)), on=ENTITY, how="left")
        asked = pl.col("id")
    addressed = last.with_columns(asked.alias(USER_ID)).join(written, on=USER_ID, how="left", maintain_order="left")
    return addressed.select(ENTITY, "last_active", "contact", pl.coalesce(EMAIL, "contact").alias("who"))


def _status(population: Population, definition: Definition, eligible: pl.Series) -> pl.Expr:
    fresh = definition.lead.fresh_for if definition.lead is not None else None
    stale = pl.lit(value=False) if fresh is None else pl.col("newest") + fresh.microseconds < population.as_of
    qualified = pl.col("qualified").is_not_null()
    lately = pl.col("last_active") > population.as_of - definition.near.active_within.microseconds
    near = pl.col("far") & lately
    return (
        pl.when(pl.col("converted").is_not_null())
        .then(pl.lit(LeadStatus.CUSTOMER.value))
        .when(~pl.lit(eligible) | pl.col("anchor").is_null() | pl.col("invalid") | ~pl.col("at_risk"))
        .then(pl.lit(LeadStatus.INELIGIBLE.value))
        .when(pl.col("on_now") & ~stale)
        .then(pl.lit(LeadStatus.PQL.value))
        .when(pl.col("on_now"))
        .then(pl.lit(LeadStatus.EXPIRED.value))
        .when(qualified)
        .then(pl.lit(LeadStatus.LAPSED.value))
        .when(near)
        .then(pl.lit(LeadStatus.NEAR.value))
        .when(pl.col("need").is_infinite())
        .then(pl.lit(LeadStatus.MISSED.value))
        .when(pl.col("any"))
        .then(pl.lit(LeadStatus.STARTED.value))
        .otherwise(pl.lit(LeadStatus.INACTIVE.value))
    )


def _eligible(population: Population, definition: Definition) -> pl.Series:
    """Judge eligibility as of now: today's traits are right for today's leads. A deleted entity is no lead."""
    now = population.entities.select(ENTITY, pl.lit(population.as_of, pl.Int64).alias(AT))
    held = population.traits.holds(definition.eligible, now)
    gone = population.entities.get_column("deleted_at").is_not_null() & (
        population.entities.get_column("deleted_at") <= population.as_of
    )
    return held & ~gone.fill_null(value=False)


def _score_parts(definition: Definition, stand: Standing, frame: pl.DataFrame) -> pl.DataFrame:
    """Give what a score of 0 to 100 is made of: points where the definition has them, else the way, strength and freshness."""
    if definition.score is not None:
        points = definition.score.points
        return pl.DataFrame(
            {leaf.id: stand.held[:, i] * float(points.get(leaf.id, 0)) for i, leaf in enumerate(stand.parts)}
        )
    on = frame.get_column("on_now").to_numpy()
    towards = 50 * stand.held.sum(axis=1) // max(1, len(stand.parts))
    fresh = definition.lead.fresh_for.microseconds if definition.lead and definition.lead.fresh_for else FRESHNESS
    age = frame.get_column("age").fill_null(fresh).to_numpy()
    recent = 20 * np.maximum(0, fresh - age) // max(1, fresh)
    strength = np.floor(30 * _excess(stand) + TINY)
    return pl.DataFrame(
        {
            "criteria met": np.where(on, 0, towards).astype(np.int64),
            "qualified": np.where(on, 50, 0).astype(np.int64),
            "above the thresholds": np.where(on, strength, 0).astype(np.int64),
            "fresh": np.where(on, recent, 0).astype(np.int64),
        }
    )


def _excess(stand: Standing) -> NDArray[np.float64]:
    """Average min(1, value / threshold - 1) over the met `at_least` criteria; 0 where there is none."""
    total = np.zeros(len(stand.values))
    count = np.zeros(len(stand.values))
    for index, leaf in enumerate(stand.parts):
        threshold = _threshold(leaf)
        if threshold is None:
            continue
        value = stand.values[:, index]
        met = stand.held[:, index] & ~np.isnan(value)
        total += np.where(met, np.clip((value - threshold) / threshold, 0.0, 1.0), 0.0)
        count += met
    return np.divide(total, count, out=np.zeros(len(stand.values)), where=count > 0)


def _threshold(leaf: Criterion | Ref) -> float | None:
    if not isinstance(leaf, Criterion):
        return float(leaf.users_at_least) if leaf.users_at_least else None
    bound = leaf.at_least
    return float(bound) if isinstance(bound, int | float) and bound > 0 else None


def _finished(
    population: Population,
    definition: Definition,
    frame: pl.DataFrame,
    stand: Standing,
    told: pl.DataFrame,
    extra: Mapping[str, pl.Series],
    *,
    named: bool,
) -> pl.DataFrame:
    from pqlkit.scoring.reasons import joined, missing_column, say_column
    from pqlkit.scoring.recipient import owner_column

    fresh = definition.lead.fresh_for if definition.lead is not None else None
    until = pl.lit(None, pl.Int64) if fresh is None else pl.col("newest") + fresh.microseconds
    parts, held = stand.parts, stand.held
    lead = frame.get_column("on_now") | frame.get_column("converted").is_not_null()
    kind = population.kind.value
    columns: dict[str, pl.Expr | pl.Series] = {
        "lead_id": lead_ids(definition.name, kind, frame.get_column("id"), frame.get_column("newest"))
        if named
        else pl.lit(None, pl.String),
        "band": _band(definition),
        "qualified_at": _instant(pl.col("qualified")),
        "requalified_at": _instant(pl.col("requalified")),
        "known_at": pl.lit(None, pl.Datetime("us", "UTC")),
        "newly_qualified": pl.lit(None, pl.Boolean),
        "fresh_until": _instant(until),
        "last_active_at": _instant(pl.col("last_active")),
        "owner": owner_column(population),
        "met": pl.Series("met", held.sum(axis=1), dtype=pl.Int64),
        "criteria": pl.lit(len(parts), pl.Int64),
        "progress": pl.col("progress"),
        "shortfall": _value_column("shortfall", stand.way.shortfall),
        "missing": missing_column(definition, stand, lead),
        "evidence": joined(told),
        "say": say_column(parts, held),
        "arm": pl.lit(None, pl.String),
        **{leaf.id: _value_column(leaf.id, stand.values[:, i]) for i, leaf in enumerate(parts)},
        **extra,
        "definition": pl.lit(definition.name),
        "definition_version": pl.lit(definition.version, pl.Int64),
        "definition_hash": pl.lit(definition_hash(definition)),
        "as_of": _instant(pl.lit(population.as_of, pl.Int64)),
    }
    key = f"{kind}_id"
    middle = [leaf.id for leaf in parts]
    order = [key, *BEFORE_CRITERIA, *middle, *extra, *AFTER_CRITERIA]
    return frame.with_columns(pl.col("id").alias(key), **columns).select(order)


def ranking(leads: pl.DataFrame, *ties: str) -> pl.Series:
    """Sort a list of leads: give the rows by status, the near ones by progress, then score and newest `qualified_at`.

    What settles ties is `ties`, and then the order in which they stand.
    """
    # Narrow, for what is compared is the bytes of the whole row.
    rank = pl.col("status").replace_strict(
        {status.value: place for place, status in enumerate(ORDER)}, return_dtype=pl.UInt8
    )
    near = pl.when(pl.col("status") == LeadStatus.NEAR.value).then("progress")
    keys = [rank, near, pl.col("score"), pl.col("qualified_at"), *map(pl.col, ties)]
    descending = [False, True, True, True, *(False for _ in ties)]
    order = pl.arg_sort_by(keys, descending=descending, nulls_last=True, maintain_order=True)
    return leads.select(order.alias("row")).to_series()


def _instant(at: pl.Expr) -> pl.Expr:
    return at.cast(pl.Datetime("us", "UTC"))


def _value_column(name: str, values: NDArray[np.float64]) -> pl.Series:
    """Give a criterion's values, whole numbers as such, undefined as null."""
    series = pl.Series(name, values).fill_nan(None)
    whole = series.drop_nulls()
    return series.cast(pl.Int64) if (whole == whole.floor()).all() and (whole.abs() < 2**53).all() else series


def _band(definition: Definition) -> pl.Expr:
    """Name the highest band whose floor the score reaches; null without bands or below all."""
    bands = definition.score.bands if definition.score is not None else {}
    chain = pl.lit(None, pl.String)
    for name, floor in sorted(bands.items(), key=lambda item: item[1]):
        chain = pl.when(pl.col("score") >= floor).then(pl.lit(name)).otherwise(chain)
    return chain


def _extra(
    population: Population, definition: Definition, keep: Sequence[str], key: str | None
) -> dict[str, pl.Series]:
    """Give the columns that a list has beside the contract's: traits, and what a CRM knows the lead by."""
    from pqlkit.scoring.recipient import OWNERS, key_column, traits_now

    # Who looks after a lead is a column of every list.
    wanted = [name for name in dict.fromkeys(keep) if name != OWNERS[0]]
    added = {**traits_now(population, wanted)} if wanted else {}
    if key is not None and key != f"{population.kind.value}_id":
        added[key] = key_column(population, key)
    taken = {*LEAD_COLUMNS, *(leaf.id for leaf in leaves(definition.qualify))}
    for name in added:
        if name in taken:
            raise UsageError(
                f"the list has a column {name} of its own",
                where="--key" if name == key else "--keep",
                hint="leave it out: it is in every list",
            )
    return added


def _starts(population: Population, definition: Definition, spells: pl.DataFrame) -> pl.DataFrame:
    from pqlkit.snapshots.qualifications import starts

    if definition.outcome is None:
        counted = spells
    else:
        counted = starts(
            population,
            spells,
            conversion_window=definition.outcome.within,
            cooldown=definition.cooldown,
            retained_for=definition.outcome.retained_for,
            clustered=False,
        )
    ids = population.entities.get_column("id")
    return counted.select(ENTITY, ON, OFF).with_columns(ids.gather(counted.get_column(ENTITY)))
