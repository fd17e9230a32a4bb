"""Cross-fitting: the search repeated without each fold, its choice counted on the fold it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.headline import headline
from pqlkit.proposal.rule import holds
from pqlkit.proposal.search import search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.proposal.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFit:
    """What the search's choices did where they were not chosen, added up over the folds.

    Parameters
    ----------
    snapshots, converters
        All of them.
    qualified, converted
        By the rule that the other folds chose.
    folds, without
        How many folds, and in how many nothing was found (their snapshots count as not qualified).
    """

    snapshots: int
    converters: int
    qualified: int
    converted: int
    folds: int
    without: int


def cross_fit(problem: Problem, folds: NDArray[np.int64]) -> CrossFit:
    """Search without each fold in turn, thresholds and floors included, and count the choice on the fold.

    Parameters
    ----------
    problem
        The search; its time is for all folds together.
    folds
        int64, one per snapshot.

    Notes
    -----
    The sum says what choosing in this way is worth; it does not belong to one rule, and the folds' choices share most of
    their data, so it is "cross-validated".
    """
    names = np.unique(folds)
    y = problem.y
    each = replace(problem, max_seconds=problem.max_seconds / max(len(names), 1))
    qualified = converted = without = 0
    for name in names:
        inside = folds == name
        met = _choice(each, ~inside)
        if met is None:
            without += 1
            continue
        qualified += int((met & inside).sum())
        converted += int((met & inside & y).sum())
    return CrossFit(
        snapshots=len(y),
        converters=int(y.sum()),
        qualified=qualified,
        converted=converted,
        folds=len(names),
        without=without,
    )


def _choice(problem: Problem, part: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Search one part; the snapshots that meet its best rule, or None."""
    if not (part & problem.y).any():
        return None
    rule = headline(search(problem, part, problem.literals(part)))
    return None if rule is None else holds(problem.cube, rule.literals, problem.traits)
