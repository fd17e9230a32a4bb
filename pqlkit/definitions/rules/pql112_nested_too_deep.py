"""The rule PQL112: more than 50 levels of nesting. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import NESTED_TOO_DEEP
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=NESTED_TOO_DEEP,
    what="Mappings and lists nested more than 50 deep.",
    why="No formula needs that, and deep nesting is a way to crash programs that read YAML.",
    fix="Write the formula flat; move a part into a milestone and `ref` it.",
    bad=Example(
        text="""# qualify: [[[[ ... ]]]]
""",
        generated=b"qualify: " + b"[" * 60 + b"]" * 60,
    ),
    good=Example(
        text="""qualify: {event: login, within: 14d}
"""
    ),
)
