"""The rule PQL218: a definition that stands on a retired one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.model import Ref, Status
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find refs from a living definition to a retired one."""
    if subject.definition.status is Status.RETIRED:
        return
    for placed in subject.placed:
        if isinstance(placed.node, Ref) and placed.node.target.status is Status.RETIRED:
            yield Finding(
                path=(*placed.path, "ref"),
                message=f"{placed.node.name!r} is retired",
                hint="ref its successor, or write its criteria here",
            )


_RETIRED = """pqlkit: 1
kind: milestone
name: activated
status: {status}
entity: user
qualify: {{event: project_created, within: 7d}}
"""

RULE = Rule(
    code=Code("PQL218", "retired-ref", Severity.WARNING),
    what="A `ref` to a definition whose `status` is `retired`.",
    why="Nobody reviews a retired definition any more, and its file will go one day.",
    fix="Ref its successor, or write its criteria into this file.",
    bad=Example(text="qualify: {ref: activated}\n", beside=(_RETIRED.format(status="retired"),)),
    good=Example(text="qualify: {ref: activated}\n", beside=(_RETIRED.format(status="active"),)),
    check=check,
)
