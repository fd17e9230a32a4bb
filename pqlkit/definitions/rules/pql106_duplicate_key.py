"""The rule PQL106: one key twice in a mapping. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import DUPLICATE_KEY
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=DUPLICATE_KEY,
    what="The same key twice in one mapping.",
    why="YAML tools keep the last (or the first) without a word, and reviewers see both.",
    fix="Remove one of them; the message says where the first stands.",
    bad=Example(
        text="""qualify: {event: login, at_least: 10, within: 14d, at_least: 5}
"""
    ),
    good=Example(
        text="""qualify: {event: login, at_least: 10, within: 14d}
"""
    ),
)
