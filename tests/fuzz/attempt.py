"""The attempt: one command line run in this process, and what no input may do to it."""

from __future__ import annotations

import io
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.cli.app import run

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS: Final = 30.0
"""Longest that a command may take on a few hundred rows, on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a command did: its exit code, what it said on stderr, and the seconds it took."""

    code: int
    said: str
    shown: str
    seconds: float

    def fault(self, *, findings: bool = False) -> str | None:
        """Say what is wrong with it: a traceback, an exit code but 0 and 2, a hang, or an error that nobody foresaw.

        Parameters
        ----------
        findings
            Exit code 1 is right, unless it stands for an error.
        """
        if "Traceback" in self.said:
            return f"a traceback: {self.said.strip().splitlines()[-1]}"
        if self.code not in {0, 2} and not (findings and self.code == 1 and not self.said.startswith("error:")):
            return f"exit code {self.code}: {self.said.strip()[-200:]}"
        if "did not foresee" in self.said:
            return f"not foreseen: {self.said.strip()[:400]}"
        if self.code == 2 and "error:" not in self.said.lower():
            return f"no reason: {self.said[:200]!r}"
        return f"{self.seconds:.1f} s" if self.seconds > SECONDS else None


def attempt(arguments: Sequence[str]) -> Attempt:
    """Run a command line."""
    said, shown = io.StringIO(), io.StringIO()
    start = time.perf_counter()
    with redirect_stderr(said), redirect_stdout(shown):
        code = run(list(arguments))
    return Attempt(code=code, said=said.getvalue(), shown=shown.getvalue(), seconds=time.perf_counter() - start)
