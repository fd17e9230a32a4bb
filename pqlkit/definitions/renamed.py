"""The renamed words: what keys and values of earlier files are called now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Collection

RENAMED: Final = {
    "looks": "snapshots",
    "horizon": "conversion_window",
    "min_coverage": "min_recall",
    "coverage": "recall",
    "opened": "read",
    "look": "snapshot",
    "trigger": "qualification",
}
"""Earlier word -> today's."""


def meant(word: str, known: Collection[str]) -> str | None:
    """Give the known word that a person most likely meant: what the word is called now, else the nearest, else None.

    Examples
    --------
    >>> meant("trigger", ["snapshot", "qualification"]), meant("windws", ["windows"])
    ('qualification', 'windows')
    """
    renamed = RENAMED.get(word)
    return renamed if renamed in known else nearest(word[:100], known)
