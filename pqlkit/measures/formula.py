"""The formula: spells of the whole from spells of the parts, by one walk over time per node."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from math import lcm
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import AT, CRITERION, ENTITY, OFF, ON
from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref, leaves
from pqlkit.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Node, Score

_FOREVER: Final = 2**63 - 1
_SPELLS: Final = pl.Schema({ENTITY: pl.Int64, ON: pl.Int64, OFF: pl.Int64})


def combine(node: Node, spells: pl.DataFrame, anchors: pl.DataFrame) -> pl.DataFrame:
    """Combine the spells of a formula's leaves.

    Parameters
    ----------
    node
        The formula.
    spells
        ``entity``, ``criterion`` (position in ``tuple(leaves(node))``), ``on``, ``off`` (null = for good); the spells of one leaf
        and entity do not overlap.
    anchors
        ``entity``, ``anchor``: everybody, for `Not` is on where nothing happened; with a column ``end_<n>`` for each
        position of a leaf under a `Not`: the end of its window.

    Returns
    -------
    DataFrame
        ``entity``, ``on``, ``off``, sorted; spells that touch are one.
    """
    own = spells.with_columns(pl.col(OFF).fill_null(_FOREVER))
    result = _Walk(own, anchors).of(node)
    return _finished(result)


def combine_lasting(node: Node, spells: pl.DataFrame) -> pl.DataFrame | None:
    """Combine leaves that hold for good once they hold, as `combine` does: the whole holds from the k-th of their moments on.

    None where a spell ends or the formula has a `Not`.
    """
    parts = tuple(leaves(node))
    if spells.get_column(OFF).null_count() < spells.height or _has_not(node):
        return None
    entity, criterion, on = (spells.get_column(name).to_numpy() for name in (ENTITY, CRITERION, ON))
    moments = np.full((len(parts), int(entity.max(initial=-1)) + 1), _FOREVER)
    moments[criterion, entity] = on
    whole = _moment(node, iter(moments))
    whose = np.flatnonzero(whole < _FOREVER)
    return pl.DataFrame({ENTITY: whose, ON: whole[whose]}, schema={ENTITY: pl.Int64, ON: pl.Int64}).with_columns(
        pl.lit(None, pl.Int64).alias(OFF)
    )


def _has_not(node: Node) -> bool:
    match node:
        case Criterion() | Ref():
            return False
        case Not():
            return True
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            return any(_has_not(part) for part in parts)


def _moment(node: Node, moments: Iterator[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Take from each entity's moments of the leaves that of the node."""
    match node:
        case Criterion() | Ref():
            return next(moments)
        case All(parts=parts):
            return reduce(np.maximum, [_moment(part, moments) for part in parts])
        case Any(parts=parts):
            return reduce(np.minimum, [_moment(part, moments) for part in parts])
        case NOf(n=n, parts=parts):
            return np.asarray(np.sort([_moment(part, moments) for part in parts], axis=0)[n - 1])
        case Not():
            raise AssertionError("what is judged at an end is no moment of its parts")


def combine_points(node: Node, score: Score, spells: pl.DataFrame) -> pl.DataFrame:
    """Combine the spells of criteria into those of enough points: on while the points of what is on reach `pql_at`."""
    points = [Fraction(str(score.points.get(leaf.id, 0))) for leaf in leaves(node)]
    enough = Fraction(str(score.pql_at if score.pql_at is not None else 0))
    whole = lcm(enough.denominator, *(point.denominator for point in points))
    weights = dict(enumerate(int(point * whole) for point in points))
    own = spells.with_columns(
        pl.col(OFF).fill_null(_FOREVER),
        pl.col(CRITERION).cast(pl.Int64).replace_strict(weights, return_dtype=pl.Int64).alias("weight"),
    )
    return _finished(_enough(own, int(enough * whole)))


class _Walk:
    """One evaluation of a tree: hands each leaf its position."""

    def __init__(self, spells: pl.DataFrame, anchors: pl.DataFrame) -> None:
        self._spells = spells
        self._anchors = anchors
        self._position = 0

    def of(self, node: Node) -> pl.DataFrame:
        match node:
            case Criterion() | Ref():
                position = self._position
                self._position += 1
                return self._spells.filter(pl.col(CRITERION) == position).select(ENTITY, ON, OFF)
            case All(parts=parts):
                return _enough(self._parts(parts), len(parts))
            case Any(parts=parts):
                return _enough(self._parts(parts), 1)
            case NOf(n=n, parts=parts):
                return _enough(self._parts(parts), n)
            case Not(part=part):
                first = self._position
                inner = self.of(part)
                return self._complement(inner, range(first, self._position))

    def _parts(self, parts: Sequence[Node]) -> pl.DataFrame:
        frames = [self.of(part).with_columns(pl.lit(1, pl.Int64).alias("weight")) for part in parts]
        return pl.concat(frames)

    def _complement(self, inner: pl.DataFrame, positions: range) -> pl.DataFrame:
        ends = [f"end_{position}" for position in positions]
        if not set(ends) <= set(self._anchors.columns):
            message = "`not` needs parts whose windows end (within or trailing)"
            raise DefinitionError(message)
        judged = self._anchors.select(ENTITY, pl.max_horizontal(*ends).alias(AT))
        edges = [
            judged.select(ENTITY, AT, pl.lit(1, pl.Int64).alias("weight")),
            inner.select(ENTITY, pl.col(ON).alias(AT), pl.lit(-1, pl.Int64).alias("weight")),
            inner.select(ENTITY, pl.col(OFF).alias(AT), pl.lit(1, pl.Int64).alias("weight")),
        ]
        return _spells(pl.concat(edges), 1).join(judged.select(ENTITY), on=ENTITY, how="semi")


def _enough(weighted: pl.DataFrame, enough: int) -> pl.DataFrame:
    edges = [
        weighted.select(ENTITY, pl.col(ON).alias(AT), "weight"),
        weighted.select(ENTITY, pl.col(OFF).alias(AT), -pl.col("weight")),
    ]
    return _spells(pl.concat(edges), enough)


def _spells(edges: pl.DataFrame, enough: int) -> pl.DataFrame:
    # Edges of one instant go together, so that a part which ends as another begins leaves no gap and no overlap.
    # One sort serves it all: an entity's own level is the running sum less what it was before the entity.
    first = (pl.col(ENTITY) != pl.col(ENTITY).shift(1)).fill_null(value=True)
    last = (pl.col(ENTITY) != pl.col(ENTITY).shift(-1)).fill_null(value=True)
    settled = last | (pl.col(AT) != pl.col(AT).shift(-1))
    base = pl.when(first).then(pl.col("sum").shift(1, fill_value=0)).forward_fill()
    walked = (
        edges.lazy()
        .filter(pl.col(AT) < _FOREVER)
        .sort(ENTITY, AT)
        .with_columns(pl.col("weight").cum_sum().alias("sum"))
        .filter(settled)
        .with_columns((pl.col("sum") - base >= enough).alias("held"))
        .with_columns((pl.col("held").shift(1, fill_value=False) & ~first).alias("before"))
        .filter(pl.col("held") != pl.col("before"))
        .with_columns(pl.when(~last).then(pl.col(AT).shift(-1)).alias(OFF))
        .filter("held")
    )
    return walked.select(ENTITY, pl.col(AT).alias(ON), pl.col(OFF).fill_null(_FOREVER)).collect()


def _finished(spells: pl.DataFrame) -> pl.DataFrame:
    off = pl.when(pl.col(OFF) < _FOREVER).then(pl.col(OFF))
    return spells.with_columns(off.alias(OFF)).select(*_SPELLS).sort(ENTITY, ON)
