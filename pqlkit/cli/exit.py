"""Exit codes: what a run says to the shell."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The documented exit codes (product.md); only `cli` maps errors to them."""

    DONE = 0
    FINDINGS = 1
    COULD_NOT_RUN = 2
    INTERRUPTED = 130
