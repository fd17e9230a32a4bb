"""The rule PQL315: a definition that the data could not measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import DefinitionFacts, Facts, NameFacts
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Say that figures were asked for and could not be had."""
    reason = subject.facts.unmeasured.get(subject.definition.name) if subject.facts is not None else None
    if reason is not None:
        yield Finding(
            path=("name",),
            key=True,
            message=f"{subject.facts.source if subject.facts else 'the data'} could not measure this: {reason}",
            hint="rates, shares, leaks and evidence were not checked",
        )


RULE = Rule(
    code=Code("PQL315", "not-measured", Severity.WARNING),
    what="The check was given data, but the data could not measure this definition: no conversions, a property that is not there.",
    why="A check that passes because it could not look is no check.",
    fix="Do what the message says: most often the export lacks a table or a column.",
    bad=Example(
        text="name: example\n",
        facts=Facts(source="data/", names=NameFacts(), unmeasured={"example": "there are no conversions"}),
        note="where the data has no conversions",
    ),
    good=Example(
        text="name: example\n",
        facts=Facts(
            source="data/",
            names=NameFacts(),
            definitions={"example": DefinitionFacts(entities=4_120, qualified=390)},
        ),
    ),
    check=check,
    need=Need.DATA,
)
