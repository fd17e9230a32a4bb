"""The found file: which files a path means, and which of a folder's files are left out and why.

In a folder a file is an export if its name ends as one, or if its content is one: `.gz` without an inner suffix, Parquet in
zstd, Spark's `part-00000`. Whatever else lies there is left out, and listed.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pqlkit.errors import DataError, nearest
from pqlkit.exports.delta import delta_files, is_delta
from pqlkit.exports.intake import NotRead
from pqlkit.exports.path_keys import path_keys
from pqlkit.exports.raw import COMPRESSED, PACKED, SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files behind paths, sorted, each once, and those that are not read."""

    files: tuple[Path, ...]
    not_read: tuple[NotRead, ...] = ()


def expand(paths: Iterable[str]) -> tuple[Path, ...]:
    """Give the files behind paths; see `find`."""
    return find(paths).files


def find(paths: Iterable[str]) -> Found:
    """Find the files behind paths, folders (with subfolders) and globs.

    Of files with the same bytes one counts: a browser calls the second download ``a (1).csv``.

    Raises
    ------
    DataError
        A path leads to no file.
    """
    files: dict[Path, None] = {}
    not_read: list[NotRead] = []
    for path in paths:
        for file in _files_of(path, not_read):
            files.setdefault(file, None)
    return Found(files=tuple(sorted(_distinct(list(files), not_read))), not_read=tuple(not_read))


def _files_of(path: str, not_read: list[NotRead]) -> list[Path]:
    target = Path(path).expanduser()
    if target.is_dir():
        return _in_folder(target, not_read)
    if target.exists():
        return [target]
    matches = [Path(match) for match in sorted(glob.glob(str(target), recursive=True))]  # noqa: PTH207 - also of absolute patterns
    files = [match for match in matches if match.is_file()]
    folders = [match for match in matches if match.is_dir() and not _hidden(match.name)]
    if not files and folders:
        return [file for folder in folders for file in _in_folder(folder, not_read)]
    if not files:
        why, hint = _near(target)
        raise DataError(f"no file at {path}{why}", hint=hint)
    if "**" not in path:
        not_read += [NotRead(file=str(folder), reason="a folder: name it, or read it with **") for folder in folders]
    return files


def _in_folder(folder: Path, not_read: list[NotRead]) -> list[Path]:
    before = len(not_read)
    files = list(_walked(folder, not_read))
    if not files:
        others = ", ".join(Path(read.file).name for read in not_read[before : before + 5])
        raise DataError(
            f"the folder {folder} holds no export{f', only {others}' if others else ''}",
            hint=f"name a folder with {', '.join(SUFFIXES[:7])} ...",
        )
    return files


def _walked(folder: Path, not_read: list[NotRead]) -> Iterator[Path]:
    if is_delta(folder):
        yield from delta_files(folder)
        return
    for entry in sorted(folder.iterdir()):
        if _hidden(entry.name):
            not_read.append(NotRead(file=str(entry), reason="hidden"))
        elif entry.is_dir() and not entry.is_symlink():
            yield from _walked(entry, not_read)
        elif entry.is_file():
            if _is_export(entry):
                yield entry
            else:
                not_read.append(NotRead(file=str(entry), reason="no export, by its name and by its content"))


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _is_export(file: Path) -> bool:
    if file.name.lower().endswith(SUFFIXES):
        return True
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}", where=str(file)) from error
    if head.startswith((*COMPRESSED, *PACKED, b"PAR1")):
        return True
    text = b"\0" not in head and bool(head.strip())
    # Spark, Hadoop and Snowflake number their parts; README and LICENSE have no number.
    part = not file.suffix and any(letter.isdigit() for letter in file.name)
    return text and (part or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"))


def _distinct(files: list[Path], not_read: list[NotRead]) -> Iterator[Path]:
    """Leave out files whose bytes stand in another one; the shortest name stays."""
    sizes: dict[int, list[Path]] = {}
    for file in files:
        sizes.setdefault(file.stat().st_size, []).append(file)
    for size, alike in sizes.items():
        first: dict[str, Path] = {}
        for file in sorted(alike, key=lambda path: (len(str(path)), str(path))):
            known = first.setdefault(fingerprint(file), file) if size and len(alike) > 1 else file
            if known is file:
                yield file
            else:
                not_read.append(NotRead(file=str(file), reason=f"the same bytes as {known}"))


def _near(target: Path) -> tuple[str, str]:
    """Say why a file cannot be found, and what to do."""
    with contextlib.suppress(OSError):
        if target.parent.is_dir():
            guess = nearest(target.name, (entry.name for entry in target.parent.iterdir()))
            if guess:
                return "", f"did you mean {target.parent / guess}?"
            return f": {target.parent} has no such file", "name a file, a folder or a pattern in quotes"
    return f": the folder {target.parent} does not exist", "name a file, a folder or a pattern in quotes"


def fingerprint(path: Path) -> str:
    """Give the SHA-256 of a file's content: the same file under another name is the same file.

    What the folders above it say is part of the content.
    """
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", where=str(path)) from error
    if keys := path_keys(str(path)):
        digest.update(json.dumps(keys).encode())
    return digest.hexdigest()
