"""The rule PQL213: a key of a criterion that says what holds without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.model import Criterion, MeasureKind, WindowKind
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find defaults that are written out in a criterion."""
    values = subject.document.values
    for placed in subject.placed:
        if not isinstance(placed.node, Criterion):
            continue
        for key in _defaults(placed.node, subject):
            path = (*placed.path, key)
            if path in values:
                yield Finding(
                    path=path,
                    whole=True,
                    message=f"{key} says what holds without it",
                    hint="drop it",
                    fix="",
                    safe=True,
                )


def _defaults(criterion: Criterion, subject: Subject) -> Iterator[str]:
    kind = criterion.measure.kind
    if kind is MeasureKind.COUNT:
        yield "measure"
    if criterion.at_least == 1 and criterion.at_most is None and not kind.numeric:
        yield "at_least"
    if not criterion.mechanical:
        yield "mechanical"
    own = criterion.window.kind is WindowKind.WITHIN and criterion.window.length == subject.definition.within
    if own and subject.definition.within is not None:
        yield "within"


RULE = Rule(
    code=Code("PQL213", "redundant-default", Severity.WARNING),
    what="`measure: count`, `at_least: 1`, `mechanical: false`, or the definition's own `within`, written out in a criterion.",
    why="A definition should read like a sentence; what goes without saying hides what does not.",
    fix="Drop the key (`--fix` does it).",
    bad=Example(
        text="""within: 14d
qualify: {event: login, measure: count, at_least: 10}
"""
    ),
    good=Example(
        text="""within: 14d
qualify: {event: login, at_least: 10}
"""
    ),
    check=check,
)
