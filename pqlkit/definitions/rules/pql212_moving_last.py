"""The rule PQL212: the last value in a window that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.model import Criterion, WindowKind
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find states under ``rolling`` and ``trailing``."""
    for placed in subject.placed:
        node = placed.node
        if not isinstance(node, Criterion) or not node.measure.kind.facts.state:
            continue
        if node.window.kind in {WindowKind.ROLLING, WindowKind.TRAILING}:
            yield Finding(
                path=(*placed.path, node.window.kind.value),
                key=True,
                message=f"{node.measure.kind.value} is a state, and {node.window.kind.value} would forget it",
                hint=f"use ever: true (or within) with {node.measure.kind.value}",
            )


RULE = Rule(
    code=Code("PQL212", "moving-last"),
    what="`{last: property}` under `rolling` or `trailing`.",
    why="The last value is a state (stored bytes, seats): it stays what it is until the next event. A moving window would "
    "make it unknown after a quiet week.",
    fix="Use `ever: true`, or `within`.",
    bad=Example(text="qualify: {event: storage_checked, measure: {last: gigabytes}, at_least: 50, trailing: 28d}\n"),
    good=Example(text="qualify: {event: storage_checked, measure: {last: gigabytes}, at_least: 50, ever: true}\n"),
    check=check,
)
