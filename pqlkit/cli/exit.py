"""Exit codes: what a run says to the shell."""

from __future__ import annotations

import signal
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType


class ExitCode(IntEnum):
    """The documented exit codes (product.md); only `cli` maps errors to them."""

    DONE = 0
    FINDINGS = 1
    COULD_NOT_RUN = 2
    INTERRUPTED = 130
    TERMINATED = 143


class Terminated(BaseException):
    """SIGTERM has come: the run is to clear up and leave. No `Exception`, so that nothing takes it for a failure."""


def terminable() -> None:
    """Have SIGTERM end the run as Ctrl-C does: what is open is closed, what is temporary goes. Who ignores it still does."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, _: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a second one would stop the clearing up
    raise Terminated
