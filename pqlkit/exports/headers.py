"""The header: a column's name without what exporters write around it."""

from __future__ import annotations

import re
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_BRACKETS: Final = re.compile(r"^(?P<name>.+?)\s*\((?P<inside>[^()]*)\)\s*$")
_PREFIX: Final = re.compile(r"^[A-Z][A-Za-z]* - ")
_METADATA: Final = "metadata"


def zone_in(name: str) -> str | None:
    """Find the zone that a header names in brackets.

    Examples
    --------
    >>> zone_in("Created (UTC)"), zone_in("user_id (metadata)")
    ('UTC', None)
    """
    match = _BRACKETS.match(name)
    return match["inside"] if match is not None and _is_zone(match["inside"]) else None


def bare(name: str) -> str:
    """Take off a zone in brackets, ``(metadata)`` and a prefix such as ``Deal - ``.

    Examples
    --------
    >>> bare("Created (UTC)"), bare("user_id (metadata)"), bare("Deal - Won time"), bare("Amount (net)")
    ('Created', 'user_id', 'Won time', 'Amount (net)')
    """
    name = name.strip().removeprefix("\ufeff")
    match = _BRACKETS.match(name)
    if match is not None and (_is_zone(match["inside"]) or match["inside"].lower() == _METADATA):
        name = match["name"]
    return _PREFIX.sub("", name)


def folded(name: str) -> str:
    """Fold a column's name for comparison: bare, the last part of a nested one, letters and digits alone.

    Examples
    --------
    >>> folded("properties.Sign-up_Date"), folded("Deal - Won time"), folded("Created (UTC)")
    ('signupdate', 'wontime', 'created')
    """
    return re.sub(r"[^a-z0-9]", "", bare(name).rsplit(".", 1)[-1].lower())


@cache
def _is_zone(text: str) -> bool:
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", text):
        return False
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
