"""The grouping: what one ``--by`` asks for, a time of signup, a trait, or a behaviour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pqlkit.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Node
    from pqlkit.durations import Duration
    from pqlkit.population.population import Population

__all__ = ["behaviours"]

_FORMULA: Final = re.compile(r'[<>=≥≤()"]')


def behaviours(population: Population, asked: Sequence[str], *, windows: Sequence[Duration]) -> dict[str, Node]:
    """Read those of several ``--by`` that are behaviours, and refuse what is nothing at all.

    Parameters
    ----------
    population
        Its traits and events.
    asked
        As written: ``signup_month``, a trait, bands of a numeric trait (``seats:5,20``), or an expression as `pqlkit try` reads it. A trait's name wins over an event's.
    windows
        The longest of these is the window of a term without one.

    Returns
    -------
    dict
        Text -> formula, for the behaviours alone.

    Raises
    ------
    UsageError
        A name is neither a trait nor an event (with the nearest), or an expression has a fault (at its character).
    DataError
        An expression names an event that the data does not have.
    """
    from pqlkit.analysis.cohorts import TIMES, bands_of

    traits = [*TIMES, *population.traits.kinds]
    unknown = [by for by in dict.fromkeys(asked) if by not in traits and bands_of(by, traits) is None]
    if not unknown:
        return {}
    from pqlkit.population.vocabulary import event_names

    events = event_names(population)
    return {by: _behaviour(by, traits, events, windows) for by in unknown}


def _behaviour(by: str, traits: Sequence[str], events: frozenset[str], windows: Sequence[Duration]) -> Node:
    from pqlkit.definitions.expression import parse_expression
    from pqlkit.definitions.model import Criterion
    from pqlkit.population.vocabulary import refuse_unknown

    formula = _FORMULA.search(by) is not None
    try:
        node = parse_expression(by, windows=windows)
    except UsageError as error:
        # Without a sign of the language it was meant for a name, if one is near or it is one word.
        if not formula and (nearest(by, traits) or " " not in by.strip()):
            raise _no_such(by, traits, events) from error
        raise UsageError(error.message, where="--by", hint=error.hint) from error
    bare = isinstance(node, Criterion) and not formula and node.events == (by.strip(),)
    if bare and by.strip() not in events:
        raise _no_such(by, traits, events)
    refuse_unknown(node, events)
    return node


def _no_such(by: str, traits: Sequence[str], events: frozenset[str]) -> UsageError:
    from pqlkit.inert import visible

    parts = [part.strip() for part in by.split(",")]
    if len(parts) > 1 and all(part in traits or part in events for part in parts):
        several = " ".join(f"--by {visible(part, 40)}" for part in parts)
        return UsageError(f"--by {visible(by, 60)}: one thing at a time", hint=f"write {several}")
    close = nearest(by, traits) or nearest(by, events)
    other = f'one of {", ".join(visible(name, 40) for name in traits[:8])}, or a behaviour like "login >= 3 in 7d"'
    return UsageError(
        f"--by {visible(by, 60)}: no such trait, and no such event",
        hint=f"did you mean {visible(close, 60)}?" if close else other,
    )
