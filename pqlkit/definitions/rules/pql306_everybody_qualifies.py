"""The rule PQL306: nearly everybody qualifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import DefinitionFacts, Facts, NameFacts
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject

NEARLY_ALL: Final = 0.9


def check(subject: Subject) -> Iterator[Finding]:
    """Find definitions that at least nine of ten entities met; a milestone may be one."""
    figures = subject.figures
    if figures is None or figures.qualified is None or not figures.entities or subject.definition.milestone:
        return
    if figures.qualified >= NEARLY_ALL * figures.entities:
        yield Finding(
            path=("qualify",),
            key=True,
            message=f"{figures.qualified:,} of {figures.entities:,} {subject.definition.entity.value}s qualify",
            hint="a list of everybody ranks nobody: raise a threshold",
        )


def _data(qualified: int) -> Facts:
    figures = DefinitionFacts(entities=4_120, qualified=qualified)
    return Facts(source="data/", names=NameFacts(), definitions={"example": figures})


RULE = Rule(
    code=Code("PQL306", "everybody-qualifies", Severity.WARNING),
    what="At least 90 % of all entities qualify.",
    why="A list of everybody tells sales nothing about whom to call first.",
    fix="Raise a threshold, or add a criterion.",
    bad=Example(
        text="qualify: {event: login, within: 14d}\n", facts=_data(4_002), note="where 4,002 of 4,120 users log in once"
    ),
    good=Example(text="qualify: {event: login, at_least: 10, within: 14d}\n", facts=_data(390)),
    check=check,
    need=Need.DATA,
)
