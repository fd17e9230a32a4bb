"""The next command: every command line that a result prints, with the options that were given of what it is about."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pqlkit.inert import tame, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.definitions.model import Definition

SHOWN: Final = frozenset({"top", "by", "compare"})
"""Options of what is shown, which belong to the one result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """How the running command was called.

    Parameters
    ----------
    command
        Its name; None in a notebook.
    given
        Option -> what the command line gave; empty in a notebook.
    """

    command: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)

    def next(self, command: str, *words: str, without: frozenset[str] = frozenset()) -> str:
        """Write a command line that runs as printed.

        Parameters
        ----------
        command
            A key of `pqlkit.options.commands.RECORDS`.
        words
            What follows the options that are repeated: those of the data, of the snapshots and of who is looked at, as far as
            the command takes them; of the running command those of its search, too.
        without
            Options that are not repeated.

        Examples
        --------
        >>> Invocation(given={"data": "my data", "top": 5}).next("propose", "--name", "first")
        "pqlkit propose --data 'my data' --name first"
        """
        from pqlkit.options.commands import command_options
        from pqlkit.options.data import DATA
        from pqlkit.options.search import SEARCH
        from pqlkit.options.settings import SNAPSHOTS

        panels = {DATA, SNAPSHOTS, *([SEARCH] if command == self.command else [])}
        known = command_options(command)
        repeated: list[str] = []
        for name, value in self.given.items():
            option = known.get(name)
            if option is not None and option.panel in panels and name not in SHOWN | without:
                for part in value if isinstance(value, list | tuple) else [value]:
                    if option.flag not in words:
                        repeated += [option.flag] if part is True else [option.flag, _written(part)]
        return shlex.join(["pqlkit", command, *map(tame, [*repeated, *words])])


def _written(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def file_of(definition: Definition) -> str:
    """Give the file of a definition as a printed command names it: its own, else the one that its name stands for."""
    return visible(str(definition.path or f"definitions/{definition.name}.yml"), 200)


def following(lines: Sequence[str], width: int = 79) -> list[str]:
    """Set command lines as what comes next, the first behind the word."""
    said = [text for line in lines for text in broken(line, " " * 14, width)]
    return [f"  {'Next':<10}  {said[0].lstrip()}", *said[1:]] if said else []


def broken(line: str, indent: str, width: int = 79) -> list[str]:
    r"""Break a command line between its words, with backslashes, so that it still runs as printed.

    Examples
    --------
    >>> broken("pqlkit try --data dataset 'login >= 10 in 14d'", "  ", 34)
    ['  pqlkit try --data dataset \\', "    'login >= 10 in 14d'"]
    """
    if len(indent) + len(line) <= width:
        return [f"{indent}{line}"]
    lines: list[str] = []
    held: Sequence[str] = ()
    for word in _words(line, width - 8):
        text = " ".join([*held, word])
        start = indent if not lines else "    "
        if held and len(start) + len(text) > width - 2:
            lines.append(f"{start}{' '.join(held)} \\")
            held = (word,)
        else:
            held = (*held, word)
    lines.append(f"{indent if not lines else '    '}{' '.join(held)}")
    return "\n".join(lines).split("\n")


def _words(line: str, room: int) -> list[str]:
    """Split at the blanks that stand outside of quotes; an option keeps its value beside it.

    A hypothesis that is longer than a line goes on in the next, between two of its own words.
    """
    words: list[str] = []
    plain = shlex.split(line)
    for place, word in enumerate(plain):
        folded = plain[1] == "try" and place == len(plain) - 1 and len(word) > room
        quoted = shlex.quote(_folded(word, room) if folded else word)
        if words and words[-1].startswith("-") and " " not in words[-1] and not word.startswith("-"):
            words[-1] = f"{words[-1]} {quoted}"
        else:
            words.append(quoted)
    return words


def _folded(text: str, room: int) -> str:
    """Break a hypothesis between its words; what stands in double quotes is one."""
    lines: list[str] = []
    for word in re.findall(r'"(?:[^"\\]|\\.)*"|\S+', text):
        if lines and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n    ".join(lines)
