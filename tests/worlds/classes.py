"""The class of an entity at one landmark: what became of it, told from its own three moments alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.demo.series import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds

CLASSES: Final = ("customer_already", "early", "in_progress", "converted", "not_converted")


def classify(
    anchor: NDArray[np.int64],
    converted: NDArray[np.int64],
    *,
    cutoffs: Sequence[Microseconds],
    conversion_window: Microseconds,
    as_of: Microseconds,
) -> NDArray[np.int64]:
    """Give each entity's position in `CLASSES`, the first that fits.

    Parameters
    ----------
    anchor
        Microseconds, one per entity.
    converted
        Microseconds of the first conversion, `NEVER` without one; later than `as_of` counts as never.
    cutoffs
        The ages of the snapshots, ascending; a landmark has one.
    conversion_window
        A conversion at exactly cutoff + conversion window is in, one at exactly the cutoff is not.
    as_of
        An entity with cutoff + conversion window at exactly `as_of` is mature.
    """
    known = np.where(converted <= as_of, converted, NEVER)
    cutoff = anchor + cutoffs[0]
    reached = np.searchsorted(np.array(cutoffs), as_of - conversion_window - anchor, side="right")
    last = anchor + np.array(cutoffs)[np.maximum(reached - 1, 0)]
    return np.select(
        [known < anchor, known <= cutoff, as_of < cutoff + conversion_window, known <= last + conversion_window],
        [0, 1, 2, 3],
        4,
    ).astype(np.int64)
