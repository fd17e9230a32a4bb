"""The front: precision against recall, the rules that no other beats on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.reporting.pages.drawing import BLUE, GREY, INK, ORANGE, PHONE, ROOMY, WIDTH, draw, values

if TYPE_CHECKING:
    from collections.abc import Sequence

FRONT: Final = "no rule beats these on both, where chosen"
PROPOSED: Final = "proposed, where chosen"
LATER: Final = "proposed, in the later test period"
_LETTER: Final = 12
"""Pixels that a number needs in each direction."""
_HIGH: Final = 320
_AROUND: Final = (
    (1, 0),
    (-1, 0),
    (0, -1),
    (0, 1),
    (1, -1),
    (1, 1),
    (-1, -1),
    (-1, 1),
    (2, 0),
    (0, -2),
    (2, -1),
    (2, 1),
)
"""Where a number may stand beside its point, the best place first, in letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One rule: share of the conversions it covers, share of its snapshots that converted, and which kind of point it is."""

    mark: str
    recall: float
    rate: float
    kind: str


def front(places: Sequence[Place], base: float | None) -> Markup:
    """Draw the front as a line, and each proposed rule as an arrow's two ends: hollow where it was chosen, filled later."""
    if len(places) < 2:
        return Markup()
    says = (
        "Precision and recall at snapshots: the rules that no searched rule beats on both, and the proposed ones where they were "
        "chosen (hollow) and in the later test period (filled); the lines between are drops."
    )
    return draw(_chart(places, base, ROOMY), says, narrow=_chart(places, base, PHONE))


def _chart(places: Sequence[Place], base: float | None, across: int) -> Any:
    import altair as alt

    kinds = [kind for kind in (FRONT, PROPOSED, LATER) if any(place.kind == kind for place in places)]
    hues = {FRONT: GREY, PROPOSED: ORANGE, LATER: BLUE}
    rows = [{"mark": place.mark, "recall": place.recall, "rate": place.rate, "kind": place.kind} for place in places]
    right, top = (1.08 * max(values) for values in ([p.recall for p in places], [p.rate for p in places]))
    chart = alt.Chart(values(rows)).encode(
        x=alt.X(
            "recall:Q",
            axis=alt.Axis(title="recall: of all conversions", format="~%", tickCount=6),
            scale=alt.Scale(domain=[0, right], nice=False),
        ),
        y=alt.Y(
            "rate:Q",
            axis=alt.Axis(title="precision: converted, of those that meet it", format="~%", tickCount=6),
            scale=alt.Scale(domain=[0, top], nice=False),
        ),
        color=alt.Color(
            "kind:N",
            sort=kinds,
            scale=alt.Scale(domain=kinds, range=[hues[kind] for kind in kinds]),
            legend=alt.Legend(title=None, labelLimit=300),
        ),
    )

    def of(kind: str) -> Any:
        return chart.transform_filter(alt.datum.kind == kind)

    labels = alt.Chart(values(_labels(places, right, top, across))).encode(x="recall:Q", y="rate:Q", text="mark:N")
    layers = [
        of(FRONT).mark_line(strokeWidth=1.5, strokeDash=[4, 3], order=False),
        chart.transform_filter(alt.datum.kind != FRONT)
        .mark_line(strokeWidth=1.5, color=BLUE, opacity=0.6)
        .encode(detail="mark:N", color=alt.value(BLUE)),
        of(FRONT).mark_point(filled=True, size=40, opacity=1),
        of(PROPOSED).mark_point(filled=False, size=80, opacity=1, strokeWidth=2),
        of(LATER).mark_point(filled=True, size=80, opacity=1),
        labels.mark_text(fontSize=12, fontWeight="bold", color=INK),
    ]
    if base is not None:
        line = alt.Chart(values([{"rate": base}])).mark_rule(strokeDash=[2, 3], color=GREY)
        layers.insert(0, line.encode(y="rate:Q"))
    return alt.layer(*layers).properties(width=WIDTH, height=_HIGH)


def _labels(places: Sequence[Place], right: float, top: float, across: int) -> list[dict[str, Any]]:
    """Put the number of each rule beside its filled point, where neither a point nor another number is."""
    wide = 0.9 * across
    spots = [(place.recall / right * wide, place.rate / top * _HIGH) for place in places]
    labels = []
    last = {place.mark: place for place in places if place.mark}
    for mark, place in last.items():
        x, y = place.recall / right * wide, place.rate / top * _HIGH
        around = [(x + _LETTER * left, y + _LETTER * up) for left, up in _AROUND]
        spot = max(
            around, key=lambda at: min(2.0 * _LETTER, *(_apart(at, other) for other in spots if other != (x, y)))
        )
        spots.append(spot)
        labels.append({"mark": mark, "recall": spot[0] / wide * right, "rate": spot[1] / _HIGH * top})
    return labels


def _apart(spot: tuple[float, float], other: tuple[float, float]) -> float:
    return max(abs(spot[0] - other[0]), abs(spot[1] - other[1]))
