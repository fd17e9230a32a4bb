"""The rule PQL312: today's trait used for the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.facts import Facts, NameFacts, TraitFacts, TraitSource, ValueKind
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule
from pqlkit.definitions.rules.pql303_unknown_trait import named, traits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find traits that are `current` and not trusted."""
    known = traits(subject) or {}
    for name, path in named(subject):
        facts = known.get(name)
        if facts is not None and facts.source is TraitSource.CURRENT and not facts.trusted:
            yield Finding(
                path=path,
                message=f"{name!r} is today's value, and may be what the conversion made of it",
                hint=f"declare it fixed or give its history in pqlkit.yml, or --trust-current {name}",
            )


def _data(source: TraitSource) -> Facts:
    names = NameFacts(traits={"user": {"seats": TraitFacts(kind=ValueKind.INTEGER, source=source)}})
    return Facts(source="data/", names=names)


RULE = Rule(
    code=Code("PQL312", "current-trait"),
    what="A trait that holds today's value, in a definition that is checked against the past.",
    why="After a conversion, plan, seats and limits are the customer's: the trait then follows the outcome. `score` may use it, "
    "for tonight is today.",
    fix="Declare it `fixed` in `pqlkit.yml` if it never changes after signup, give its `history`, or overrule with "
    "`--trust-current TRAIT`.",
    bad=Example(
        text="eligible: [{trait: seats, at_most: 20}]\n",
        facts=_data(TraitSource.CURRENT),
        note="where `pqlkit.yml` declares nothing about `seats`",
    ),
    good=Example(text="eligible: [{trait: seats, at_most: 20}]\n", facts=_data(TraitSource.HISTORY)),
    check=check,
    need=Need.DATA,
)
