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


def rates(points: Sequence[Interval], *, axis: str, says: str) -> Markup:
    """Draw rates against one axis of percentages that begins at 0."""
    import altair as alt

    x = alt.X("value:Q", axis=alt.Axis(format="~%", title=axis, tickCount=6), scale=alt.Scale(zero=True))
    return draw(_chart(points, x, None), says, room=_room(points))


def ratios(points: Sequence[Interval], *, axis: str, says: str, hollow: str | None = None) -> Markup:
    """Draw ratios against a logarithmic axis, with a line at 1: no difference; the points of one group may be hollow."""
    import altair as alt

    ends = [end for point in points for end in (point.low, point.value, point.high) if end]
    x = alt.X(
        "value:Q",
        axis=alt.Axis(title=axis, format="~g", values=_log_ticks(min(ends, default=1.0), max(ends, default=1.0))),
        scale=alt.Scale(type="log", nice=False, padding=12),
    )
    return draw(_chart(points, x, 1.0, hollow), says, room=_room(points))


def _log_ticks(low: float, high: float) -> list[float]:
    """Choose numbers for a logarithmic axis that stand apart and can be read: 1, 2, 5, 10; over one decade 3, 4 and 7, too.

    Examples
    --------
    >>> _log_ticks(0.8, 16), _log_ticks(0.9, 5)
    ([1.0, 2.0, 5.0, 10.0], [1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
    """
    digits = (1, 1.5, 2, 3, 4, 5, 7) if high < 9 * low else (1, 2, 5)
    ticks = [digit * 10.0**power for power in range(-6, 9) for digit in digits]
    return [float(f"{tick:g}") for tick in ticks if low <= tick <= high] or [1.0]


def areas(points: Sequence[Interval], *, says: str) -> Markup:
    """Draw areas under the ROC curve between 0 and 1, with a line at one half."""
    import altair as alt

    x = alt.X("value:Q", axis=alt.Axis(title="AUC", tickCount=6), scale=alt.Scale(zero=False, nice=True))
    return draw(_chart(points, x, 0.5), says, room=_room(points))


def _room(points: Sequence[Interval]) -> int:
    return max(len(label(point.name)) for point in points)


def _chart(points: Sequence[Interval], x: Any, base: float | None, hollow: str | None = None) -> Any:
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
    hues = hues if hollow is None else [GREY if group == hollow else BLUE for group in groups]
    legend = None if len(groups) < 2 else alt.Legend(title=None)
    colour = alt.Color("group:N", sort=groups, scale=alt.Scale(domain=groups, range=hues), legend=legend)
    chart = alt.Chart(values(rows)).encode(y=y, color=colour, **offset)
    layers = [chart.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")]
    if hollow is None:
        layers.append(chart.mark_point(filled=True, size=70, opacity=1).encode(x=x))
    else:
        layers += [
            chart.transform_filter(alt.datum.group != hollow).mark_point(filled=True, size=70, opacity=1).encode(x=x),
            chart.transform_filter(alt.datum.group == hollow)
            .mark_point(filled=False, size=70, opacity=1, strokeWidth=2)
            .encode(x=x),
        ]
    if base is not None:
        line = alt.Chart(values([{"value": base}])).mark_rule(strokeDash=[4, 3], color=GREY, strokeWidth=1.5)
        layers.insert(0, line.encode(x="value:Q"))
    return alt.layer(*layers).properties(width=WIDTH, height=alt.Step(26 if len(groups) < 2 else 17))
