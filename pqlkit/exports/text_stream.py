"""The text stream: an export's bytes as chunks of whole lines in UTF-8, whatever encoding they came in."""

from __future__ import annotations

import codecs
from typing import IO, TYPE_CHECKING, Final

from pqlkit.exports.batch import CHUNK, LONGEST_ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

ENCODINGS: Final = ("utf-8", "latin-1", "cp1252", "utf-16")

_WIDE: Final = ("utf-16", "utf-16-le", "utf-16-be")
_WESTERN: Final = {
    code: bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
"""What Windows writes where latin-1 has control characters: the euro sign, dashes, quotation marks."""


def blocks(stream: IO[bytes], encoding: str | None, *, narrow: str | None = None) -> Iterator[bytes]:
    """Yield the stream as blocks of UTF-8, in order; line ends of old Macs become newlines.

    UTF-16 is known by its byte order mark, or by the zeros of its plain letters. Otherwise the first block with a byte above
    127 decides: UTF-8, unless more of its lines are wrong than right as UTF-8; then Windows-1252. Lines that are not UTF-8 in
    a UTF-8 file stay as they are, for the reader to reject.

    Parameters
    ----------
    stream
        The decompressed bytes.
    encoding
        As stated; None = told from the bytes.
    narrow
        What a text is that is not UTF-16; None = told from the bytes.
    """
    head = stream.read(CHUNK)
    encoding = encoding or wide_encoding(head) or narrow
    texts = _decoded(head, stream, encoding) if encoding in _WIDE else _narrow(head, stream, encoding)
    returns = None
    for block in texts:
        if returns is None and block:
            returns = b"\r" in block and b"\n" not in block
        yield block.replace(b"\r", b"\n") if returns else block


def wide_encoding(head: bytes) -> str | None:
    """Tell UTF-16 from its first bytes; None where they are of another encoding."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = head[:1024]
    for name, zeros, letters in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if len(start) >= 8 and 4 * zeros.count(0) > 3 * len(zeros) and b"\0" not in letters:
            return name
    return None


def head_text(head: bytes) -> bytes:
    """Give the first bytes of a text as UTF-8, without a byte order mark."""
    wide = wide_encoding(head)
    if wide is None:
        return head.removeprefix(codecs.BOM_UTF8)
    return head[: len(head) // 2 * 2].decode(wide, "replace").removeprefix("\ufeff").encode("utf-8", "replace")


def _narrow(head: bytes, stream: IO[bytes], encoding: str | None) -> Iterator[bytes]:
    head = head.removeprefix(codecs.BOM_UTF8)
    while head:
        if encoding is None and not head.isascii():
            encoding = guess_encoding(head)
        match encoding:
            case "latin-1":
                yield head.decode("latin-1").encode()
            case "cp1252":
                yield head.decode("latin-1").translate(_WESTERN).encode()
            case _:
                yield head
        head = stream.read(CHUNK)


def _decoded(head: bytes, stream: IO[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while head:
        yield decoder.decode(head).removeprefix("\ufeff").encode("utf-8", "replace")
        head = stream.read(CHUNK)
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def guess_encoding(block: bytes) -> str:
    """Tell UTF-8 from Windows-1252 by the lines that hold bytes above 127; a cut last line does not count."""
    parts = block.split(b"\n")
    lines = [line for line in (parts[:-1] if len(block) >= CHUNK else parts) if not line.isascii()]
    wrong = sum(1 for line in lines[:10_000] if not is_utf8(line))
    return "cp1252" if 2 * wrong > min(len(lines), 10_000) else "utf-8"


def is_utf8(line: bytes) -> bool:
    """Tell whether bytes are UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def line_chunks(
    stream: IO[bytes], encoding: str | None = None, *, narrow: str | None = None
) -> Iterator[tuple[bytes, bool]]:
    r"""Yield ``(whole lines, last)``: chunks that end in ``\n`` (the last one may not), with a flag on the last.

    A line longer than `LONGEST_ROW` comes as a chunk of its own, cut.
    """
    rest = b""
    for block in blocks(stream, encoding, narrow=narrow):
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
