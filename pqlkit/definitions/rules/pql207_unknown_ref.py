"""The rule PQL207: a ref that leads nowhere, or back to itself. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import UNKNOWN_REF
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=UNKNOWN_REF,
    what="A `ref`, or an `outcome.definition`, to a name that no file beside this one has, or that leads back to this file.",
    why="The definition has no meaning without the other file, so nothing can be scored.",
    fix="Write the `name` of the other file (not its file name), keep both files in one folder, and break the circle.",
    bad=Example(
        text="""entity: user
qualify: {ref: activatd}
""",
        beside=(
            """pqlkit: 1
kind: milestone
name: activated
entity: user
qualify: {event: project_created, within: 7d}
""",
        ),
    ),
    good=Example(
        text="""entity: user
qualify: {ref: activated}
""",
        beside=(
            """pqlkit: 1
kind: milestone
name: activated
entity: user
qualify: {event: project_created, within: 7d}
""",
        ),
    ),
)
