"""The rule PQL108: a criterion without a window. Reading the file finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import MISSING_WINDOW
from pqlkit.definitions.rules.lint_rule import Example, Rule

RULE = Rule(
    code=MISSING_WINDOW,
    what="A criterion without `within`, `rolling`, `trailing` or `ever`, in a definition without a `within` of its own.",
    why="Ten logins in a week and ten in a life are different people; which is meant must be written.",
    fix="Write `within: 14d` on the criterion or once for the whole definition; `ever: true` if no window is meant.",
    bad=Example(
        text="""qualify: {event: login, at_least: 10}
"""
    ),
    good=Example(
        text="""qualify: {event: login, at_least: 10, within: 14d}
"""
    ),
)
