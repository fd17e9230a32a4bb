"""The rule PQL105: a key that must be there. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import MISSING_KEY
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=MISSING_KEY,
    what="A required key is missing: `pqlkit`, `name`, `entity`, `qualify`, `outcome.within`, or the bound of a `sum`, `max` or `last`.",
    why="There is no safe default for it: without a conversion window no rate can be counted.",
    fix="Add the key; the message shows how.",
    bad=Example(
        text="""outcome: {where: {amount: {at_least: 2}}}
"""
    ),
    good=Example(
        text="""outcome: {within: 30d, where: {amount: {at_least: 2}}}
"""
    ),
)
