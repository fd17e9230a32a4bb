"""The rule PQL217: two files with one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find other checked files that claim this definition's name."""
    name = subject.definition.name
    same = sorted(path for path in subject.namesakes.get(name, ()) if path != subject.document.path)
    if same:
        yield Finding(
            path=("name",),
            message=f"the name {name!r} is also that of {', '.join(same[:3])}{' ...' if len(same) > 3 else ''}",
            hint="give each definition its own name; a new version of one replaces its file",
        )


RULE = Rule(
    code=Code("PQL217", "duplicate-name"),
    what="Two definition files with the same `name`.",
    why="Refs, leads and reports know a definition by its name: nobody could tell which one qualified a lead.",
    fix="Rename one of them. To change a definition, edit its file and raise its version.",
    bad=Example(
        text="""name: activated
""",
        beside=(
            """pqlkit: 1
name: activated
entity: user
qualify: {event: login, within: 7d}
outcome: {within: 30d}
""",
        ),
    ),
    good=Example(
        text="""name: activated
""",
        beside=(
            """pqlkit: 1
name: activated-team
entity: account
qualify: {event: login, within: 7d}
outcome: {within: 30d}
""",
        ),
    ),
    check=check,
)
