"""The timeline: a rate by calendar period with its intervals over the band of the baseline, young periods hollow and dashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.reporting.pages.drawing import BLUE, GREY, ORANGE, WIDTH, draw, values
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEWEST: Final = 20
"""A young period is drawn from so many complete leads on."""

BASELINE, COMPARED, YOUNG = "the baseline", "compared with it", "in progress, or before the baseline"


def timeline(periods: Sequence[Mapping[str, Any]], axis: str) -> Markup:
    """Draw a rate (`axis` names it) by period, as the JSON contract spells the periods; nothing where fewer than two have a rate.

    A young period of few complete leads is left out (`undrawn` says so): its interval would set the axis of all others.
    """
    import altair as alt

    rated = [
        period for period in periods if period["pql_to_customer"]["rate"] is not None and not _is_too_young(period)
    ]
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
    top = min(1.0, 1.1 * max(row["high"] for row in rows))
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


def undrawn(periods: Sequence[Mapping[str, Any]]) -> str:
    """Say which periods the timeline leaves out, as a sentence of its caption; or nothing."""
    left = [row["period"] for row in periods if row["pql_to_customer"]["rate"] is not None and _is_too_young(row)]
    return f"Not drawn, because fewer than {FEWEST} are complete: {', '.join(left)}." if left else ""


def _is_too_young(period: Mapping[str, Any]) -> bool:
    return _kind(period) == YOUNG and period["pql_to_customer"]["denominator"] < FEWEST


def _kind(period: Mapping[str, Any]) -> str:
    if period["baseline"]:
        return BASELINE
    return COMPARED if period["drift"]["verdict"] not in (None, "in-progress") else YOUNG
