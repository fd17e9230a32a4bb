"""The rule PQL102: a file that is not YAML. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import INVALID_YAML
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=INVALID_YAML,
    what="The file is not one YAML document in UTF-8.",
    why="Nothing in it can be trusted to say what its writer meant.",
    fix="Look at quotes, brackets and indentation at the marked place; indent with spaces; save as UTF-8.",
    bad=Example(
        text="""qualify: {event: login, at_least: 10, within: 14d
""",
        complete=True,
    ),
    good=Example(
        text="""qualify: {event: login, at_least: 10, within: 14d}
"""
    ),
)
