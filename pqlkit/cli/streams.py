"""The standard streams, as the caller of the process left them: closed, full, or in a narrow encoding."""

from __future__ import annotations

import contextlib
import io
import os
import sys


def usable() -> None:
    """Make both streams writable: a closed one goes nowhere, and what its encoding lacks is escaped."""
    # A closed descriptor would be given to the next file that is opened; /dev/null takes its place first.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - lives as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - lives as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon() -> None:
    """Send what is still unwritten nowhere: Python would try again at exit, and complain."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
