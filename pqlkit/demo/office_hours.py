"""The calendar: when in a week people work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.durations import HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEEKDAYS: Final = (0.20, 0.215, 0.21, 0.19, 0.145, 0.02, 0.02)
"""Monday to Sunday: 4 % of the work is done at the weekend."""

_HOURS: Final = (1, 1, 1, 1, 1, 2, 6, 18, 42, 64, 70, 62, 40, 54, 68, 64, 52, 34, 18, 12, 9, 7, 4, 2)


def office_hours(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw moments in a week, in microseconds since its Monday 00:00.

    Examples
    --------
    >>> moments = office_hours(10_000, np.random.default_rng(1))
    >>> bool((moments < 5 * 24 * HOUR).mean() > 0.9)
    True
    """
    hours = np.array(_HOURS, dtype=np.float64)
    weights = np.outer(_WEEKDAYS, hours / hours.sum()).ravel()
    edges = np.cumsum(weights)
    hour = np.searchsorted(edges, rng.random(count) * edges[-1], side="right")
    moments: NDArray[np.int64] = hour * HOUR + (rng.random(count) * HOUR).astype(np.int64)
    return moments
