"""The evaluation: a definition over a world, how much and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import ANCHOR, CRITERION, ENTITY, OFF, ON
from pqlkit.definitions.model import SCALE, Criterion, Ref, leaves
from pqlkit.measures.amounts import amounts
from pqlkit.measures.formula import combine, combine_lasting, combine_points
from pqlkit.measures.milestones import counted_users, counts_users, milestone_world, within_lives
from pqlkit.measures.moments import has_short_way, has_short_way_at_once, moment_spells, moments_and_amounts
from pqlkit.measures.occurrences import FIRST, NEWEST, REACHED, value_groups
from pqlkit.measures.overflow import refuse_overflow
from pqlkit.measures.scope import BEGIN, END, Scope, scope_of
from pqlkit.measures.sweep import GROUP, reached, sweep_spells
from pqlkit.measures.tasks import Task, tasks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition
    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame

__all__ = ["Evaluation", "criterion_spells", "evaluate", "keep_spells", "spells_of", "spells_of_each", "values"]

VALUE = "value"
HOLDS = "holds"
_FAR: Final = 2**62
_NO_SPELLS: Final = pl.DataFrame(schema={ENTITY: pl.Int64, CRITERION: pl.Int32, ON: pl.Int64, OFF: pl.Int64})
_NO_STRETCHES: Final = pl.DataFrame(schema={ENTITY: pl.Int64, CRITERION: pl.Int32, FIRST: pl.Int64, NEWEST: pl.Int64})
_NO_VALUES: Final = pl.DataFrame(schema={ENTITY: pl.Int64, CRITERION: pl.Int32, VALUE: pl.Float64})
_KEPT: Final[WeakKeyDictionary[World, dict[str, pl.DataFrame]]] = WeakKeyDictionary()
"""The spells of criteria that `keep_spells` keeps, by their spelling."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """What a definition is worth for every entity of a world.

    Parameters
    ----------
    spells
        When the whole formula holds, one row per spell, sorted: ``entity``, ``on``, ``off`` (Int64 UTC microseconds;
        [on, off); `off` null = still on at the end, which is `as_of` or the last microsecond before the conversion).
        anchor <= on, on <= as_of, on < converted.
    criteria
        One row per entity with an anchor and leaf of the formula, sorted: ``entity``, ``criterion`` (Int32, position in
        ``tuple(leaves(definition.qualify))``), ``value`` (Float64: the highest reached for an `at_least`, else the value at
        the end; for a user milestone the users who qualified; null for other refs and where a measure is undefined), ``on``
        (start of the first spell, null = never), ``holds`` (still on at the end).
    stretches
        Of criteria whose first and newest event the same reading tells, see `pqlkit.measures.stretches`: ``entity``,
        ``criterion``, ``first``, ``newest`` (Int64 on the events' clock), a row where there are events.
    """

    spells: pl.DataFrame
    criteria: pl.DataFrame
    stretches: pl.DataFrame


def evaluate(world: World, definition: Definition) -> Evaluation:
    """Evaluate the whole definition: spells of the formula, and each leaf's value, first spell and present state.

    Eligibility (`definition.eligible`) is the population's and not applied here; an entity without an anchor has no rows.
    A conversion at or before the anchor leaves no spell.

    Raises
    ------
    DataError
        A property or trait is not in the world, or a sum does not fit.
    DefinitionError
        A bound or measure over a window in which it has no meaning.
    """
    lasting, reached_by_lasting, stretches = _at_once(
        world, [place for place in _places(definition) if _is_lasting(place[1])]
    )
    others = [place for place in _places(definition) if not _is_lasting(place[1])]
    parts = pl.concat([lasting, _leaf_spells(world, definition, others)])
    amounts_of_leaves = pl.concat([reached_by_lasting, _leaf_values(world, definition, others)])
    return Evaluation(
        spells=_combined(world, definition, parts),
        criteria=_criteria(world, definition, parts, amounts_of_leaves),
        stretches=stretches,
    )


def _places(definition: Definition) -> list[tuple[int, Criterion | Ref]]:
    return list(enumerate(leaves(definition.qualify)))


def _is_lasting(leaf: Criterion | Ref) -> bool:
    return isinstance(leaf, Criterion) and tasks_of([leaf])[0].lasting


def _at_once(
    world: World, positions: Sequence[tuple[int, Criterion | Ref]]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Measure lasting criteria: their spells, the amounts of who has events, and between when these lie; all from one reading."""
    own = [(position, leaf) for position, leaf in positions if isinstance(leaf, Criterion)]
    if not own:
        return _NO_SPELLS, _NO_VALUES, _NO_STRETCHES
    tasks = tasks_of([leaf for _, leaf in own])
    scope = _scope(world, tasks)
    short = [task for task in tasks if has_short_way_at_once(task)]
    plans = moments_and_amounts(scope, short)
    nothing = [nw.lit(None, nw.Int64).alias(name) for name in (FIRST, NEWEST)]
    swept = value_groups(task for task in tasks if task not in short)
    plans += [reached(scope, part).with_columns(*nothing) for part in swept]
    numbers = [nw.col(name).cast(nw.Int64).alias(name) for name in (ON, REACHED, FIRST, NEWEST)]
    rows = [plan.select(*GROUP, *numbers) for plan in plans]
    table = _placed(world.engine.collect(nw.concat(rows, how="vertical")), [position for position, _ in own])
    told = table.filter(pl.col(REACHED).is_not_null())
    fractions = [position for position, leaf in own if leaf.measure.kind.scaled]
    return (
        _without_end(scope, table.filter(pl.col(ON).is_not_null()).select(*GROUP, ON)),
        told.select(*GROUP, _in_units(told, REACHED, fractions)),
        _stretches(table),
    )


def _stretches(table: pl.DataFrame) -> pl.DataFrame:
    """Lay the rows of the first and of the newest events side by side: both are of the same entities and criteria."""
    first, newest = (table.filter(pl.col(name).is_not_null()).select(*GROUP, name) for name in (FIRST, NEWEST))
    wide = int(table.select(pl.col(CRITERION).max()).item() or 0) + 1
    # By position: to sort or to join so many rows takes several times as long.
    places = [np.array(side[ENTITY].to_numpy() * wide + side[CRITERION].to_numpy()) for side in (first, newest)]
    laid = np.zeros(int(places[0].max(initial=-1)) + 1, dtype=np.int64)
    laid[places[1]] = newest[NEWEST].to_numpy()
    return first.with_columns(pl.Series(NEWEST, laid[places[0]], dtype=pl.Int64))


def _without_end(scope: Scope, moments: pl.DataFrame) -> pl.DataFrame:
    """Clip spells that last, as `_clipped` does; by position, since they are one row per entity and criterion."""
    place = scope.lives.get_column(ENTITY).search_sorted(moments.get_column(ENTITY))
    instants = nw.from_native(moments).with_columns(scope.instant(ON).alias(ON)).to_native()
    lived = instants.hstack(scope.lives.select(BEGIN, END)[place])
    kept = lived.filter(pl.col(ON) <= pl.col(END), pl.col(BEGIN) <= pl.col(END))
    return kept.select(*GROUP, pl.max_horizontal(ON, BEGIN).alias(ON), pl.lit(None, pl.Int64).alias(OFF))


def _criteria(world: World, definition: Definition, spells: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """Lay out the leaves of each entity; by position, for a table of so many rows is dear to join and to sort."""
    parts = tuple(leaves(definition.qualify))
    whose = world.entities.filter(pl.col(ANCHOR).is_not_null()).get_column(ENTITY).to_numpy()

    def places(frame: pl.DataFrame) -> NDArray[np.int64]:
        entity, criterion = (frame.get_column(name).to_numpy() for name in GROUP)
        return np.asarray(np.searchsorted(whose, entity) * len(parts) + criterion)

    value = np.tile([np.nan if _starts_undefined(leaf) else 0.0 for leaf in parts], len(whose))
    value[places(told)] = told.get_column(VALUE).fill_null(np.nan).to_numpy()
    # Where several are of one entity and criterion, the first is written last; where none ends, there is one of each.
    several = spells.get_column(OFF).null_count() < spells.height
    newest_first = spells.sort(ON, descending=True) if several else spells
    on = np.full(len(value), _FAR)
    on[places(newest_first)] = newest_first.get_column(ON).to_numpy()
    holds = np.zeros(len(value), dtype=np.bool_)
    holds[places(spells.filter(pl.col(OFF).is_null()))] = True
    table = pl.DataFrame(
        {
            ENTITY: np.repeat(whose, len(parts)),
            CRITERION: np.tile(np.arange(len(parts), dtype=np.int32), len(whose)),
            VALUE: pl.Series(value, dtype=pl.Float64, nan_to_null=True),
            ON: on,
            HOLDS: holds,
        }
    )
    return table.with_columns(pl.when(pl.col(ON) < _FAR).then(ON).alias(ON))


def _starts_undefined(leaf: Criterion | Ref) -> bool:
    return isinstance(leaf, Criterion) and leaf.measure.kind.facts.null_without_events


def spells_of(world: World, definition: Definition, *, early: bool = False) -> pl.DataFrame:
    """Give the spells of the whole formula alone, as `Evaluation.spells`.

    Parameters
    ----------
    world, definition
        What is evaluated.
    early
        Judge what a window decides at its end (`at_most` and `not`, and the first moment of either over ``trailing``) at the
        last microsecond before: nothing more can fall into [anchor, anchor + W) then. For snapshots: at a cutoff s a window
        that ends at s is over, although nothing at s or later is known.
    """
    parts = _leaf_spells(world, definition, _places(definition), early=early)
    return _combined(world, definition, parts, early=early)


def spells_of_each(world: World, definitions: Sequence[Definition], *, early: bool = False) -> list[pl.DataFrame]:
    """Give the spells of each of several definitions, each as `spells_of` does; each criterion is measured once, in few passes."""
    criteria = [
        leaf for definition in definitions for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion)
    ]
    measured = _measured(world, criteria, early=early)
    return [
        _combined(
            world,
            definition,
            _leaf_spells(world, definition, _places(definition), measured, early=early),
            early=early,
        )
        for definition in definitions
    ]


def keep_spells(world: World) -> None:
    """Keep the spells of criteria from now on, as long as the world is there: for whoever asks for the same ones again and again."""
    _KEPT.setdefault(world, {})


def _measured(world: World, criteria: Sequence[Criterion], *, early: bool) -> dict[str, pl.DataFrame]:
    """Give the spells of criteria, by their spelling; those that were kept are not measured again."""
    # By spelling, since 1 and true are equal values and different conditions.
    wanted = {repr(_bare(criterion)): criterion for criterion in criteria}
    kept = _KEPT.get(world, {})
    measured = {spelled: kept[spelled] for spelled in wanted if spelled in kept}
    left = {spelled: criterion for spelled, criterion in wanted.items() if spelled not in measured}
    named = [spelled for spelled, criterion in left.items() if criterion.events is not None]
    # A criterion on any event sees all of them: several such at once would hold the whole table several times.
    for part in (named, *([spelled] for spelled in left if spelled not in named)):
        if part:
            frame = world.engine.collect(criterion_spells(world, [wanted[spelled] for spelled in part], early=early))
            by_place = frame.partition_by(CRITERION, as_dict=True)
            measured |= {spelled: by_place.get((place,), _NO_SPELLS) for place, spelled in enumerate(part)}
    if world in _KEPT:
        # The end of a window, which comes early or not, decides nothing of these.
        lasting = (spelled for spelled in left if has_short_way(tasks_of([wanted[spelled]])[0]))
        _KEPT[world] |= {spelled: measured[spelled] for spelled in lasting}
    return measured


def _bare(criterion: Criterion) -> Criterion:
    """Give what is measured: criteria that differ in their names alone have the same spells."""
    return replace(criterion, id="any", mechanical=False, say=None)


def criterion_spells(world: World, criteria: Sequence[Criterion], *, early: bool = False) -> LazyFrame:
    """Plan the spells of each criterion: ``entity``, ``criterion`` (Int32 position), ``on``, ``off``, clipped as above.

    `early` is as for `spells_of`.
    """
    tasks = tasks_of(criteria)
    scope = _scope(world, tasks, early=early)
    short = [task for task in tasks if has_short_way(task)]
    plans = moment_spells(scope, short)
    plans += sweep_spells(scope, [task for task in tasks if task not in short])
    if not plans:
        return world.engine.lift(_NO_SPELLS)
    return _clipped(scope, nw.concat(plans, how="vertical"))


def values(world: World, criteria: Sequence[Criterion], *, cutoffs: pl.DataFrame | None = None) -> pl.DataFrame:
    """Measure the value of each criterion for each entity: ``entity``, ``criterion`` (Int32), ``value`` (Float64 or null).

    Parameters
    ----------
    world, criteria
        What is measured.
    cutoffs
        ``entity`` (unique), ``cutoff`` (Int64): the value of the microsecond before the cutoff, for these entities alone.
        None: the value at `as_of`, and for converted entities of the microsecond before the conversion.
    """
    tasks = tasks_of(criteria)
    if not tasks:
        return _NO_VALUES
    table = world.engine.collect(amounts(_scope(world, tasks, cutoffs), tasks))
    fractions = [task.index for task in tasks if task.measure.scaled]
    return table.select(ENTITY, pl.col(CRITERION).cast(pl.Int32), _in_units(table, VALUE, fractions))


def _in_units(table: pl.DataFrame, column: str, fractions: Sequence[int]) -> pl.Series:
    """Turn whole numbers into amounts: those of some criteria are millionths.

    Divided here, since not every engine divides fractions, and by a column, which rounds as no product with a constant does.
    """
    unit = np.where(np.isin(table.get_column(CRITERION), fractions), float(SCALE), 1.0)
    return pl.Series(VALUE, table.get_column(column).cast(pl.Float64).to_numpy() / unit, nan_to_null=True)


def _scope(world: World, tasks: Sequence[Task], cutoffs: pl.DataFrame | None = None, *, early: bool = False) -> Scope:
    needs = [need for task in tasks for need in (task.low, task.high) if need is not None]
    traits = [need.trait for need in needs if need.trait is not None]
    scope = scope_of(world, traits=traits, cutoffs=cutoffs, early=early)
    refuse_overflow(scope, tasks)
    return scope


def _clipped(scope: Scope, spells: LazyFrame) -> LazyFrame:
    lives = scope.world.engine.lift(scope.lives.select(ENTITY, BEGIN, END))
    instants = spells.with_columns(scope.instant(ON).alias(ON), scope.instant(OFF).alias(OFF))
    joined = instants.join(lives, on=ENTITY, how="inner").filter(
        nw.col(ON) <= nw.col(END),
        nw.col(BEGIN) <= nw.col(END),
        nw.col(OFF).is_null() | (nw.col(OFF) > nw.col(BEGIN)),
    )
    on = nw.when(nw.col(ON) < nw.col(BEGIN)).then(nw.col(BEGIN)).otherwise(nw.col(ON))
    off = nw.when(nw.col(OFF) <= nw.col(END)).then(nw.col(OFF)).otherwise(nw.lit(None, nw.Int64))
    return joined.select(*GROUP, on.alias(ON), off.alias(OFF))


def _leaf_spells(
    world: World,
    definition: Definition,
    positions: Sequence[tuple[int, Criterion | Ref]],
    measured: Mapping[str, pl.DataFrame] | None = None,
    *,
    early: bool = False,
) -> pl.DataFrame:
    plain = [(position, leaf) for position, leaf in positions if isinstance(leaf, Criterion)]
    frames = [_NO_SPELLS]
    if measured is None and world in _KEPT:
        measured = _measured(world, [leaf for _, leaf in plain], early=early)
    if measured is not None:
        frames += [
            measured[repr(_bare(leaf))].select(ENTITY, pl.lit(position, pl.Int32).alias(CRITERION), ON, OFF)
            for position, leaf in plain
        ]
    elif plain:
        frame = world.engine.collect(criterion_spells(world, [leaf for _, leaf in plain], early=early))
        frames.append(_placed(frame, [position for position, _ in plain]))
    for position, leaf in positions:
        if isinstance(leaf, Ref):
            spells = _ref_spells(world, definition, leaf, early=early)
            frames.append(spells.select(ENTITY, pl.lit(position, pl.Int32).alias(CRITERION), ON, OFF))
    return pl.concat(frames)


def _ref_spells(world: World, definition: Definition, ref: Ref, *, early: bool) -> pl.DataFrame:
    own = milestone_world(world, definition, ref)
    spells = spells_of(own, ref.target, early=early)
    if counts_users(definition, ref):
        enough = counted_users(world, spells).filter(pl.col("rank") == (ref.users_at_least or 1))
        spells = enough.select(ENTITY, ON, pl.lit(None, pl.Int64).alias(OFF))
    return within_lives(world, spells)


def _ref_values(world: World, definition: Definition, ref: Ref) -> pl.DataFrame:
    everybody = world.entities.filter(pl.col(ANCHOR).is_not_null()).select(ENTITY)
    if not counts_users(definition, ref):
        return everybody.with_columns(pl.lit(None, pl.Float64).alias(VALUE))
    counted = counted_users(world, spells_of(milestone_world(world, definition, ref), ref.target))
    users = counted.group_by(ENTITY).agg(pl.len().cast(pl.Float64).alias(VALUE))
    return everybody.join(users, on=ENTITY, how="left").with_columns(pl.col(VALUE).fill_null(0.0))


def _leaf_values(
    world: World, definition: Definition, positions: Sequence[tuple[int, Criterion | Ref]]
) -> pl.DataFrame:
    plain = [(position, leaf) for position, leaf in positions if isinstance(leaf, Criterion)]
    frames = [_NO_VALUES]
    if plain:
        frame = values(world, [leaf for _, leaf in plain])
        frames.append(_placed(frame, [position for position, _ in plain]).select(*GROUP, VALUE))
    for position, leaf in positions:
        if isinstance(leaf, Ref):
            counted = _ref_values(world, definition, leaf)
            frames.append(counted.select(ENTITY, pl.lit(position, pl.Int32).alias(CRITERION), VALUE))
    return pl.concat(frames)


def _placed(frame: pl.DataFrame, positions: Sequence[int]) -> pl.DataFrame:
    if list(positions) == list(range(len(positions))):
        return frame.with_columns(pl.col(CRITERION).cast(pl.Int32))
    places = dict(enumerate(positions))
    return frame.with_columns(pl.col(CRITERION).cast(pl.Int32).replace_strict(places, return_dtype=pl.Int32))


def _combined(world: World, definition: Definition, parts: pl.DataFrame, *, early: bool = False) -> pl.DataFrame:
    if definition.score is not None and definition.score.pql_at is not None:
        return combine_points(definition.qualify, definition.score, parts)
    lasting = combine_lasting(definition.qualify, parts)
    if lasting is not None:
        return lasting
    whole = combine(definition.qualify, parts, _ends(world, definition, early=early))
    return within_lives(world, whole)


def _ends(world: World, definition: Definition, *, early: bool) -> pl.DataFrame:
    scope = scope_of(world, early=early)
    frame = nw.from_native(scope.lives)
    for position, leaf in enumerate(leaves(definition.qualify)):
        if isinstance(leaf, Criterion) and leaf.window.length is not None:
            end = f"end_{position}"
            length = leaf.window.length.microseconds - scope.early
            frame = frame.with_columns((nw.col(ANCHOR) + length).alias(end))
            frame = frame.with_columns(scope.instant(end).alias(end))
    return frame.to_native()
