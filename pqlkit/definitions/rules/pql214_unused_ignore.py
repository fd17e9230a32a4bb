"""The rule PQL214: a comment that allows what is not there. Validation itself finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.rules.lint_rule import Example, Rule

CODE = Code("PQL214", "unused-ignore", Severity.WARNING)

RULE = Rule(
    code=CODE,
    what="A `# pqlkit: ignore` comment for a code that its line does not have, that does not exist, or that no comment can "
    "silence (faults of form).",
    why="It would hide the fault if it came back, and readers think that there is one.",
    fix="Remove the code from the comment (`--fix` does it).",
    bad=Example(text="qualify: {event: login, at_least: 10, within: 14d}  # pqlkit: ignore PQL203\n"),
    good=Example(text="review_by: 2026-06-30  # pqlkit: ignore PQL209\n"),
)
