"""The foreign file: what a file is that is no export, told by its first bytes, and what to do with it."""

from __future__ import annotations

import json
import re
from typing import Final

from pqlkit.errors import DataError
from pqlkit.inert import visible

_EXPORT: Final = "export CSV, Parquet or JSON Lines"
SQLITE: Final = b"SQLite format 3\0"
"""How a file of SQLite begins."""

DUCKDB: Final = b"DUCK"
"""What a file of DuckDB holds from its ninth byte on."""

_DATABASE: Final = "name its table in pqlkit.yml: {path: FILE, table: NAME}"
_MAGICS: Final[tuple[tuple[int, bytes, str, str], ...]] = (
    (0, b"BZh", "a bzip2 file", "decompress it first: bunzip2"),
    (0, b"\xfd7zXZ", "an xz file", "decompress it first: unxz"),
    (0, b"\x04\x22\x4d\x18", "an lz4 file", "decompress it first: lz4 -d"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (0, b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (257, b"ustar", "a tar archive", "unpack it first: tar -xf FILE"),
    (0, b"\xd0\xcf\x11\xe0", "an Excel or Word file", "save it as CSV"),
    (0, b"{\\rtf", "a rich text document", _EXPORT),
    (0, b"ORC", "an ORC file", _EXPORT),
    (0, b"Obj\x01", "an Avro file", _EXPORT),
    (0, b"ARROW1", "an Arrow (Feather) file", "write it as Parquet"),
    (0, b"\x89HDF\r\n", "an HDF5 file", _EXPORT),
    (0, b"%PDF", "a PDF document", _EXPORT),
    (0, SQLITE, "an SQLite database", _DATABASE),
    (8, DUCKDB, "a DuckDB database", _DATABASE),
    (0, b"PGDMP", "a PostgreSQL dump", "copy the table out: \\copy (select ...) to 'table.csv' csv header"),
    (0, b"\x89PNG", "an image (PNG)", _EXPORT),
    (0, b"\xff\xd8\xff", "an image (JPEG)", _EXPORT),
    (0, b"GIF8", "an image (GIF)", _EXPORT),
    (8, b"WEBP", "an image (WebP)", _EXPORT),
    (0, b"II*\0", "an image (TIFF)", _EXPORT),
    (0, b"MM\0*", "an image (TIFF)", _EXPORT),
    (0, b"\x7fELF", "a program", _EXPORT),
    (0, b"MZ\x90\0", "a program", _EXPORT),
)  # fmt: skip
"""Offset, bytes there, what the file is, what to do."""

_LFS: Final = b"version https://git-lfs.github.com/spec/"
_ANNEX: Final = (b"/annex/objects/", b"../.git/annex/objects/", b".git/annex/objects/")
_DUMP: Final = re.compile(
    rb"\s*(?:--\s*(?:PostgreSQL|MySQL|MariaDB|SQLite|Dump)|create\s+table\b|insert\s+into\b)", re.I
)
_TITLE: Final = re.compile(rb"(?is)<title[^>]*>(.*?)</title>")
_CODE: Final = re.compile(rb"(?is)<code>\s*([\w. -]{1,80})\s*</code>")
_WRAPPED: Final = re.compile(rb'\{\s*"(\w{1,40})"\s*:\s*\[\s*\{')
_ANSWER: Final = frozenset(
    {"error", "errors", "message", "code", "status", "statuscode", "detail", "details", "type", "title", "reason", "request_id",
     "requestid", "error_description", "success", "ok"}
)  # fmt: skip
"""Keys of an object by which a server says that it did not do what was asked."""
_FAILED: Final = frozenset({"error", "errors", "message", "detail", "reason"})
_LOOKED_AT: Final = 4096
_CONTROLS: Final = bytes(range(32)).translate(None, b"\0\x01\t\n\r\f\x1b\x1a\x1c\x1d\x1e\x1f")
"""Bytes that no text has: not those that some programs separate fields and rows with."""


def check_foreign(head: bytes, name: str) -> None:
    """Refuse a file that is no export.

    Parameters
    ----------
    head
        Its first bytes, decompressed: some thousand, or all.
    name
        How errors call it.

    Raises
    ------
    DataError
        It is something else, which the message names; its bytes are never shown.
    """
    told = foreign(head)
    if told is not None:
        what, hint = told
        raise DataError(f"this is {what}, not an export", where=name, hint=hint)


def foreign(head: bytes) -> tuple[str, str] | None:
    """Tell what a file is that is no export, and what to do with it; None for what may be one."""
    return _binary(head) or _text(head.removeprefix(b"\xef\xbb\xbf").lstrip())


def _binary(head: bytes) -> tuple[str, str] | None:
    for offset, magic, what, hint in _MAGICS:
        if head[offset : offset + len(magic)] == magic:
            return what, hint
    some = head[:_LOOKED_AT]
    controls = len(some) - len(some.translate(None, _CONTROLS))
    if some[:4] != b"PAR1" and not some.startswith((b"\xff\xfe", b"\xfe\xff")) and controls * 20 > len(some):
        return "binary data", _EXPORT
    return None


def _text(text: bytes) -> tuple[str, str] | None:
    if text.startswith(_LFS):
        return "a git-lfs pointer", "the file itself is elsewhere: git lfs pull"
    if text.startswith(_ANNEX):
        return "a git-annex pointer", "the file itself is elsewhere: git annex get"
    if text.startswith(b"<"):
        return _markup(text)
    if text.startswith(b"{") and b"\n" not in text.strip():
        return _one_object(text.strip())
    if _DUMP.match(text):
        return "an SQL dump", "copy the table out as CSV: \\copy (select ...) to 'table.csv' csv header"
    return None


def _markup(text: bytes) -> tuple[str, str] | None:
    start = text[:_LOOKED_AT].lower()
    if b"<html" in start or start.startswith(b"<!doctype html"):
        title = _TITLE.search(text)
        called = f" ({_shown(title[1])})" if title is not None and title[1].strip() else ""
        return (
            f"an HTML page{called}",
            "the download was answered with a page, often a login: download it while logged in",
        )
    if not start.startswith((b"<?xml", b"<!")) and not (
        re.match(rb"<[a-z_]", start) and (b"</" in start or b"/>" in start)
    ):
        return None
    code = _CODE.search(text[:_LOOKED_AT])
    if code is not None and b"<error" in start:
        return (
            f"an error that a server answered ({_shown(code[1])})",
            "the link may have run out, or the right to read is missing",
        )
    if b"excel.sheet" in start or b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        return "an Excel workbook in XML", "save it as CSV or .xlsx"
    return "an XML document", _EXPORT


def _one_object(text: bytes) -> tuple[str, str] | None:
    """Tell one object that is no row: a server's refusal, or a page of results around the rows."""
    wrapped = _WRAPPED.match(text)
    if wrapped is not None:
        key = wrapped[1].decode()
        return f"one object around a list ({key!r})", f"write one object of the list a line: jq -c '.{key}[]'"
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    keys = {str(key).lower() for key in answer} if isinstance(answer, dict) else set()
    if not keys or not keys <= _ANSWER or not keys & _FAILED:
        return None
    said = next((value for key, value in answer.items() if str(key).lower() in _FAILED and isinstance(value, str)), "")
    return "an error that a server answered" + (
        f" ({_shown(said.encode())})" if said else ""
    ), "ask for the export again"


def _shown(text: bytes) -> str:
    return visible(" ".join(text.decode("utf-8", "replace").split()), 80)
