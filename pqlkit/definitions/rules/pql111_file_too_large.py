"""The rule PQL111: a file of more than 1 MiB. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import FILE_TOO_LARGE
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=FILE_TOO_LARGE,
    what="The file is larger than 1 MiB, or holds too many values.",
    why="A definition that nobody can read cannot be reviewed; and a check must not be made to eat the machine's memory.",
    fix="Keep one definition per file. Lists of entities belong into the exports.",
    bad=Example(
        text="""# a file of 1 MiB and one byte
""",
        generated=b"pqlkit: 1\n" + b"#" * 1024 * 1024,
    ),
    good=Example(
        text="""title: A definition fits on one screen
"""
    ),
)
