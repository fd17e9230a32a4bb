"""Cross-fitting: the search repeated without each fold, its choice counted on the fold it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.headline import headline
from pqlkit.proposal.literals import Floors, literals
from pqlkit.proposal.objective import Constraints
from pqlkit.proposal.rule import holds
from pqlkit.proposal.search import search

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Trait
    from pqlkit.proposal.objective import Objective


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


def cross_fit(
    cube: Cube,
    y: NDArray[np.bool_],
    folds: NDArray[np.int64],
    *,
    objective: Objective,
    constraints: Constraints | None = None,
    thresholds: tuple[int, ...] | None = None,
    entities: NDArray[np.int64] | None = None,
    exclude: Collection[str] = (),
    traits: Sequence[Trait] = (),
    leads_to: Mapping[str, str] | None = None,
    max_criteria: int = 2,
    max_seconds: float = 20.0,
    seed: int = 0,
) -> CrossFit:
    """Search without each fold in turn, thresholds and floors included, and count the choice on the fold.

    Parameters
    ----------
    folds
        int64, one per snapshot.
    constraints
        None = the gates scaled to each part.
    thresholds
        The only thresholds to try; None = the whole grid.
    entities, exclude, traits, leads_to, max_criteria
        As for `literals` and `search`.
    max_seconds
        For all folds together.

    Notes
    -----
    The sum says what choosing in this way is worth; it does not belong to one rule, and the folds' choices share most of
    their data, so it is "cross-validated".
    """
    names = np.unique(folds)
    budget = max_seconds / max(len(names), 1)
    qualified = converted = without = 0
    for name in names:
        inside = folds == name
        met = _choice(
            cube,
            y,
            ~inside,
            objective=objective,
            constraints=constraints,
            thresholds=thresholds,
            entities=entities,
            exclude=exclude,
            traits=traits,
            leads_to=leads_to,
            max_criteria=max_criteria,
            max_seconds=budget,
            seed=seed,
        )
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


def _choice(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    *,
    objective: Objective,
    constraints: Constraints | None,
    thresholds: tuple[int, ...] | None,
    entities: NDArray[np.int64] | None,
    exclude: Collection[str],
    traits: Sequence[Trait],
    leads_to: Mapping[str, str] | None,
    max_criteria: int,
    max_seconds: float,
    seed: int,
) -> NDArray[np.bool_] | None:
    """Search one part; the snapshots that meet its best rule, or None."""
    if not (fit & y).any():
        return None
    converters = int((fit & y).sum())
    heads = converters if entities is None else len(np.unique(entities[fit & y]))
    floors = Floors.of(int(fit.sum()), heads, thresholds=thresholds)
    found = search(
        cube,
        y,
        fit,
        literals(cube, y, fit, floors=floors, entities=entities, exclude=exclude, traits=traits, leads_to=leads_to),
        objective=objective,
        constraints=constraints or Constraints.of(converters, heads=heads),
        traits=traits,
        max_criteria=max_criteria,
        max_seconds=max_seconds,
        seed=seed,
    )
    rule = headline(found)
    return None if rule is None else holds(cube, rule.literals, traits)
