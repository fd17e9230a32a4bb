"""The rule PQL314: a criterion that decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import CriterionFacts, DefinitionFacts, Facts, NameFacts
from pqlkit.definitions.model import Criterion
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject

NEARLY_ALL: Final = 0.95


def check(subject: Subject) -> Iterator[Finding]:
    """Find criteria that nobody or nearly everybody meets, though the definition as a whole tells people apart."""
    figures = subject.figures
    if figures is None or not figures.qualified or len(subject.placed) == 1:
        return
    for placed in subject.placed:
        node = placed.node
        facts = figures.criteria.get(node.id) if isinstance(node, Criterion) else None
        if facts is None or not facts.entities:
            continue
        if facts.met == 0:
            yield Finding(
                path=placed.path, message=f"none of {facts.entities:,} ever met this", hint="drop or loosen it"
            )
        elif facts.met >= NEARLY_ALL * facts.entities:
            yield Finding(
                path=placed.path,
                message=f"{facts.met:,} of {facts.entities:,} meet this: it decides nothing",
                hint="drop it, or raise its threshold",
            )


def _data(met: int) -> Facts:
    figures = DefinitionFacts(
        entities=4_000,
        qualified=390,
        criteria={
            "invited": CriterionFacts(met=400, entities=4_000),
            "active": CriterionFacts(met=met, entities=4_000),
        },
    )
    return Facts(source="data/", names=NameFacts(), definitions={"example": figures})


_TEXT = """within: 14d
qualify:
  all:
    - {{id: invited, event: teammate_invited, at_least: 2}}
    - {{id: active, event: login, at_least: {times}}}
"""

RULE = Rule(
    code=Code("PQL314", "idle-criterion", Severity.WARNING),
    what="A criterion among several that nobody meets, or at least 95 % do.",
    why="It looks like a condition and decides nothing; readers and reps are told a reason that is none.",
    fix="Drop it, or change its threshold.",
    bad=Example(text=_TEXT.format(times=2), facts=_data(3_950), note="where 3,950 of 4,000 log in twice"),
    good=Example(text=_TEXT.format(times=10), facts=_data(1_100)),
    check=check,
    need=Need.DATA,
)
