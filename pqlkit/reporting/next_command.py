"""The next command: every command line that a result prints, with the options that were given of what it is about."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOWN: Final = frozenset({"top", "by", "compare"})
"""Options of what is shown, which belong to the one result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """How the running command was called.

    Parameters
    ----------
    given
        Option -> what the command line gave; empty in a notebook.
    """

    given: Mapping[str, Any] = field(default_factory=dict)

    def next(self, command: str, *words: str) -> str:
        """Write a command line that runs as printed.

        Parameters
        ----------
        command
            A key of `pqlkit.options.commands.RECORDS`.
        words
            What follows the options that are repeated: those of the data, of the snapshots and of who is looked at, as far as
            the command takes them.

        Examples
        --------
        >>> Invocation(given={"data": "my data", "top": 5}).next("propose", "--name", "first")
        "pqlkit propose --data 'my data' --name first"
        """
        from pqlkit.options.commands import command_options
        from pqlkit.options.data import DATA
        from pqlkit.options.settings import SNAPSHOTS

        known = command_options(command)
        repeated: list[str] = []
        for name, value in self.given.items():
            option = known.get(name)
            if option is not None and option.panel in {DATA, SNAPSHOTS} and name not in SHOWN:
                for part in value if isinstance(value, list | tuple) else [value]:
                    if option.flag not in words:
                        repeated += [option.flag] if part is True else [option.flag, _written(part)]
        return shlex.join(["pqlkit", command, *repeated, *words])


def _written(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def broken(line: str, indent: str, width: int = 79) -> list[str]:
    r"""Break a command line between its words, with backslashes, so that it still runs as printed.

    Examples
    --------
    >>> broken("pqlkit try --data dataset 'login >= 10 in 14d'", "  ", 34)
    ['  pqlkit try --data dataset \\', "    'login >= 10 in 14d'"]
    """
    lines: list[str] = []
    held: Sequence[str] = ()
    for word in _words(line):
        text = " ".join([*held, word])
        start = indent if not lines else f"{indent}  "
        if held and len(start) + len(text) > width - 2:
            lines.append(f"{start}{' '.join(held)} \\")
            held = (word,)
        else:
            held = (*held, word)
    return [*lines, f"{indent if not lines else f'{indent}  '}{' '.join(held)}"]


def _words(line: str) -> list[str]:
    """Split at the blanks that stand outside of quotes; an option keeps its value beside it."""
    words: list[str] = []
    for word in shlex.split(line):
        quoted = shlex.quote(word)
        if words and words[-1].startswith("-") and " " not in words[-1] and not word.startswith("-"):
            words[-1] = f"{words[-1]} {quoted}"
        else:
            words.append(quoted)
    return words
