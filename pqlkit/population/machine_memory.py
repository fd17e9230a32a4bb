"""The memory that entities take: they are held on this machine, whatever engine holds their events."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from pqlkit.errors import DataError

PER_ENTITY: Final = 500
"""Bytes: `analyze` and `score` take 530 and 800 for each further entity on Polars, and more on other engines."""

_CONTAINER: Final = Path("/sys/fs/cgroup/memory.max")


def refuse_beyond(entities: int) -> None:
    """Refuse more entities than this machine can hold, before it tries to.

    Raises
    ------
    DataError
        They take more memory than there is.
    """
    there, needed = memory(), entities * PER_ENTITY
    if there is None or needed <= there:
        return
    share = there * 50 // needed
    raise DataError(
        f"{entities:,} entities take about {needed / 1e9:,.1f} GB of memory, and this machine has {there / 1e9:,.1f} GB",
        hint=f"run it where there is more memory; analyze, try and propose look at a share of them: --sample {max(1, share)}%",
    )


def memory() -> int | None:
    """Give the bytes of memory of this machine, or of the container around this process; None where the system does not say."""
    sizes = []
    if hasattr(os, "sysconf"):
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(OSError, ValueError):  # no container, or one without a bound: "max"
        sizes.append(int(_CONTAINER.read_text()))
    return min((size for size in sizes if size > 0), default=None)
