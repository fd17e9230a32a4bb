"""The stay: a stretch in which an entity could expand, for outcomes of ``kind: expansion``.

A customer may expand more than once. Each stay at risk is an entity of its own, whose clock starts with the stay; only events of
the stay exist for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, DELETED_AT, ENDED_AT, ENTITY, FROM_PLAN, PLAN
from pqlkit.durations import Duration
from pqlkit.population.outcome import DETAILS, ConversionRows

if TYPE_CHECKING:
    from pqlkit.definitions.model import Outcome

EXPANSION: Final = "expansion"
RETURNS_AFTER: Final = Duration(90, "d")
"""How long after an expansion an entity may expand again, where the outcome does not say."""

_START: Final = "start"
_END: Final = "end"


def is_expansion(outcome: Outcome) -> bool:
    """Whether the outcome is what customers do: by conversion row, ``kind: expansion`` or ``returns_after``."""
    by_row = outcome.event is None and outcome.definition is None
    return by_row and (outcome.kind == EXPANSION or outcome.returns_after is not None)


def stays_at_risk(people: pl.DataFrame, rows: pl.DataFrame, outcome: Outcome) -> tuple[pl.DataFrame, ConversionRows]:
    """Cut lives into stays at risk.

    Parameters
    ----------
    people
        ``entity``, ``anchor``, ``deleted_at``, ``first_plan`` (the plan at the anchor if it is known, else null).
    rows
        Every conversion row as `outcome.read_rows` gives them.
    outcome
        At risk is who is in a plan of `from_plan`; without that, whoever has bought before.

    Returns
    -------
    tuple
        ``entity``, ``since`` (start of the stay; null = never at risk), ``converted`` and the details of that row, and
        ``deleted_at`` (when the stay ended otherwise, or the entity's own), sorted by entity and ``since``; one row per stay,
        and one for those who were never at risk. And where the rows went: passing rows outside a stay, or at its first
        microsecond, are repeats.

    Notes
    -----
    A stay runs from the moment at which an entity enters a plan of `from_plan` (or its anchor, if it began in one), or returns
    ``returns_after`` (90d) after an expansion, until it expands, leaves the plan, or its subscription ends.
    """
    known = rows.filter(pl.col(ENTITY).is_not_null())
    stretches = _stretches(people, known, outcome)
    passing = known.filter("passes").drop("passes").unique([ENTITY, CONVERTED], keep="first", maintain_order=True)
    returns = (outcome.returns_after or RETURNS_AFTER).microseconds
    cut = _cut(stretches, passing, returns)
    never = people.select(ENTITY).join(cut, on=ENTITY, how="anti")
    stays = (
        pl.concat([cut, never], how="diagonal")
        .join(people.select(ENTITY, DELETED_AT), on=ENTITY)
        .with_columns(
            pl.when(pl.col(CONVERTED).is_null()).then(pl.min_horizontal(DELETED_AT, _END)).otherwise(DELETED_AT)
        )
        .select(ENTITY, "since", *DETAILS, pl.col(DELETED_AT))
        .sort(ENTITY, "since")
    )
    first = stays[CONVERTED].drop_nulls().len()
    passed = int(known["passes"].sum())
    return stays, ConversionRows(
        rows=rows.height,
        first=first,
        repeats=passed - first,
        filtered=known.height - passed,
        unknown_entity=rows.height - known.height,
    )


def _stretches(people: pl.DataFrame, rows: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    """Find the maximal stretches in a plan from which an expansion counts: ``entity``, ``start``, ``end`` (null = open)."""
    began = rows.group_by(ENTITY, maintain_order=True).agg(pl.col(FROM_PLAN, "passes", CONVERTED).first())
    initial = (
        people.drop_nulls(ANCHOR)
        .join(began, on=ENTITY, how="left")
        .select(
            ENTITY,
            pl.min_horizontal(ANCHOR, CONVERTED).alias(_START),
            plan=pl.coalesce(FROM_PLAN, "first_plan"),
            # Who expands in its first row had bought before: the exports begin in the middle of its life.
            bought=pl.col("passes").fill_null(value=False),
            ended=pl.lit(None, dtype=pl.Int64),
        )
    )
    later = rows.select(
        ENTITY, pl.col(CONVERTED).alias(_START), plan=pl.col(PLAN), bought=pl.lit(value=True), ended=pl.col(ENDED_AT)
    )
    inside = pl.col("bought") if outcome.from_plan is None else pl.col("plan").is_in(list(outcome.from_plan))
    anchors = people.drop_nulls(ANCHOR).select(ENTITY, ANCHOR)
    segments = (
        pl.concat([initial, later])
        .sort(ENTITY, _START, maintain_order=True)
        .with_columns(end=pl.min_horizontal("ended", pl.col(_START).shift(-1).over(ENTITY)))
        .with_columns(inside=inside.fill_null(value=False))
        .join(anchors, on=ENTITY, maintain_order="left")
        .with_columns(pl.max_horizontal(_START, ANCHOR).alias(_START))
        .filter("inside", pl.col(_END).is_null() | (pl.col(_END) > pl.col(_START)))
    )
    opens = (pl.col(_START) != pl.col(_END).shift(1).over(ENTITY)).fill_null(value=True)
    return (
        segments.with_columns(run=opens.cum_sum().over(ENTITY))
        .group_by(ENTITY, "run", maintain_order=True)
        .agg(pl.col(_START).first(), pl.col(_END).last())
        .drop("run")
    )


def _cut(stretches: pl.DataFrame, passing: pl.DataFrame, returns: int) -> pl.DataFrame:
    """Cut stretches at expansions, in rounds: each takes every stretch's next stay."""
    stays = []
    open_ = stretches.with_columns(free=pl.col(_START), stretch=pl.int_range(pl.len(), dtype=pl.Int64))
    # A return may wait into the entity's next stretch.
    while not open_.is_empty():
        hits = (
            open_.join(passing, on=ENTITY)
            .filter(pl.col(CONVERTED) > pl.col("free"), pl.col(_END).is_null() | (pl.col(CONVERTED) <= pl.col(_END)))
            .sort(CONVERTED)
            .unique("stretch", keep="first", maintain_order=True)
            .select("stretch", *DETAILS)
        )
        # Of one entity only the earliest open stretch is settled now: what happens there delays the others.
        settled = (
            open_.sort("free").unique(ENTITY, keep="first", maintain_order=True).join(hits, on="stretch", how="left")
        )
        stays.append(settled.select(ENTITY, "free", _END, *DETAILS).rename({"free": "since"}))
        wait = settled.select(ENTITY, again=pl.col(CONVERTED) + returns)
        unsettled = pl.col(CONVERTED).is_not_null()
        rest = pl.concat(
            [
                open_.join(settled.select("stretch"), on="stretch", how="anti"),
                settled.filter(unsettled).select(open_.columns),
            ]
        )
        open_ = (
            rest.join(wait, on=ENTITY, how="left")
            .with_columns(free=pl.max_horizontal("free", "again"))
            .drop("again")
            .filter(pl.col(_END).is_null() | (pl.col("free") < pl.col(_END)))
        )
    if not stays:
        return (
            stretches.clear()
            .select(ENTITY, _END, since=pl.col(_START))
            .with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in DETAILS.items())
        )
    return pl.concat(stays)
