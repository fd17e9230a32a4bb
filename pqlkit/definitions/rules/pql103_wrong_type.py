"""The rule PQL103: a value of another type. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import WRONG_TYPE
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=WRONG_TYPE,
    what="A value of another type than the key takes: a list where a name belongs, text where a number does.",
    why="The value cannot mean what it seems to.",
    fix="Write the type that the message names.",
    bad=Example(
        text="""qualify: {event: login, at_least: ten, within: 14d}
"""
    ),
    good=Example(
        text="""qualify: {event: login, at_least: 10, within: 14d}
"""
    ),
)
