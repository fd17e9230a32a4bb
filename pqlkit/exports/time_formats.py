"""The time format: names of ways to write times that are no patterns."""

from __future__ import annotations

from typing import Final

EPOCHS: Final = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
"""Counts since 1970, in how many microseconds."""
NANOSECONDS: Final = "epoch_ns"
EXCEL: Final = "excel"
"""A spreadsheet's days since the end of 1899."""
COUNTS: Final = (*EPOCHS, NANOSECONDS)
"""Counts since 1970."""
FORMATS: Final = (*COUNTS, EXCEL)
