"""The pattern: a regular expression in the RE2 subset, spelled so that every engine reads it alike."""

from __future__ import annotations

from typing import Final

_CLASSES: Final = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_SET_SYNTAX: Final = frozenset("[&~")


def portable(pattern: str) -> str:
    r"""Spell out what engines read differently: ``\d``, ``\w``, ``\s`` and ``\b`` are ASCII in RE2 and Unicode elsewhere.

    Characters that mean set operations to some engines inside a class are escaped.

    Examples
    --------
    >>> print(portable(r"^\d+[\w.]*[[]$"))
    ^[0-9]+[0-9A-Za-z_.]*[\[]$
    """
    pieces: list[str] = []
    position, inside, first = 0, False, 0
    while position < len(pattern):
        letter = pattern[position]
        if letter == "\\" and position + 1 < len(pattern):
            pieces.append(_escape(pattern[position + 1], inside=inside))
            position += 2
            continue
        named = pattern.find(":]", position) if inside and pattern.startswith("[:", position) else -1
        if named >= 0:
            pieces.append(pattern[position : named + 2])
            position = named + 2
            continue
        if not inside and letter == "[":
            inside = True
            first = position + 1 + pattern.startswith("^", position + 1)
            pieces.append(pattern[position:first])
            position = first
            continue
        if inside and letter == "]" and position > first:
            inside = False
        elif inside and (letter in _SET_SYNTAX or letter == "]"):
            letter = "\\" + letter
        pieces.append(letter)
        position += 1
    return "".join(pieces)


def _escape(letter: str, *, inside: bool) -> str:
    if letter in _CLASSES:
        return _CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES and not inside:
        return f"[^{_CLASSES[letter.lower()]}]"
    return "\\" + letter
