r"""The pattern: regular expressions that every engine reads alike.

Accepted is what RE2 (DuckDB, Spark's and the warehouses' cousins) and Rust's ``regex`` (Polars) have in common and mean
the same by (`measures.patterns` spells out their one difference, that ``\d``, ``\w`` and ``\s`` are ASCII in one and
Unicode in the other). Both run in time linear in the text, so a pattern that passes cannot hang; nothing is ever run here.
Not accepted: look-around, back-references, named groups, possessive quantifiers, ``\b`` (its letters are
ASCII in one and Unicode in the other), set operations in classes.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 1000
"""Characters of a pattern."""

MOST_REPEATS: Final = 200
"""Copies of one piece that counted repetitions, multiplied where they nest, may make."""

DEEPEST: Final = 20
"""Groups inside groups."""

_COUNT: Final = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}", re.ASCII)
_FLAGS: Final = re.compile(r"\?[ims]*(-[ims]+)?:")
_LEADING_FLAGS: Final = re.compile(r"\(\?[ims]+\)")
_CATEGORY: Final = re.compile(r"[pP](?:[LMNPSZ]|\{(?:L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?)\})")
_HEX: Final = re.compile(r"x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,5}\})")
_POSIX: Final = re.compile(r"\[:\^?(?:alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit):\]")
_PUNCTUATION: Final = frozenset("\\.+*?()|[]{}^$-/@#%&=:;,!\"'~` ")


class PatternError(ValueError):
    """A pattern is not of the common subset; `position` is the offending character's, from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def check(pattern: str) -> None:
    r"""Accept a pattern, or say why not.

    Raises
    ------
    PatternError
        It is longer than `LONGEST`, not well formed, or uses what not every engine has.

    Examples
    --------
    >>> check(r"@example\.com$")
    >>> check("(?=x)")
    Traceback (most recent call last):
    ...
    pqlkit.definitions.pattern.PatternError: look-around '(?=' is not available in every engine
    """
    _Scanner(pattern).run()


class _Scanner:
    """Reads a pattern once, left to right, with a stack of open groups."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.repeats = [1]  # the largest product of counted repetitions in each open group
        self.last = 0  # the product of the piece just read; 0 = nothing that a quantifier may follow

    def run(self) -> None:
        if len(self.pattern) > LONGEST:
            raise PatternError(f"a pattern may have {LONGEST} characters", LONGEST)
        leading = _LEADING_FLAGS.match(self.pattern)
        if leading:
            self._pass(leading[0])
        while self.at < len(self.pattern):
            self._step(self.pattern[self.at])
        if len(self.repeats) > 1:
            raise self._error("a '(' is never closed")

    def _step(self, character: str) -> None:
        match character:
            case "(":
                self._open()
            case ")":
                self._close()
            case "[":
                self._class()
                self._seen(1)
            case "\\":
                self._escape()
            case "*" | "+" | "?" | "{":
                self._quantifier(character)
            case "|" | "^" | "$":
                self._pass(character)
                self.last = 0
            case _:
                self._pass(character)
                self._seen(1)

    def _pass(self, text: str) -> None:
        self.at += len(text)

    def _seen(self, repeats: int) -> None:
        self.last = repeats
        self.repeats[-1] = max(self.repeats[-1], repeats)

    def _open(self) -> None:
        if len(self.repeats) > DEEPEST:
            raise self._error(f"groups are nested more than {DEEPEST} deep")
        rest = self.pattern[self.at + 1 : self.at + 12]
        if rest.startswith("?"):
            flags = _FLAGS.match(rest)
            if flags is None:
                raise self._error(_group_message(rest))
            self._pass("(" + flags[0])
        else:
            self._pass("(")
        self.repeats.append(1)
        self.last = 0

    def _close(self) -> None:
        if len(self.repeats) == 1:
            raise self._error("a ')' closes nothing")
        self._pass(")")
        self._seen(self.repeats.pop())

    def _quantifier(self, character: str) -> None:
        count = _COUNT.match(self.pattern, self.at) if character == "{" else None
        if character == "{" and count is None:
            raise self._error("a bare '{' must be written '\\{'")
        if self.last == 0:
            raise self._error(f"{character!r} has nothing to repeat")
        if count is not None:
            self._counted(count)
        self._pass(count[0] if count is not None else character)
        if self.pattern[self.at : self.at + 1] == "?":
            self._pass("?")
        self.last = 0

    def _counted(self, count: re.Match[str]) -> None:
        low = int(count[1])
        high = int(count[3]) if count[3] else low
        if high < low:
            raise self._error(f"{count[0]} counts down")
        repeats = self.last * max(low, high, 1)
        if repeats > MOST_REPEATS:
            raise self._error(f"{count[0]} repeats too much: at most {MOST_REPEATS} copies")
        self._seen(repeats)

    def _escape(self) -> None:
        rest = self.pattern[self.at + 1 : self.at + 12]
        letter = rest[:1]
        if letter and letter in "bB":
            raise self._error(f"'\\{letter}' is not the same in every engine: write (^|[^0-9A-Za-z_])")
        self._pass("\\" + (letter if letter and letter in "dDwWsS" else self._literal_escape(rest)))
        self._seen(1)

    def _literal_escape(self, rest: str) -> str:
        """Give the escape (without its backslash) that stands for one character or category in both dialects."""
        for form in (_CATEGORY, _HEX):
            if match := form.match(rest):
                return match[0]
        if not rest:
            raise self._error("a '\\' at the end escapes nothing")
        if rest[0] in "123456789":
            raise self._error("back-references are not available in every engine")
        if rest[0] not in _PUNCTUATION and rest[0] not in "tnrf":
            raise self._error(f"the escape '\\{rest[0]}' is not available in every engine")
        return rest[0]

    def _class(self) -> None:
        start = self.at
        self._pass("[^" if self.pattern.startswith("[^", start) else "[")
        empty = True
        while True:
            if self.at >= len(self.pattern):
                raise PatternError("a '[' is never closed", start)
            if self.pattern[self.at] == "]":
                break
            self._class_item()
            empty = False
        if empty:
            raise PatternError("an empty class [] matches nothing", start)
        self._pass("]")

    def _class_item(self) -> None:
        if posix := _POSIX.match(self.pattern, self.at):
            self._pass(posix[0])
            return
        low = self._class_character()
        follows = self.pattern[self.at : self.at + 2]
        if follows[:1] != "-" or follows[1:] in {"]", ""}:
            return
        self._pass("-")
        high = self._class_character()
        if low is None or high is None:
            raise self._error("a range in [...] must run between two plain characters")
        if high < low:
            raise self._error(f"the range {low}-{high} runs backwards")

    def _class_character(self) -> str | None:
        """Read one member; give the character it stands for, None if it stands for several or is spelled by number."""
        character = self.pattern[self.at : self.at + 1]
        if character in {"[", "^", ""} or self.pattern[self.at : self.at + 2] in {"&&", "--", "~~"}:
            raise self._error(f"{character!r} inside [...] must be escaped")
        if character != "\\":
            self._pass(character)
            return character
        rest = self.pattern[self.at + 1 : self.at + 12]
        if rest[:1] in {"d", "w", "s"}:
            self._pass(self.pattern[self.at : self.at + 2])
            return None
        escape = self._literal_escape(rest)
        self._pass("\\" + escape)
        return escape if len(escape) == 1 and escape not in "tnrf" else None

    def _error(self, message: str) -> PatternError:
        return PatternError(message, self.at)


def _group_message(rest: str) -> str:
    for start in ("?=", "?!", "?<=", "?<!"):
        if rest.startswith(start):
            return f"look-around '({start}' is not available in every engine"
    if rest.startswith(("?P<", "?<", "?P=")):
        return "named groups are not needed: write '(...)'"
    return f"the group '({rest[:3]}' is not available in every engine"
