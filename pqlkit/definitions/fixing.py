"""Fixing: the safe suggestions of a report, applied as text edits at their marks; comments and order stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.validation import Report


def fixed_text(text: str, diagnostics: Sequence[Diagnostic]) -> tuple[str, tuple[Diagnostic, ...]]:
    """Apply the safe fixes of `diagnostics` (all of one file) to `text`.

    Returns
    -------
    str
        The new text.
    tuple of Diagnostic
        Those that were applied; one that overlaps an earlier one waits for the next round.
    """
    raise NotImplementedError


def fix_files(report: Report) -> tuple[Diagnostic, ...]:
    """Write the fixed files, each whole or not at all; give the diagnostics that were applied."""
    raise NotImplementedError
