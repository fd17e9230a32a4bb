"""The process: one way to an answer, run from start to finish and measured from outside.

This module and its callers stay small on purpose: on Linux a child's peak memory begins with its parent's.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import resource
    from pathlib import Path

TIMEOUT = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process took: seconds on the wall and on all cores together, and its peak memory in GB (10^9 bytes)."""

    wall: float
    cpu: float
    gigabytes: float
    load: float

    def least(self, other: Cost) -> Cost:
        """Take the smaller of each: on a shared machine a minimum is disturbed least."""
        return Cost(
            wall=min(self.wall, other.wall),
            cpu=min(self.cpu, other.cpu),
            gigabytes=max(self.gigabytes, other.gigabytes),
            load=min(self.load, other.load),
        )


class FailedError(Exception):
    """A process did not end well, or not in time; the text is the end of what it said."""


def measure(command: list[str], *, log: Path, timeout: float = TIMEOUT) -> Cost:
    """Run a command and give its cost.

    Its bytecode is cached, as after any installation, whatever this environment says.
    """
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    load = os.getloadavg()[0]
    begin = time.perf_counter()
    with log.open("wb") as sink:
        child = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=environment)
        status, used = _wait(child, begin + timeout)
    wall = time.perf_counter() - begin
    if status:
        raise FailedError(f"{' '.join(command[:4])} ...: {log.read_text(errors='replace')[-2000:] or status}")
    return Cost(wall=wall, cpu=used.ru_utime + used.ru_stime, gigabytes=used.ru_maxrss * 1024 / 1e9, load=load)


def _wait(child: subprocess.Popen[bytes], deadline: float) -> tuple[int, resource.struct_rusage]:
    pause = 0.002
    while True:
        pid, status, used = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode, used
        if time.perf_counter() > deadline:
            child.kill()
            os.wait4(child.pid, 0)
            child.returncode = -9
            raise FailedError("no answer in time")
        time.sleep(pause)
        pause = min(pause * 1.2, 0.05)
