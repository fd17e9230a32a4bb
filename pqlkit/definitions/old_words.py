"""The old word: what keys and options were called before, so that an old spelling is told its new one.

No old spelling is accepted. An error names the new one, and ``validate --fix`` writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

KEYS: Final = {
    "looks": "snapshots",
    "horizon": "conversion_window",
    "min_coverage": "min_recall",
    "coverage": "recall",
    "opened": "read",
}
"""Keys of project and definition files."""

VALUES: Final = {"look": "snapshot", "trigger": "qualification"}
"""Values of definition files."""

OPTIONS: Final = {
    "--looks": "--snapshots",
    "--horizon": "--conversion-window",
    "--min-coverage": "--min-recall",
}
"""Options of the command line."""


def meant(word: str, known: Collection[str], renamed: Mapping[str, str]) -> str | None:
    """Give the known word that a person most likely meant: what the word is called now, else the nearest, else None.

    Examples
    --------
    >>> meant("trigger", ["snapshot", "qualification"], VALUES), meant("windws", ["windows"], KEYS)
    ('qualification', 'windows')
    """
    now = renamed.get(word)
    return now if now in known else nearest(word[:100], known)
