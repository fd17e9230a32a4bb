"""The web address: one file of a web server, streamed to this machine."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pqlkit.errors import DataError
from pqlkit.exports.sources.address import shown

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK: Final = 1 << 20
_TIMEOUT: Final = 60.0
"""Seconds of silence after which an attempt has failed."""
_TRIES: Final = 5
_AGAIN: Final = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What a server says of a file: its size, and a tag that changes with its content; None where it does not."""

    size: int | None
    tag: str | None


def snapshot(address: str) -> Remote:
    """Ask a server about a file. It is asked for the file itself: signed addresses allow nothing else.

    Raises
    ------
    DataError
        The server refuses or does not answer.
    """
    with _answered(address, 0, None) as answer:
        return _remote(answer)


def fetch(address: str, target: Path) -> None:
    """Stream a file from a server, going on where a connection breaks if the server can.

    Raises
    ------
    DataError
        The server refuses or does not answer, or the connection breaks too often.
    """
    known: Remote | None = None
    failures = 0
    with target.open("wb") as stream:
        while True:
            before = stream.tell()
            try:
                with _answered(address, before, known) as answer:
                    if before and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                        stream.seek(0)
                        stream.truncate()
                    known = known or _remote(answer)
                    while chunk := answer.read(_CHUNK):
                        stream.write(chunk)
                if known.size is None or stream.tell() >= known.size:
                    return
                problem = "the connection broke"
            except (http.client.HTTPException, OSError) as error:
                problem = _reason(error)
            failures = failures + 1 if stream.tell() <= before else 1
            if failures >= _TRIES:
                raise DataError(f"the server stopped in the middle: {problem}", where=shown(address), hint="run again")
            time.sleep(0.2 * 2**failures)


def _answered(address: str, offset: int, known: Remote | None) -> Any:
    request = urllib.request.Request(address, headers={"User-Agent": "pqlkit", "Accept": "*/*"})  # noqa: S310 - checked
    if offset and known is not None and known.tag is not None:
        request.add_header("Range", f"bytes={offset}-")
        request.add_header("If-Range", known.tag)
    for attempt in range(_TRIES):
        try:
            return urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310 - http and https alone come here
        except urllib.error.HTTPError as error:
            error.close()
            if error.code not in _AGAIN or attempt == _TRIES - 1:
                raise DataError(_refusal(error.code), where=shown(address), hint=_HINTS.get(error.code)) from None
        except (http.client.HTTPException, OSError, ValueError) as error:
            if attempt == _TRIES - 1 or isinstance(error, ValueError):
                raise DataError(f"the server does not answer: {_reason(error)}", where=shown(address)) from None
        time.sleep(0.2 * 2**attempt)
    raise AssertionError("the last attempt answers or raises")


_HINTS: Final = {
    401: "it asks for a log-in: use a signed address, or download the file",
    403: "a signed address may have run out: make a new one",
    404: "is the address right?",
}


def _refusal(code: int) -> str:
    return f"the server answers {code} {http.HTTPStatus(code).phrase if code in set(http.HTTPStatus) else ''}".rstrip()


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", error)
    return str(getattr(inner, "strerror", None) or type(inner).__name__).lower()


def _remote(answer: Any) -> Remote:
    headers = answer.headers
    size = headers.get("Content-Length", "")
    return Remote(
        size=int(size) if size.isdigit() else None,
        tag=headers.get("ETag") or headers.get("Last-Modified"),
    )
