"""The outcome: which conversion of each entity counts, and where every row of the conversions export went."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import (
    ACCOUNT_ID,
    AMOUNT,
    AT,
    CONVERTED,
    CONVERTED_AT,
    ENDED_AT,
    ENTITY,
    EVENT,
    FROM_PLAN,
    KIND,
    ON,
    PLAN,
    USER_ID,
)
from pqlkit.definitions.documents import read_outcome
from pqlkit.durations import Duration
from pqlkit.errors import DataError, suggestion
from pqlkit.exports.small_table import read_table
from pqlkit.measures.conditions import all_hold
from pqlkit.measures.ownership import by_id, owned
from pqlkit.population.traits import condition_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pqlkit.definitions.model import Definition, Outcome
    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Table
    from pqlkit.exports.project import Project
    from pqlkit.measures.world import World
    from pqlkit.population.roster import Roster
    from pqlkit.typing import Json, Microseconds

WITHIN: Final = Duration(30, "d")
"""The conversion window where neither a definition nor the project file states one."""

DETAILS: Final = {
    CONVERTED: pl.Int64,
    ENDED_AT: pl.Int64,
    AMOUNT: pl.Float64,
    KIND: pl.String,
    PLAN: pl.String,
    FROM_PLAN: pl.String,
}
"""What is kept of a conversion row, beside its entity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRows:
    """Where the rows went: ``rows == first + repeats + filtered + unknown_entity``.

    `rows` are those at or before `as_of`, without own staff and bots (`excluded`, apart). For an outcome by event they are
    that event's rows; by definition, the qualifications.
    """

    rows: int
    first: int
    repeats: int
    filtered: int
    unknown_entity: int
    excluded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conversions:
    """The conversion of each entity that has one.

    Parameters
    ----------
    frame
        ``entity``, ``converted`` (Int64 UTC microseconds), ``ended_at`` (Int64 or null), ``amount`` (Float64 or null),
        ``kind``, ``plan``, ``from_plan`` (text or null); one row per entity, sorted.
    rows
        Where every row went.
    """

    frame: pl.DataFrame
    rows: ConversionRows


def merged_outcome(project: Project, definition: Definition | None, find: Callable[[str], Definition]) -> Outcome:
    """Give the outcome in force: a definition's keys, then the project file's, then 30 days.

    Parameters
    ----------
    project, definition
        Who states an outcome.
    find
        Gives the definition of a name, for ``outcome: {definition: adopted}`` in the project file.
    """
    general = project_outcome(project.outcome, find)
    own = definition.outcome if definition is not None else None
    if own is None:
        return general
    # Which conversion counts is one decision: a definition that names its event does not inherit the project's definition.
    if own.event is not None or own.definition is not None:
        general = replace(general, event=None, after=None, definition=None)
    empty = {item.name for item in fields(own) if getattr(own, item.name) in (None, ())}
    return replace(own, **{name: getattr(general, name) for name in empty})


def project_outcome(written: Mapping[str, Json], find: Callable[[str], Definition]) -> Outcome:
    """Read the ``outcome`` mapping of a project file, whose form has been checked.

    Examples
    --------
    >>> outcome = project_outcome({"where": {"amount": {"at_least": 2}}, "from": "free"}, dict().__getitem__)
    >>> str(outcome.within), outcome.from_plan, outcome.where[0].operator
    ('30d', ('free',), <Operator.AT_LEAST: 'at_least'>)
    """
    return read_outcome(written, within=WITHIN, resolver=find)


def read_rows(
    table: Table, outcome: Outcome, engine: Engine, roster: Roster, world: World, as_of: Microseconds
) -> tuple[pl.DataFrame, int]:
    """Read the conversion rows that exist at `as_of`.

    Parameters
    ----------
    table
        The conversions export.
    outcome
        What counts; its filter decides ``passes``.
    engine
        Where the plan runs.
    roster, world
        Who is listed, and who of them is an entity.
    as_of
        Later rows do not exist yet.

    Returns
    -------
    tuple
        ``entity`` (null = unknown), the columns of `DETAILS`, and ``passes`` (bool: the outcome's filter), in time order with
        ties broken by the details; and how many rows belong to those whom the population filter leaves out.

    Raises
    ------
    DataError
        The filter names a column that the table does not have.
    """
    _check_columns(table, outcome)
    frame = read_table(engine, table).filter(pl.col(CONVERTED_AT) <= as_of).rename({CONVERTED_AT: CONVERTED})
    kept = _known_persons(frame, roster)
    owner = _owner(kept, world)
    shaped = _shaped(kept, owner, as_of, passes=_passes(kept, outcome))
    return shaped.sort(CONVERTED, *DETAILS, ENTITY, "passes", nulls_last=True), frame.height - kept.height


def rows_of(table: Table, world: World) -> pl.DataFrame:
    """Read every conversion row of the entities, whether or not it is their conversion: ``entity`` and the columns of `DETAILS`."""
    frame = (
        read_table(world.engine, table).filter(pl.col(CONVERTED_AT) <= world.as_of).rename({CONVERTED_AT: CONVERTED})
    )
    return _shaped(frame, _owner(frame, world), world.as_of).filter(pl.col(ENTITY).is_not_null())


def _shaped(frame: pl.DataFrame, owner: pl.Series, as_of: Microseconds, **more: pl.Series) -> pl.DataFrame:
    """Give rows their entity and the columns of `DETAILS`; an end that is still to come is none."""
    absent = [pl.lit(None, dtype=kind).alias(name) for name, kind in DETAILS.items() if name not in frame.columns]
    return (
        frame.with_columns(absent)
        .select(
            pl.Series(ENTITY, owner, dtype=pl.Int64),
            *(pl.col(name).cast(kind, strict=False) for name, kind in DETAILS.items()),
            **more,
        )
        .with_columns(pl.when(pl.col(ENDED_AT) <= as_of).then(ENDED_AT))
    )


def _check_columns(table: Table, outcome: Outcome) -> None:
    asked = {condition.name for condition in outcome.where}
    asked |= {KIND} if outcome.kind is not None else set()
    asked |= {FROM_PLAN} if outcome.from_plan is not None else set()
    asked |= {PLAN} if outcome.to_plan is not None else set()
    for name in sorted(asked - set(table.columns)):
        raise DataError(
            f"the outcome needs the column {name!r}, which the conversions do not have",
            where="outcome",
            hint=suggestion(name, table.columns, "map it under exports.conversions.columns in pqlkit.yml", quoted=True),
        )


def _known_persons(frame: pl.DataFrame, roster: Roster) -> pl.DataFrame:
    """Leave out the rows of own staff and bots."""
    for key, out in ((USER_ID, roster.out_users), (ACCOUNT_ID, roster.out_accounts)):
        if key in frame.columns and len(out):
            frame = frame.join(out.to_frame(), on=key, how="anti", maintain_order="left")
    return frame


def _owner(frame: pl.DataFrame, world: World) -> pl.Series:
    """Find whose a row is: for accounts its own account, else its user's."""
    by_user = _looked_up(frame, USER_ID, by_id(world.ids, world.members.select(USER_ID, ENTITY)))
    if world.accounts is None:
        return by_user
    by_account = _looked_up(frame, ACCOUNT_ID, by_id(world.ids, world.accounts))
    named = (
        frame[ACCOUNT_ID].is_not_null()
        if ACCOUNT_ID in frame.columns
        else pl.repeat(value=False, n=frame.height, eager=True)
    )
    return pl.select(pl.when(named).then(by_account).otherwise(by_user)).to_series()


def _looked_up(frame: pl.DataFrame, key: str, index: pl.DataFrame) -> pl.Series:
    if key not in frame.columns:
        return pl.repeat(None, frame.height, dtype=pl.Int64, eager=True)
    asked = index.filter(pl.col(key).is_in(frame.get_column(key).unique().implode()))
    unique = asked.unique(key, keep="first", maintain_order=True)
    return frame.select(key).join(unique, on=key, how="left", maintain_order="left")[ENTITY]


def _passes(frame: pl.DataFrame, outcome: Outcome) -> pl.Series:
    columns = {name: f"c{index}" for index, name in enumerate(sorted({item.name for item in outcome.where}))}
    table = pl.DataFrame({column: frame[name] for name, column in columns.items()})
    passes = condition_mask(outcome.where, columns, table, frame.height)
    if outcome.kind is not None:
        passes &= (frame[KIND].cast(pl.String) == outcome.kind).fill_null(value=False)
    for name, plans in ((FROM_PLAN, outcome.from_plan), (PLAN, outcome.to_plan)):
        if plans is not None:
            passes &= frame[name].cast(pl.String).is_in(list(plans)).fill_null(value=False)
    return passes


def first_rows(rows: pl.DataFrame, excluded: int = 0) -> Conversions:
    """Keep each entity's first row that passes; count where all the others went."""
    known = rows.filter(pl.col(ENTITY).is_not_null())
    passing = known.filter(pl.col("passes"))
    first = passing.unique(ENTITY, keep="first", maintain_order=True).sort(ENTITY).drop("passes")
    return Conversions(
        frame=first,
        rows=ConversionRows(
            rows=rows.height,
            first=first.height,
            repeats=passing.height - first.height,
            filtered=known.height - passing.height,
            unknown_entity=rows.height - known.height,
            excluded=excluded,
        ),
    )


def check_properties(world: World, outcome: Outcome) -> None:
    """Refuse conditions on a property that the events do not have.

    Raises
    ------
    DataError
        There is one.
    """
    for condition in outcome.where:
        if condition.name not in world.properties:
            raise DataError(
                f"the outcome needs the property {condition.name!r}, which the events do not have",
                where="outcome",
                hint=suggestion(condition.name, world.properties, quoted=True),
            )


def by_event(world: World, outcome: Outcome) -> Conversions:
    """Take the first event of the outcome's name that passes ``where`` as the conversion.

    Raises
    ------
    DataError
        A condition names a property that the events do not have.
    """
    check_properties(world, outcome)
    engine = world.engine
    rows = world.events.filter(nw.col(EVENT) == outcome.event)
    mine = owned(world, rows)
    passing = mine
    if outcome.where:
        passing = mine.filter(all_hold(outcome.where, world.properties, rows.collect_schema()))
    total, known, passed = (engine.collect(plan.select(n=nw.len()))["n"].item() for plan in (rows, mine, passing))
    first = engine.collect(passing.group_by(ENTITY).agg(nw.col(AT).min().alias(CONVERTED))).sort(ENTITY)
    return Conversions(
        frame=_with_details(first),
        rows=ConversionRows(
            rows=total,
            first=first.height,
            repeats=passed - first.height,
            filtered=known - passed,
            unknown_entity=total - known,
        ),
    )


def by_spells(spells: pl.DataFrame) -> Conversions:
    """Take the start of each entity's first spell of another definition as its conversion."""
    first = spells.group_by(ENTITY).agg(pl.col(ON).min().alias(CONVERTED)).sort(ENTITY)
    rows = ConversionRows(rows=first.height, first=first.height, repeats=0, filtered=0, unknown_entity=0)
    return Conversions(frame=_with_details(first), rows=rows)


def no_conversions() -> Conversions:
    """Give what there is without a conversions export."""
    empty = pl.DataFrame(schema={ENTITY: pl.Int64, CONVERTED: pl.Int64})
    rows = ConversionRows(rows=0, first=0, repeats=0, filtered=0, unknown_entity=0)
    return Conversions(frame=_with_details(empty), rows=rows)


def _with_details(frame: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, dtype=kind).alias(name) for name, kind in DETAILS.items() if name != CONVERTED]
    return frame.with_columns(absent).select(ENTITY, *DETAILS)
