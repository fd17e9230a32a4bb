"""The bare scalar: what YAML text without quotes stands for.

Bare text is read by YAML 1.2's core rules plus dates. What YAML 1.1 tools read as something else (``yes``, ``12:30``,
``010``, ``1_000``, ``0x1F``, ``1e3``, ``.nan``) stays the text that was written, as a `Surprise`, so that a reader can say
"quote it".

References
----------
YAML Ain't Markup Language, version 1.2.2, section 10.3 (core schema); version 1.1, type repository (bool, int, float,
timestamp, merge).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, TypeAlias

Yaml: TypeAlias = "dict[str, Yaml] | list[Yaml] | str | int | float | bool | date | None"
"""What a document holds. Text may be a `Surprise`, keys too."""


class Surprise(str):
    """Bare text that YAML 1.1 tools take for something else; `meaning` says for what: ``true``, ``the number 8``."""

    __slots__ = ("meaning",)
    meaning: str

    @classmethod
    def of(cls, text: str, meaning: str) -> Surprise:
        """Flag `text`."""
        surprise = cls(text)
        surprise.meaning = meaning
        return surprise


_NULL: Final = re.compile(r"~|null|Null|NULL|")
_BOOL: Final = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_OLD_BOOL: Final = re.compile(r"(y|yes|on)|n|no|off", re.IGNORECASE)
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"([-+]?(0|[1-9][0-9]{0,17}))?\.[0-9]{0,30}([eE][-+][0-9]{1,3})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OCTAL: Final = re.compile(r"[-+]?0o?([0-7_]+)")
_RADIX: Final = re.compile(r"[-+]?0(x[0-9a-fA-F_]+|b[01_]+)")
_TIME: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_TIMESTAMP: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_NUMBER: Final = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?")
_SPECIAL: Final = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)


def resolve(text: str) -> Yaml:
    """Read bare text by YAML 1.2's core rules and as a date; flag what YAML 1.1 reads differently."""
    if _NULL.fullmatch(text):
        return None
    if match := _BOOL.fullmatch(text):
        return match[1] is not None
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) > 1 and any(map(str.isdigit, text)) and _DECIMAL.fullmatch(text):
        number = float(text)
        return number if abs(number) < 1e300 else Surprise.of(text, "infinity")
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return Surprise.of(text, "a date that does not exist")
    meaning = _old_meaning(text)
    return text if meaning is None else Surprise.of(text, meaning)


def _old_meaning(text: str) -> str | None:
    """Say what YAML 1.1 tools take bare `text` for, or None if for text."""
    if match := _OLD_BOOL.fullmatch(text):
        return "true" if match[1] else "false"
    if len(text) > 40 or not any(character.isdigit() or character == "." for character in text):
        return None
    if match := _OCTAL.fullmatch(text):
        digits = match[1].replace("_", "")
        return f"the number {int(digits or '0', 8)}"
    if _TIME.fullmatch(text):
        return "a number in base 60"
    if _TIMESTAMP.fullmatch(text):
        return "a moment in time"
    if _SPECIAL.fullmatch(text):
        return "infinity or not a number"
    if _RADIX.fullmatch(text) or _NUMBER.fullmatch(text):
        return "a number"
    return None


def meaning_of(value: Yaml) -> str:
    """Name what a bare key was read as."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case date():
            return "a date"
        case _:
            return "a number"
