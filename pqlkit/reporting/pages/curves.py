"""The conversion curves of cohorts: the share converted by each day of age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.reporting.pages.drawing import BLUE, COLOURS, GREY, WIDTH, draw, label, values
from pqlkit.reporting.renderers.words import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOWN: Final = 4
"""So many cohorts have a colour of their own; the others are grey."""
_OTHERS: Final = "the others"


def curves(cohorts: Sequence[Mapping[str, Any]], *, timed: bool, unit: str, since: str = "the beginning") -> Markup:
    """Draw cohorts of one kind, as the JSON contract spells them; nothing where no curve has two points.

    Parameters
    ----------
    cohorts
        ``cohort``, ``members``, ``curve``.
    timed
        In time order: the newest that are old enough have the colours. Else the largest.
    unit
        What a member is.
    since
        From when the days count.
    """
    import altair as alt

    drawn = [cohort for cohort in cohorts if len(cohort["curve"]) > 1]
    if not drawn:
        return Markup()
    chosen = [cohort["cohort"] for cohort in _coloured(drawn, timed)]
    names = {cohort: label(cohort, 24) for cohort in chosen}
    rows = [
        {
            "day": point["day"],
            "share": point["converted_share"],
            "line": str(index),
            "cohort": names.get(cohort["cohort"], _OTHERS),
        }
        for index, cohort in enumerate(drawn)
        for point in [{"day": 0, "converted_share": 0.0}, *cohort["curve"]]
    ]
    rest = len(drawn) > len(chosen)
    ends = [
        {"day": point["day"], "low": point["low"], "high": point["high"]}
        for cohort in drawn[: len(drawn) == 1]
        for point in cohort["curve"]
        if point["low"] is not None
    ]
    domain = [*names.values(), *([_OTHERS] if rest else [])]
    hues = [*COLOURS[: len(chosen)], *([GREY] if rest else [])]
    chart = alt.Chart(values(rows)).mark_line(strokeWidth=2)
    chart = chart.encode(
        x=alt.X("day:Q", axis=alt.Axis(title=f"days since {since}", tickCount=8)),
        y=alt.Y("share:Q", axis=alt.Axis(title="converted", format="~%", tickCount=6)),
        detail="line:N",
        color=alt.Color(
            "cohort:N",
            sort=domain,
            scale=alt.Scale(domain=domain, range=hues),
            legend=alt.Legend(title=None) if len(domain) > 1 else None,
        ),
        opacity=alt.condition(alt.datum.cohort == _OTHERS, alt.value(0.45), alt.value(1.0)),
    )
    if len(ends) > 1:
        band = alt.Chart(values(ends)).mark_area(color=BLUE, opacity=0.15).encode(x="day:Q", y="low:Q", y2="high:Q")
        chart = alt.layer(band, chart)
    sure = ", with its 95 % interval" if ends else ""
    says = (
        f"Conversion curves of {plural(len(drawn), 'cohort')} of {unit}s: share converted by days since {since}{sure}."
    )
    return draw(chart.properties(width=WIDTH, height=280), says)


def _coloured(drawn: Sequence[Mapping[str, Any]], timed: bool) -> list[Mapping[str, Any]]:
    """Choose the newest cohorts that have been followed for a third of the longest time, or the largest."""
    longest = max(row["curve"][-1]["day"] for row in drawn)
    old = [row for row in drawn if 3 * row["curve"][-1]["day"] >= longest]
    ranked = old[::-1] if timed else sorted(drawn, key=lambda row: (-row["members"], row["cohort"]))
    return [row for row in drawn if row in ranked[:SHOWN]]
