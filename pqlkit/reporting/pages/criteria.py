"""The criteria on a page, each alone: those with it beside those without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pqlkit.reporting.pages.intervals import Interval, rates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def criteria(rows: Sequence[Mapping[str, Any]], success: str = "converted") -> Markup:
    """Draw the criteria of the JSON, where two rates are known; `success` says what became of whom they count."""
    points = [
        Interval(name=row["describe"], value=side["rate"], low=side["low"], high=side["high"], group=words)
        for row in rows
        for words, side in (("with it", row["alone"]["with"]), ("without it", row["alone"]["without"]))
        if side["rate"] is not None
    ]
    if len(points) < 2:
        return Markup()
    says = f"Share that {success} with and without each of {len(rows)} criteria, with 95 % intervals."
    return rates(points, axis=f"snapshots that {success}", says=says)
