"""Small worlds drawn by a seed: every entity is a little world of its own, with ties and edges on purpose."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANCHOR, AT, CONVERTED, ENTITY, EVENT, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.loading import load
from pqlkit.measures.ownership import by_number
from pqlkit.measures.world import World
from pqlkit.population.roster import read_ids, scan_events
from tests.engines.servers import started
from tests.measures.oracle import DAY, Life, Rules, Seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROPERTIES = {"amount": "p0", "text.amount": "p1", "kind": "p2", "limit": "p3", "flag": "p4"}
TYPES = {"p0": pl.Float64, "p1": pl.String, "p2": pl.String, "p3": pl.Float64, "p4": pl.Boolean}
START = 1_767_225_600_000_000  # 2026-01-01
__all__ = ["PROPERTIES", "START", "draw_lives", "load_lives", "make_world"]


def draw_lives(seed: int, size: int, *, start: int = START, since: bool = False) -> list[Life]:
    """Draw lives of about a month around `start`."""
    dice = random.Random(seed)
    return [_life(dice, start, since=since) for _ in range(size)]


def _life(dice: random.Random, start: int, *, since: bool) -> Life:
    anchor = start + dice.choice([0, 0, DAY // 2, 5 * DAY, 3 * 3_600_000_000])
    step = dice.choice([DAY, DAY // 4, DAY // 2, 3_600_000_000])
    jitter = [0, 0, 0, 0, 1, -1]
    times = [
        anchor + dice.randint(-6, 24) * step + dice.choice(jitter) for _ in range(dice.choice([0, 1, 3, 6, 10, 14]))
    ]
    edges = [anchor, anchor + 7 * DAY, anchor + 3 * DAY]
    times += [dice.choice(edges) + dice.choice([-1, 0, 1]) for _ in range(dice.randint(0, 2))]
    events = [_seen(dice, at) for at in times]
    converted = None
    if dice.random() < 0.35:
        converted = dice.choice([*times, anchor + 10 * DAY, anchor - 1, anchor]) + dice.choice([0, 0, 1, -1])
    return Life(
        anchor=None if dice.random() < 0.04 else anchor,
        converted=converted,
        since=anchor + dice.randint(-2, 3) * DAY if since and dice.random() < 0.5 else None,
        traits={"cap": dice.choice([None, 2.0, 3.0, 5.0, 0.0, -1.0])},
        events=events,
    )


def _seen(dice: random.Random, at: int) -> Seen:
    amount = dice.choice([None, 1.0, 2.0, 2.5, -1.0, 3.0, 0.1, 0.2])
    text = dice.choice([None, "1", "2.5", "many", " 3 ", "1e0", "-1"])
    return Seen(
        at=at,
        event=dice.choice(["a", "a", "a", "b", "c"]),
        user=dice.choice([None, "u1", "u2", "u3"]),
        properties={
            "amount": amount,
            "text.amount": text,
            "kind": dice.choice([None, "x", "y", "Xy"]),
            "limit": dice.choice([None, 2.0, 3.0, 0.0, -2.0, 4.0]),
            "flag": dice.choice([None, True, False]),
        },
    )


def make_world(
    lives: Sequence[Life], rules: Rules, *, name: str = "polars", paths: Any = None, dataset: Path | None = None
) -> World:
    """Make a world of accounts whose events carry their account and a user; those of a dataset are numbers."""
    entities = pl.DataFrame(
        {
            ENTITY: range(len(lives)),
            ANCHOR: [life.anchor for life in lives],
            CONVERTED: [life.converted for life in lives],
            "since": [life.since for life in lives],
            "t0": [life.traits.get("cap") for life in lives],
        },
        schema={ENTITY: pl.Int64, ANCHOR: pl.Int64, CONVERTED: pl.Int64, "since": pl.Int64, "t0": pl.Float64},
    )
    events = event_table(lives)
    run = started(name)
    table = open_dataset(data=dataset).tables["events"] if dataset is not None else None
    scanned, properties = (None, PROPERTIES) if table is None else scan_events(run, table, rules.as_of)
    ids = {} if table is None else read_ids(run, table)
    accounts = pl.DataFrame(
        {ACCOUNT_ID: [f"acc{i}" for i in range(len(lives))], ENTITY: range(len(lives))}
    ).with_columns(pl.col(ENTITY).cast(pl.Int64))
    return World(
        engine=run,
        kind=EntityKind.ACCOUNT,
        events=scanned or (run.lift(events) if paths is None else run.scan(paths, events.columns)),
        entities=entities,
        members=by_number(ids, pl.DataFrame(schema={USER_ID: pl.String, ENTITY: pl.Int64})),
        accounts=by_number(ids, accounts),
        as_of=rules.as_of,
        properties=properties,
        traits={"cap": "t0"},
        zone=rules.zone,
        dates_only=rules.dates_only,
        ids=ids,
    )


def load_lives(lives: Sequence[Life], folder: Path, *, nights: int) -> Path:
    """Load the events of lives as a dataset, in so many turns."""
    names = {AT: "timestamp"} | {column: name for name, column in PROPERTIES.items()}
    table = event_table(lives).rename(names).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
    for night in range(nights):
        path = folder / f"{night}.parquet"
        table.gather_every(nights, night).write_parquet(path)
        load(with_sources(events=str(path)), folder / "data", append=night > 0)
    return folder / "data"


def event_table(lives: Sequence[Life]) -> pl.DataFrame:
    """The events of all lives as one table."""
    rows = [(f"acc{i}", e) for i, life in enumerate(lives) for e in life.events]
    data: dict[str, list[Any]] = {
        USER_ID: [e.user for _, e in rows],
        ACCOUNT_ID: [account for account, _ in rows],
        EVENT: [e.event for _, e in rows],
        AT: [e.at for _, e in rows],
    }
    data |= {column: [e.properties.get(name) for _, e in rows] for name, column in PROPERTIES.items()}
    return pl.DataFrame(
        data, schema={USER_ID: pl.String, ACCOUNT_ID: pl.String, EVENT: pl.String, AT: pl.Int64, **TYPES}
    )
