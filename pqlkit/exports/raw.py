"""The raw file: what an export's bytes are, told by looking at them and never by the file's name."""

from __future__ import annotations

import contextlib
import glob
import gzip
import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pqlkit.errors import DataError, nearest
from pqlkit.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
"""Names that a folder is searched for; a file named directly may be called anything."""

HEAD: Final = 64 * 1024
_FOREIGN: Final = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\xd0\xcf\x11\xe0": "an Excel or Word file",
    b"ORC": "ORC",
    b"Obj\x01": "Avro",
    b"%PDF": "PDF",
    b"SQLite format 3": "an SQLite database",
}


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


def expand(paths: Iterable[str]) -> tuple[Path, ...]:
    """Find the files behind paths, folders (searched by `SUFFIXES`, with subfolders) and globs, sorted, each once.

    Raises
    ------
    DataError
        A path leads to no file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        for file in _files_of(path):
            found.setdefault(file, None)
    return tuple(sorted(found))


def _files_of(path: str) -> list[Path]:
    target = Path(path).expanduser()
    if target.is_dir():
        files = [file for file in target.rglob("*") if _counts(file, target)]
        if not files:
            raise DataError(f"the folder {path} holds no export", hint="looked for " + ", ".join(SUFFIXES[:7]) + " ...")
        return files
    if target.exists():
        return [target]
    matches = [Path(match) for match in glob.glob(str(target), recursive=True)]  # noqa: PTH207 - also of absolute patterns
    files = [match for match in matches if match.is_file()]
    if not files:
        raise DataError(f"no file at {path}", hint=_near(target))
    return files


def _counts(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    return file.is_file() and not hidden and file.name.lower().endswith(SUFFIXES)


def _near(target: Path) -> str:
    with contextlib.suppress(OSError):
        if target.parent.is_dir():
            guess = nearest(target.name, (entry.name for entry in target.parent.iterdir()))
            return f"did you mean {target.parent / guess}?" if guess else f"{target.parent} has no such file"
    return f"the folder {target.parent} does not exist"


def members(path: Path) -> tuple[Member, ...]:
    """List the streams of a file: itself, or the files of a ZIP archive in the order of their names."""
    if _first_bytes(path)[:4] != b"PK\x03\x04":
        return (Member(name=str(path), path=path),)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = sorted(
                (entry for entry in archive.infolist() if not entry.is_dir()), key=lambda entry: entry.filename
            )
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise DataError(f"the ZIP archive is damaged: {error}", where=str(path)) from error
    names = [entry.filename for entry in entries]
    if any(name.startswith("xl/") for name in names):
        raise DataError("this is an Excel workbook", where=str(path), hint="save it as CSV")
    for entry in entries:
        _check_packed(entry, f"{path}!{entry.filename}")
    return tuple(Member(name=f"{path}!{name}", path=path, inner=name) for name in names)


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
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
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
    if head[:2] == b"\x1f\x8b":
        return io.BufferedReader(stack.enter_context(gzip.GzipFile(fileobj=stream)), 1 << 20)
    if head[:4] == b"\x28\xb5\x2f\xfd":
        return stack.enter_context(_unzstd(member, stream, stack))
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            raise DataError(
                f"this is {name}, which is not read", where=member.name, hint="export CSV, Parquet or JSON Lines"
            )
    return stream


def _unzstd(member: Member, stream: IO[bytes], stack: contextlib.ExitStack) -> IO[bytes]:
    # Python before 3.14 has no zstd; Polars has, for lines of UTF-8.
    import polars as pl

    folder = stack.enter_context(scratch())
    source = member.path
    if member.inner is not None:
        source = folder / "member.zst"
        source.write_bytes(stream.read())
    target = folder / "plain"
    try:
        lines = pl.scan_csv(
            source, glob=False, has_header=False, separator="\x01", quote_char=None, schema={"line": pl.String}
        )
        lines.sink_csv(target, include_header=False, separator="\x01", quote_style="never", check_extension=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = "is not UTF-8" if "utf-8" in str(error) else "is damaged"
        raise DataError(
            f"the zstd file {reason}: {error}", where=member.name, hint="decompress it first: zstd -d"
        ) from error
    return target.open("rb")


def kind(member: Member, stream: IO[bytes]) -> Kind:
    """Tell how rows are written from the first bytes of an opened stream; the stream stays at its start.

    Raises
    ------
    DataError
        The file is empty, or one JSON array or indented JSON instead of a row a line.
    """
    head = stream.read(HEAD)
    stream.seek(0)
    if head[:4] == b"PAR1":
        return Kind.PARQUET
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise DataError("the file is empty", where=member.name)
    if text[:1] == b"[":
        raise DataError("this is one JSON array", where=member.name, hint="write one object a line: jq -c '.[]'")
    if text[:1] == b"{":
        if text.split(b"\n", 1)[0].strip() == b"{":
            raise DataError("this JSON is indented", where=member.name, hint="write one object a line: jq -c .")
        return Kind.JSON_LINES
    return Kind.DELIMITED


def fingerprint(path: Path) -> str:
    """Give the SHA-256 of a file's content: the same file under another name is the same file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", where=str(path)) from error
