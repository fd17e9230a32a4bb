"""The timeline: a rate by calendar period with its intervals over the band of the baseline, young periods hollow and dashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pqlkit.reporting.pages.drawing import BLUE, GREY, ORANGE, WIDTH, draw, values
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BASELINE, COMPARED, YOUNG = "the baseline", "compared with it", "in progress, or before the baseline"


def timeline(periods: Sequence[Mapping[str, Any]], axis: str) -> Markup:
    """Draw a rate (`axis` names it) by period, as the JSON contract spells the periods; nothing where fewer than two have a rate.

    A young period of few leads has a wide interval: it is cut where those of the complete ones end.
    """
    import altair as alt

    rated = [period for period in periods if period["pql_to_customer"]["rate"] is not None]
    if len(rated) < 2:
        return Markup()
    rows = [
        {
            "period": period["period"],
            "kind": _kind(period),
            **{key: period["pql_to_customer"][key] for key in ("rate", "low", "high")},
        }
        for period in rated
    ]
    firm = [row["high"] for row in rows if row["kind"] != YOUNG] or [row["high"] for row in rows]
    top = min(1.0, 1.1 * max(*firm, *(row["rate"] for row in rows)))
    rows = [{**row, "high": min(row["high"], top)} for row in rows]
    kinds = [kind for kind in (BASELINE, COMPARED, YOUNG) if any(row["kind"] == kind for row in rows)]
    hues = {BASELINE: ORANGE, COMPARED: BLUE, YOUNG: GREY}
    kind = alt.Color(
        "kind:N",
        sort=kinds,
        scale=alt.Scale(domain=kinds, range=[hues[kind] for kind in kinds]),
        legend=alt.Legend(title=None),
    )
    chart = alt.Chart(values(rows)).encode(
        x=alt.X(
            "period:O",
            sort=[row["period"] for row in rows],
            axis=alt.Axis(title=None, labelAngle=0, labelOverlap="greedy", grid=False),
        ),
        color=kind,
    )
    y = alt.Y("rate:Q", axis=alt.Axis(title=axis, format="~%", tickCount=6), scale=alt.Scale(domain=[0, top]))
    layers = []
    for young, dash in ((False, [1, 0]), (True, [3, 3])):
        part = chart.transform_filter(f"(datum.kind == '{YOUNG}') == {str(young).lower()}")
        layers += [
            part.mark_rule(strokeWidth=2, strokeDash=dash).encode(y=alt.Y("low:Q"), y2="high:Q"),
            part.mark_point(filled=not young, size=80, opacity=1).encode(y=y),
        ]
    known = [period["pql_to_customer"] for period in rated if period["baseline"]]
    if known:
        together = Rate.of(sum(part["numerator"] for part in known), sum(part["denominator"] for part in known))
        band = alt.Chart(values([{"low": together.low, "high": together.high}])).mark_rect(color=ORANGE, opacity=0.15)
        layers.insert(0, band.encode(y="low:Q", y2="high:Q"))
    says = f"{axis} by period, {len(rows)} periods, with 95 % intervals; the band is the baseline, taken together."
    return draw(alt.layer(*layers).properties(width=WIDTH, height=240), says)


def _kind(period: Mapping[str, Any]) -> str:
    if period["baseline"]:
        return BASELINE
    return COMPARED if period["drift"]["verdict"] not in (None, "in-progress") else YOUNG
