"""The burst: stretches of weeks in which an account uses a product, between stretches in which it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """A kind of burst.

    Parameters
    ----------
    apart
        Mean weeks from one such burst's beginning to the next.
    lasts
        Mean weeks that one lasts, at least `least`.
    least
        Weeks that every one lasts.
    spread
        Shape of the gamma intensity (mean 1): small = very different bursts.
    """

    apart: float
    lasts: float
    least: int
    spread: float


def draw_bursts(
    burst: Burst, first_week: NDArray[np.int64], weeks: int, fit: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw one kind of burst for each account.

    Parameters
    ----------
    first_week
        The week in which the account begins, one per account.
    weeks
        How many weeks the world has.
    fit
        How often the account has bursts, relative to the mean, at least 0.

    Returns
    -------
    NDArray[np.float32]
        Accounts x weeks: the intensity, 0 outside bursts; overlapping bursts take the larger.
    """
    life = weeks - first_week
    times = rng.poisson(fit * life / burst.apart)
    owner = np.repeat(np.arange(life.size), times)
    begin = first_week[owner] + (rng.random(owner.size) * life[owner]).astype(np.int64)
    return spread_bursts(burst, owner, begin, life.size, weeks, rng)


def spread_bursts(
    burst: Burst,
    owner: NDArray[np.int64],
    begin: NDArray[np.int64],
    accounts: int,
    weeks: int,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Lay bursts that begin in given weeks onto the table of accounts x weeks.

    Parameters
    ----------
    burst
        How long and how strong bursts are.
    owner, begin
        Of each burst: the account and the week in which it begins.
    accounts, weeks
        The size of the table.
    rng
        The source of randomness.
    """
    length = burst.least + rng.geometric(1 / max(burst.lasts - burst.least, 1.0), owner.size) - 1
    strength = (rng.standard_gamma(burst.spread, owner.size) / burst.spread).astype(np.float32)
    cell = np.repeat(begin, length) + np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    inside = cell < weeks
    table = np.zeros((accounts, weeks), dtype=np.float32)
    np.maximum.at(table, (np.repeat(owner, length)[inside], cell[inside]), np.repeat(strength, length)[inside])
    return table


def trailing(bins: NDArray[np.int64], weeks: int) -> NDArray[np.int64]:
    """Sum the `weeks` bins before each week: the count over ``[Monday - weeks x 7 d, Monday)``.

    Examples
    --------
    >>> trailing(np.array([[1, 2, 3, 4]]), 2).tolist()
    [[0, 1, 3, 5]]
    """
    total = np.cumsum(bins, axis=1)
    before = np.zeros_like(total)
    before[:, 1:] = total[:, :-1]
    gone = np.zeros_like(total)
    gone[:, weeks + 1 :] = total[:, : -weeks - 1]
    return before - gone


def lingering(holds: NDArray[np.bool_], weeks: int) -> NDArray[np.bool_]:
    """Say in which weeks something holds that lasts for `weeks` from each week in which it was true.

    Examples
    --------
    >>> lingering(np.array([[True, False, False, False]]), 3).tolist()
    [[True, True, True, False]]
    """
    lasting = holds.copy()
    for later in range(1, weeks):
        lasting[:, later:] |= holds[:, :-later]
    return lasting
