"""The rule PQL107: an id that is taken. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import DUPLICATE_ID
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=DUPLICATE_ID,
    what="Two criteria with one `id`, or an `id` that is a column of every lead list.",
    why="Each criterion is a column of the lead list under its id, and points are given by id.",
    fix="Give each criterion an id of its own, or leave it out: ids are made from event and measure.",
    bad=Example(
        text="""within: 14d
qualify:
  all:
    - {id: active, event: login, at_least: 5}
    - {id: active, event: project_created}
"""
    ),
    good=Example(
        text="""within: 14d
qualify:
  all:
    - {id: logins, event: login, at_least: 5}
    - {id: projects, event: project_created}
"""
    ),
)
