"""The as-of moment: the last microsecond that exists, and why it is that one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.exports.dataset import Dataset
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """The last microsecond that exists (`at`, UTC) and a clause that says why: ``newest row of events``."""

    at: Microseconds
    reason: str


def as_of(dataset: Dataset, stated: str | None = None) -> AsOf:
    """Choose the moment up to which everything is known.

    Parameters
    ----------
    dataset
        Its tables' newest rows and `complete_through` are asked.
    stated
        ``--as-of``: an ISO date (its last microsecond in the dataset's zone) or an ISO instant (without an offset: in the
        dataset's zone); None = the earliest `complete_through` that a table states, else the newest row of events and
        conversions.

    Raises
    ------
    UsageError
        `stated` is neither a date nor an instant, or lies before every event.
    DataError
        No table has a row with a time.
    """
    raise NotImplementedError


def silence(instants: NDArray[np.int64], at: Microseconds) -> str | None:
    """Say when the stretch between the last conversion and `at` is improbably long at the usual pace.

    Parameters
    ----------
    instants
        Conversion moments (UTC microseconds), in any order, none after `at`.
    at
        The as-of moment.

    Returns
    -------
    str or None
        A sentence that names ``conversions.complete_through``; None when exp(-rate x gap) >= 0.001, or with fewer than two
        conversions. Rate = conversions less one, per microsecond between the first and the last.
    """
    raise NotImplementedError
