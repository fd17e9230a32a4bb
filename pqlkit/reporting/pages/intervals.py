"""The interval chart: rates or ratios as points with their 95 % intervals, one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pqlkit.reporting.pages.drawing import BLUE, COLOURS, GREY, WIDTH, draw, label, told_apart, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One point: whose it is, of which group (its colour), and between which ends it may lie."""

    name: str
    value: float
    low: float | None
    high: float | None
    group: str = ""


def rates(points: Sequence[Interval], *, axis: str, says: str, base: float | None = None) -> Markup:
    """Draw rates against one axis of percentages that begins at 0; `base` is a line to compare with."""
    import altair as alt

    x = alt.X("value:Q", axis=alt.Axis(format="~%", title=axis, tickCount=6), scale=alt.Scale(zero=True))
    return draw(_chart(points, x, base), says, room=_room(points))


def ratios(points: Sequence[Interval], *, axis: str, says: str) -> Markup:
    """Draw ratios against a logarithmic axis, with a line at 1: no difference."""
    import altair as alt

    x = alt.X(
        "value:Q",
        axis=alt.Axis(title=axis, format="~g", tickCount=6),
        scale=alt.Scale(type="log", nice=False, padding=12),
    )
    return draw(_chart(points, x, 1.0), says, room=_room(points))


def areas(points: Sequence[Interval], *, says: str) -> Markup:
    """Draw areas under the ROC curve between 0 and 1, with a line at one half."""
    import altair as alt

    x = alt.X("value:Q", axis=alt.Axis(title="AUC", tickCount=6), scale=alt.Scale(zero=False, nice=True))
    return draw(_chart(points, x, 0.5), says, room=_room(points))


def _room(points: Sequence[Interval]) -> int:
    return max(len(label(point.name)) for point in points)


def _chart(points: Sequence[Interval], x: Any, base: float | None) -> Any:
    import altair as alt

    names = list(dict.fromkeys(point.name for point in points))
    shown = dict(zip(names, told_apart(names), strict=True))
    groups = list(dict.fromkeys(point.group for point in points))
    rows = [
        {"name": shown[point.name], "value": point.value, "low": point.low, "high": point.high, "group": point.group}
        for point in points
    ]
    y = alt.Y("name:N", sort=[shown[point] for point in names], axis=alt.Axis(title=None, grid=False))
    offset: dict[str, Any] = {} if len(groups) < 2 else {"yOffset": alt.YOffset("group:N", sort=groups)}
    hues = [BLUE] if len(groups) < 2 else list(COLOURS[: len(groups)])
    legend = None if len(groups) < 2 else alt.Legend(title=None)
    colour = alt.Color("group:N", sort=groups, scale=alt.Scale(domain=groups, range=hues), legend=legend)
    chart = alt.Chart(values(rows)).encode(y=y, color=colour, **offset)
    layers = [
        chart.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
        chart.mark_point(filled=True, size=70, opacity=1).encode(x=x),
    ]
    if base is not None:
        line = alt.Chart(values([{"value": base}])).mark_rule(strokeDash=[4, 3], color=GREY, strokeWidth=1.5)
        layers.insert(0, line.encode(x="value:Q"))
    return alt.layer(*layers).properties(width=WIDTH, height=alt.Step(26 if len(groups) < 2 else 17))
