"""The front: rate against recall, the rules that no other beats on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from pqlkit.reporting.pages.drawing import BLUE, GREY, INK, ORANGE, WIDTH, draw, values

if TYPE_CHECKING:
    from collections.abc import Sequence

FRONT: Final = "the front, where it was chosen"
LATER: Final = "proposed, on later snapshots"
PROPOSED: Final = "proposed, where it was chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One rule: share of the conversions it covers, share of its snapshots that converted, and which kind of point it is."""

    mark: str
    recall: float
    rate: float
    kind: str


def front(places: Sequence[Place], base: float | None) -> Markup:
    """Draw the front as a line, the proposed rules as points: where they were chosen, and later."""
    import altair as alt

    if len(places) < 2:
        return Markup()
    kinds = [kind for kind in (FRONT, PROPOSED, LATER) if any(place.kind == kind for place in places)]
    hues = {FRONT: GREY, PROPOSED: BLUE, LATER: ORANGE}
    rows = [{"mark": place.mark, "recall": place.recall, "rate": place.rate, "kind": place.kind} for place in places]
    chart = alt.Chart(values(rows)).encode(
        x=alt.X("recall:Q", axis=alt.Axis(title="of all conversions", format="~%", tickCount=6)),
        y=alt.Y("rate:Q", axis=alt.Axis(title="converted, of those who meet the rule", format="~%", tickCount=6)),
        color=alt.Color(
            "kind:N",
            sort=kinds,
            scale=alt.Scale(domain=kinds, range=[hues[kind] for kind in kinds]),
            legend=alt.Legend(title=None, labelLimit=300),
        ),
    )
    only_front = chart.transform_filter(alt.datum.kind == FRONT)
    marked = chart.transform_filter(alt.datum.kind != FRONT)
    layers = [
        only_front.mark_line(strokeWidth=1.5, strokeDash=[4, 3], order=False),
        chart.mark_point(filled=True, size=80, opacity=1),
        marked.mark_text(dx=10, align="left", fontSize=12, fontWeight="bold").encode(
            text="mark:N", color=alt.value(INK)
        ),
    ]
    if base is not None:
        line = alt.Chart(values([{"rate": base}])).mark_rule(strokeDash=[2, 3], color=GREY)
        layers.insert(0, line.encode(y="rate:Q"))
    says = "Rate against recall: the front of all searched rules, and the proposed rules where chosen and later."
    return draw(alt.layer(*layers).properties(width=WIDTH, height=300), says)
