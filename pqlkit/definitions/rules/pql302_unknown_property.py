"""The rule PQL302: a property that the data does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.facts import EventFacts, Facts, NameFacts, PropertyFacts, ValueKind
from pqlkit.definitions.model import Criterion, Limit
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule
from pqlkit.errors import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pqlkit.definitions.rules.lint_rule import Subject
    from pqlkit.definitions.yaml_source import Path


def check(subject: Subject) -> Iterator[Finding]:
    """Look up the properties of `measure`, `where` and limits, and the columns of ``outcome.where``."""
    if subject.facts is None:
        return
    for placed in subject.placed:
        if isinstance(placed.node, Criterion):
            known = properties(placed.node, subject.facts.names)
            if known is not None:
                for name, path in named(placed.node, placed.path):
                    yield from _unknown(name, path, known, _where(placed.node, subject.facts.source))
    outcome, columns = subject.definition.outcome, subject.facts.names.conversions
    if outcome is not None and columns is not None and outcome.event is None:
        for condition in outcome.where:
            path = ("outcome", "where", condition.name)
            yield from _unknown(condition.name, path, columns, "the conversions export")


def properties(criterion: Criterion, names: NameFacts) -> Mapping[str, PropertyFacts] | None:
    """Give the properties that at least one of the criterion's events has; None = nobody knows."""
    if criterion.events is None:
        return names.properties or None
    known: dict[str, PropertyFacts] = {}
    for event in criterion.events:
        facts = names.events.get(event)
        if facts is None:
            return None
        own = names.properties if facts.properties is None else facts.properties
        if facts.properties is None and not names.properties:
            return None
        known |= own
    return known


def named(criterion: Criterion, path: Path) -> Iterator[tuple[str, Path]]:
    """Give each property that a criterion names, and where."""
    if criterion.measure.property is not None:
        yield criterion.measure.property, (*path, "measure", criterion.measure.kind.value)
    for key in ("at_least", "at_most"):
        bound = getattr(criterion, key)
        if isinstance(bound, Limit) and bound.property is not None:
            yield bound.property, (*path, key, "of", "property")
    for name in dict.fromkeys(condition.name for condition in criterion.where):
        yield name, (*path, "where", name)


def _where(criterion: Criterion, source: str) -> str:
    if criterion.events is None:
        return source
    return f"{', '.join(repr(event) for event in criterion.events[:3])} in {source}"


def _unknown(name: str, path: Path, known: Mapping[str, PropertyFacts], owner: str) -> Iterator[Finding]:
    if name not in known:
        hint = suggestion(name, known, f"it has {', '.join(sorted(known)[:8]) or 'none'}", quoted=True)
        yield Finding(path=path, key=path[-2:-1] == ("where",), message=f"{owner} has no property {name!r}", hint=hint)


_DATA = Facts(
    source="data/",
    names=NameFacts(
        events={"contacts_imported": EventFacts(properties={"contacts": PropertyFacts(kind=ValueKind.INTEGER)})}
    ),
)

RULE = Rule(
    code=Code("PQL302", "unknown-property"),
    what="A property in `measure`, `where` or a limit that none of the criterion's events has; a column in `outcome.where` that "
    "the conversions do not have.",
    why="Its value is null on every row, so the criterion never holds (and a negated condition always does).",
    fix="Write the property as the export has it; nested ones are written with dots (`plan.name`).",
    bad=Example(
        text="qualify: {event: contacts_imported, measure: {sum: contact}, at_least: 50, within: 14d}\n",
        facts=_DATA,
        note="where `contacts_imported` has the property `contacts`",
    ),
    good=Example(
        text="qualify: {event: contacts_imported, measure: {sum: contacts}, at_least: 50, within: 14d}\n", facts=_DATA
    ),
    check=check,
    need=Need.DATA,
)
