"""The tiling: every account's class and every conversion's place under ``every:28d``, on a table of accounts x weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.demo.bursts import trailing
from pqlkit.demo.weeks import weekly_bins
from pqlkit.durations import DAY, WEEK
from pqlkit.population.phases import phases

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.demo.weeks import Era
    from pqlkit.typing import Microseconds

CONVERSION_WINDOW: Final = 28 * DAY
HISTORY: Final = 84 * DAY
CLASSES: Final = (
    "unobserved",
    "customer_already",
    "early",
    "deleted",
    "in_progress",
    "dormant",
    "converted",
    "not_converted",
)
_ORIGIN: Final = 946_857_600_000_000  # Monday 2000-01-03


class TiledSnapshots:
    """The snapshots of ``every:28d``, worked out on the table of accounts x weeks."""

    def __init__(
        self,
        ids: pl.Series,
        era: Era,
        exported_from: Microseconds,
        anchor: NDArray[np.int64],
        converted: NDArray[np.int64],
        deleted: NDArray[np.int64],
        active: NDArray[np.bool_],
        as_of: Microseconds,
    ) -> None:
        monday = era.mondays
        weeks = (monday - _ORIGIN) // WEEK
        phase = phases(ids, 4).to_numpy()
        begins = np.maximum(anchor, exported_from + HISTORY)
        mine = (weeks % 4 == phase[:, None]) & (monday >= begins[:, None])
        week = -((_ORIGIN - begins) // WEEK)
        self.opened = exported_from + HISTORY
        self.anchor, self.converted, self.deleted = anchor, converted, deleted
        self.first = _ORIGIN + (week + (phase - week) % 4) * WEEK
        self.asked = mine & (monday <= as_of) & (monday < converted[:, None])
        self.alive = self.asked & (monday < deleted[:, None])
        self.mature = self.alive & (monday + CONVERSION_WINDOW <= as_of)
        self.seen = self.mature & active
        self.holding = self.asked & (converted[:, None] <= monday + CONVERSION_WINDOW)

    def classes(self) -> NDArray[np.int64]:
        """Give each account's position in `CLASSES`."""
        unseen = ~self.asked.any(axis=1)
        return np.select(
            [
                self.converted < self.opened,
                self.converted < self.anchor,
                self.converted <= self.first,
                (self.deleted <= self.first) & (unseen | ~self.alive.any(axis=1)),
                ~self.mature.any(axis=1),
                ~self.seen.any(axis=1),
                (self.seen & self.holding).any(axis=1),
            ],
            list(range(7)),
            7,
        ).astype(np.int64)

    def places(self, code: NDArray[np.int64], paid: NDArray[np.bool_]) -> dict[str, int]:
        """Count the first conversions by place."""
        named_class = {name: paid & (code == position) for position, name in enumerate(CLASSES)}
        looked = paid & (code >= CLASSES.index("dormant"))
        used = (self.seen & self.holding).any(axis=1)
        mature = (self.mature & self.holding).any(axis=1)
        counts = {
            "used": looked & used,
            "dormant": looked & mature & ~used,
            "in_progress": named_class["in_progress"] | (looked & ~mature & self.holding.any(axis=1)),
            "later": looked & ~self.holding.any(axis=1),
            "before_history": named_class["unobserved"],
            "before_first_snapshot": named_class["early"],
            "customer_already": named_class["customer_already"],
            "deleted": named_class["deleted"],
        }
        return {name: int(rows.sum()) for name, rows in counts.items()}


def weekly_activity(
    era: Era, owner: NDArray[np.int64], at: NDArray[np.int64], converted: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Say for each account and Monday whether there is an event in the 28 days before, none at or after paying.

    Parameters
    ----------
    owner, at
        One per event of the export that nobody's machine made.
    converted
        One per account, `NEVER` without a conversion.
    """
    free = at < converted[owner]
    return trailing(weekly_bins(era, owner[free], at[free], converted.size), 4) > 0
