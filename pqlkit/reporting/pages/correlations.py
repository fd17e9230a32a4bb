"""The correlation chart: how closely each behaviour goes with converting (phi), one bar each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.reporting.pages.drawing import BLUE, INK, WIDTH, draw, told_apart, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup


def correlations(phis: Sequence[tuple[str, float]]) -> Markup:
    """Draw phi of named behaviours as bars from 0, in the given order, each with its figure at its end."""
    import altair as alt

    names = told_apart([name for name, _ in phis])
    rows = [
        {"name": name, "phi": phi, "end": max(phi, 0.0), "text": f"{phi:.2f}"}
        for name, (_, phi) in zip(names, phis, strict=True)
    ]
    low, high = min(0.0, *(phi for _, phi in phis)), max(0.0, *(phi for _, phi in phis))
    chart = alt.Chart(values(rows)).encode(
        x=alt.X(
            "phi:Q",
            axis=alt.Axis(title="phi: 0 is no correlation, 1 is the closest", tickCount=6),
            scale=alt.Scale(domain=[low, high + (high - low or 1.0) / 8], nice=False),
        ),
        y=alt.Y("name:N", sort=names, axis=alt.Axis(title=None, grid=False, ticks=False)),
    )
    figure = chart.mark_text(align="left", dx=5, fontSize=12, color=INK).encode(x="end:Q", text="text:N")
    says = f"Correlation with conversion (phi) of {len(rows)} behaviours, the closest first: {rows[0]['text']} to {rows[-1]['text']}."
    drawn = alt.layer(chart.mark_bar(color=BLUE, size=13), figure)
    return draw(drawn.properties(width=WIDTH, height=alt.Step(24)), says, room=max(map(len, names)))
