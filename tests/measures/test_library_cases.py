"""The library on hand-made events: who qualifies, exactly when, and who does not (tests/definitions/cases)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pqlkit.columns import ACCOUNT_ID, ANCHOR, AT, CONVERTED, ENTITY, EVENT, USER_ID
from pqlkit.definitions.folders import load_definition
from pqlkit.definitions.model import EntityKind
from pqlkit.definitions.yaml_source import parse
from pqlkit.measures.evaluation import evaluate
from pqlkit.measures.world import World
from pqlkit.shipped import shipped
from tests.engines.servers import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.model import Definition

CASES = sorted((Path(__file__).parents[1] / "definitions" / "cases").glob("*.yml"))
SERIES = re.compile(r"(?P<first>.+?)(?: \((?P<times>\d+) times, every (?P<every>\d+)(?P<unit>[smhd])\))?")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
Spells = list[tuple[int, int | None]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file."""

    definition: Definition
    as_of: int
    entities: list[dict[str, str]]
    members: list[dict[str, str]]
    events: list[dict[str, Any]]
    expected: dict[str, Spells]


def read(path: Path) -> Case:
    document = parse(path.read_bytes(), str(path))
    assert not document.diagnostics
    data: Any = document.data
    return Case(
        definition=load_definition(shipped("definitions") / f"{data['definition']}.yml"),
        as_of=instant(data["as_of"]),
        entities=table(data["entities"]),
        members=table(data.get("members", "")),
        events=[event for row in table(data["events"]) for event in series(row)],
        expected={row["who"]: spells(row["holds"]) for row in table(data["expected"])},
    )


def table(text: str) -> list[dict[str, str]]:
    """Read a table of `|`; missing cells at the end of a row are empty."""
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]
    return [dict(zip(rows[0], [*row, *[""] * len(rows[0])], strict=False)) for row in rows[1:]]


def instant(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def series(row: dict[str, str]) -> Iterator[dict[str, Any]]:
    found = SERIES.fullmatch(row["when"])
    assert found is not None, row
    step = int(found["every"] or 0) * UNITS[found["unit"] or "s"] * 1_000_000
    properties = dict(pair.split("=") for pair in row["properties"].split())
    for index in range(int(found["times"] or 1)):
        yield {"who": row["who"], "event": row["event"], "at": instant(found["first"]) + index * step, **properties}


def spells(text: str) -> Spells:
    if text == "never":
        return []
    pairs = [part.split("..") for part in text.split(";")]
    return [(instant(on.strip()), instant(off.strip()) if off.strip() else None) for on, off in pairs]


def column(values: list[str | None]) -> pl.Series:
    """Give a property its type, as a declared schema would: numbers if every value is one."""
    try:
        return pl.Series([None if value is None else float(value) for value in values], dtype=pl.Float64)
    except ValueError:
        return pl.Series(values, dtype=pl.String)


def world_of(case: Case, engine_name: str) -> World:
    who = [row["who"] for row in case.entities]
    number = {name: index for index, name in enumerate(who)}
    run, kind = started(engine_name), case.definition.entity
    entities = pl.DataFrame(
        {
            ENTITY: list(number.values()),
            ANCHOR: [instant(row["signed up"]) for row in case.entities],
            CONVERTED: [
                None if row.get("converted", "-") == "-" else instant(row["converted"]) for row in case.entities
            ],
            "since": [None] * len(who),
        },
        schema={ENTITY: pl.Int64, ANCHOR: pl.Int64, CONVERTED: pl.Int64, "since": pl.Int64},
    )
    properties = sorted({name for event in case.events for name in event} - {"who", "event", "at"})
    names = {name: f"p{index}" for index, name in enumerate(properties)}
    events = pl.DataFrame(
        {
            USER_ID: [event["who"] for event in case.events],
            EVENT: [event["event"] for event in case.events],
            AT: pl.Series([event["at"] for event in case.events], dtype=pl.Int64),
            **{names[name]: column([event.get(name) for event in case.events]) for name in properties},
        }
    )
    accounts = None
    members = pl.DataFrame({USER_ID: who, ENTITY: list(number.values())}, schema={USER_ID: pl.String, ENTITY: pl.Int64})
    if case.members:
        members = pl.DataFrame(
            {
                USER_ID: [row["user"] for row in case.members],
                ENTITY: [number[row["account"]] for row in case.members],
                ANCHOR: [instant(row["signed up"]) for row in case.members],
            },
            schema={USER_ID: pl.String, ENTITY: pl.Int64, ANCHOR: pl.Int64},
        )
    elif kind is EntityKind.ACCOUNT:
        accounts = members.rename({USER_ID: ACCOUNT_ID})
        events = events.with_columns(pl.col(USER_ID).alias(ACCOUNT_ID), pl.lit("somebody").alias(USER_ID))
        members = members.clear()
    return World(
        engine=run,
        kind=kind,
        events=run.lift(events),
        entities=entities,
        members=members,
        accounts=accounts,
        properties=names,
        as_of=case.as_of,
    )


def test_every_definition_of_the_library_has_its_cases() -> None:
    assert {path.stem for path in CASES} == {path.stem for path in shipped("definitions").glob("*.yml")}


@pytest.mark.parametrize("engine_name", ["polars", "duckdb", pytest.param("spark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_who_qualifies_and_exactly_when(path: Path, engine_name: str) -> None:
    case = read(path)
    assert case.definition.name == path.stem
    who = [row["who"] for row in case.entities]
    assert set(case.expected) == set(who)
    found: dict[str, Spells] = {name: [] for name in who}
    for entity, on, off in evaluate(world_of(case, engine_name), case.definition).spells.iter_rows():
        found[who[entity]].append((on, off))
    assert found == case.expected
