"""Small populations for tests: canonical Parquet in a folder, or the frames themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from pqlkit.columns import ENTITY
from pqlkit.definitions.model import Anchor, EntityKind, Outcome
from pqlkit.durations import Duration
from pqlkit.engines.factory import engine
from pqlkit.exports.dataset import ColumnType, Dataset, Table
from pqlkit.exports.project import Project
from pqlkit.measures.world import World
from pqlkit.population.outcome import ConversionRows
from pqlkit.population.population import Population
from pqlkit.population.traits import TraitKind, Traits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TIMES = {
    "events": "timestamp",
    "users": "signed_up_at",
    "accounts": "signed_up_at",
    "conversions": "converted_at",
    "contacts": "at",
}
INSTANTS = {"timestamp", "signed_up_at", "converted_at", "deleted_at", "ended_at", "valid_from", "at"}
TYPES: dict[Any, ColumnType] = {
    pl.String: ColumnType.TEXT,
    pl.Int64: ColumnType.INTEGER,
    pl.Float64: ColumnType.NUMBER,
    pl.Boolean: ColumnType.BOOLEAN,
}


def days(text: str) -> Duration:
    return Duration.parse(text)


def table(folder: Path, name: str, rows: Sequence[Mapping[str, Any]] | pl.DataFrame, **facts: Any) -> Table:
    """Write rows (times in microseconds) as one canonical table."""
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, infer_schema_length=None)
    frame = frame.with_columns(
        pl.col(name).cast(pl.Int64).cast(pl.Datetime("us", "UTC")) for name in frame.columns if name in INSTANTS
    )
    frame = frame.with_columns(pl.col(name).cast(pl.String) for name, kind in frame.schema.items() if kind == pl.Null)
    path = folder / f"{name}.parquet"
    frame.write_parquet(path)
    time = TIMES.get(name, "valid_from")
    known = frame[time].drop_nulls().dt.timestamp("us") if time in frame.columns else pl.Series([], dtype=pl.Int64)
    return Table(
        name=name,
        paths=(str(path),),
        columns={
            column: ColumnType.INSTANT if column in INSTANTS else TYPES[kind] for column, kind in frame.schema.items()
        },
        rows=frame.height,
        first=min(known, default=None),
        last=max(known, default=None),
        **facts,
    )


def dataset(folder: Path, *, zone: str = "UTC", **tables: Any) -> Dataset:
    """Write tables and call them a dataset; ``history__plan`` is the table ``history.plan``."""
    named = {name.replace("__", "."): rows for name, rows in tables.items() if rows is not None}
    return Dataset(folder=folder, tables={name: table(folder, name, rows) for name, rows in named.items()}, zone=zone)


ENTITIES = {
    "entity": pl.Int64,
    "id": pl.String,
    "anchor": pl.Int64,
    "converted": pl.Int64,
    "since": pl.Int64,
    "ended_at": pl.Int64,
    "deleted_at": pl.Int64,
    "amount": pl.Float64,
    "kind": pl.String,
    "plan": pl.String,
    "from_plan": pl.String,
    "invalid": pl.Boolean,
    "at_risk": pl.Boolean,
}


def in_memory(
    entities: Sequence[Mapping[str, Any]],
    events: Sequence[tuple[str, str, int] | tuple[str, str, int, Mapping[str, Any]]] = (),
    *,
    as_of: int,
    history_from: int = 0,
    outcome: Outcome | None = None,
    project: Project | None = None,
    fixed: Mapping[str, Sequence[Any]] | None = None,
    histories: Mapping[str, pl.DataFrame] | None = None,
    zone: str = "UTC",
) -> Population:
    """Build a population of users from what each is known by (``id``, ``anchor``...) and events (user, event, at, properties)."""
    ordered = sorted(entities, key=lambda row: row["id"])
    filled = [
        {"invalid": row.get("anchor") is None, "at_risk": True} | dict(row) | {"entity": index}
        for index, row in enumerate(ordered)
    ]
    frame = pl.DataFrame([{name: row.get(name) for name in ENTITIES} for row in filled], schema=ENTITIES, orient="row")
    schema = {"user_id": pl.String, "event": pl.String, "at": pl.Int64}
    raw = pl.DataFrame([row[:3] for row in events], schema=schema, orient="row")
    carried = [dict(row[3]) if len(row) > 3 else {} for row in events]
    names = sorted({name for row in carried for name in row})
    raw = raw.with_columns(
        pl.Series(f"p{place}", [row.get(name) for row in carried]) for place, name in enumerate(names)
    )
    world = World(
        engine=engine(),
        kind=EntityKind.USER,
        events=engine().lift(raw.filter(pl.col("at") <= as_of)),
        entities=frame.select("entity", "anchor", "converted", "since"),
        members=frame.select(user_id="id", entity="entity"),
        as_of=as_of,
        properties={name: f"p{place}" for place, name in enumerate(names)},
        zone=zone,
    )
    kinds = dict.fromkeys(fixed or {}, TraitKind.FIXED) | dict.fromkeys(histories or {}, TraitKind.HISTORY)
    first = frame.filter(pl.col("converted").is_not_null()).height
    return Population(
        dataset=Dataset(folder=None, tables={}, zone=zone),
        project=project or Project(),
        world=world,
        kind=EntityKind.USER,
        entities=frame,
        traits=Traits(
            kinds=kinds,
            values=frame.select(ENTITY).with_columns(**{k: pl.Series(v) for k, v in (fixed or {}).items()}),
            histories=histories or {},
        ),
        as_of=as_of,
        as_of_reason="as the test says",
        history_from=history_from,
        outcome=outcome or Outcome(within=Duration(30, "d")),
        conversions=ConversionRows(rows=first, first=first, repeats=0, filtered=0, unknown_entity=0),
        anchor=Anchor(),
    )
