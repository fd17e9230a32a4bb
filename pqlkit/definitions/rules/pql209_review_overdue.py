"""The rule PQL209: a review date that has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.model import Status
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Compare `review_by` with today; on the day itself there is still time."""
    definition = subject.definition
    due = definition.review_by
    if due is not None and due < subject.today and definition.status is not Status.RETIRED:
        owner = f"{definition.owner}: " if definition.owner else ""
        yield Finding(
            path=("review_by",),
            message=f"the review was due on {due.isoformat()}, {_ago((subject.today - due).days)}",
            hint=f"{owner}look at `pqlkit report -d {subject.document.path}`, then set the next date",
        )


def _ago(days: int) -> str:
    return "yesterday" if days == 1 else f"{days} days ago"


RULE = Rule(
    code=Code("PQL209", "review-overdue", Severity.WARNING),
    what="`review_by` has passed (and the definition is not retired).",
    why="Products, prices and users change. A definition that nobody has looked at since is trusted on old evidence.",
    fix="Run `pqlkit report` on it, renew the evidence with `pqlkit propose --against`, and set the next date.",
    bad=Example(text="review_by: 2026-06-30\n"),
    good=Example(text="review_by: 2027-01-31\n"),
    check=check,
)
