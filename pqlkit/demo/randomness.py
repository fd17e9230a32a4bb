"""The random stream: independent numbers for each purpose, the same ones for the same seed."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """Give the stream of one purpose: changing how one part draws leaves all other parts as they were.

    Parameters
    ----------
    seed
        The seed of the whole world, at least 0.
    purpose
        What the numbers are for: words and whole numbers.

    Examples
    --------
    >>> bool(stream(1, "events", 0).random() == stream(1, "events", 0).random())
    True
    >>> bool(stream(1, "events", 0).random() == stream(1, "events", 1).random())
    False
    """
    keys = tuple(zlib.crc32(part.encode()) if isinstance(part, str) else part for part in purpose)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=keys))
