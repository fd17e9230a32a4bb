"""The progress: how far an entity has come towards a formula, and how much is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.columns import CRITERION, ENTITY
from pqlkit.definitions.model import (
    All,
    Any,
    Criterion,
    Limit,
    Measure,
    MeasureKind,
    NOf,
    Not,
    Ref,
    Window,
    WindowKind,
    leaves,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Bound, Definition, Node
    from pqlkit.measures.world import World

TINY: Final = 1e-9
"""Points and shares are decimal fractions: what is an exact whole number must not fall below it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """How far entities have come towards a formula, on the way on which they have come furthest; one number per entity.

    Parameters
    ----------
    share
        0 to 1: the mean share of the criteria, where one that is met counts 1 and another value / threshold. NaN = what is
        missing cannot be done any more.
    lack
        How much more of the measures that are missing, added up; NaN where one cannot be said.
    open
        How many criteria are missing.
    """

    share: NDArray[np.float64]
    lack: NDArray[np.float64]
    open: NDArray[np.int64]

    @property
    def shortfall(self) -> NDArray[np.float64]:
        """How much is missing, in the unit of the one criterion that is: several have no common unit (NaN)."""
        return np.where(np.isnan(self.share) | (self.open > 1), np.nan, self.lack)


def leaf_way(
    leaf: Criterion | Ref,
    values: NDArray[np.float64],
    limits: NDArray[np.float64],
    *,
    holds: NDArray[np.bool_],
    can: NDArray[np.bool_],
    inner: Way | None,
) -> Way:
    """Say how far each entity has come towards one criterion.

    Parameters
    ----------
    leaf
        The criterion, or a milestone.
    values, limits
        As in `Standing`.
    holds, can
        Met now; can still be met.
    inner
        Towards a milestone of its own.
    """
    if inner is not None:
        share, lack = inner.share, np.full(len(values), np.nan)
    elif isinstance(leaf, Ref):
        share, lack = _towards(np.nan_to_num(values), np.full(len(values), float(leaf.users_at_least or 1)))
    elif leaf.at_least is not None:
        share, lack = _towards(np.nan_to_num(values), thresholds(leaf.at_least, limits))
    else:
        share, lack = _under(values, thresholds(leaf.at_most, limits))
    return Way(
        share=np.where(holds, 1.0, np.where(can, share, np.nan)),
        lack=np.where(holds, 0.0, lack),
        open=(~holds).astype(np.int64),
    )


def thresholds(bound: Bound | None, limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give what a bound asks of each entity; NaN where it is a share of a limit that is not known."""
    if isinstance(bound, Limit):
        return np.where(limits > 0, limits * float(bound.percent) / 100, np.nan)
    return np.full(len(limits), np.nan if bound is None else float(bound))


def _towards(
    values: NDArray[np.float64], needed: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the share of an `at_least` and what is missing. Without a known limit nothing is known of the way."""
    positive = needed > 0
    share = np.divide(values, needed, out=np.zeros(len(values)), where=positive)
    return np.clip(share, 0.0, 1.0), np.maximum(0.0, needed - values)


def _under(values: NDArray[np.float64], most: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the share of an `at_most`: who is under it only waits for the window to end, and nothing is missing."""
    over = values > most
    share = np.divide(most, values, out=np.ones(len(values)), where=over)
    return np.clip(share, 0.0, 1.0), np.where(over, np.nan, 0.0)


def formula_way(node: Node, ways: Mapping[int, Way]) -> Way:
    """Say how far each entity has come towards a formula whose leaves are keyed by ``id()``.

    Of alternatives the one that is furthest counts, of ``n_of`` the n that are, and of ``all`` the mean of the parts. A `not`
    counts as done until its part holds for good.
    """
    match node:
        case Criterion() | Ref():
            return ways[id(node)]
        case Not(part=part):
            inner = formula_way(part, ways)
            return Way(
                share=np.where(inner.open > 0, 1.0, np.nan),
                lack=np.zeros(len(inner.share)),
                open=np.zeros_like(inner.open),
            )
        case All(parts=parts):
            return _best([formula_way(part, ways) for part in parts], len(parts))
        case Any(parts=parts):
            return _best([formula_way(part, ways) for part in parts], 1)
        case NOf(parts=parts):
            return _best([formula_way(part, ways) for part in parts], node.n)


def _best(ways: Sequence[Way], count: int) -> Way:
    """Join the `count` ways on which each entity has come furthest."""
    share = np.stack([way.share for way in ways])
    order = np.argsort(-np.nan_to_num(share, nan=-1.0), axis=0, kind="stable")[:count]
    return Way(
        share=np.take_along_axis(share, order, axis=0).mean(axis=0),
        lack=np.take_along_axis(np.stack([way.lack for way in ways]), order, axis=0).sum(axis=0),
        open=np.take_along_axis(np.stack([way.open for way in ways]), order, axis=0).sum(axis=0),
    )


def points_way(definition: Definition, ways: Sequence[Way], holds: NDArray[np.bool_], need: NDArray[np.float64]) -> Way:
    """Say how far each entity has come towards `pql_at`, over the criteria of `points_distance`: the richest open ones.

    Parameters
    ----------
    definition
        With `pql_at`.
    ways
        Towards each criterion.
    holds
        Met now, entities x criteria.
    need
        How many still have to be met; infinite = it cannot be done any more.
    """
    if definition.score is None:
        message = "the definition has no points"
        raise ValueError(message)
    points = definition.score.points
    worth = np.array([float(points.get(leaf.id, 0)) for leaf in leaves(definition.qualify)])
    share = np.column_stack([way.share for way in ways])
    gains = np.where(np.isnan(share) | holds, 0.0, worth)
    order = np.argsort(-gains, axis=1, kind="stable")
    few = np.where(np.isfinite(need), need, 0.0)
    asked = np.zeros_like(holds)
    np.put_along_axis(asked, order, np.arange(len(worth)) < few[:, None], axis=1)
    have = holds @ worth
    done = have + (np.where(asked, gains * np.nan_to_num(share), 0.0)).sum(axis=1)
    whole = have + np.where(asked, gains, 0.0).sum(axis=1)
    towards = np.divide(done, whole, out=np.ones(len(have)), where=whole > 0)
    lack = np.column_stack([way.lack for way in ways])
    return Way(
        share=np.where(np.isfinite(need), towards, np.nan),
        lack=np.where(asked, lack, 0.0).sum(axis=1),
        open=few.astype(np.int64),
    )


def limits_of(world: World, leaf: Criterion | Ref) -> NDArray[np.float64]:
    """Give what a criterion's bound is a percentage of: for each entity a number, its trait, or the newest on its events.

    NaN where it is not known, and for a criterion whose bound is none of a limit.
    """
    unknown = np.full(world.entities.height, np.nan)
    if isinstance(leaf, Ref):
        return unknown
    bound = next((bound for bound in (leaf.at_least, leaf.at_most) if isinstance(bound, Limit)), None)
    if bound is None:
        return unknown
    if bound.number is not None:
        return np.full(world.entities.height, float(bound.number))
    if bound.trait is not None:
        return _of_trait(world, bound.trait)
    return _newest(world, leaf, bound.property or "")


def _of_trait(world: World, trait: str) -> NDArray[np.float64]:
    import narwhals as nw

    from pqlkit.measures.numbers import number
    from pqlkit.measures.scope import known_column

    column = known_column(world.traits, trait, "trait")
    table = nw.from_native(world.entities)
    return table.select(number(column, table.schema[column]).alias("limit"))["limit"].to_numpy().astype(np.float64)


def _newest(world: World, leaf: Criterion, name: str) -> NDArray[np.float64]:
    """Measure the limit that the newest of a criterion's events has."""
    from dataclasses import replace

    from pqlkit.measures.evaluation import values

    limit = replace(
        leaf,
        measure=Measure(kind=MeasureKind.LAST, property=name),
        window=Window(kind=WindowKind.EVER),
        at_least=0,
        at_most=None,
    )
    frame = values(world, [limit]).sort(ENTITY, CRITERION)
    limits = np.full(world.entities.height, np.nan)
    limits[frame.get_column(ENTITY).to_numpy()] = frame.get_column("value").fill_null(np.nan).to_numpy()
    return limits
