"""The text stream: an export's bytes as chunks of whole lines in UTF-8, whatever encoding they came in."""

from __future__ import annotations

import codecs
from typing import IO, TYPE_CHECKING, Final

from pqlkit.exports.batch import CHUNK, LONGEST_ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

ENCODINGS: Final = ("utf-8", "latin-1", "utf-16")


def blocks(stream: IO[bytes], encoding: str | None) -> Iterator[bytes]:
    """Yield the stream as blocks of UTF-8, in order.

    UTF-16 is known by its byte order mark. Otherwise the first block with a byte above 127 decides: UTF-8, unless more of
    its lines are wrong than right as UTF-8; then latin-1. Lines that are not UTF-8 in a UTF-8 file stay as they are, for the
    reader to reject.
    """
    head = stream.read(CHUNK)
    if encoding == "utf-16" or (encoding is None and head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from _decoded(head, stream, "utf-16")
        return
    head = head.removeprefix(codecs.BOM_UTF8)
    while head:
        if encoding is None and not head.isascii():
            encoding = guess_encoding(head)
        yield head.decode("latin-1").encode() if encoding == "latin-1" else head
        head = stream.read(CHUNK)


def _decoded(head: bytes, stream: IO[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while head:
        yield decoder.decode(head).removeprefix("\ufeff").encode("utf-8", "replace")
        head = stream.read(CHUNK)
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def guess_encoding(block: bytes) -> str:
    """Tell UTF-8 from latin-1 by the lines that hold bytes above 127; a cut last line does not count."""
    parts = block.split(b"\n")
    lines = [line for line in (parts[:-1] if len(block) >= CHUNK else parts) if not line.isascii()]
    wrong = sum(1 for line in lines[:10_000] if not is_utf8(line))
    return "latin-1" if 2 * wrong > min(len(lines), 10_000) else "utf-8"


def is_utf8(line: bytes) -> bool:
    """Tell whether bytes are UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def line_chunks(stream: IO[bytes], encoding: str | None = None) -> Iterator[tuple[bytes, bool]]:
    r"""Yield ``(whole lines, last)``: chunks that end in ``\n`` (the last one may not), with a flag on the last.

    A line longer than `LONGEST_ROW` comes as a chunk of its own, cut.
    """
    rest = b""
    for block in blocks(stream, encoding):
        cut = block.rfind(b"\n") + 1
        if not cut:
            rest += block
            if len(rest) > 2 * LONGEST_ROW:
                # The line goes on; its first part is enough to reject it.
                rest = rest[: LONGEST_ROW + 1]
            continue
        yield rest + block[:cut], False
        rest = block[cut:]
    yield rest, True
