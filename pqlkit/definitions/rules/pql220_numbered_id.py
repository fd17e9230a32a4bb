"""The rule PQL220: ids that are told apart by a number alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions import ids
from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.model import Criterion, Ref
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find criteria without an id whose made id needed a number, because another one is called the same."""
    for placed in subject.placed:
        node = placed.node
        if not isinstance(node, Criterion | Ref) or (*placed.path, "id") in subject.document.values:
            continue
        if node.id != ids.made(node):
            key = "event" if isinstance(node, Criterion) else "ref"
            glue = ", " if subject.in_flow(placed.path) else "\n"
            yield Finding(
                path=(*placed.path, key),
                key=True,
                message=f"called {node.id!r} only because it stands behind another {ids.made(node)!r}",
                hint=f"write an id, such as {node.id}",
                fix=f"id: {node.id}{glue}{key}",
                safe=True,
            )


RULE = Rule(
    code=Code("PQL220", "numbered-id", Severity.WARNING),
    what="Two criteria with the same event and measure, and no ids: the later one is called `login_2`.",
    why="The id is a column of the lead list. When somebody swaps the two lines, the columns swap their meaning.",
    fix="Write an id (`--fix` writes the one that is in use).",
    bad=Example(
        text="""qualify:
  any:
    - {event: login, at_least: 10, within: 14d}
    - {event: login, at_least: 4, within: 2d}
"""
    ),
    good=Example(
        text="""qualify:
  any:
    - {id: steady, event: login, at_least: 10, within: 14d}
    - {id: eager, event: login, at_least: 4, within: 2d}
"""
    ),
    check=check,
)
