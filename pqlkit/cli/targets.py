"""The targets of a run: what it is about to write, held against everything that it reads, keeps, or writes besides.

The one place where that is asked, for every command: before anything but the project file is read.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pqlkit.errors import PqlkitError, UsageError
from pqlkit.options.option import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pqlkit.exports.project import Project

_REMOTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_OURS: Final = re.compile(rb"^[\"']?pqlkit[\"']?\s*:", re.M)
_HEAD: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A path that a run uses, and how.

    Parameters
    ----------
    named
        What to call it in messages: ``--out``.
    path
        As it was written.
    role
        What the run does with it.
    """

    named: str
    path: Path
    role: Role


def check_targets(targets: Sequence[Target], project: Project) -> None:
    """Refuse targets that would cost what is there.

    Parameters
    ----------
    targets
        All paths that the run uses.
    project
        The project file: it and the exports that it names are read, too.

    Raises
    ------
    UsageError
        A target is read or written by the same run under another name; is an address elsewhere, a disk, a socket or a
        folder of the wrong kind; or is a file that no result may replace: a definition or project file, a ledger, a file of
        a dataset.
    """
    written = [target for target in targets if target.role is not Role.READS]
    for target in written:
        _check_alone(target)
    if not written:
        return
    taken: dict[object, str] = {}
    for target in _read(targets, project):
        for key in _keys(target.path):
            taken.setdefault(key, f"{target.named} {target.path}")
    for target in written:
        if target.role is Role.FILLS:
            _check_filled(target, written, taken)
            continue
        clash = next((taken[key] for key in _keys(target.path) if key in taken), None)
        if target.role is Role.MAKES and target.path.exists():
            continue  # it is left as it is, and said so
        if clash is not None:
            raise UsageError(
                f"{target.named} {target.path} is what {clash} is", hint="name another file; nothing was written"
            )
        taken |= dict.fromkeys(_keys(target.path), f"{target.named} {target.path}")


def _read(targets: Sequence[Target], project: Project) -> Iterator[Target]:
    """Give every file that the run may read: those behind folders and globs, and those of the project file."""
    from pqlkit.exports.project import sources_of

    if project.path is not None:
        yield Target(named="the project file", path=Path(project.path), role=Role.READS)
    for target in targets:
        if target.role is Role.READS:
            yield from _files(target)
    for name, source in sources_of(project).items():
        for path in source.path:
            yield from _files(Target(named=f"the project's {name}", path=Path(path), role=Role.READS))


def _files(target: Target) -> Iterator[Target]:
    from pqlkit.exports.finding import expand

    if _REMOTE.match(str(target.path)):
        return
    yield target
    with contextlib.suppress(PqlkitError, OSError, ValueError):  # what leads nowhere is told by whoever reads it
        for path in expand([str(target.path)]):
            yield Target(named=target.named, path=path, role=Role.READS)


def _check_alone(target: Target) -> None:
    """Refuse a target for what it is."""
    from pqlkit.exports.dataset_folder import dataset_of
    from pqlkit.exports.foreign import DUCKDB, SQLITE

    def refuse(what: str, hint: str) -> UsageError:
        return UsageError(f"{target.named} {target.path} is {what}", hint=hint)

    if _REMOTE.match(str(target.path)):
        raise refuse("no place on this machine", "write a file here, and copy it there")
    kind = _kind(target.path)
    if stat.S_ISBLK(kind) or stat.S_ISSOCK(kind):
        raise refuse("a disk" if stat.S_ISBLK(kind) else "a socket", "name a file")
    if target.role is Role.KEEPS and ((kind and not stat.S_ISREG(kind)) or str(target.path) == ":memory:"):
        raise refuse("no file that stays", "name a file")
    if target.role is not Role.WRITES or not stat.S_ISREG(kind):
        return
    folder = dataset_of(target.path)
    if folder is not None:
        raise refuse(f"a file of the dataset {folder}", "name a file outside of it")
    head = _head(target.path)
    if head.startswith(SQLITE) or head[8:12] == DUCKDB:
        raise refuse("a ledger or another database, and would be lost", "name another file")
    if _OURS.search(head):
        raise refuse("a definition or project file, and would be lost", "name another file")


def _check_filled(target: Target, written: Iterable[Target], taken: dict[object, str]) -> None:
    """Refuse a folder that files go into if the run reads some of them, or writes something else among them."""
    from pqlkit.exports.dataset_folder import dataset_of

    for key, label in taken.items():
        if isinstance(key, str) and dataset_of(Path(key)) == Path(os.path.realpath(target.path)):
            raise UsageError(
                f"{target.named} {target.path} is the dataset that {label} belongs to",
                hint="name another folder; nothing was written",
            )
    for other in written:
        inside = Path(os.path.realpath(other.path)).parent == Path(os.path.realpath(target.path))
        if other is not target and inside and other.path.suffix in {".yml", ".yaml"} and target.named == "--out-dir":
            raise UsageError(
                f"{other.named} {other.path} is among the definitions of {target.named} {target.path}",
                hint="name a file elsewhere",
            )


def _keys(path: Path) -> list[object]:
    """Tell a file from others: its real path and, if it exists, its device and number; nothing for a device or a pipe."""
    kind = _kind(path)
    if kind and not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        return []
    keys: list[object] = [os.path.realpath(path)]
    with contextlib.suppress(OSError):
        there = path.stat()
        keys.append((there.st_dev, there.st_ino))
    return keys


def _kind(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError:
        return b""
