"""The address: where an export lies that is no path on this machine, and what of it may be shown."""

from __future__ import annotations

import re
from typing import Final

from pqlkit.errors import UsageError

STORES: Final = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")
"""Schemes of object stores."""
WEB: Final = ("https", "http")
"""Schemes of web servers."""

_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_DATABASES: Final = (".duckdb", ".ddb", ".sqlite", ".sqlite3", ".db")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SECRET: Final = re.compile(r"[^:/]+://[^/]*:[^/]*@")


def scheme(text: str) -> str | None:
    """Give the scheme of an address in lower case, or None of a path.

    Examples
    --------
    >>> scheme("S3://acme/events/*.csv"), scheme("exports/events.csv")
    ('s3', None)
    """
    match = _SCHEME.match(text)
    return match[1].lower() if match is not None else None


def inside(text: str) -> tuple[str, str | None, str | None]:
    """Take ``FILE!NAME`` apart: a workbook's sheet or a database file's table, as messages call it.

    Returns
    -------
    tuple
        The path or address, the sheet, and the table.

    Examples
    --------
    >>> inside("users.xlsx!Users"), inside("app.duckdb!events"), inside("odd!name.csv")
    (('users.xlsx', 'Users', None), ('app.duckdb', None, 'events'), ('odd!name.csv', None, None))
    """
    place, mark, name = text.rpartition("!")
    if not mark or not name:
        return text, None, None
    if place.lower().endswith(_WORKBOOKS):
        return place, name, None
    return (place, None, name) if place.lower().endswith(_DATABASES) else (text, None, None)


def shown(text: str) -> str:
    """Give what may be shown of a checked address: without the query, which may hold a signature.

    Examples
    --------
    >>> shown("https://acme.test/users.csv?sig=1f2e"), shown("s3://acme/what?.csv")
    ('https://acme.test/users.csv', 's3://acme/what?.csv')
    """
    return re.split(r"[?#]", text, maxsplit=1)[0] if scheme(text) in WEB else text


def check_address(text: str) -> None:
    """Refuse addresses that are not read, and those that hold a password; a path is none.

    Raises
    ------
    UsageError
        The message has the scheme and nothing else of the address.
    """
    kind = scheme(text)
    if kind is None:
        return
    if kind in STORES or kind in WEB:
        if _SECRET.match(text) or (kind in WEB and "@" in text.split("/", 3)[2]):
            raise UsageError(
                f"an address with a user or a password in it ({kind}://...) is not read",
                hint="give the password through the environment; a signed https:// address needs none",
            )
        return
    if kind == "file":
        raise UsageError("file:// addresses are not read", hint="write the path alone")
    if kind in ("postgres", "postgresql", "redshift"):
        raise UsageError(
            "a database's address is a secret, and does not belong here",
            hint='put it into an environment variable: connection: {env: NAME}, query: "select ..."',
        )
    known = ", ".join(f"{name}://" for name in ("s3", "gs", "az", "abfss", "https"))
    raise UsageError(f"addresses of {kind}:// are not read", hint=f"write one of {known}, or connection: {{env: NAME}}")
