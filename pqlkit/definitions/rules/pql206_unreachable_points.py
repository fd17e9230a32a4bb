"""The rule PQL206: points that cannot reach the mark, or always do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Compare the sum of the points with `pql_at` and the bands."""
    score = subject.definition.score
    if score is None:
        return
    most = sum(points for points in score.points.values() if points > 0)
    if score.pql_at is not None and score.pql_at > most:
        yield Finding(
            path=("score", "pql_at"),
            message=f"the points add up to {most:g}, so pql_at {score.pql_at:g} is never reached",
            hint=f"pql_at can be at most {most:g}",
        )
    if score.pql_at is not None and score.pql_at <= 0:
        yield Finding(
            path=("score", "pql_at"), message=f"pql_at {score.pql_at:g} is reached by everybody, with no points"
        )
    for band, mark in score.bands.items():
        if mark > most:
            yield Finding(
                path=("score", "bands", band),
                message=f"the points add up to {most:g}, so nobody is ever {band!r} (from {mark:g})",
                hint=f"a band can begin at {most:g} at most",
            )


RULE = Rule(
    code=Code("PQL206", "unreachable-points"),
    what="A `pql_at` or a band above the sum of all points, or a `pql_at` of 0.",
    why="Nobody can ever qualify, or everybody does.",
    fix="Lower `pql_at`, or give the criteria more points.",
    bad=Example(
        text="""within: 14d
qualify:
  - {id: pipeline, event: pipeline_created}
  - {id: logins, event: login, at_least: 5}
score: {points: {pipeline: 60, logins: 40}, pql_at: 120}
"""
    ),
    good=Example(
        text="""within: 14d
qualify:
  - {id: pipeline, event: pipeline_created}
  - {id: logins, event: login, at_least: 5}
score: {points: {pipeline: 60, logins: 40}, pql_at: 100}
"""
    ),
    check=check,
)
