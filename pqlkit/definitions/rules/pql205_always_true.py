"""The rule PQL205: a criterion that every entity meets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.implication import COUNTING, most_dates
from pqlkit.definitions.model import Criterion, MeasureKind
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject

SIGNUP: Final = re.compile(
    r"(user|account|customer|workspace|team|org|trial|free)?(sign(ed)?up|signup(completed|finished|success(ful)?)?|"
    r"sign(ed)?upcompleted|register(ed)?|registration(completed)?|accountcreated|usercreated|createdaccount|createaccount|"
    r"trialstart(ed)?|firstseen|firstvisit)"
)
"""Names of the event by which an entity begins, letters alone and in lower case."""


def check(subject: Subject) -> Iterator[Finding]:
    """Find thresholds of zero, and the event that starts the clock."""
    for placed in subject.placed:
        if not isinstance(placed.node, Criterion):
            continue
        criterion = placed.node
        if _zero(criterion):
            yield Finding(
                path=(*placed.path, "at_least"),
                message=f"at_least {criterion.at_least} is met without a single event",
                hint="ask for at least 1",
            )
        elif _unbounded(criterion):
            yield Finding(
                path=(*placed.path, "at_most"),
                message=f"at_most {criterion.at_most} days always holds: the window touches no more dates",
                hint="lower the bound",
            )
        elif _begins(criterion, subject):
            yield Finding(
                path=(*placed.path, "event"),
                message="every entity has this event: its clock starts with it",
                hint="ask for something that only some do",
            )


def _zero(criterion: Criterion) -> bool:
    low = criterion.at_least
    return (
        isinstance(low, int | float) and low <= 0 and criterion.at_most is None and criterion.measure.kind in COUNTING
    )


def _unbounded(criterion: Criterion) -> bool:
    dates, high = most_dates(criterion.window), criterion.at_most
    days = criterion.measure.kind is MeasureKind.DAYS and criterion.at_least is None
    return days and dates is not None and isinstance(high, int | float) and high >= dates


def _begins(criterion: Criterion, subject: Subject) -> bool:
    if criterion.where or criterion.at_most is not None or not _once(criterion):
        return False
    anchor, events = subject.definition.anchor, criterion.events
    if anchor.event is not None:
        return events is None or anchor.event in events
    if anchor.kind == "first_event" and events is None:
        return True
    return events is not None and any(SIGNUP.fullmatch(re.sub(r"[^a-z]", "", name.lower())) for name in events)


def _once(criterion: Criterion) -> bool:
    low = criterion.at_least
    return criterion.measure.kind.facts.times_alone and isinstance(low, int | float) and low <= 1


RULE = Rule(
    code=Code("PQL205", "always-true", Severity.WARNING),
    what="A criterion that every entity meets: the signup event itself, the event of the anchor, a threshold of 0.",
    why="It makes the definition snapshot stricter than it is, and alone it qualifies everybody.",
    fix="Drop it, or ask for something that only some do.",
    bad=Example(text="qualify: {event: user_signed_up, within: 14d}\n"),
    good=Example(text="qualify: {event: teammate_invited, within: 14d}\n"),
    check=check,
)
