"""The rule PQL109: a format number that this pqlkit does not read. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import UNSUPPORTED_FORMAT
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=UNSUPPORTED_FORMAT,
    what="The number under `pqlkit` is not the format that this version reads.",
    why="Keys may mean something else in another format, so nothing of the file is judged.",
    fix="Write `pqlkit: 1`, or install the pqlkit that the file was written for.",
    bad=Example(
        text="""pqlkit: 2
"""
    ),
    good=Example(
        text="""pqlkit: 1
"""
    ),
)
