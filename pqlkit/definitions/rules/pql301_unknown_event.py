"""The rule PQL301: an event that the data does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.facts import EventFacts, Facts, NameFacts
from pqlkit.definitions.model import ANY_EVENT, Criterion
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule
from pqlkit.errors import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject
    from pqlkit.definitions.yaml_source import Path


def check(subject: Subject) -> Iterator[Finding]:
    """Snapshot every event name up: criteria, anchor and outcome."""
    if subject.facts is None or not subject.facts.names.events:
        return
    known, source = subject.facts.names.events, subject.facts.source
    for name, path in _named(subject):
        if name not in known:
            yield Finding(
                path=path,
                message=f"{source} has no event {name!r}",
                hint=suggestion(name, known, f"it has {len(known):,} other event names", quoted=True),
                fix=None,
            )


def _named(subject: Subject) -> Iterator[tuple[str, Path]]:
    definition = subject.definition
    if definition.anchor.event is not None:
        yield definition.anchor.event, ("anchor", "event")
    for placed in subject.placed:
        if isinstance(placed.node, Criterion):
            events = placed.node.events or ()
            written = (*placed.path, "event")
            many = (*written, 0) in subject.document.values
            for i, name in enumerate(events):
                yield name, (*written, i) if many else written
    event = None if definition.outcome is None else definition.outcome.event
    if event is not None and event != ANY_EVENT:
        yield event, ("outcome", "event")


_DATA = Facts(source="data/", names=NameFacts(events={"teammate_invited": EventFacts(), "login": EventFacts()}))

RULE = Rule(
    code=Code("PQL301", "unknown-event"),
    what="An event name that the data, or the catalogue, does not have.",
    why="The criterion can never be met. Most often a name is misspelt, or tracking has renamed it.",
    fix="Write the name as the export has it. If it is new, write the catalogue again: `pqlkit load --catalogue FILE`.",
    bad=Example(
        text="qualify: {event: teamate_invited, at_least: 2, within: 14d}\n",
        facts=_DATA,
        note="where the data has `teammate_invited` and `login`",
    ),
    good=Example(text="qualify: {event: teammate_invited, at_least: 2, within: 14d}\n", facts=_DATA),
    check=check,
    need=Need.DATA,
)
