"""Shipped files: the definition library and export presets that travel with pqlkit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

LIGHT: Final = "pqlkit-validate"
"""The distribution that checks definition files and no more: the same modules, without the libraries that read data."""


def version() -> str:
    """Give the version, whichever of the two distributions is installed.

    Examples
    --------
    >>> version().count(".")
    2
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pqlkit")
    except PackageNotFoundError:
        return version(LIGHT)


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
