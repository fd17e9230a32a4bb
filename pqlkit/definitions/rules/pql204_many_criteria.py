"""The rule PQL204: more criteria than a definition can bear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.model import Node
    from pqlkit.definitions.rules.lint_rule import Subject

MOST: Final = 3


def check(subject: Subject) -> Iterator[Finding]:
    """Count the criteria that must hold at once; alternatives count as the longest of them."""
    if subject.by_points:
        return
    number = _together(subject.definition.qualify)
    if number > MOST:
        yield Finding(
            path=("qualify",),
            key=True,
            message=f"{number} criteria must hold at once: few will qualify",
            hint=f"keep the {MOST} that say most, or use n_of or points",
        )


def _together(node: Node) -> int:
    match node:
        case Criterion() | Ref():
            return 1
        case All(parts=parts):
            return sum(_together(part) for part in parts)
        case Any(parts=parts):
            return max((_together(part) for part in parts), default=0)
        case NOf(n=n, parts=parts):
            return sum(sorted((_together(part) for part in parts), reverse=True)[:n])
        case Not(part=part):
            return _together(part)


RULE = Rule(
    code=Code("PQL204", "many-criteria", Severity.WARNING),
    what="More than three criteria that must hold at once.",
    why="Each one more removes people who would have bought, nobody can keep five in mind, and a rule fitted to so many "
    "details seldom holds in the next quarter.",
    fix="Keep the two or three that say most (`pqlkit report` shows each one alone and the formula without it), ask for some "
    "`n_of` them, or give points.",
    bad=Example(
        text="""within: 14d
qualify:
  all:
    - {event: project_created}
    - {event: teammate_invited}
    - {event: file_exported}
    - {event: api_key_created}
"""
    ),
    good=Example(
        text="""within: 14d
qualify:
  n_of:
    n: 2
    of:
      - {event: project_created}
      - {event: teammate_invited}
      - {event: file_exported}
      - {event: api_key_created}
"""
    ),
    check=check,
)
