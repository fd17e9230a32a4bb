"""The advantage: how much more one rule scores than another by its qualifications, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.proposal.fit_view import Qualified
    from pqlkit.proposal.objective import Objective

FEW: Final = 10
"""Conversions that one rule has and the other has not below which the standard error is not trusted alone."""

_STEP: Final = 1e-4
_STEPS_OF_HITS: Final = np.array([0.0, _STEP, -_STEP, 0.0, 0.0])
_STEPS_OF_LEADS: Final = np.array([0.0, 0.0, 0.0, _STEP, -_STEP])


@dataclass(frozen=True, slots=True, kw_only=True)
class Advantage:
    """The score of one rule less that of another.

    Parameters
    ----------
    value, error
        The difference, and its standard error by clusters.
    breakeven
        The rate from which on a further qualification adds to the score.
    only_new, only_old
        Qualifications that one of the rules has and the other has not: how many, and how many of them converted.
    """

    value: float
    error: float
    breakeven: float
    only_new: tuple[int, int]
    only_old: tuple[int, int]

    @property
    def few(self) -> bool:
        """Whether so few conversions set the rules apart that the error says too little."""
        return self.only_new[1] + self.only_old[1] < FEW


def advantage(
    new: Qualified,
    old: Qualified,
    objective: Objective,
    *,
    cluster: NDArray[np.int64],
    converters: int,
    moments: int,
) -> Advantage:
    """Compare two rules.

    Parameters
    ----------
    new, old
        Their qualifications, of the same part.
    objective
        What is best.
    cluster
        Label of each entity: qualifications of one label are not independent.
    converters, moments
        How many converted, of how many that could have qualified.

    Notes
    -----
    The variance is the sum over clusters of the squared sum of what each qualification adds to the score or takes from it. It is
    never less than what chance gives where the rules differ by qualifications that convert at the break-even rate: to cut out
    forty of whom none converted looks sure and is not. One conversion more or less is added.
    """
    (score, *slope), (old_score, *old_slope) = _scores((new, old), objective, converters, moments)
    slopes = (slope, old_slope)
    apart = _apart(new.name, old.name)
    parts, signs = [], []
    for sign, read, (by_hit, by_lead), own in zip((1, -1), (new, old), slopes, apart, strict=True):
        parts.append(sign * (by_hit * read.y + by_lead))
        signs.append(sign * own.astype(np.float64))
    _, code = np.unique(np.concatenate([cluster[new.entity], cluster[old.entity]]), return_inverse=True)
    observed = float((np.bincount(code, weights=np.concatenate(parts)) ** 2).sum())
    differing = float((np.bincount(code, weights=np.concatenate(signs)) ** 2).sum())
    by_hit, by_lead = slopes[0]
    breakeven = min(max(-by_lead / by_hit, 0.0), 1.0) if by_hit else 0.0
    least = by_hit**2 * differing * breakeven * (1 - breakeven)
    return Advantage(
        value=score - old_score,
        error=float(np.sqrt(max(observed, least) + by_hit**2)),
        breakeven=breakeven,
        only_new=(int(apart[0].sum()), int(new.y[apart[0]].sum())),
        only_old=(int(apart[1].sum()), int(old.y[apart[1]].sum())),
    )


def _apart(new: NDArray[np.int64], old: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which names, ascending in both, the other has not."""
    place = np.searchsorted(old, new)
    shared = place < len(old)
    shared[shared] = old[place[shared]] == new[shared]
    only_old = np.ones(len(old), dtype=np.bool_)
    only_old[place[shared]] = False
    return ~shared, only_old


def _scores(
    reads: tuple[Qualified, Qualified], objective: Objective, converters: int, moments: int
) -> list[list[float]]:
    """Give the score of each, and how it rises with a conversion, and with a qualification that does not convert."""
    hits = np.array([_STEPS_OF_HITS + read.converted for read in reads])
    leads = np.array([_STEPS_OF_LEADS + read.n for read in reads])
    scores = objective.score(hits, leads - hits, converters=float(converters), snapshots=float(moments))
    rises = (scores[:, 1::2] - scores[:, 2::2]) / (2 * _STEP)
    return np.column_stack([scores[:, 0], rises]).tolist()  # type: ignore[no-any-return]


def unlikely(gained: Advantage) -> float:
    """Give the chance of so good an exchange, or a better one, if all that is exchanged converted at the break-even rate.

    Good are conversions of what is let in, and none of what is kept out.
    """
    (n1, a1), (n0, a0) = gained.only_new, gained.only_old
    rate = gained.breakeven
    good = np.convolve(_binomial(n1, rate), _binomial(n0, 1 - rate))
    return float(good[a1 + n0 - a0 :].sum())


def _binomial(n: int, rate: float) -> NDArray[np.float64]:
    """Give the chances of 0, 1, ... n."""
    if rate <= 0 or rate >= 1:
        sure = np.zeros(n + 1)
        sure[n if rate >= 1 else 0] = 1.0
        return sure
    logs = [
        lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(rate) + (n - k) * log(1 - rate)
        for k in range(n + 1)
    ]
    return np.array([exp(value) for value in logs])
