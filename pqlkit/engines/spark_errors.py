"""What a Spark server refuses, in a sentence that says what to do, with no secret in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pqlkit.engines.base import TABLE
from pqlkit.errors import DataError, EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECRET: Final = re.compile(r"(?i)\b(token|password|secret|sig|[a-z_-]*key)=[^;&\s]*")
_BEARER: Final = re.compile(r"(?i)\bbearer\s+\S+")
_SIGNED_IN: Final = re.compile(r"://[^/@\s]+@")
_NO_TABLE: Final = (
    "TABLE_OR_VIEW_NOT_FOUND",
    "SCHEMA_NOT_FOUND",
    "CATALOG_NOT_FOUND",
    "NO_SUCH_CATALOG",
    "Table not found",
)
_NO_FILE: Final = ("PATH_NOT_FOUND", "No such file", "not found")
_NO_RIGHT: Final = (
    "PERMISSION",
    "UNAUTHENTICATED",
    "Access Denied",
    "AccessDenied",
    "Unauthorized",
    "Forbidden",
    "privilege",
)
_LONGEST: Final = 300


def secret_in(address: str) -> bool:
    """Whether an address has a token or password in it.

    Examples
    --------
    >>> secret_in("sc://host:443/;use_ssl=true;token=abc"), secret_in("sc://host:15002")
    (True, False)
    """
    return without_secrets(address) != address


def without_secrets(text: str) -> str:
    """Take tokens, passwords and keys out of a text.

    Examples
    --------
    >>> without_secrets("sc://me:pw@host/;token=abc;user_id=x")
    'sc://***@host/;token=***;user_id=x'
    """
    text = _SECRET.sub(r"\1=***", _SIGNED_IN.sub("://***@", text))
    return _BEARER.sub("Bearer ***", text)


def refused(error: Exception, *, where: str | None = None) -> EngineError:
    """Say what a server refused."""
    told = _told(error)
    if any(word in told for word in _NO_RIGHT):
        hint = "ask whoever runs the server for the right to do this, or sign in by the token in SPARK_REMOTE"
    elif "UNAVAILABLE" in told or "failed to connect" in told:
        hint = "the server was there and is gone: start it again"
    else:
        hint = None
    return EngineError(f"Spark cannot do that: {told}", where=where, hint=hint)


def unreadable(error: Exception, paths: Sequence[str]) -> DataError | EngineError:
    """Say why a table or files cannot be read."""
    told, where = _told(error), without_secrets(paths[0].removeprefix(TABLE))
    if any(word in told for word in _NO_RIGHT):
        return DataError(f"Spark may not read it: {told}", where=where, hint="ask for the right to read it")
    if "UNAVAILABLE" in told:
        return refused(error)
    if paths[0].startswith(TABLE):
        if any(word in told for word in _NO_TABLE):
            return DataError(
                "there is no such table", where=where, hint="name it as the cluster does: catalog.schema.table"
            )
        return DataError(f"Spark cannot read the table: {told}", where=where)
    if any(word in told for word in _NO_FILE):
        return missing(paths)
    if "Nanosecond" in told or "NANOS" in told:
        hint = "load the export (`pqlkit load`), or write its times in microseconds"
        return DataError("Spark reads no times in nanoseconds", where=where, hint=hint)
    hint = "load the export: every engine reads what `pqlkit load` writes"
    return DataError(f"not a readable Parquet file: {told}", where=where, hint=hint)


def missing(paths: Sequence[str]) -> DataError:
    """Say that the cluster finds no file."""
    hint = "the cluster looks for it, not this machine: name a place that it sees"
    return DataError("the file does not exist", where=without_secrets(paths[0]), hint=hint)


def _told(error: Any) -> str:
    """Give the first line of a message, which says what is wrong; the others are the server's own."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return without_secrets(lines[0] if lines else type(error).__name__)[:_LONGEST]
