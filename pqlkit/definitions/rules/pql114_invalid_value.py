"""The rule PQL114: a value that the key does not take. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import INVALID_VALUE
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=INVALID_VALUE,
    what="A value of the right type that the key does not take: an unknown word, an empty list, a number out of its range, points that do not add up to 100.",
    why="It would mean nothing, or something else than it seems to.",
    fix="Write one of the values that the message names.",
    bad=Example(
        text="""entity: users
"""
    ),
    good=Example(
        text="""entity: user
"""
    ),
)
