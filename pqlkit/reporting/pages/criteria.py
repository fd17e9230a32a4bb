"""The criteria on a page: each alone, with and without it, and the rule without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.reporting.pages import markup as m
from pqlkit.reporting.pages.intervals import Interval, rates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def criteria(found: Sequence[Mapping[str, Any]]) -> str:
    """Set the criteria of the JSON as a drawing and a table."""
    points = [
        Interval(name=one["describe"], value=side["rate"], low=side["low"], high=side["high"], group=words)
        for one in found
        for words, side in (("with it", one["alone"]["with"]), ("without it", one["alone"]["without"]))
        if side["rate"] is not None
    ]
    table = m.table(
        "Each criterion alone, and the whole rule without it",
        ("criterion", "with it", "without it", "times", "the rule without it"),
        [
            (
                m.name(one["describe"], 120) + (" (mechanical)" if one["mechanical"] else ""),
                m.rate(one["alone"]["with"], "converted", "snapshots"),
                m.rate(one["alone"]["without"], "converted", "snapshots"),
                m.ratio(one["alone"]["relative_risk"]),
                m.rate(one["without_it"].get("with", {}), "converted", "snapshots"),
            )
            for one in found
        ],
    )
    if len(points) < 2:
        return table
    says = f"Share upgraded with and without each of {len(found)} criteria, with 95 % intervals."
    return m.figure(rates(points, axis="upgraded", says=says), "Upgraded, with and without each criterion.", table)
