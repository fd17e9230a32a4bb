"""The split: which looks choose the rule, and which later ones test it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds

SHARE: Final = 0.25
ENOUGH: Final = 200
TOO_FEW: Final = 50


class SplitKind(StrEnum):
    """How the looks are divided."""

    TIME = "time"
    CROSS_FITTED = "cross-fitted"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Who chooses and who tests.

    Parameters
    ----------
    kind
        ``time``: fit before holdout. ``cross-fitted``: too few converters to set any apart; `fit` and `holdout` are both all
        looks, and every printed test figure must come from `pqlkit.proposal.crossfit` and be called "not independent".
    fit, holdout
        bool, one per look.
    folds
        int64, one per look: the fold of cross-fitting; all zeros for ``time``.
    first
        The first holdout cutoff; None for ``cross-fitted``.
    """

    kind: SplitKind
    fit: NDArray[np.bool_]
    holdout: NDArray[np.bool_]
    folds: NDArray[np.int64]
    first: Microseconds | None


def split(
    cutoff: NDArray[np.int64],
    ends: NDArray[np.int64],
    y: NDArray[np.bool_],
    *,
    block: NDArray[np.int64],
    share: float = SHARE,
    holdout_from: Microseconds | None = None,
    enough: int = ENOUGH,
    too_few: int = TOO_FEW,
) -> Split:
    """Divide looks by time.

    Parameters
    ----------
    cutoff
        Of each look, UTC microseconds.
    ends
        End of each look's outcome window (cutoff + horizon, + retained_for).
    y
        Converted.
    block
        Calendar block of each look: the folds when there are too few converters.
    share
        The newest share of looks that tests; one instant is never split.
    holdout_from
        Cutoffs from here on test, never widened; None = by `share`, widened until it holds `enough` converters, to at most
        half of all looks.
    too_few
        Fewer converters than this in the holdout: cross-fitting (not with `holdout_from`).

    Notes
    -----
    Fit = looks whose outcome window ends before the first holdout cutoff.
    """
    raise NotImplementedError
