"""Locks: a hold on a file or a folder that dies with its process.

A lock tells what a living run is using from what a killed one left behind, whatever the clock, the machine or the process's
number. It is advice among runs of pqlkit: nobody else is kept from anything.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def held(handle: int, path: Path) -> bool:
    """Lock what was just made as `path` and is open as `handle`; tell whether that worked.

    It does not where another run takes it for a killed run's at this very moment: then it is about to be removed, or is. Where
    the file system gives no locks, nobody can take it for anything, and it counts as held.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return is_at(handle, path)


def taken(path: Path) -> int | None:
    """Open and lock what lies at `path`, if no living process holds it; give the open file, or None.

    Links are not followed. Where the file system gives no locks, nothing can be taken.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    if is_at(handle, path):
        return handle
    os.close(handle)
    return None


def is_at(handle: int, path: Path) -> bool:
    """Tell whether what is open as `handle` is what lies at `path`."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False
