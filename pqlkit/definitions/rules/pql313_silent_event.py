"""The rule PQL313: an event that has stopped coming."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import EventFacts, Facts, NameFacts
from pqlkit.definitions.model import Criterion
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject

QUIET_DAYS: Final = 14.0
"""A silence shorter than this says nothing."""

USUAL_GAPS: Final = 10.0
"""A silence is odd when it is this many times the usual time between two rows (exp(-10) = 0.005 %)."""


def check(subject: Subject) -> Iterator[Finding]:
    """Find events whose newest row is far older than the data, for how often they used to come."""
    if subject.facts is None or subject.facts.as_of is None:
        return
    for placed in subject.placed:
        for event in placed.node.events or () if isinstance(placed.node, Criterion) else ():
            facts = subject.facts.names.events.get(event)
            days = _silence(facts, subject.facts.as_of) if facts is not None else None
            if days is not None:
                yield Finding(
                    path=(*placed.path, "event"),
                    message=f"{event!r} has not come for {days:.0f} days",
                    hint="was it renamed in tracking? the criterion is met by nobody new",
                )


def _silence(facts: EventFacts, as_of: str) -> float | None:
    """Give the days since the last row if that is odd, else None."""
    first, last, end = _instant(facts.first), _instant(facts.last), _instant(as_of)
    if first is None or last is None or end is None or not facts.rows or facts.rows < 2:
        return None
    silence = (end - last).total_seconds() / 86_400
    usual = (last - first).total_seconds() / 86_400 / (facts.rows - 1)
    return silence if silence > QUIET_DAYS and silence > USUAL_GAPS * usual else None


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if text is not None else None
    except ValueError:
        return None
    return instant.replace(tzinfo=instant.tzinfo or UTC) if instant is not None else None


def _data(last: str) -> Facts:
    event = EventFacts(rows=9_000, first="2026-01-03T00:00:00Z", last=last)
    return Facts(source="data/", names=NameFacts(events={"login": event}), as_of="2026-10-31T00:00:00Z")


RULE = Rule(
    code=Code("PQL313", "silent-event", Severity.WARNING),
    what="An event that has not come for at least 14 days, and ten times longer than is usual for it.",
    why="Tracking was renamed or broken. The definition goes on without a fault, and finds nobody new.",
    fix="Name the old and the new event together (`event: [login, user_login]`), or repair tracking.",
    bad=Example(
        text="qualify: {event: login, at_least: 10, within: 14d}\n",
        facts=_data("2026-09-02T00:00:00Z"),
        note="where `login` came 9,000 times until 2 September, and the data goes to 31 October",
    ),
    good=Example(text="qualify: {event: login, at_least: 10, within: 14d}\n", facts=_data("2026-10-30T00:00:00Z")),
    check=check,
    need=Need.DATA,
)
