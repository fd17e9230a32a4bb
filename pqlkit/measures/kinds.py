"""The kind of an event: the values of its properties as behaviours, how often each came and how much they add up to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import AT, EVENT
from pqlkit.definitions.model import Condition, Measure, MeasureKind, Operator
from pqlkit.durations import DAY
from pqlkit.errors import DataError
from pqlkit.measures.behaviour import Cube
from pqlkit.measures.cube import cube
from pqlkit.measures.numbers import number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pqlkit.definitions.model import WindowKind
    from pqlkit.durations import Duration
    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame

DIFFERENT: Final = 50
"""A property with more different values tells things apart (ids, titles, addresses), not kinds."""

VALUES: Final = 20
"""The commonest values of a property are looked at."""

ALTOGETHER: Final = 120
"""Values of all events and properties together, the commonest."""

NUMERIC: Final = 10
"""Numeric properties of all events together, the commonest."""

PROPERTIES: Final = 100
"""Properties that are read at all, in the order of their columns."""

_ROWS: Final = 200_000
"""About so many events tell which values there are."""

_FEWEST: Final = 20
"""Events of the sample that carry a value, or a numeric property."""

_NUMBERS: Final = 0.95
"""Text is numeric where at least this share of it can be read as numbers."""

_LARGEST: Final = 1e9
"""Numbers of which half are larger are ids or times: they are not added up."""

_SECOND: Final = 1_000_000
_MIXER: Final = 2_654_435_761
_SHIFT: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One value of a property of an event (`value`), or a numeric property of it (None)."""

    event: str
    property: str
    value: str | bool | None = None


def kinds(world: World, events: Collection[str]) -> tuple[Kind, ...]:
    """Find the kinds of events that are worth looking at, in the order of events, properties and values.

    Parameters
    ----------
    world
        The population.
    events
        The event names.

    Notes
    -----
    They are found in a sample that any engine draws alike: the events of some seconds, by a hash of the second. A property of which all events
    have the same value tells nothing.
    """
    columns = dict(list(world.properties.items())[:PROPERTIES])
    if not columns or not events:
        return ()
    rows = _sample(world, list(columns.values()), sorted(events))
    categories: list[tuple[int, Kind]] = []
    amounts: list[tuple[int, Kind]] = []
    for name, column in columns.items():
        for (event,), part in rows.select(EVENT, column).drop_nulls().partition_by(EVENT, as_dict=True).items():
            values = part.get_column(column)
            if _is_amount(values):
                amounts.append((len(values), Kind(event=str(event), property=name)))
            elif values.dtype in (pl.String, pl.Boolean):
                categories += _categories(str(event), name, values)
    commonest = [*_commonest(categories, ALTOGETHER), *_commonest(amounts, NUMERIC)]
    return tuple(sorted(commonest, key=_order))


def _order(kind: Kind) -> tuple[str, str, bool, str]:
    return kind.event, kind.property, kind.value is not None, str(kind.value)


def _commonest(counted: Sequence[tuple[int, Kind]], most: int) -> list[Kind]:
    return [kind for _, kind in sorted(counted, key=lambda pair: (-pair[0], _order(pair[1])))[:most]]


def _sample(world: World, columns: Sequence[str], events: Sequence[str]) -> pl.DataFrame:
    frame = world.events.filter(nw.col(EVENT).is_in(events))
    size = int(world.engine.collect(frame.select(nw.len())).item())
    every = max(1, size // _ROWS)
    if every > 1:
        # Mixed, for times may all lie on full hours; dates without times are drawn whole.
        unit = DAY if world.dates_only else _SECOND
        frame = frame.filter((nw.col(AT) // unit * _MIXER // _SHIFT) % every == 0)
    return world.engine.collect(frame.select(EVENT, *columns))


def _categories(event: str, name: str, values: pl.Series) -> list[tuple[int, Kind]]:
    counted = values.value_counts().sort("count", values.name, descending=[True, False])
    if not 1 < counted.height <= DIFFERENT:
        return []
    common = counted.head(VALUES).filter(pl.col("count") >= _FEWEST)
    return [(int(count), Kind(event=event, property=name, value=value)) for value, count in common.iter_rows()]


def _is_amount(values: pl.Series) -> bool:
    """Whether values are numbers that differ, are not all negative, and are no ids or times."""
    if len(values) < _FEWEST or values.dtype == pl.Boolean:
        return False
    if values.dtype == pl.String and values.n_unique() <= DIFFERENT:
        return False  # "1" to "5" of text are names
    parsed = nw.from_native(values.rename("value").to_frame())
    numbers = parsed.select(number("value", parsed.schema["value"]).alias("value")).to_native().to_series().drop_nulls()
    if len(numbers) < _NUMBERS * len(values) or numbers.n_unique() < 2:
        return False
    return bool(np.median(np.abs(numbers.to_numpy())) <= _LARGEST) and float(numbers.max() or 0) >= 1  # type: ignore[arg-type]


def kinds_cube(
    world: World,
    snapshots: pl.DataFrame,
    asked: Sequence[Kind],
    *,
    kind: WindowKind,
    windows: Sequence[Duration],
) -> Cube:
    """Measure kinds at snapshots: how often each value came, and the sum and the largest of each numeric property.

    Parameters
    ----------
    world, snapshots, kind, windows
        As for `pqlkit.measures.cube.cube`.
    asked
        The kinds.
    """
    parts = [*_counted(world, snapshots, asked, kind=kind, windows=windows)]
    parts += _added_up(world, snapshots, asked, kind=kind, windows=windows)
    return joined(*parts, snapshots=snapshots.height)


def joined(*cubes: Cube, snapshots: int) -> Cube:
    """Set the behaviours of cubes of the same snapshots behind one another."""
    lengths = [part.offsets[-1] for part in cubes]
    starts = np.cumsum([0, *lengths], dtype=np.int64)
    offsets = [part.offsets[1:] + start for part, start in zip(cubes, starts, strict=False)]
    return Cube(
        behaviours=tuple(behaviour for part in cubes for behaviour in part.behaviours),
        snapshots=snapshots,
        offsets=np.concatenate([np.zeros(1, np.int64), *offsets]),
        rows=np.concatenate([np.empty(0, np.uint32), *(part.rows for part in cubes)]),
        levels=np.concatenate([np.empty(0, np.uint8), *(part.levels for part in cubes)]),
    )


def _counted(
    world: World,
    snapshots: pl.DataFrame,
    asked: Sequence[Kind],
    *,
    kind: WindowKind,
    windows: Sequence[Duration],
) -> Iterator[Cube]:
    """Count the values, all in one pass over the events."""
    apart, numbered = told_apart(world, asked)
    if not numbered:
        return
    measured = cube(apart, snapshots, kind=kind, windows=windows, measures=[Measure()], events=sorted(numbered))
    named = [place for place, behaviour in enumerate(measured.behaviours) if behaviour.event is not None]
    behaviours = []
    for place in named:
        behaviour = measured.behaviours[place]
        each = numbered[behaviour.event or ""]
        where = (Condition(name=each.property, operator=Operator.EQUALS, values=(each.value,)),)  # type: ignore[arg-type]
        behaviours.append(replace(behaviour, event=each.event, where=where))
    columns = [measured.column(place) for place in named]
    yield Cube(
        behaviours=tuple(behaviours),
        snapshots=measured.snapshots,
        offsets=np.cumsum([0, *(rows.size for rows, _ in columns)], dtype=np.int64),
        rows=np.concatenate([np.empty(0, np.uint32), *(rows for rows, _ in columns)]),
        levels=np.concatenate([np.empty(0, np.uint8), *(levels for _, levels in columns)]),
    )


def told_apart(world: World, asked: Sequence[Kind]) -> tuple[World, dict[str, Kind]]:
    """Make each value an event of its own: the world with only those, under numbers for names, and whose number is whose."""
    numbered = {f"{place:06d}": each for place, each in enumerate(asked) if each.value is not None}
    if not numbered:
        return world, {}
    frames = [
        _renamed(world, world.properties[name], {key: each for key, each in numbered.items() if each.property == name})
        for name in dict.fromkeys(each.property for each in numbered.values())
    ]
    events = frames[0] if len(frames) == 1 else nw.concat(frames, how="vertical")
    return replace(world, events=events, properties={}), numbered


def _renamed(world: World, column: str, numbered: Mapping[str, Kind]) -> LazyFrame:
    """Keep the events with one of these values of a property, and name them by their number."""
    dtype = dict(world.events.collect_schema())[column]
    values = [each.value for each in numbered.values()]
    table = pl.DataFrame(
        {
            EVENT: [each.event for each in numbered.values()],
            column: pl.Series(values, dtype=pl.Boolean if dtype == nw.Boolean else pl.String),
            "number": list(numbered),
        }
    )
    keys = [name for name in world.events.collect_schema().names() if name not in {*world.properties.values(), EVENT}]
    rows = world.events.select(*keys, EVENT, column).join(world.engine.lift(table), on=[EVENT, column], how="inner")
    return rows.select(*keys, nw.col("number").alias(EVENT))


def _added_up(
    world: World,
    snapshots: pl.DataFrame,
    asked: Sequence[Kind],
    *,
    kind: WindowKind,
    windows: Sequence[Duration],
) -> Iterator[Cube]:
    """Measure the sum and the largest of numeric properties; one that cannot be added up is left out."""
    numeric = [each for each in asked if each.value is None]
    for name in dict.fromkeys(each.property for each in numeric):
        measures = [Measure(kind=way, property=name) for way in (MeasureKind.SUM, MeasureKind.MAX)]
        events = sorted(each.event for each in numeric if each.property == name)
        try:
            yield cube(world, snapshots, kind=kind, windows=windows, measures=measures, events=events)
        except DataError:
            continue
