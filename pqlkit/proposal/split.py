"""The split: which snapshots choose the rule, and which later ones test it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds

SHARE: Final = 0.25
ENOUGH: Final = 200
TOO_FEW: Final = 50
FOLDS: Final = 5


class SplitKind(StrEnum):
    """How the snapshots are divided."""

    TIME = "time"
    CROSS_FITTED = "cross-fitted"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Who chooses and who tests.

    Parameters
    ----------
    kind
        ``time``: fit before holdout. ``cross-fitted``: too few converters to set any apart; `fit` and `holdout` are both all
        snapshots, and every printed test figure must come from `pqlkit.proposal.crossfit` and be called "cross-validated".
    fit, holdout
        bool, one per snapshot.
    folds
        int64, one per snapshot: the fold of cross-fitting, negative = in none; all zeros for ``time``.
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
    counts: NDArray[np.bool_] | None = None,
    share: float = SHARE,
    holdout_from: Microseconds | None = None,
    enough: int = ENOUGH,
    too_few: float = TOO_FEW,
) -> Split:
    """Divide snapshots by time.

    Parameters
    ----------
    cutoff
        Of each snapshot, UTC microseconds.
    ends
        End of each snapshot's outcome window (cutoff + conversion window, + retained_for).
    y
        Converted.
    block
        Calendar block of each snapshot: the folds when there are too few converters.
    counts
        The snapshot at which each converter is counted, its last that converted, where it has several; None = `y`.
    share
        The newest share of snapshots that tests; one instant is never split.
    holdout_from
        Cutoffs from here on test, never widened; None = by `share`, widened until it holds `enough` converters, to at most
        half of all snapshots.
    too_few
        Fewer converters than this in the holdout: cross-fitting (not with `holdout_from`). Infinite = cross-fitting for sure.

    Notes
    -----
    Fit = snapshots whose outcome window ends before the first holdout cutoff. Snapshots between are in neither part.

    Examples
    --------
    >>> cutoff, y = np.arange(8), np.ones(8, dtype=bool)
    >>> parts = split(cutoff, cutoff + 1, y, block=cutoff // 4, too_few=1, enough=2)
    >>> parts.first, np.flatnonzero(parts.fit).tolist(), np.flatnonzero(parts.holdout).tolist()
    (6, [0, 1, 2, 3, 4], [6, 7])
    """
    counts = y if counts is None else counts
    first = holdout_from if holdout_from is not None else _first(cutoff, counts, share, enough)
    later = cutoff >= first if first is not None else np.zeros(len(cutoff), dtype=np.bool_)
    if holdout_from is None and int((later & counts).sum()) < too_few:
        everybody = np.ones(len(cutoff), dtype=np.bool_)
        folds = _folds(cutoff, y, block)
        return Split(kind=SplitKind.CROSS_FITTED, fit=everybody, holdout=everybody, folds=folds, first=None)
    earlier = ends < first if first is not None else later
    none = np.zeros(len(cutoff), dtype=np.int64)
    return Split(kind=SplitKind.TIME, fit=earlier, holdout=later, folds=none, first=first)


def since(
    parts: Split,
    cutoff: NDArray[np.int64],
    y: NDArray[np.bool_],
    moment: Microseconds,
    *,
    block: NDArray[np.int64],
    counts: NDArray[np.bool_],
    known_later: bool = False,
    too_few: float = TOO_FEW,
) -> Split:
    """Leave out what came before a moment, after which the product is another.

    Parameters
    ----------
    parts, cutoff, y, block, counts
        A split and what it is of.
    moment
        Cutoffs from here on choose.
    known_later
        Whether the later snapshots had a say in the moment: then they test nothing any more.
    too_few
        Fewer converters than this between the moment and the holdout choose nothing.

    Returns
    -------
    Split
        The same holdout, if it is later than the moment, had no say in it, and leaves enough to choose on; else all of what came
        since, cross-fitted.

    Examples
    --------
    >>> cutoff, y = np.arange(8), np.ones(8, dtype=bool)
    >>> parts = split(cutoff, cutoff + 1, y, block=cutoff // 4, too_few=1, enough=2)
    >>> found = since(parts, cutoff, y, 2, block=cutoff // 4, counts=y, too_few=2)
    >>> np.flatnonzero(found.fit).tolist(), np.flatnonzero(found.holdout).tolist()
    ([2, 3, 4], [6, 7])
    """
    late = cutoff >= moment
    if parts.first is not None and not known_later and moment < parts.first:
        fit = parts.fit & late
        if int((fit & counts).sum()) >= too_few:
            return replace(parts, fit=fit)
    folds = np.full(len(cutoff), -1, dtype=np.int64)
    folds[late] = _folds(cutoff[late], y[late], block[late])
    return Split(kind=SplitKind.CROSS_FITTED, fit=late, holdout=late, folds=folds, first=None)


def _first(cutoff: NDArray[np.int64], y: NDArray[np.bool_], share: float, enough: int) -> int | None:
    """Find the first holdout cutoff: the newest `share`, widened for converters, at most half; None if nothing fits."""
    if not len(cutoff):
        return None
    instants, counts = np.unique(cutoff, return_counts=True)
    hits = np.bincount(np.searchsorted(instants, cutoff), weights=y, minlength=len(instants))
    newer = np.cumsum(counts[::-1])[::-1]
    converted = np.cumsum(hits[::-1])[::-1]
    allowed = newer <= len(cutoff) / 2
    wide = allowed & (newer >= share * len(cutoff)) & (converted >= enough)
    if wide.any():
        return int(instants[np.flatnonzero(wide)[-1]])
    return int(instants[np.flatnonzero(allowed)[0]]) if allowed.any() else None


def _folds(cutoff: NDArray[np.int64], y: NDArray[np.bool_], block: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give each snapshot its fold: the blocks in order of time, or stretches of time with equal converters if there is one."""
    names, codes = np.unique(block, return_inverse=True)
    if len(np.unique(codes[y])) >= 2:
        return codes.astype(np.int64)
    instants, place = np.unique(cutoff, return_inverse=True)
    before = np.cumsum(np.bincount(place, weights=y, minlength=len(instants)))
    if len(names) == 0 or before[-1] == 0:
        return np.zeros(len(cutoff), dtype=np.int64)
    folds: NDArray[np.int64] = np.clip((before - 0.5) * FOLDS // before[-1], 0, FOLDS - 1).astype(np.int64)
    return folds[place]
