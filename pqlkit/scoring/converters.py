"""The converter: what somebody who upgraded had done before, to be read beside the others'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import AT, CONVERTED, ENTITY, EVENT
from pqlkit.durations import DAY
from pqlkit.engines.portable import one
from pqlkit.scoring.timeline import events_of

if TYPE_CHECKING:
    from pqlkit.population.population import Population
    from pqlkit.typing import Microseconds

SHOWN: Final = 50
"""Converters that are told; the newest."""

PERIODS: Final = (
    ("earlier", None, 28),
    ("28-21d", 28, 21),
    ("21-14d", 21, 14),
    ("14-7d", 14, 7),
    ("7-1d", 7, 1),
    ("<1d", 1, 0),
)
"""Name, begin and end in days before the conversion: a period holds conversion - begin <= at < conversion - end."""

_FOREVER: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One event of one converter before the conversion.

    Parameters
    ----------
    event
        Its name.
    count, days
        How often, and on how many dates (UTC).
    periods
        How often in each of `PERIODS`.
    """

    event: str
    count: int
    days: int
    periods: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """One entity that upgraded.

    Parameters
    ----------
    id
        As text.
    anchor, converted
        UTC microseconds; a conversion before the anchor makes it a customer already.
    plan, amount
        Of the conversion, or None.
    done
        What it did strictly before the conversion, the most frequent first.
    """

    id: str
    anchor: Microseconds | None
    converted: Microseconds
    plan: str | None
    amount: float | None
    done: tuple[Done, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converters:
    """Those who upgraded.

    Parameters
    ----------
    total
        All of them.
    shown
        The newest, newest first.
    common
        Events by how many of `shown` did them before: name, converters, the median count of those.
    """

    total: int
    shown: tuple[Converter, ...]
    common: tuple[tuple[str, int, float], ...]


def converters(population: Population) -> Converters:
    """Tell what the newest converters did before they upgraded.

    Parameters
    ----------
    population
        Who exists, with conversions.
    """
    bought = population.entities.filter(pl.col(CONVERTED).is_not_null()).sort(
        CONVERTED, "id", descending=[True, False], maintain_order=True
    )
    chosen = bought.head(SHOWN)
    done = _done(population, chosen)
    by_entity = {key[0]: part.to_dicts() for key, part in done.partition_by(ENTITY, as_dict=True).items()}
    shown = tuple(_converter(row, by_entity.get(row[ENTITY], [])) for row in chosen.to_dicts())
    common = (
        done.group_by(EVENT)
        .agg(pl.len().alias("converters"), pl.col("n").median().alias("median"))
        .sort("converters", "median", EVENT, descending=[True, True, False])
    )
    return Converters(total=bought.height, shown=shown, common=tuple(common.iter_rows()))


def _done(population: Population, chosen: pl.DataFrame) -> pl.DataFrame:
    """Count events before the conversion: ``entity``, ``event``, ``n``, ``days``, ``p0`` ..."""
    engine = population.world.engine
    _, events = events_of(population.world, chosen.get_column(ENTITY).to_list())
    left = nw.col(CONVERTED) - nw.col(AT)
    periods = {
        f"p{i}": one((left > (end or 0) * DAY) & (left <= (_FOREVER if begin is None else begin * DAY)))
        for i, (_, begin, end) in enumerate(PERIODS)
    }
    sums = [nw.col(name).sum().cast(nw.Int64) for name in periods]
    done = (
        events.join(engine.lift(chosen.select(ENTITY, CONVERTED)), on=ENTITY, how="inner")
        .filter(nw.col(AT) < nw.col(CONVERTED))
        .with_columns((nw.col(AT) // DAY).alias("day"), **periods)
        .group_by(ENTITY, EVENT, "day")
        .agg(nw.len().cast(nw.Int64).alias("n"), *sums)
        .group_by(ENTITY, EVENT)
        .agg(nw.col("n").sum().cast(nw.Int64), nw.len().cast(nw.Int64).alias("days"), *sums)
    )
    return engine.collect(done).sort(ENTITY, "n", EVENT, descending=[False, True, False])


def _converter(row: dict[str, Any], done: list[dict[str, Any]]) -> Converter:
    return Converter(
        id=str(row["id"]),
        anchor=row["anchor"],
        converted=row[CONVERTED],
        plan=row["plan"],
        amount=row["amount"],
        done=tuple(
            Done(
                event=counted[EVENT] or "",
                count=counted["n"],
                days=counted["days"],
                periods=tuple(counted[f"p{i}"] for i in range(len(PERIODS))),
            )
            for counted in done
        ),
    )
