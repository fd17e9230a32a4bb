"""The rule PQL202: a part that can never hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.implication import COUNTING, most_dates
from pqlkit.definitions.model import Criterion, EntityKind, MeasureKind, WindowKind
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.model import Window
    from pqlkit.definitions.rules.lint_rule import Subject
    from pqlkit.definitions.yaml_source import Path


def check(subject: Subject) -> Iterator[Finding]:
    """Find criteria whose threshold is out of reach."""
    for placed in subject.placed:
        if isinstance(placed.node, Criterion):
            yield from _criterion(placed.node, placed.path, subject.definition.entity)


def _criterion(criterion: Criterion, path: Path, entity: EntityKind) -> Iterator[Finding]:
    window = criterion.window
    if window.length is not None and window.length.microseconds == 0:
        yield Finding(path=(*path, window.kind.value), message=f"a window of {window.length} holds no event")
        return
    low = criterion.at_least if isinstance(criterion.at_least, int | float) else None
    dates = most_dates(window)
    if criterion.measure.kind is MeasureKind.DAYS and dates is not None and low is not None and low > dates:
        yield Finding(
            path=(*path, "at_least"),
            message=f"{low} days can never be reached {_in(window)}: {_hours(window)} touch at most {dates} dates",
            hint=f"at_least can be at most {dates}",
        )
    if criterion.measure.kind is MeasureKind.USERS and entity is EntityKind.USER and low is not None and low > 1:
        yield Finding(
            path=(*path, "measure"),
            message=f"a user is one user: users at_least {low} can never be reached",
            hint="count users in a definition with `entity: account`",
        )
    if isinstance(criterion.at_most, int | float) and criterion.at_most < 0 and criterion.measure.kind in COUNTING:
        yield Finding(
            path=(*path, "at_most"),
            message=f"a {criterion.measure.kind.value} is never below 0, so at_most {criterion.at_most} never holds",
        )


def _in(window: Window) -> str:
    word = {WindowKind.WITHIN: "within", WindowKind.ROLLING: "in any", WindowKind.TRAILING: "in the last"}[window.kind]
    return f"{word} {window.length}"


def _hours(window: Window) -> str:
    length = window.length
    days = length.days if length is not None else 0
    return f"{days:g} x 24 hours" if days == int(days) else str(length)


RULE = Rule(
    code=Code("PQL202", "never-true"),
    what="A threshold that is out of reach: 16 dates within 14 days, 2 users of one user, at most -1.",
    why="The part is always off, so the definition qualifies nobody, or others than it seems to.",
    fix="Lower the threshold or lengthen the window. 14 x 24 hours touch at most 15 calendar dates.",
    bad=Example(text="qualify: {event: login, measure: days, at_least: 16, within: 14d}\n"),
    good=Example(text="qualify: {event: login, measure: days, at_least: 10, within: 14d}\n"),
    check=check,
)
