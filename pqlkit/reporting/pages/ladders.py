"""The ladder chart: the rate at and above each threshold, one line for each behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pqlkit.reporting.pages.drawing import COLOURS, WIDTH, draw, told_apart, values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def ladders(curves: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], *, axis: str) -> Markup:
    """Draw curves of (name, rungs with ``threshold``, ``rate``, ``low``, ``high``); nothing unless one has two rungs.

    Thresholds stand on a logarithmic axis; at most as many curves as there are colours are drawn.
    """
    import altair as alt

    drawn = curves[: len(COLOURS)]
    names = told_apart([name for name, _ in drawn], 40)
    rows = [
        {"name": name, "threshold": rung["threshold"], "rate": rung["rate"], "low": rung["low"], "high": rung["high"]}
        for name, (_, rungs) in zip(names, drawn, strict=True)
        for rung in rungs
        if rung["rate"] is not None
    ]
    if len(rows) < 2 or all(len(rungs) < 2 for _, rungs in drawn):
        return Markup()
    scale = alt.Scale(domain=names, range=list(COLOURS[: len(names)]))
    legend = alt.Legend(title=None) if len(names) > 1 else None
    chart = alt.Chart(values(rows)).encode(
        x=alt.X(
            "threshold:Q",
            scale=alt.Scale(type="log", nice=False, padding=12),
            axis=alt.Axis(title="at least", format="~s", values=_ticks(rows)),
        ),
        color=alt.Color("name:N", sort=names, scale=scale, legend=legend),
    )
    y = alt.Y("rate:Q", axis=alt.Axis(title=axis, format="~%", tickCount=6), scale=alt.Scale(zero=True))
    layers = [
        chart.mark_rule(strokeWidth=1).encode(y=alt.Y("low:Q"), y2="high:Q"),
        chart.mark_line(strokeWidth=2).encode(y=y),
        chart.mark_point(filled=True, size=50, opacity=1).encode(y=y),
    ]
    says = f"Rate by threshold of {len(names)} behaviours, with 95 % intervals."
    return draw(alt.layer(*layers).properties(width=WIDTH, height=260), says)


def _ticks(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Choose thresholds for the axis that stand an eighth apart or more."""
    ticks: list[int] = []
    for threshold in sorted({row["threshold"] for row in rows}):
        if not ticks or 8 * threshold >= 9 * ticks[-1]:
            ticks.append(threshold)
    return ticks
