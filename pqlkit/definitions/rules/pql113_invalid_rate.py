"""The rule PQL113: a value that is no rate. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import INVALID_RATE
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=INVALID_RATE,
    what="A rate that is neither `15%` nor a fraction between 0 and 1.",
    why="A bare 15 could be 15 % or 1,500 %.",
    fix="Write `15%` or `0.15`.",
    bad=Example(
        text="""expect: {rate: {at_least: 15}}
"""
    ),
    good=Example(
        text="""expect: {rate: {at_least: 15%}}
"""
    ),
)
