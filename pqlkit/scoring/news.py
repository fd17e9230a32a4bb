"""The news: which leads are new since the runs before, which were taken back, and what the next run must know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ENTITY, ON
from pqlkit.scoring.arms import CONTROL, arm_column
from pqlkit.scoring.lead import HOLDING, LeadStatus, lead_ids
from pqlkit.scoring.memory import KNOWN, Memory

if TYPE_CHECKING:
    from collections.abc import Collection

    from pqlkit.durations import Duration
    from pqlkit.scoring.scoring import Leads


class Reason(StrEnum):
    """Why a start became known."""

    WORLD = "world"
    DEFINITION = "definition"
    BASELINE = "baseline"
    BEFORE = "before"
    STALE = "stale"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class News:
    """A list of leads beside what was known.

    Parameters
    ----------
    leads
        What was scored.
    frame
        Every entity in the contract's columns, ``known_at``, ``newly_qualified``, ``arm`` and the status ``withdrawn`` filled
        in; and ``new_because`` (``world``, ``definition`` or null), ``changed`` (its status is another than in the last run).
    memory
        For the next run: the columns of `pqlkit.scoring.memory.KNOWN`.
    starts
        What this run got to know: ``id``, ``on``, ``known_at``, ``reason``, ``arm``, ``queued``, ``lead_id``.
    baseline
        Nothing was known before.
    held
        Rows of `frame`: who would be new only because the definition changed, and that change is not accepted.
    accepted
        The hash of the definition that the next run compares its own with: tonight's, unless somebody is held.
    """

    leads: Leads
    frame: pl.DataFrame
    memory: pl.DataFrame
    starts: pl.DataFrame
    baseline: bool
    held: pl.DataFrame
    accepted: str

    @property
    def says_new(self) -> bool:
        """Whether anything says who is new: runs before, or ``--since``."""
        newly = self.frame.get_column("newly_qualified")
        return newly.is_empty() or newly.null_count() < len(newly)

    @property
    def new(self) -> pl.DataFrame:
        """The new leads that are not in the control arm: who is alerted."""
        return self.frame.filter(pl.col("newly_qualified"), pl.col("arm").ne_missing(pl.lit(CONTROL)))

    @property
    def withheld(self) -> int:
        """How many new leads the control arm keeps from being alerted."""
        return self.frame.filter(pl.col("newly_qualified"), pl.col("arm") == CONTROL).height


def news(
    leads: Leads,
    memory: Memory | None,
    *,
    since: Duration | None = None,
    control: float | None = None,
    suppressed: Collection[str] = (),
    notify: bool = False,
    accepted: Collection[str] | None = None,
) -> News:
    """Say who is new.

    Parameters
    ----------
    leads
        Tonight's.
    memory
        From a ledger or the last list; None = neither: then nobody is new or old, unless `since` says.
    since
        Only starts later than `as_of` - `since` are new; older ones are known from now on.
    control
        The share of accounts that is left alone.
    suppressed
        Ids that are never new.
    notify
        Whether new leads go to the outbox.
    accepted
        With a ledger, hashes of definitions whose change is accepted: who is new only because of another change is held, not
        new, until it is. None = nobody is held.

    Notes
    -----
    A lead is new if it is a `pql` whose newest counted start S nobody was told of. Late data moves starts, so a start is
    recognised by time, not by its exact moment: with A the start that was known last and U the last moment at which it was
    seen to hold, S is another one only if S > A + conversion window and S >= U + cooldown. Whoever qualified before the first run is
    its baseline.
    """
    table = _beside(leads, memory or Memory())
    table = table.with_columns(_assigned(leads, control).alias("assigned"))
    table = _judged(leads, table, memory, since, suppressed)
    table = _held(leads, table, memory, accepted)
    table = _named(leads, table)
    table = _with_arms(table, known=memory is not None)
    table = _withdrawn(leads, table, memory)
    queued = memory.queued if memory is not None else frozenset()
    frame = _listed(leads, table, memory)
    waiting = table.filter("held").get_column("id")
    held = frame.filter(pl.col(leads.key).cast(pl.String).is_in(waiting.implode())) if len(waiting) else frame.clear()
    before = memory.definition_hash if memory is not None else None
    return News(
        leads=leads,
        frame=frame,
        held=held,
        accepted=leads.hash if held.is_empty() or before is None else before,
        memory=_remembered(leads, table, memory),
        starts=_learned(leads, table, queued if notify else None),
        baseline=memory is not None and memory.as_of is None,
    )


def _assigned(leads: Leads, control: float | None) -> pl.Series:
    if control is None:
        return pl.repeat(None, leads.people.height, dtype=pl.String, eager=True)
    return arm_column(leads.population, control).gather(leads.people.get_column("entity"))


def _beside(leads: Leads, memory: Memory) -> pl.DataFrame:
    """One row per entity, in entity order: id, present standing, newest counted start, and what was known."""
    own = leads.people.get_column(ENTITY)
    # The stays of an id follow one another, and the row of people is that of the last.
    place = own.search_sorted(leads.starts.get_column(ENTITY)).alias("place")
    newest = leads.starts.select(place, ON).group_by("place").agg(pl.col(ON).max())
    start = pl.repeat(None, len(own), dtype=pl.Int64, eager=True).scatter(newest["place"], newest[ON])
    present = leads.frame.select("status", "qualified_at", scored_as="lead_id")[leads.places.arg_sort()]
    rows = leads.people.hstack([start.alias("start")]).hstack(present)
    known = memory.known.rename({name: f"was_{name}" for name in KNOWN if name != "id"})
    return rows.with_columns(pl.col("id").cast(pl.String)).join(known, on="id", how="left", maintain_order="left")


def _judged(
    leads: Leads, table: pl.DataFrame, memory: Memory | None, since: Duration | None, suppressed: Collection[str]
) -> pl.DataFrame:
    """Add ``new`` and ``reason`` (why a start becomes known now; null where none does)."""
    as_of = leads.population.as_of
    early = pl.lit(value=False) if since is None else pl.col("start") <= as_of - since.microseconds
    pql = pl.col("status") == LeadStatus.PQL.value
    named = pl.col("id").is_in(pl.Series(sorted(suppressed), dtype=pl.String).implode())
    if memory is None:
        new = None if since is None else pql & ~early & ~named
        return table.with_columns(
            pl.lit(None, pl.Boolean).alias("new") if new is None else new.fill_null(value=False).alias("new"),
            pl.lit(None, pl.String).alias("reason"),
        )
    unknown = pl.col("start").is_not_null() & _is_another(leads)
    first = memory.as_of is None
    redefined = memory.definition_hash is not None and memory.definition_hash != leads.hash
    because = pl.when(pl.lit(redefined) & (pl.col("start") <= (memory.as_of or 0))).then(
        pl.lit(Reason.DEFINITION.value)
    )
    backlog = (early if since is not None else pl.lit(value=True)) if first else early & pl.col("status").is_in(HOLDING)
    reason = (
        pl.when(~unknown)
        .then(None)
        .when(backlog)
        .then(pl.lit(Reason.BASELINE.value if first else Reason.BEFORE.value))
        .when(pl.col("status") == LeadStatus.EXPIRED.value)
        .then(pl.lit(Reason.STALE.value))
        .when(~pql)
        .then(None)
        .when(named)
        .then(pl.lit(Reason.SUPPRESSED.value))
        .otherwise(because.otherwise(pl.lit(Reason.WORLD.value)))
    )
    return table.with_columns(reason.alias("reason")).with_columns(
        pl.col("reason").is_in([Reason.WORLD.value, Reason.DEFINITION.value]).fill_null(value=False).alias("new")
    )


def _held(leads: Leads, table: pl.DataFrame, memory: Memory | None, accepted: Collection[str] | None) -> pl.DataFrame:
    """Add ``held``, and make those neither new nor known: a change that is taken back has told nobody."""
    if memory is None or not memory.lasting or accepted is None or leads.hash in accepted:
        return table.with_columns(pl.lit(value=False).alias("held"))
    held = (pl.col("reason") == Reason.DEFINITION.value).fill_null(value=False)
    return table.with_columns(
        held.alias("held"),
        (pl.col("new") & ~held).alias("new"),
        pl.when(~held).then("reason").alias("reason"),
    )


def _is_another(leads: Leads) -> pl.Expr:
    """Whether the newest counted start is not the one that was known last."""
    outcome, cooldown = leads.definition.outcome, leads.definition.cooldown
    conversion_window = outcome.within.microseconds if outcome is not None else 0
    rest = cooldown.microseconds if cooldown is not None else 0
    later = (pl.col("start") > pl.col("was_on") + conversion_window) & (pl.col("start") >= pl.col("was_until") + rest)
    return pl.col("was_on").is_null() | later


def _named(leads: Leads, table: pl.DataFrame) -> pl.DataFrame:
    """Add ``lead_id``, of the start as it was when it became known: late data moves the start, and not the id."""
    if not leads.named:
        return table.rename({"scored_as": "lead_id"})
    known = pl.when(pl.col("reason").is_null()).then("was_on")
    begun = pl.coalesce(known, "start")
    definition = leads.definition
    # Most starts have not moved, and their leads have their names already: but where the last stay has no start.
    unnamed = begun.ne_missing(pl.col("start")) | pl.col("scored_as").is_null()
    moved = table.select(pl.when(unnamed).then(begun)).to_series()
    renamed = lead_ids(definition.name, definition.entity.value, table.get_column("id"), moved)
    return table.with_columns(pl.coalesce(renamed, "scored_as").alias("lead_id")).drop("scored_as")


def _with_arms(table: pl.DataFrame, *, known: bool) -> pl.DataFrame:
    """Give arms to those who become new; an arm once given stays."""
    qualified = pl.col("start").is_not_null()
    # Without memory everybody who qualified shows the arm; with it, those who became new while there was a control arm.
    fresh = pl.when(pl.col("new") if known else qualified).then("assigned")
    return table.with_columns(pl.coalesce("was_arm", fresh).alias("arm"))


def _withdrawn(leads: Leads, table: pl.DataFrame, memory: Memory | None) -> pl.DataFrame:
    """Mark those who are known and now never qualified: a correction of the data, or of the definition, took them back.

    Known under this very definition, or under a later one that this roll-back takes back.
    """
    if memory is None or not memory.lasting:
        return table
    open_ = [LeadStatus.NEAR.value, LeadStatus.MISSED.value, LeadStatus.STARTED.value, LeadStatus.INACTIVE.value]
    as_of = leads.population.as_of
    taken = (
        pl.col("was_on").is_not_null()
        & pl.col("was_hash").is_in([leads.hash, *sorted(memory.taken_back(leads.hash))])
        & (pl.col("was_on") <= as_of)
        & (pl.col("was_known_at") <= as_of)
        & pl.col("start").is_null()
        & pl.col("status").is_in(open_)
    )
    status = pl.when(taken).then(pl.lit(LeadStatus.WITHDRAWN.value)).otherwise("status")
    return table.with_columns(status.alias("status"))


def _known_at(leads: Leads) -> pl.Expr:
    seen = pl.col("qualified_at").is_not_null()
    return (
        pl.when(pl.col("reason").is_not_null() & pl.col("was_on").is_not_null())
        .then(pl.lit(leads.population.as_of, pl.Int64))
        .otherwise(pl.coalesce("was_known_at", pl.when(seen).then(pl.lit(leads.population.as_of, pl.Int64))))
    )


def _listed(leads: Leads, table: pl.DataFrame, memory: Memory | None) -> pl.DataFrame:
    """Fill the columns of the list, and sort it again where a lead is withdrawn, which then stands elsewhere."""
    from pqlkit.scoring.scoring import ranking

    changed = pl.lit(value=False)
    if memory is not None and memory.as_of is not None:
        changed = (pl.col("status") != pl.col("was_status")).fill_null(value=False)
    known_at = pl.lit(None, pl.Int64) if memory is None else _known_at(leads)
    added = table.select(
        "lead_id",
        "status",
        known_at.cast(pl.Datetime("us", "UTC")).alias("known_at"),
        pl.col("new").alias("newly_qualified"),
        pl.col("arm"),
        pl.when("new").then("reason").alias("new_because"),
        changed.alias("changed"),
    )
    names = leads.frame.columns
    whole = leads.frame.with_columns(added[leads.places]).select(*names, "new_because", "changed")
    gone = _gone(leads, table, memory, whole)
    if gone.is_empty() and not (whole.get_column("status") == LeadStatus.WITHDRAWN.value).any():
        return whole
    everybody = pl.concat([whole, gone], how="vertical")
    return everybody[ranking(everybody, leads.key)]


def _gone(leads: Leads, table: pl.DataFrame, memory: Memory | None, whole: pl.DataFrame) -> pl.DataFrame:
    """Give a row to each lead that the data no longer has at all: a correction took it back, too."""
    if memory is None or not memory.lasting:
        return whole.clear()
    missing = _missing(leads, table, memory)
    definition = leads.definition
    values: dict[str, pl.Expr | pl.Series] = {
        "lead_id": lead_ids(
            definition.name, definition.entity.value, missing.get_column("id"), missing.get_column("on")
        ),
        leads.key: pl.col("id").cast(whole.schema[leads.key], strict=False),
        "status": pl.lit(LeadStatus.WITHDRAWN.value),
        "known_at": pl.col("known_at").cast(pl.Datetime("us", "UTC")),
        "newly_qualified": pl.lit(value=False),
        "arm": pl.col("arm"),
        "definition": pl.lit(definition.name),
        "definition_version": pl.lit(definition.version, pl.Int64),
        "definition_hash": pl.lit(leads.hash),
        "as_of": pl.lit(leads.population.as_of, pl.Int64).cast(pl.Datetime("us", "UTC")),
        "changed": pl.col("status") != LeadStatus.WITHDRAWN.value,
    }
    return missing.select(
        values.get(name, pl.lit(None)).cast(kind, strict=False).alias(name) for name, kind in whole.schema.items()
    ).filter(pl.col(leads.key).is_not_null())


def _missing(leads: Leads, table: pl.DataFrame, memory: Memory) -> pl.DataFrame:
    as_of = leads.population.as_of
    old = memory.known.filter(pl.col("on") <= as_of, pl.col("known_at") <= as_of)
    return old.join(table.select("id"), on="id", how="anti", maintain_order="left")


def _remembered(leads: Leads, table: pl.DataFrame, memory: Memory | None) -> pl.DataFrame:
    """Write down what the next run must know, of everybody seen now or before."""
    if memory is None:
        return pl.DataFrame(schema=KNOWN)
    as_of = pl.lit(leads.population.as_of, pl.Int64)
    learned = pl.col("reason").is_not_null()
    holds = pl.col("status").is_in(HOLDING) & (learned | pl.col("was_on").is_not_null())
    seen = table.select(
        "id",
        "status",
        pl.when(learned).then("start").otherwise("was_on").alias("on"),
        pl.when(learned & ~holds)
        .then("start")
        .when(holds)
        .then(pl.max_horizontal(as_of, "was_until"))
        .otherwise("was_until")
        .alias("until"),
        _known_at(leads).alias("known_at"),
        "arm",
        pl.when(learned).then(pl.lit(leads.hash)).otherwise("was_hash").alias("hash"),
    )
    absent = memory.known.join(seen.select("id"), on="id", how="anti", maintain_order="left")
    gone = _missing(leads, table, memory).select("id", pl.lit(LeadStatus.WITHDRAWN.value).alias("now"))
    absent = absent.join(gone, on="id", how="left", maintain_order="left")
    absent = absent.with_columns(pl.coalesce("now", "status").alias("status")).drop("now")
    return pl.concat([seen.cast(KNOWN), absent.select(list(KNOWN)).cast(KNOWN)]).sort("id")


def _learned(leads: Leads, table: pl.DataFrame, queued: frozenset[str] | None) -> pl.DataFrame:
    alerted = pl.lit(value=False)
    if queued is not None:
        before = pl.col("id").is_in(pl.Series(sorted(queued), dtype=pl.String).implode())
        alerted = pl.col("new") & ~before & pl.col("arm").ne_missing(pl.lit(CONTROL))
    return (
        table.filter(pl.col("reason").is_not_null())
        .select(
            "id",
            pl.col("start").alias(ON),
            pl.lit(leads.population.as_of, pl.Int64).alias("known_at"),
            "reason",
            "arm",
            alerted.fill_null(value=False).alias("queued"),
            "lead_id",
        )
        .sort("id")
    )
