"""The rule PQL104: a text that is no duration. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import INVALID_DURATION
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=INVALID_DURATION,
    what="A duration that is not a whole number and one of the units `m`, `h`, `d`, `w`.",
    why="`14` could be days or hours, and a month has no fixed length.",
    fix="Write `14d`, `36h`, `90m` or `2w`.",
    bad=Example(
        text="""qualify: {event: login, at_least: 10, within: 14 days}
"""
    ),
    good=Example(
        text="""qualify: {event: login, at_least: 10, within: 14d}
"""
    ),
)
