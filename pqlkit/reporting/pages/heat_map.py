"""The heat map of one behaviour: how closely each threshold in each window goes with converting (phi)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.reporting.pages.drawing import ORANGE, WIDTH, draw, label, values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEWEST: Final = 20
"""A cell needs so many snapshots that meet it."""
MOST: Final = 10
"""So many thresholds fit beside each other."""


SHADES: Final = ("#eef4fb", "#8fbbe8", "#154a87")
"""Of a cell: no correlation, half of the closest, the closest."""


def ink(share: float) -> str:
    """Choose the colour of a figure on a cell of so much of the closest correlation.

    Examples
    --------
    >>> ink(0.1), ink(0.9)
    ('#1b1f24', '#ffffff')
    """
    return "#ffffff" if share > 0.75 else "#1b1f24"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One threshold of one window: the JSON's step of the curve, and whether it is the best cell of all."""

    window: str
    threshold: int
    step: Mapping[str, Any]
    best: bool


def cells(rows: Sequence[Mapping[str, Any]]) -> list[Cell]:
    """Lay out the grid of one event and measure.

    Parameters
    ----------
    rows
        Its behaviours, one per window, as the JSON contract spells them. The best cell is the shown threshold of the row
        with the largest absolute phi (ties to the shorter window).
    """
    marked = [{**row, **(row["shown"] or {})} for row in rows]
    best = max(marked, key=lambda row: abs(row["phi"] or 0.0))
    steps = [(row, step) for row in marked for step in row["curve"] if step["with"]["snapshots"] >= FEWEST]
    kept = set(spread(sorted({step["threshold"] for _, step in steps}), best["threshold"]))
    return [
        Cell(
            window=row["window"] or "ever",
            threshold=step["threshold"],
            step=step,
            best=row is best and step["threshold"] == best["threshold"],
        )
        for row, step in steps
        if step["threshold"] in kept
    ]


def spread(thresholds: Sequence[int], always: int) -> list[int]:
    """Thin ascending thresholds to `MOST`, both ends and the best one kept."""
    if len(thresholds) <= MOST:
        return list(thresholds)
    stride = (len(thresholds) - 1) / (MOST - 2)
    kept = {thresholds[round(i * stride)] for i in range(MOST - 1)}
    return sorted(kept | ({always} & set(thresholds)))


def heat_map(grid: Sequence[Cell], *, behaviour: str, doing: str) -> Markup:
    """Draw a grid: colour and text are phi, the frame marks the best cell.

    Parameters
    ----------
    grid
        Cells of one behaviour.
    behaviour
        Its name.
    doing
        What the windows are: ``in the first`` or ``in the last``.
    """
    import altair as alt

    if len(grid) < 2:
        return Markup()
    top = max(cell.step["phi"] or 0.0 for cell in grid) or 1.0
    rows = [
        {
            "window": cell.window,
            "threshold": cell.threshold,
            "phi": cell.step["phi"],
            "ink": ink(max(cell.step["phi"] or 0.0, 0.0) / top),
            "best": cell.best,
        }
        for cell in grid
    ]
    windows = list(dict.fromkeys(cell.window for cell in grid))
    thresholds = sorted({cell.threshold for cell in grid})
    chart = alt.Chart(values(rows)).encode(
        x=alt.X("threshold:O", sort=thresholds, axis=alt.Axis(title="at least", labelAngle=0, grid=False)),
        y=alt.Y("window:O", sort=windows, axis=alt.Axis(title=doing, grid=False)),
    )
    scale = alt.Scale(domain=[0, top], range=list(SHADES), clamp=True)
    layers = [
        chart.mark_rect(stroke="#ffffff", strokeWidth=1).encode(color=alt.Color("phi:Q", scale=scale, legend=None)),
        chart.mark_text(fontSize=11).encode(
            text=alt.Text("phi:Q", format=".2f"), color=alt.Color("ink:N", scale=None, legend=None)
        ),
        chart.transform_filter("datum.best").mark_rect(filled=False, stroke=ORANGE, strokeWidth=3, opacity=1),
    ]
    best = next((cell for cell in grid if cell.best), None)
    says = f"Heat map of {label(behaviour)}: correlation with conversion (phi) by threshold and window."
    if best is not None:
        says += f" The marked cell is at least {best.threshold:,} in {best.window}."
    drawn = alt.layer(*layers).resolve_scale(color="independent")
    return draw(drawn.properties(width=WIDTH, height=34 * len(windows)), says)
