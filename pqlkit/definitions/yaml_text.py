"""The YAML text of a definition: groups with air between them, one criterion a line where it fits.

What a person reads must be what every YAML reader reads: text that could be taken for anything else is quoted, and
characters that cannot be seen (controls, zero-width, right-to-left marks) are escaped.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from pqlkit.definitions.yaml_scalars import Surprise, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pqlkit.typing import Json

_WIDEST: Final = 96
_GROUPS: Final = (
    ("pqlkit", "name", "kind", "version", "title", "owner", "rationale", "status", "review_by"),
    ("entity", "anchor", "within"),
    ("eligible",),
    ("qualify",),
    ("score",),
    ("outcome",),
    ("lead",),
    ("expect",),
    ("evidence",),
)
# Where dates stand: as a group of their own, and within the evidence, whose other texts may look like one.
_DATED: Final = frozenset({"review_by", "evidence"})
_DATES: Final = frozenset({"from", "through"})
_IN_BLOCKS: Final = frozenset({"score", "outcome", "expect", "evidence"})


def write(mapping: Mapping[str, Json]) -> str:
    """Write the mapping of a definition file (`emitting.plain`) as YAML."""
    groups = ([key for key in group if key in mapping] for group in _GROUPS)
    blocks = ["\n".join(line for key in group for line in _top(key, mapping[key])) for group in groups if group]
    return "\n\n".join(blocks) + "\n"


def _top(key: str, value: Any) -> Iterator[str]:
    if key == "qualify":
        yield "qualify:"
        yield from _indented(_items(value) if isinstance(value, list) else _tree(value))
    elif key == "eligible":
        yield "eligible:"
        yield from (f"  - {_flow(item)}" for item in value)
    elif key in _IN_BLOCKS and len(value) > 1 and not any(_key(inner).startswith("?") for inner in value):
        note = "  # written by propose or try, never by hand" if key == "evidence" else ""
        yield f"{key}:{note}"
        yield from (
            f"  {_key(inner)} {_value(part, dates=key in _DATED and _holds_dates(inner, part))}"
            for inner, part in value.items()
        )
    else:
        yield f"{key}: {_value(value, dates=key in _DATED)}"


def _tree(node: Mapping[str, Any]) -> Iterator[str]:
    """Write a node as a block mapping."""
    for key, value in node.items():
        if key in {"all", "any", "of"} and isinstance(value, list):
            yield f"{key}:"
            yield from _indented(_items(value))
        elif key == "n_of" or (key == "not" and not _short(value)):
            yield f"{key}:"
            yield from _indented(_tree(value))
        else:
            yield f"{key}: {_value(value)}"


def _items(nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for node in nodes:
        if _short(node):
            yield f"- {_flow(node)}"
            continue
        first, *rest = _tree(node)
        yield f"- {first}"
        yield from _indented(rest)


def _short(node: Mapping[str, Any]) -> bool:
    """Say whether a leaf reads well on one line."""
    leaf = ("event" in node or "ref" in node) and "say" not in node
    return leaf and (len(node) > 1 or "ref" in node) and len(_flow(node)) <= _WIDEST


def _indented(lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _value(value: Any, *, dates: bool = False) -> str:
    return _scalar(value, flow=False, dates=dates) if not isinstance(value, dict | list) else _flow(value, dates=dates)


def _flow(value: Any, *, dates: bool = False) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{_key(key)} {_flow(part, dates=dates and _holds_dates(key, part))}" for key, part in value.items()
            )
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_flow(part, dates=dates) for part in value) + "]"
    return _scalar(value, flow=True, dates=dates)


def _holds_dates(key: str, value: Any) -> bool:
    return key in _DATES or isinstance(value, dict | list)


def _key(key: str) -> str:
    """Write a key with its colon; one that is too long for YAML's simple keys gets a question mark."""
    text = _text(key, flow=True)
    return f"{text}:" if len(text) < 1000 else f"? {text} :"


def _scalar(value: Any, *, flow: bool, dates: bool) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return _decimal(value)
        case _:
            if dates and isinstance(resolve(value), date):
                return str(value)
            return _text(value, flow=flow)


def _decimal(value: float) -> str:
    """Write a float so that YAML 1.1 and 1.2 both read it as one: with a point, and a sign in the exponent."""
    mantissa, e, exponent = repr(value).partition("e")
    return (mantissa if "." in mantissa else f"{mantissa}.0") + (f"e{exponent}" if e else "")


def _text(text: str, *, flow: bool) -> str:
    """Write text bare where nobody could misread it, else in double quotes with every invisible character escaped."""
    if _bare(text, flow=flow):
        return text
    return "".join(_escaped(character) for character in json.dumps(str(text), ensure_ascii=False))


_INNER: Final = re.compile(r"[\w .@/()+'$%&;!?=<>*-]*")


def _bare(text: str, *, flow: bool) -> bool:
    if not text or len(text) > 500 or not text[0].isalnum() or text[-1] == " " or not text.isprintable():
        return False
    # Within braces PyYAML ends a text at a question mark, which YAML 1.2 does not.
    if (flow and "?" in text) or not _INNER.fullmatch(text if flow else text.replace(",", "")):
        return False
    meant = resolve(text)
    return isinstance(meant, str) and not isinstance(meant, Surprise)


def _escaped(character: str) -> str:
    if character == " " or (character.isprintable() and unicodedata.category(character) != "Cf"):
        return character
    code = ord(character)
    if 0xD800 <= code < 0xE000:  # half of a pair: no file can hold it
        return "\\ufffd"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
