"""Small products drawn for a definition: its events, properties and traits, with ties and edges, as tables."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import polars as pl

from pqlkit.definitions.model import Criterion, EntityKind, Limit, Operator, Ref, leaves
from pqlkit.population.traits import required_traits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pqlkit.definitions.model import Condition, Definition

START = 1_767_225_600_000_000  # 2026-01-01
DAY = 86_400_000_000
TIMES = {"timestamp", "signed_up_at", "converted_at", "ended_at", "deleted_at", "valid_from"}


def definitions(definition: Definition) -> Iterator[Definition]:
    """A definition, its milestones, and what is its outcome."""
    yield definition
    for leaf in leaves(definition.qualify):
        if isinstance(leaf, Ref):
            yield from definitions(leaf.target)
    if definition.outcome is not None and definition.outcome.definition is not None:
        yield from definitions(definition.outcome.definition)


def criteria(definition: Definition) -> list[Criterion]:
    """The criteria of all of them."""
    return [leaf for own in definitions(definition) for leaf in own.criteria]


def draw_product(definition: Definition, seed: int, users: int = 60) -> dict[str, pl.DataFrame]:
    """Draw tables in which a good part of the entities comes near to qualifying, or does."""
    dice = random.Random(seed)
    asked = criteria(definition)
    accounts = [f"acc'{number}" for number in range(users // 3)]
    signups = {f"u{number}": START + dice.randrange(40) * DAY // 2 for number in range(users)}
    owners = {name: dice.choice([*accounts, None]) for name in signups}
    events = [
        event
        for name, signup in signups.items()
        for criterion in asked
        for event in _events(dice, criterion, name, signup, owners[name])
    ]
    involved = list(definitions(definition))
    traits = {name: _tested(involved, name) for own in involved for name in required_traits(own)}
    people = [
        {"user_id": name, "account_id": owners[name], "signed_up_at": at, **_drawn(dice, traits)}
        for name, at in signups.items()
    ]
    firms = [
        {
            "account_id": name,
            "signed_up_at": dice.choice([None, START + dice.randrange(20) * DAY]),
            **_drawn(dice, traits),
        }
        for name in accounts
    ]
    who = list(signups) if definition.entity is EntityKind.USER else accounts
    key = f"{definition.entity.value}_id"
    bought = [
        {key: name, "converted_at": START + dice.randrange(60) * DAY, "amount": dice.choice([1.0, 2.0, 30.0])}
        for name in dice.sample(who, len(who) // 4)
    ]
    return {
        "events": frame(events),
        "users": frame(people),
        "accounts": frame(firms),
        "conversions": frame(bought),
    }


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Make a table whose times are instants."""
    table = pl.DataFrame(rows, infer_schema_length=None)
    return table.with_columns(pl.col(name).cast(pl.Datetime("us", "UTC")) for name in table.columns if name in TIMES)


def write_tables(tables: dict[str, pl.DataFrame], folder: Path) -> None:
    """Write the tables as Parquet files."""
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")


def _events(
    dice: random.Random, criterion: Criterion, user: str, signup: int, account: str | None
) -> Iterator[dict[str, Any]]:
    bound = criterion.at_least if isinstance(criterion.at_least, int | float) else 3
    many = min(int(bound), 12) if criterion.measure.property is None or not criterion.measure.kind.numeric else 3
    for _ in range(dice.choice([0, 1, many, many + 1])):
        names = criterion.events or ("anything", "something else")
        at = signup + dice.randrange(-2, 25) * DAY // 2 + dice.choice([0, 0, 1, -1, DAY // 3])
        yield {
            "user_id": user,
            "account_id": dice.choice([account, None]),
            "event": dice.choice(names),
            "timestamp": at,
            **_properties(dice, criterion),
        }


def _properties(dice: random.Random, criterion: Criterion) -> dict[str, Any]:
    drawn: dict[str, Any] = {item.name: dice.choice([None, *_around(item)]) for item in criterion.where}
    measure = criterion.measure
    if measure.property is not None:
        high = float(criterion.at_least) if isinstance(criterion.at_least, int | float) else 8000.0
        amounts = [None, high / 2, high, high / 10, 0.1]
        drawn[measure.property] = dice.choice(
            amounts if measure.kind.numeric else [None, "x", "y", "z", "w", "v", "q", "r"]
        )
    for limit in (criterion.at_least, criterion.at_most):
        if isinstance(limit, Limit) and limit.property is not None:
            drawn[limit.property] = dice.choice([None, 10_000.0, 0.0, 5_000.0])
    return drawn


def _around(condition: Condition) -> list[Any]:
    if condition.operator in {Operator.AT_LEAST, Operator.AT_MOST}:
        return [float(condition.values[0]), float(condition.values[0]) + 1]
    return [*condition.values, "someone@else.org"]


def _tested(involved: list[Definition], name: str) -> list[Any]:
    own = [value for each in involved for item in each.eligible if item.name == name for value in _around(item)]
    return own or [10_000.0, 100.0]


def _drawn(dice: random.Random, traits: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: dice.choice([None, *values, *values, *values]) for name, values in traits.items()}
