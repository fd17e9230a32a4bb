"""The rule PQL110: bare text that YAML tools read as something else. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import YAML_SURPRISE
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=YAML_SURPRISE,
    what="A bare `yes`, `on`, `12:30`, `010`, `1_000` or date where a name or text belongs.",
    why="YAML tools disagree on what it is: the event `on` becomes true, `010` becomes 8, `12:30` becomes 750.",
    fix="Put it in quotes if it is a name; write numbers plainly (`1000`).",
    bad=Example(
        text="""qualify: {event: on, at_least: 10, within: 14d}
"""
    ),
    good=Example(
        text="""qualify: {event: "on", at_least: 10, within: 14d}
"""
    ),
)
