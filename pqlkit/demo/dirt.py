"""The fault: what is wrong with real exports - machines, repeats, late rows and wrong clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import EVENT_ID, TIMESTAMP
from pqlkit.demo.company import CODES, ERA, EXPORTED_FROM
from pqlkit.demo.series import INSTANT
from pqlkit.durations import DAY, MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.demo.company import Company

RECEIVED: Final = "received"
FUTURE: Final = 1_924_992_000_000_000  # 2031-01-01
_SECOND: Final = MINUTE // 60


def draw_robots(
    company: Company, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Let two accounts watch their dashboard by machine, every 20 minutes for two months: owner, code and moment."""
    begin = np.maximum(company.anchor, EXPORTED_FROM)
    able = np.flatnonzero(begin + 90 * DAY < np.minimum(company.deleted, ERA.end))[:-1]
    chosen = rng.choice(able, min(2, able.size), replace=False)
    ticks = np.arange(0, 60 * DAY, 20 * MINUTE)
    owner = np.repeat(chosen, ticks.size)
    at = np.repeat(begin[chosen] + 3 * DAY, ticks.size) + np.tile(ticks, chosen.size)
    return owner, np.full(owner.size, CODES["dashboard_viewed"]), at


def with_faults(events: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Add ``received``, repeats and wrong clocks, in the order of arrival.

    Rows arrive within seconds, but 1.5 % up to five days late (never after the last export); 0.8 % arrive a second time under
    the same event id; eight rows are stamped 1970 and sixteen 2031.
    """
    height = events.height
    delay = (rng.random(height) * (5 * _SECOND)).astype(np.int64)
    late = rng.random(height) < 0.015
    delay[late] += (rng.random(int(late.sum())) * (5 * DAY)).astype(np.int64)
    at = events[TIMESTAMP].dt.epoch("us").to_numpy()
    events = events.with_columns(pl.Series(RECEIVED, np.minimum(at + delay, np.maximum(at, ERA.end - 1))).cast(INSTANT))
    again = events.filter(pl.Series(rng.random(height) < 0.008)).with_columns(
        pl.min_horizontal(pl.col(RECEIVED) + pl.duration(minutes=2), pl.lit(ERA.end - 1).cast(INSTANT)).alias(RECEIVED)
    )
    wrong = events.select(pl.all().gather(rng.choice(height, min(24, height // 2000), replace=False)))
    stamps = (rng.random(wrong.height) * DAY).astype(np.int64)
    stamps += np.where(np.arange(wrong.height) % 3 == 0, 0, FUTURE + stamps * 200)
    wrong = wrong.with_columns(
        pl.Series(TIMESTAMP, stamps).cast(INSTANT), pl.concat_str(pl.col(EVENT_ID), pl.lit("_clock")).alias(EVENT_ID)
    )
    return pl.concat([events, again, wrong]).sort(RECEIVED, EVENT_ID, maintain_order=True)
