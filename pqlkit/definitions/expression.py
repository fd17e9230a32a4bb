"""The expression: a formula on one line, ``login >= 10 in 14d and teammate_invited >= 2`` (for ``pqlkit try``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Node
    from pqlkit.durations import Duration


def parse_expression(text: str, *, windows: Sequence[Duration] = ()) -> Node:
    """Read an expression.

    Parameters
    ----------
    text
        Terms ``event`` or ``measure(event[.property])``, then optionally ``>=`` or ``<=`` and a number, then optionally
        ``in``, ``rolling`` or ``trailing`` and a duration, or ``ever``; joined with ``and``, ``or``, ``not``, parentheses.
    windows
        The longest of these is the window (``within``) of terms without one, unless the expression names exactly one.

    Raises
    ------
    UsageError
        The text is not an expression; the message points at the character.
    """
    raise NotImplementedError


def expression(node: Node) -> str:
    """Write a formula as an expression; reading it gives the same formula (ids, ``say`` and ``where`` apart).

    Raises
    ------
    UsageError
        The formula uses what the language does not have (``where``, limits, refs).
    """
    raise NotImplementedError
