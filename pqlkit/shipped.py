"""Shipped files: the definition library and export presets that travel with pqlkit."""

from __future__ import annotations

from pathlib import Path


def shipped(name: str) -> Path:
    """Find a folder of shipped configuration: ``definitions`` or ``exports``.

    In a wheel ``configs/`` lies inside the package; in a checkout beside it.

    Examples
    --------
    >>> (shipped("definitions")).is_dir()
    True
    """
    here = Path(__file__).parent
    inside = here / "configs" / name
    return inside if inside.is_dir() else here.parent / "configs" / name
