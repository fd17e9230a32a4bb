"""The phase: which of the staggered weeks an entity falls in, and the Monday that weeks are counted from."""

from __future__ import annotations

import zlib
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.population.as_of import midnight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds


SALT: Final = "pqlkit"
"""Stands before an id when it is hashed; `--control` and `--sample` use their own."""


_ONES: Final = 0xFFFFFFFF


_TABLE: Final = np.array([zlib.crc32(bytes([byte ^ 0xFF])) ^ 0xFF000000 for byte in range(256)], dtype=np.int64)
"""What a byte does to the state of a CRC-32."""


def phases(ids: pl.Series, weeks: int, *, salt: str = SALT) -> pl.Series:
    """Give each id its week 0..weeks-1 of the tiling: ``zlib.crc32(salt + id as UTF-8 text) % weeks``, Int64.

    Examples
    --------
    >>> phases(pl.Series(["a", "b", "c", "a"]), 4).to_list()
    [0, 2, 0, 0]
    """
    texts = ids.cast(pl.String)
    hashed = pl.Series("phase", _crc32(texts.fill_null(""), salt) % weeks, dtype=pl.Int64)
    return pl.select(pl.when(texts.is_not_null()).then(hashed).otherwise(0).alias("phase")).to_series()


def _crc32(texts: pl.Series, salt: str) -> NDArray[np.int64]:
    """Give ``zlib.crc32`` of salt and text for all texts at once, byte by byte of each; engines have no hash in common."""
    lengths = texts.str.len_bytes().to_numpy()
    data = np.frombuffer((texts.str.join("").item() or "").encode("utf-8"), dtype=np.uint8)
    order = np.argsort(-lengths.astype(np.int64), kind="stable")
    starts = (np.cumsum(lengths, dtype=np.int64) - lengths)[order]
    longer = len(lengths) - np.cumsum(np.bincount(lengths))  # how many have a byte at each place
    state = np.full(len(lengths), zlib.crc32(salt.encode("utf-8")) ^ _ONES, dtype=np.int64)
    for place, count in enumerate(longer[:-1].tolist()):
        now = state[:count]
        state[:count] = _TABLE[(now ^ data[starts[:count] + place]) & 0xFF] ^ (now >> 8)
    checksums = np.empty_like(state)
    checksums[order] = state ^ _ONES
    return checksums


def monday(zone: str) -> Microseconds:
    """Give Monday 2000-01-03 00:00 in `zone`, from which the weeks of ``every`` are counted, in UTC microseconds.

    Examples
    --------
    >>> monday("UTC")
    946857600000000
    """
    return midnight(date(2000, 1, 3), zone)
