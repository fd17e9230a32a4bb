"""The nearness: how many more criteria an entity needs, and whether it can still get there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref, WindowKind, leaves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition, Node
    from pqlkit.typing import Microseconds

NEVER: Final = np.inf


def still_open(leaf: Criterion | Ref, anchor: NDArray[np.int64], as_of: Microseconds) -> NDArray[np.bool_]:
    """Say for each entity whether a criterion that is not met can still be: its window is not over.

    Parameters
    ----------
    leaf
        Only `within` windows end.
    anchor
        Int64 UTC microseconds, one per entity.
    as_of
        Now. A window [anchor, anchor + w) is over at anchor + w.
    """
    if isinstance(leaf, Ref):
        inner = [still_open(one, anchor, as_of) for one in leaves(leaf.target.qualify)]
        return np.logical_and.reduce(inner) if inner else np.ones(len(anchor), dtype=np.bool_)
    if leaf.window.kind is not WindowKind.WITHIN or leaf.window.length is None:
        return np.ones(len(anchor), dtype=np.bool_)
    return as_of < anchor + leaf.window.length.microseconds


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
            each = np.sort([distance(part, holds, can) for part in parts], axis=0)
            return np.asarray(np.sum(each[: node.n], axis=0))
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
    found = list(leaves(definition.qualify))
    worth = np.array([float(score.points.get(leaf.id, 0)) for leaf in found])
    have = np.sum([worth[i] * holds[id(leaf)] for i, leaf in enumerate(found)], axis=0)
    gains = np.array([worth[i] * (can[id(leaf)] & ~holds[id(leaf)]) for i, leaf in enumerate(found)])
    reached = have + np.cumsum(-np.sort(-gains, axis=0), axis=0)
    needed = np.where(reached >= float(score.pql_at), 0, 1).sum(axis=0) + 1.0
    needed = np.where(reached[-1] >= float(score.pql_at), needed, NEVER)
    return np.where(have >= float(score.pql_at), 0.0, needed)
