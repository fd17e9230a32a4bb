"""The rule PQL116: anchors, aliases, merge keys and tags. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import ALIAS_OR_TAG
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=ALIAS_OR_TAG,
    what="YAML anchors (`&a`), aliases (`*a`), merge keys (`<<`) and tags (`!!python/object`).",
    why="Aliases make a small file explode in memory, tags can run code in other tools, and both hide what a reviewer should see.",
    fix="Write the value out where it is needed.",
    bad=Example(
        text="""outcome: {within: &month 30d}
"""
    ),
    good=Example(
        text="""outcome: {within: 30d}
"""
    ),
)
