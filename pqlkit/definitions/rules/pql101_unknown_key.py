"""The rule PQL101: a key that means nothing here. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import UNKNOWN_KEY
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=UNKNOWN_KEY,
    what="A key that the definition language does not have at this place.",
    why="A misspelt key says nothing: without this rule `treshold: 5` would quietly mean 1.",
    fix="Write the key that is meant; the nearest known one is named (`--fix` renames it).",
    bad=Example(
        text="""qualify: {event: login, at_laest: 10, within: 14d}
"""
    ),
    good=Example(
        text="""qualify: {event: login, at_least: 10, within: 14d}
"""
    ),
)
