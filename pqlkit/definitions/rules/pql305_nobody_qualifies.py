"""The rule PQL305: nobody qualifies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.facts import DefinitionFacts, Facts, NameFacts
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find definitions that no entity ever met."""
    figures = subject.figures
    if figures is None or figures.qualified != 0 or not figures.entities:
        return
    unmet = [name for name, facts in figures.criteria.items() if facts.met == 0]
    hint = (
        f"nobody ever meets {', '.join(unmet[:5])}"
        if unmet
        else "each criterion is met by somebody, but never together"
    )
    yield Finding(
        path=("qualify",),
        key=True,
        message=f"none of {figures.entities:,} {subject.definition.entity.value}s ever qualified",
        hint=hint if figures.criteria else "look at `pqlkit explain --converters` for what buyers do",
    )


def _data(qualified: int) -> Facts:
    figures = DefinitionFacts(entities=4_120, qualified=qualified)
    return Facts(source="data/", names=NameFacts(), definitions={"example": figures})


RULE = Rule(
    code=Code("PQL305", "nobody-qualifies"),
    what="Not one entity of the data ever qualified.",
    why="The definition gives no leads, and nothing can be said about its rate.",
    fix="Lower thresholds or drop criteria; `pqlkit report` shows how many meet each one alone.",
    bad=Example(
        text="qualify: {event: login, at_least: 5000, within: 14d}\n",
        facts=_data(0),
        note="where none of 4,120 users ever did that",
    ),
    good=Example(text="qualify: {event: login, at_least: 10, within: 14d}\n", facts=_data(390)),
    check=check,
    need=Need.DATA,
)
