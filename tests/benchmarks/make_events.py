"""Make the events of the benchmarks: canonical Parquet, the same for the same seed.

    python tests/benchmarks/make_events.py FOLDER --events 5000000

A fifth of the names make up most events; activity per user is skewed; times fall mostly in the first month after signup.
Beside events.parquet stand users.parquet and conversions.parquet. Times are microseconds UTC.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

DAY = 86_400_000_000
START = 1_735_689_600_000_000  # 2025-01-01
SPAN = 300
NAMES = 40
CHUNK = 2_500_000
__all__ = ["make_events"]


def make_events(folder: Path, events: int, *, seed: int = 1) -> None:
    """Write the three tables; one user to fifty events."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = np.random.default_rng(seed)
    users = events // 50
    signed_up = START + dice.integers(0, SPAN * DAY, users)
    ids = pl.Series("user_id", [f"u{i:08d}" for i in range(users)])
    _write(folder / "users.parquet", ids.to_frame().with_columns(_times("signed_up_at", signed_up)))
    buys = np.flatnonzero(dice.random(users) < 0.05)
    bought = signed_up[buys] + (dice.exponential(25 * DAY, buys.size)).astype(np.int64)
    _write(folder / "conversions.parquet", ids.gather(buys).to_frame().with_columns(_times("converted_at", bought)))
    shares = 1 / np.arange(1, NAMES + 1)
    names = np.array([f"event_{i:02d}" for i in range(NAMES)])
    weights = dice.gamma(1.0, 1.0, users)
    writer: pq.ParquetWriter | None = None
    for start in range(0, events, CHUNK):
        size = min(CHUNK, events - start)
        who = np.sort(dice.choice(users, size, p=weights / weights.sum()))
        late = dice.random(size) < 0.3
        after = np.where(late, dice.uniform(0, 120 * DAY, size), dice.exponential(9 * DAY, size)).astype(np.int64)
        what = dice.choice(NAMES, size, p=shares / shares.sum())
        table = pl.DataFrame(
            {
                "user_id": ids.gather(who),
                "event": pl.Series(names[what]),
                "timestamp": _times("timestamp", signed_up[who] + after),
                "amount": pl.Series(np.round(dice.gamma(2.0, 10.0, size), 2)),
            }
        ).to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(folder / "events.parquet", table.schema, compression="zstd")
        writer.write_table(table, row_group_size=250_000)
    if writer is not None:
        writer.close()


def _times(name: str, values: np.ndarray) -> pl.Series:
    return pl.Series(name, values).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _write(path: Path, frame: pl.DataFrame) -> None:
    frame.write_parquet(path)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--events", type=int, default=5_000_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    make_events(chosen.folder, chosen.events, seed=chosen.seed)
