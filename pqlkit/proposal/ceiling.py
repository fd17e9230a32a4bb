"""The ceiling: what a boosting model makes of the same behaviours, to hold the rule against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ceiling:
    """A model read on the holdout.

    Parameters
    ----------
    model
        What it is.
    auc, average_precision
        On the looks read; None if they hold only one outcome.
    f1
        At the threshold that was best on the fit part.
    looks, converters
        How many were read.
    read
        bool, one per look of the cube: where it was read. Compare a rule with the model on these looks.
    scores
        float64, one per look read.
    y
        bool, one per look read.
    """

    model: str
    auc: float | None
    average_precision: float | None
    f1: float | None
    looks: int
    converters: int
    read: NDArray[np.bool_] = field(repr=False)
    scores: NDArray[np.float64] = field(repr=False)
    y: NDArray[np.bool_] = field(repr=False)

    def rate_at(self, share: float) -> float | None:
        """Give the rate among the highest-scored `share` of the looks read; ties at the edge enter in proportion."""
        raise NotImplementedError

    def captured(self, rule: NDArray[np.bool_]) -> float | None:
        """Give what share of the achievable the rule (bool, one per look of the cube) captures, at its own share.

        (rate of the rule - base) / (rate of the model at the same share - base); None if the model is no better than base.
        """
        raise NotImplementedError


def ceiling(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    holdout: NDArray[np.bool_],
    *,
    columns: NDArray[np.intp] | None = None,
    entities: NDArray[np.int64] | None = None,
    seed: int = 0,
    most_controls: int = 200_000,
) -> Ceiling:
    """Fit gradient boosting on the fit part, read it on the holdout.

    Parameters
    ----------
    columns
        Behaviours that may be used (no leaks); None = all.
    entities
        Entity of each look, where one entity has several: fitted on 70 % of the entities, read on the others.
    most_controls
        More looks without a conversion than this are sampled.
    """
    raise NotImplementedError
