"""The rule PQL303: a trait that the data does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.facts import Facts, NameFacts, TraitFacts, TraitSource, ValueKind
from pqlkit.definitions.model import Criterion, Limit
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule
from pqlkit.errors import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pqlkit.definitions.rules.lint_rule import Subject
    from pqlkit.definitions.yaml_source import Path


def check(subject: Subject) -> Iterator[Finding]:
    """Look up the traits of `eligible` and of limits."""
    known = traits(subject)
    if known is None or subject.facts is None:
        return
    for name, path in named(subject):
        if name not in known:
            yield Finding(
                path=path,
                message=f"{subject.definition.entity.value}s in {subject.facts.source} have no trait {name!r}",
                hint=suggestion(name, known, f"they have {', '.join(sorted(known)[:8]) or 'none'}", quoted=True),
            )


def traits(subject: Subject) -> Mapping[str, TraitFacts] | None:
    """Give the traits of this definition's entities; None = nobody knows."""
    return subject.facts.names.traits.get(subject.definition.entity.value) if subject.facts is not None else None


def named(subject: Subject) -> Iterator[tuple[str, Path]]:
    """Give each trait that a definition names, and where."""
    for i, path in enumerate(conditions(subject)):
        yield subject.definition.eligible[i].name, (*path, "trait")
    for placed in subject.placed:
        if isinstance(placed.node, Criterion):
            for key in ("at_least", "at_most"):
                bound = getattr(placed.node, key)
                if isinstance(bound, Limit) and bound.trait is not None:
                    yield bound.trait, (*placed.path, key, "of", "trait")


def conditions(subject: Subject) -> list[Path]:
    """Give the place of each condition of `eligible`: one item of the list may hold several."""
    items = subject.document.data.get("eligible") if isinstance(subject.document.data, dict) else None
    if not isinstance(items, list):
        return [("eligible",)] * len(subject.definition.eligible)
    paths: list[Path] = []
    for i, item in enumerate(items):
        operators = len(item) - 1 if isinstance(item, dict) else 1
        paths += [("eligible", i)] * max(1, operators)
    return (paths + [("eligible",)] * len(subject.definition.eligible))[: len(subject.definition.eligible)]


_DATA = Facts(
    source="data/",
    names=NameFacts(traits={"user": {"signup_plan": TraitFacts(kind=ValueKind.TEXT, source=TraitSource.FIXED)}}),
)

RULE = Rule(
    code=Code("PQL303", "unknown-trait"),
    what="A trait in `eligible` or in a limit that the users (or accounts) do not have.",
    why="It is null for everybody: a positive condition makes nobody eligible, a negated one everybody.",
    fix="Write the trait as the export has it, or map its column in `pqlkit.yml`.",
    bad=Example(
        text="eligible: [{trait: signup_plann, in: [free, trial]}]\n",
        facts=_DATA,
        note="where users have the trait `signup_plan`",
    ),
    good=Example(text="eligible: [{trait: signup_plan, in: [free, trial]}]\n", facts=_DATA),
    check=check,
    need=Need.DATA,
)
