"""The nearness: which criteria an entity meets, which it still can, how many more it needs, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import ANCHOR, ENTITY
from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref, WindowKind, leaves
from pqlkit.scoring.progress import TINY, formula_way, leaf_way, limits_of, points_way

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition, Near, Node
    from pqlkit.measures.evaluation import Evaluation
    from pqlkit.measures.world import World
    from pqlkit.scoring.progress import Way

NEVER: Final = np.inf


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """How every entity stands towards a definition; arrays are entities x leaves, in the order of ``leaves(qualify)``.

    Parameters
    ----------
    parts
        The leaves.
    values
        Measured; NaN = undefined.
    held
        Met now (for a customer: just before the conversion).
    can
        Still can be met: its window is not over, and nothing that happened forbids it. Only asked where not held.
    need
        Per entity: criteria that still have to be met, at least; 0 = none, infinite = cannot be done any more.
    limits
        Of what a bound is a percentage, as it stands for the entity; NaN = unknown, or the bound is none of a limit.
    way
        Per entity: how far it has come.
    """

    parts: tuple[Criterion | Ref, ...]
    values: NDArray[np.float64]
    held: NDArray[np.bool_]
    can: NDArray[np.bool_]
    need: NDArray[np.float64]
    limits: NDArray[np.float64]
    way: Way


def standing(world: World, definition: Definition, evaluation: Evaluation) -> Standing:
    """Say how every entity stands.

    Parameters
    ----------
    world
        Of the evaluation.
    definition
        The formula.
    evaluation
        ``evaluate(world, definition)``.
    """
    parts = tuple(leaves(definition.qualify))
    values, held = _matrix(world.entities.height, evaluation, len(parts))
    inner = [_inner(world, definition, leaf) if isinstance(leaf, Ref) else None for leaf in parts]
    columns = [_can(world, leaf, values[:, i], inner[i]) for i, leaf in enumerate(parts)]
    can = np.column_stack(columns) if columns else np.zeros_like(held)
    points = definition.score is not None and definition.score.pql_at is not None
    holds = {id(leaf): held[:, i] for i, leaf in enumerate(parts)}
    open_ = {id(leaf): can[:, i] for i, leaf in enumerate(parts)}
    need = points_distance(definition, holds, open_) if points else distance(definition.qualify, holds, open_)
    limits = np.column_stack([limits_of(world, leaf) for leaf in parts]) if parts else np.full_like(values, np.nan)
    ways = [
        leaf_way(leaf, values[:, i], limits[:, i], holds=held[:, i], can=can[:, i], inner=_way_of(inner[i]))
        for i, leaf in enumerate(parts)
    ]
    by_leaf = {id(leaf): way for leaf, way in zip(parts, ways, strict=True)}
    way = points_way(definition, ways, held, need) if points else formula_way(definition.qualify, by_leaf)
    return Standing(parts=parts, values=values, held=held, can=can, need=need, limits=limits, way=way)


def far_along(stand: Standing, near: Near) -> NDArray[np.bool_]:
    """Say for each entity whether it has begun and has come as much of the way as `near` asks."""
    begun = (np.nan_to_num(stand.values) > 0).any(axis=1)
    return np.asarray(begun & (np.nan_to_num(stand.way.share, nan=-1.0) >= near.at_least - TINY))


def distance(
    node: Node, holds: Mapping[int, NDArray[np.bool_]], can: Mapping[int, NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Count the criteria that still have to be met, at least; infinite where it cannot be done any more.

    Parameters
    ----------
    node
        A formula whose leaves are keyed by ``id()``.
    holds, can
        ``id(leaf)`` -> met now; can still be met. One per entity.
    """
    match node:
        case Criterion() | Ref():
            key = id(node)
            return np.asarray(np.where(holds[key], 0.0, np.where(can[key], 1.0, NEVER)))
        case All(parts=parts):
            return np.asarray(np.sum([distance(part, holds, can) for part in parts], axis=0))
        case Any(parts=parts):
            return np.asarray(np.min([distance(part, holds, can) for part in parts], axis=0))
        case NOf(parts=parts):
            distances = np.sort([distance(part, holds, can) for part in parts], axis=0)
            return np.asarray(np.sum(distances[: node.n], axis=0))
        case Not(part=part):
            # Judged when its windows end: until then it is open unless the part holds for good.
            return np.where(distance(part, holds, can) > 0, 0.0, NEVER)


def points_distance(
    definition: Definition, holds: Mapping[int, NDArray[np.bool_]], can: Mapping[int, NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Count the criteria that still have to be met to reach `pql_at`, the richest open ones first."""
    score = definition.score
    if score is None or score.pql_at is None:
        message = "the definition has no pql_at"
        raise ValueError(message)
    parts = list(leaves(definition.qualify))
    worth = np.array([float(score.points.get(leaf.id, 0)) for leaf in parts])
    have = np.sum([worth[i] * holds[id(leaf)] for i, leaf in enumerate(parts)], axis=0)
    gains = np.array([worth[i] * (can[id(leaf)] & ~holds[id(leaf)]) for i, leaf in enumerate(parts)])
    reached = have + np.cumsum(-np.sort(-gains, axis=0), axis=0)
    enough = float(score.pql_at) - TINY
    needed = np.where(reached >= enough, 0, 1).sum(axis=0) + 1.0
    needed = np.where(reached[-1] >= enough, needed, NEVER)
    return np.where(have >= enough, 0.0, needed)


def window_ends(world: World, leaf: Criterion) -> pl.Series | None:
    """Give the end of a `within` window for each entity (Int64 UTC microseconds, exclusive; null without an anchor).

    None for windows that do not end. Where events are dates, windows run over whole dates.
    """
    import narwhals as nw

    from pqlkit.measures.scope import scope_of

    if leaf.window.kind is not WindowKind.WITHIN or leaf.window.length is None:
        return None
    scope = scope_of(world)
    moved = nw.from_native(scope.lives).with_columns((nw.col(ANCHOR) + leaf.window.length.microseconds).alias("end"))
    ends = moved.with_columns(scope.instant("end").alias("end")).to_native().select(ENTITY, "end")
    return world.entities.select(ENTITY).join(ends, on=ENTITY, how="left", maintain_order="left").get_column("end")


def _can(world: World, leaf: Criterion | Ref, values: NDArray[np.float64], inner: Standing | None) -> NDArray[np.bool_]:
    """Say for each entity whether a criterion that is not met still can be."""
    anchored = world.entities.get_column(ANCHOR).is_not_null().to_numpy()
    if isinstance(leaf, Ref):
        # Of users somebody may always join.
        return np.asarray(anchored if inner is None else anchored & np.isfinite(inner.need))
    ends = window_ends(world, leaf)
    if ends is None:
        return np.asarray(anchored)
    open_ = (ends > world.as_of).fill_null(value=False).to_numpy()
    most = leaf.at_most
    if isinstance(most, int | float) and leaf.measure.kind.facts.grows:
        # Within one window these only grow: above the upper bound it is over.
        open_ = open_ & ~(values > float(most))
    return np.asarray(open_ & anchored)


def _way_of(inner: Standing | None) -> Way | None:
    return inner.way if inner is not None else None


def _inner(world: World, definition: Definition, ref: Ref) -> Standing | None:
    """Say how every entity stands towards a milestone of its own; None for one that counts an account's users."""
    from pqlkit.measures.evaluation import evaluate
    from pqlkit.measures.milestones import counts_users, milestone_world

    if counts_users(definition, ref):
        return None
    own = milestone_world(world, definition, ref)
    return standing(own, ref.target, evaluate(own, ref.target))


def _matrix(height: int, evaluation: Evaluation, count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Lay out values (NaN = undefined) and present state as entities x leaves."""
    values = np.full((height, count), np.nan)
    held = np.zeros((height, count), dtype=np.bool_)
    rows = evaluation.criteria.get_column(ENTITY).to_numpy()
    columns = evaluation.criteria.get_column("criterion").to_numpy()
    values[rows, columns] = evaluation.criteria.get_column("value").fill_null(np.nan).to_numpy()
    held[rows, columns] = evaluation.criteria.get_column("holds").to_numpy()
    return values, held


def lacking(
    node: Node, texts: Sequence[pl.Expr], standing: Standing, *, position: int = 0, inner: bool = False
) -> tuple[pl.Expr, pl.Expr, int]:
    """Say what a formula lacks, as expressions over the entities.

    Parameters
    ----------
    node
        The formula.
    texts
        What each leaf lacks, in words; null where nothing can be said.
    standing
        Whose leaves.
    position
        Of the first leaf.
    inner
        Put alternatives into parentheses.

    Returns
    -------
    tuple
        The words (null = nothing is lacking or nothing helps any more), whether it holds, and the next leaf's position.
    """
    match node:
        case Criterion() | Ref():
            held = pl.lit(pl.Series(standing.held[:, position]))
            open_ = pl.lit(pl.Series(standing.can[:, position]))
            return pl.when(~held & open_).then(texts[position]), held, position + 1
        case Not(part=part):
            _, held, after = lacking(part, texts, standing, position=position)
            return pl.lit(None, pl.String), ~held, after
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            clauses = []
            for part in parts:
                words, held, position = lacking(part, texts, standing, position=position, inner=True)
                clauses.append((pl.when(~held).then(words), held))
    met = pl.sum_horizontal(held.cast(pl.Int64) for _, held in clauses)
    least = len(clauses) if isinstance(node, All) else 1 if isinstance(node, Any) else node.n

    def joined(separator: str) -> pl.Expr:
        each = [word for word, _ in clauses]
        return pl.concat_str(each, separator=separator, ignore_nulls=True).replace("", None)

    words = joined("; " if isinstance(node, All) else " or ")
    if isinstance(node, NOf):
        rest = pl.lit(least) - met
        words = pl.when(rest > 1).then(pl.format("{} of: {}", rest, joined(", "))).otherwise(words)
    if inner and not isinstance(node, All):
        several = pl.sum_horizontal(word.is_not_null().cast(pl.Int64) for word, _ in clauses) > 1
        words = pl.when(several).then(pl.format("({})", words)).otherwise(words)
    return pl.when(met < least).then(words), met >= least, position
