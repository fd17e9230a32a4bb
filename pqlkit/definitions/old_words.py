"""The old word: what keys and options were called before, so that an old spelling is told its new one.

No old spelling is accepted. An error names the new one, and ``validate --fix`` writes it.
"""

from __future__ import annotations

from typing import Final

KEYS: Final = {
    "looks": "snapshots",
    "horizon": "conversion_window",
    "min_coverage": "min_recall",
    "coverage": "recall",
    "opened": "read",
}
"""Keys of project and definition files."""

OPTIONS: Final = {
    "--looks": "--snapshots",
    "--horizon": "--conversion-window",
    "--min-coverage": "--min-recall",
}
"""Options of the command line."""
