"""The rule PQL115: a regular expression that RE2 does not read. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import INVALID_REGEX
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=INVALID_REGEX,
    what="A regular expression that is broken, or uses what RE2 does not have: look-around, back-references.",
    why="Every engine must give the same answer in bounded time; look-around and back-references can run for ever.",
    fix="Use the RE2 subset; write `not_matching` instead of a negative look-ahead.",
    bad=Example(
        text="""eligible: [{trait: email, matching: "^(?!.*@example)"}]
"""
    ),
    good=Example(
        text="""eligible: [{trait: email, not_matching: "@example"}]
"""
    ),
)
