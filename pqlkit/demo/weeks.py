"""The account-week: what an account does in a week, and whether the week brings its upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.demo.office_hours import office_hours
from pqlkit.demo.series import NEVER
from pqlkit.durations import WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """A stretch of whole weeks: `start` is a Monday 00:00 UTC in microseconds."""

    start: Microseconds
    weeks: int

    @property
    def end(self) -> Microseconds:
        """The moment after the last week."""
        return self.start + self.weeks * WEEK

    @property
    def mondays(self) -> NDArray[np.int64]:
        """The weeks' beginnings."""
        return self.start + np.arange(self.weeks) * WEEK


def draw_events(
    era: Era,
    anchor: NDArray[np.int64],
    deleted: NDArray[np.int64],
    light: NDArray[np.float32],
    heavy: NDArray[np.float32],
    rates: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw the events of all account-weeks: owner, code and moment; none before the anchor or after the deletion.

    Parameters
    ----------
    era
        The weeks.
    anchor, deleted
        When each account begins and when it is deleted, in microseconds.
    light, heavy
        How active each account is in each week, in either way of using the product.
    rates
        Events a week of each name, one row for either way.
    rng
        The source of randomness.
    """
    account, week = np.nonzero((light > 0) | (heavy > 0))
    mean = light[account, week, None] * rates[0] + heavy[account, week, None] * rates[1]
    counts = rng.poisson(mean)
    cell, name = np.nonzero(counts)
    times = counts[cell, name]
    owner, code = np.repeat(account[cell], times), np.repeat(name, times)
    monday = era.start + np.repeat(week[cell], times) * WEEK
    at = monday + office_hours(owner.size, rng)
    born = anchor[owner]
    late = born + (rng.random(owner.size) * (monday + WEEK - born)).astype(np.int64)
    at = np.where(at < born, late, at)
    kept = at < np.minimum(deleted[owner], era.end)
    return owner[kept], code[kept], at[kept]


def draw_conversions(era: Era, hazard: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw when each account converts by its weekly hazards: somewhere inside the week, `NEVER` if in none."""
    survived = np.cumprod(1 - hazard, axis=1)
    week = (rng.random((hazard.shape[0], 1)) <= survived).sum(axis=1)
    moment = era.start + week * WEEK + 1 + (rng.random(week.size) * (WEEK - 2)).astype(np.int64)
    return np.where(week < hazard.shape[1], moment, NEVER)


def weekly_bins(era: Era, owner: NDArray[np.int64], at: NDArray[np.int64], accounts: int) -> NDArray[np.int64]:
    """Count rows by account and week: accounts x weeks."""
    week = (at - era.start) // WEEK
    return np.bincount(owner * era.weeks + week, minlength=accounts * era.weeks).reshape(accounts, era.weeks)
