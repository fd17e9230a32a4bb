"""The rule PQL304: a number asked of a property that holds none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import NUMERIC, EventFacts, Facts, NameFacts, PropertyFacts, ValueKind
from pqlkit.definitions.model import Criterion
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule
from pqlkit.definitions.rules.pql302_unknown_property import properties

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject
    from pqlkit.definitions.yaml_source import Path


def check(subject: Subject) -> Iterator[Finding]:
    """Look at the kind of values behind ``sum``, ``max`` and ``last``."""
    if subject.facts is None:
        return
    for placed in subject.placed:
        node = placed.node
        if not isinstance(node, Criterion) or not node.measure.kind.numeric or node.measure.property is None:
            continue
        known = properties(node, subject.facts.names) or {}
        facts = known.get(node.measure.property)
        if facts is not None and facts.numeric_share is None:
            # Which event a text stands on may be known where how it reads is only known of the whole column.
            union = subject.facts.names.properties.get(node.measure.property)
            facts = union if union is not None and union.kind is facts.kind else facts
        if facts is not None:
            path = (*placed.path, "measure", node.measure.kind.value)
            yield from _judged(node.measure.property, facts, path)


def _judged(name: str, facts: PropertyFacts, path: Path) -> Iterator[Finding]:
    if facts.kind in NUMERIC:
        return
    if facts.kind is not ValueKind.TEXT or facts.numeric_share == 0:
        yield Finding(
            path=path,
            message=f"{name!r} holds no numbers ({facts.kind.value})",
            hint="measure a numeric property, or use distinct",
        )
    elif facts.numeric_share is None:
        yield Finding(
            path=path,
            message=f"{name!r} is text: what does not read as a number counts as null",
            hint="export it as a number",
            severity=Severity.WARNING,
        )
    elif facts.numeric_share < 1:
        yield Finding(
            path=path,
            message=f"only {facts.numeric_share:.1%} of the values of {name!r} read as a number",
            hint="the others count as null; export it as a number",
            severity=Severity.WARNING,
        )


_DATA = Facts(
    source="data/",
    names=NameFacts(
        events={
            "contacts_imported": EventFacts(
                properties={
                    "contacts": PropertyFacts(kind=ValueKind.INTEGER),
                    "source": PropertyFacts(kind=ValueKind.TEXT, values=812, numeric_share=0.0),
                }
            )
        }
    ),
)

RULE = Rule(
    code=Code("PQL304", "non-numeric-measure"),
    what="`sum`, `max` or `last` of a property whose values are not numbers; a warning if some of them are.",
    why="What does not read as a number is null, so the criterion holds for fewer than it should, or for nobody.",
    fix="Measure a numeric property, use `distinct`, or repair the export.",
    bad=Example(
        text="qualify: {event: contacts_imported, measure: {sum: source}, at_least: 50, within: 14d}\n",
        facts=_DATA,
        note="where `source` holds text",
    ),
    good=Example(
        text="qualify: {event: contacts_imported, measure: {sum: contacts}, at_least: 50, within: 14d}\n", facts=_DATA
    ),
    check=check,
    need=Need.DATA,
)
