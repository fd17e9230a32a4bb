"""The timeline: a rate by calendar period with its intervals, young periods hollow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pqlkit.reporting.pages.drawing import BLUE, GREY, ORANGE, WIDTH, draw, values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BASELINE, COMPARED, YOUNG = "the baseline", "compared with it", "in progress, or before the baseline"


def timeline(periods: Sequence[Mapping[str, Any]], overall: float | None, step: str) -> Markup:
    """Draw a rate (`step` names it) by period, as the JSON contract spells the periods; nothing where fewer than two have a rate."""
    import altair as alt

    rows = [
        {
            "period": period["period"],
            "rate": period["pql_to_customer"]["rate"],
            "low": period["pql_to_customer"]["low"],
            "high": period["pql_to_customer"]["high"],
            "kind": BASELINE
            if period["baseline"]
            else COMPARED
            if period["drift"]["verdict"] not in (None, "in-progress")
            else YOUNG,
        }
        for period in periods
        if period["pql_to_customer"]["rate"] is not None
    ]
    if len(rows) < 2:
        return Markup()
    kinds = [kind for kind in (BASELINE, COMPARED, YOUNG) if any(row["kind"] == kind for row in rows)]
    hues = {BASELINE: ORANGE, COMPARED: BLUE, YOUNG: GREY}
    chart = alt.Chart(values(rows)).encode(
        x=alt.X("period:O", sort=[row["period"] for row in rows], axis=alt.Axis(title=None, labelAngle=0, grid=False)),
        color=alt.Color(
            "kind:N",
            sort=kinds,
            scale=alt.Scale(domain=kinds, range=[hues[kind] for kind in kinds]),
            legend=alt.Legend(title=None),
        ),
    )
    y = alt.Y("rate:Q", axis=alt.Axis(title=step, format="~%", tickCount=6), scale=alt.Scale(zero=True))
    layers = [
        chart.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q"),
        chart.mark_point(filled=True, size=80, opacity=1).encode(y=y),
    ]
    if overall is not None:
        line = alt.Chart(values([{"rate": overall}])).mark_rule(strokeDash=[4, 3], color=GREY)
        layers.insert(0, line.encode(y="rate:Q"))
    says = f"{step} by period, {len(rows)} periods, with 95 % intervals; the dashed line is the whole."
    return draw(alt.layer(*layers).properties(width=WIDTH, height=240), says)
