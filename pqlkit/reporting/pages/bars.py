"""The bar chart: counts beside each other, for the funnel and for overlaps."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from pqlkit.reporting.pages.drawing import BLUE, INK, WIDTH, draw, told_apart, values
from pqlkit.reporting.renderers.words import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

_THICK: Final = 22
"""Pixels of a bar: on a phone its name stands above it."""


def bars(counts: Sequence[tuple[str, int]], *, says: str, of: Sequence[int | None] = ()) -> Markup:
    """Draw counts as bars from 0, each with its figure at its end, in the given order.

    Parameters
    ----------
    counts, says
        Names with their counts, and the drawing in words.
    of
        The count that each is part of, drawn pale behind it, and told as a share; None = it is no part.
    """
    import altair as alt

    names = told_apart([name for name, _ in counts], 44)
    rows = [
        {
            "name": name,
            "count": count,
            "end": max(count, whole or 0),
            "text": f"{count:,} of {whole:,} ({percent(count / whole)})" if whole else f"{count:,}",
        }
        for name, (_, count), whole in zip_longest(names, counts, of)
    ]
    longest = max(max(count, whole or 0) for (_, count), whole in zip_longest(counts, of))
    # A figure stands behind the longest bar: it needs two fifths of a phone.
    scale = alt.Scale(domain=[0, 1.7 * (longest or 1)], nice=False)
    chart = alt.Chart(values(rows)).encode(
        x=alt.X("count:Q", axis=None, scale=scale),
        y=alt.Y("name:N", sort=names, axis=alt.Axis(title=None, grid=False, domain=False, ticks=False, labelLimit=300)),
    )
    whole = chart.mark_bar(color=BLUE, opacity=0.2, size=_THICK).encode(x=alt.X("end:Q", axis=None))
    end = chart.mark_text(align="left", dx=6, fontSize=12, color=INK).encode(x="end:Q", text="text:N")
    return draw(
        alt.layer(whole, chart.mark_bar(color=BLUE, size=_THICK), end).properties(
            width=WIDTH - 110, height=alt.Step(34)
        ),
        says,
        room=max(map(len, names)),
    )
