"""The file layer: every file call of a process counted, and one of them made to kill it, to fail, or to take long.

It needs no compiler and no rights: Python tells an audit hook of each call before it is made, and what it does not tell of
(syncs, locks, writes, what Polars writes, what SQLite commits) is wrapped here. A write that is hit is torn: half of it is there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sqlite3
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

AUDITED = {
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.listdir",
    "os.scandir",
    "os.truncate",
    "sqlite3.connect",
}
READING = {"os.remove", "os.rmdir", "os.listdir", "os.scandir", "os.chmod", "flock"}
"""Calls that succeed on a full disk."""


class Fault(StrEnum):
    """What happens at the call that is hit."""

    NONE = "none"
    KILL = "kill"
    BROKEN = "EIO"
    """This call fails."""

    FULL = "ENOSPC"
    """This call and every writing one after it fail."""

    SLOW = "slow"


@dataclass
class Layer:
    """Counts the file calls below `roots`; at number `at` the fault happens."""

    roots: tuple[str, ...]
    fault: Fault = Fault.NONE
    at: int = -1
    seconds: float = 0.0
    calls: int = 0

    def hit(self, name: str, path: object, *, torn: Callable[[], object] | None = None, writes: bool = True) -> None:
        """Count a call, and do to it what is to be done."""
        if not self._meant(path):
            return
        number, self.calls = self.calls, self.calls + 1
        if self.fault is Fault.FULL and number > self.at >= 0 and writes and name not in READING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if number != self.at:
            return
        if torn is not None and self.fault in {Fault.KILL, Fault.BROKEN, Fault.FULL}:
            self.at = -2  # the half is written in peace
            torn()
            self.at = number
        match self.fault:
            case Fault.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Fault.BROKEN:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
            case Fault.FULL if writes and name not in READING:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            case Fault.SLOW:
                time.sleep(self.seconds)

    def _meant(self, path: object) -> bool:
        if isinstance(path, int):
            try:
                path = Path(f"/proc/self/fd/{path}").readlink()
            except OSError:
                return False
        return isinstance(path, str | bytes | Path) and str(Path.cwd() / os.fsdecode(path)).startswith(self.roots)

    def install(self) -> None:
        """Put the layer under this process, for as long as it lives."""
        sys.addaudithook(self._audit)
        for name in ("fsync", "ftruncate", "pwrite"):
            self._wrap(os, name)
        self._wrap(fcntl, "flock")
        self._tear(Path, "write_bytes", lambda path, data: path.write_bytes(data[: len(data) // 2]))
        self._polars()
        self._sqlite()

    def _audit(self, event: str, given: tuple[Any, ...]) -> None:
        if event in AUDITED and given:
            writes = event != "open" or bool(given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            self.hit(event, given[0], writes=writes)

    def _wrap(self, module: Any, name: str) -> None:
        whole = getattr(module, name)

        def call(handle: Any, *given: Any) -> Any:
            self.hit(name, handle if isinstance(handle, int) else handle.fileno())
            return whole(handle, *given)

        setattr(module, name, call)

    def _tear(self, kind: Any, name: str, half: Callable[[Any, Any], object]) -> None:
        whole = getattr(kind, name)

        def call(this: Any, target: Any, *given: Any, **named: Any) -> Any:
            path = this if isinstance(this, Path) else target
            self.hit(name, path, torn=lambda: half(this, target))
            return whole(this, target, *given, **named)

        setattr(kind, name, call)

    def _polars(self) -> None:
        import polars as pl

        def half(_: object, target: Any) -> None:
            if isinstance(target, str | Path):
                Path(target).write_bytes(b"PAR1 torn")

        self._tear(pl.DataFrame, "write_parquet", half)
        self._tear(pl.LazyFrame, "sink_parquet", half)

    def _sqlite(self) -> None:
        layer, connect = self, sqlite3.connect

        class Connection(sqlite3.Connection):
            path = ""

            def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
                if sql.startswith(("BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE")):
                    try:
                        layer.hit("sqlite", self.path)
                    except OSError:
                        error = sqlite3.OperationalError("disk I/O error")
                        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                        raise error from None
                done = super().execute(sql, *given)
                if sql.startswith("COMMIT") and layer.fault is Fault.KILL:
                    layer.hit("committed", self.path)
                return done

        def opened(path: Any, *given: Any, **named: Any) -> sqlite3.Connection:
            connection: Connection = connect(path, *given, factory=Connection, **named)
            connection.path = str(path)
            return connection

        sqlite3.connect = opened  # type: ignore[assignment]
