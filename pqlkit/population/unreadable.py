"""The unreadable value: what a condition compares with a number and is none, counted so that nobody is dropped in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.columns import EVENT
from pqlkit.definitions.model import Operator, Ref, leaves
from pqlkit.exports.column_types import ColumnType
from pqlkit.exports.notation import PLAIN
from pqlkit.exports.nulls import NULL_VALUES, is_null_value
from pqlkit.exports.numerals import notation_of
from pqlkit.exports.tables import ACCOUNTS, CONVERSIONS, EVENTS, HISTORY, USERS
from pqlkit.inert import visible
from pqlkit.measures.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from pqlkit.definitions.model import Condition, Definition, Outcome
    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Dataset, Table
    from pqlkit.exports.project import Project

_COMPARED: Final = {Operator.AT_LEAST, Operator.AT_MOST}
_EQUAL: Final = {Operator.EQUALS, Operator.IN, Operator.NOT_IN}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One column of text that somebody compares with a number; `event` limits a table of events to one name."""

    by: str
    table: Table
    column: str
    event: str | None = None


def unreadable_warnings(
    dataset: Dataset, project: Project, definition: Definition | None, outcome: Outcome, engine: Engine
) -> tuple[str, ...]:
    """Say in a sentence each what the outcome, the population filter and eligibility cannot read as a number.

    The criteria of a definition are counted by `pqlkit.measures.gaps`.

    Parameters
    ----------
    dataset, project, definition, outcome
        What is asked of which tables.
    engine
        Where they are read.
    """
    asked = [*_of_outcome(dataset, outcome), *_of_traits(dataset, "the population filter", project.population)]
    for asking in (definition, outcome.definition):
        if asking is not None:
            asked += _of_definition(dataset, asking)
    sentences = (_counted(question, engine) for question in asked)
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence is not None))


def _of_outcome(dataset: Dataset, outcome: Outcome) -> Iterator[_Asked]:
    table = dataset.tables.get(CONVERSIONS if outcome.event is None else EVENTS)
    if table is not None and outcome.definition is None:
        for name in _numeric(outcome.where):
            if table.columns.get(name) is ColumnType.TEXT:
                yield _Asked(by="the outcome", table=table, column=name, event=outcome.event)


def _of_definition(dataset: Dataset, definition: Definition) -> Iterator[_Asked]:
    yield from _of_traits(dataset, f"{visible(definition.name)}: eligible", definition.eligible)
    for leaf in leaves(definition.qualify):
        if isinstance(leaf, Ref):
            yield from _of_definition(dataset, leaf.target)


def _of_traits(dataset: Dataset, by: str, conditions: Sequence[Condition]) -> Iterator[_Asked]:
    for name in _numeric(conditions):
        for table in (USERS, ACCOUNTS, HISTORY + name):
            there = dataset.tables.get(table)
            if there is not None and there.columns.get(name) is ColumnType.TEXT:
                yield _Asked(by=by, table=there, column=name)


def _numeric(conditions: Sequence[Condition]) -> Iterator[str]:
    """Name what is compared with a number."""
    for condition in conditions:
        numbers = [
            value for value in condition.values if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        if condition.operator in _COMPARED or (condition.operator in _EQUAL and numbers):
            yield condition.name


def _counted(asked: _Asked, engine: Engine) -> str | None:
    named = {} if asked.event is None else {EVENT: "event"}
    rows = engine.scan(asked.table.paths, {asked.column: "value"} | named).filter(~nw.col("value").is_null())
    if asked.event is not None:
        rows = rows.filter(nw.col("event") == asked.event)
    counts = engine.collect(rows.group_by("value").agg(nw.len().cast(nw.Int64).alias("rows")))
    counts = counts.rename({"value": asked.column})
    read = nw.from_native(counts).select(number(asked.column, nw.String())).to_native().to_series()
    bad = counts.filter(read.is_null() & ~is_null_value(counts[asked.column], NULL_VALUES))
    if bad.is_empty():
        return None
    example = bad.sort(["rows", asked.column], descending=[True, False])[asked.column][0]
    name = visible(asked.column, 60)
    return (
        f"{asked.by}: {name} is not a number in {int(bad['rows'].sum()):,} of {int(counts['rows'].sum()):,}"
        f" {asked.table.name}, like {visible(example, 40)!r}; they count as if it were missing{_hint(name, bad)}"
    )


def _hint(name: str, bad: pl.DataFrame) -> str:
    """Say how the project file states the notation of the values, where they all have one."""
    notation = notation_of(bad.to_series(), frozenset())
    if notation is None:
        return ""
    sign = f'decimal: "{notation.decimal}"' if notation.decimal == "," else 'thousands: ","'
    if notation is PLAIN:
        sign = 'decimal: "."'
    return f" (state how it is written in pqlkit.yml: {name}: {{column: {name}, {sign}}})"
