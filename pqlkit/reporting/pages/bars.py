"""The bar chart: counts beside each other, for the funnel and for overlaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.reporting.pages.drawing import BLUE, INK, WIDTH, draw, told_apart, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup


def bars(counts: Sequence[tuple[str, int]], *, says: str) -> Markup:
    """Draw counts as bars from 0, each with its figure at its end, in the given order."""
    import altair as alt

    names = told_apart([name for name, _ in counts], 44)
    rows = [
        {"name": name, "count": count, "text": f"{count:,}"} for name, (_, count) in zip(names, counts, strict=True)
    ]
    chart = alt.Chart(values(rows)).encode(
        x=alt.X("count:Q", axis=None),
        y=alt.Y("name:N", sort=names, axis=alt.Axis(title=None, grid=False, domain=False, ticks=False, labelLimit=300)),
    )
    end = chart.mark_text(align="left", dx=6, fontSize=12, color=INK).encode(text="text:N")
    return draw(
        alt.layer(chart.mark_bar(color=BLUE), end).properties(width=WIDTH - 60, height=alt.Step(34)),
        says,
        room=max(map(len, names)),
    )
