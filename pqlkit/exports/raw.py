"""The raw file: what an export's bytes are, told by looking at them and never by the file's name."""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import shutil
import struct
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pqlkit.errors import DataError
from pqlkit.exports.foreign import check_foreign
from pqlkit.exports.text_stream import head_text

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES: Final = (
    ".csv",
    ".tsv",
    ".txt",
    ".csv.gz",
    ".tsv.gz",
    ".csv.zst",
    ".parquet",
    ".jsonl",
    ".ndjson",
    ".json",
    ".jsonl.gz",
    ".ndjson.gz",
    ".json.gz",
    ".jsonl.zst",
    ".ndjson.zst",
    ".zip",
)
"""How the names of exports end; a file named directly may be called anything."""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
COMPRESSED: Final = (_GZIP, _ZSTD)
"""How compressed files begin."""
PACKED: Final = (b"PK\x03\x04",)
"""How archives begin whose files are read."""
HEAD: Final = 64 * 1024


class EmptyExportError(DataError):
    """A file without a byte but blanks: an error alone, and nothing among others."""


class Kind(StrEnum):
    """How rows are written."""

    DELIMITED = "delimited"
    JSON_LINES = "json lines"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One stream of rows: a file, or a file in an archive. `name` is how reports call it."""

    name: str
    path: Path
    inner: str | None = None


@contextlib.contextmanager
def called(path: Path, name: str) -> Iterator[None]:
    """Let errors about a file name it, and one that was brought here the place that it came from."""
    try:
        yield
    except DataError as error:
        if error.where is None:
            raise DataError(error.message, where=name, hint=error.hint) from error
        if name == str(path):
            raise
        texts = [text and text.replace(str(path), name) for text in (error.message, error.where, error.hint)]
        raise DataError(texts[0] or "", where=texts[1], hint=texts[2]) from error


def members(path: Path, title: str | None = None) -> tuple[Member, ...]:
    """List the streams of a file: itself, or the files of a ZIP archive in the order of their names, hidden ones left out."""
    title = str(path) if title is None else title
    if not _first_bytes(path).startswith(PACKED):
        return (Member(name=title, path=path),)
    names = [name for name in _packed(path) if not _hidden(name)]
    if not names:
        raise DataError("the ZIP archive holds no export", where=str(path))
    if any(name.startswith("xl/") for name in names):
        raise DataError("this is an Excel workbook", where=str(path), hint="save it as CSV")
    return tuple(Member(name=f"{title}!{name}", path=path, inner=name) for name in names)


def hidden_members(path: Path, title: str) -> tuple[str, ...]:
    """Name the files of a ZIP archive that are not read: those that the Finder and others put beside yours."""
    if not _first_bytes(path).startswith(PACKED):
        return ()
    return tuple(f"{title}!{name}" for name in _packed(path) if _hidden(name))


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _packed(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(name for name in _checked(archive, path) if not name.endswith("/"))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise DataError(f"the ZIP archive is damaged: {error}", where=str(path)) from error


def _checked(archive: zipfile.ZipFile, path: Path) -> list[str]:
    """Name the archive's files and folders, all of them packed in a way that is read."""
    for entry in archive.infolist():
        if not entry.filename:
            raise zipfile.BadZipFile("a file in it has no name")
        _check_packed(entry, f"{path}!{entry.filename}")
    names = archive.namelist()
    if len(set(names)) < len(names):  # only the last one of a name can be opened: the others would be lost in silence
        raise zipfile.BadZipFile(f"two files in it are called {next(n for n in names if names.count(n) > 1)}")
    return names


_PACKINGS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}


def _check_packed(entry: zipfile.ZipInfo, name: str) -> None:
    if entry.flag_bits & 0x1:
        raise DataError(
            "the file in the ZIP archive is encrypted", where=name, hint="unpack it with its password first"
        )
    if entry.compress_type not in _PACKINGS:
        way = "Deflate64" if entry.compress_type == 9 else f"method {entry.compress_type}"
        raise DataError(
            f"the file in the ZIP archive is compressed with {way}, which is not read",
            where=name,
            hint="unpack it first: 7z x, or in the file manager (Windows uses Deflate64 above 2 GB)",
        )


def is_empty(member: Member) -> bool:
    """Tell whether a stream holds nothing but blanks."""
    with opened(member) as stream:
        return not head_text(stream.read(HEAD)).strip()


@contextlib.contextmanager
def on_disk(member: Member, stream: IO[bytes]) -> Iterator[Path]:
    """Give a file with a stream's bytes, for readers that ask for one: the member's own, or a temporary one."""
    if member.inner is None and not _first_bytes(member.path).startswith(COMPRESSED):
        yield member.path
        return
    with tempfile.TemporaryDirectory(prefix="pqlkit-unpacked-") as folder:
        path = Path(folder) / "plain"
        with path.open("wb") as target:
            shutil.copyfileobj(stream, target, 1 << 20)
        yield path


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(16)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", where=str(path)) from error


@contextlib.contextmanager
def opened(member: Member) -> Iterator[IO[bytes]]:
    """Open a stream, decompressed.

    Raises
    ------
    DataError
        The file cannot be opened, is compressed in a way that is not read, or is damaged (also while reading).
    """
    try:
        with contextlib.ExitStack() as stack:
            if member.inner is None:
                stream: IO[bytes] = stack.enter_context(member.path.open("rb"))
            else:
                archive = stack.enter_context(zipfile.ZipFile(member.path))
                stream = stack.enter_context(_opened_in(archive, member.inner))
            yield _decompressed(member, stream, stack)
    except EOFError as error:
        raise DataError("the file ends in the middle: it is truncated", where=member.name, hint=_AGAIN) from error
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError, zstd.ZstdError) as error:
        raise DataError(f"the compressed file is damaged: {error}", where=member.name, hint=_AGAIN) from error
    except OSError as error:
        raise DataError(f"cannot read the file: {error.strerror or error}", where=member.name) from error


def _opened_in(archive: zipfile.ZipFile, inner: str) -> IO[bytes]:
    try:
        return archive.open(inner)
    except (NotImplementedError, RuntimeError, ValueError, KeyError, struct.error) as error:
        raise zipfile.BadZipFile(str(error)) from error


_AGAIN: Final = "download or export it again"


def _decompressed(member: Member, stream: IO[bytes], stack: contextlib.ExitStack) -> IO[bytes]:
    head = stream.read(16)
    stream.seek(0)
    if head.startswith(_GZIP):
        return io.BufferedReader(stack.enter_context(gzip.GzipFile(fileobj=stream)), 1 << 20)
    if head.startswith(_ZSTD):
        return io.BufferedReader(stack.enter_context(zstd.ZstdFile(stream)), 1 << 20)
    return stream


def kind(member: Member, stream: IO[bytes]) -> Kind:
    """Tell how rows are written from the first bytes of an opened stream; the stream stays at its start.

    Raises
    ------
    DataError
        The file is empty, no export at all, or one JSON array or indented JSON instead of a row a line.
    """
    head = stream.read(HEAD)
    stream.seek(0)
    check_foreign(head, member.name)
    if head[:4] == b"PAR1":
        return Kind.PARQUET
    text = head_text(head).lstrip()
    if not text:
        raise EmptyExportError("the file is empty", where=member.name)
    if text[:1] == b"[":
        raise DataError("this is one JSON array", where=member.name, hint="write one object a line: jq -c '.[]'")
    if text[:1] == b"{":
        if text.split(b"\n", 1)[0].strip() == b"{":
            raise DataError("this JSON is indented", where=member.name, hint="write one object a line: jq -c .")
        return Kind.JSON_LINES
    return Kind.DELIMITED
