"""The drawing: a chart turned into inert SVG, made on this machine, without a script or a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH: Final = 560
"""Pixels of a plot before it is fitted to the page."""
ROOMY, PHONE = 1050, 350
"""Pixels of a drawing as a whole, labels and all: on a page, which it fills, and on a phone."""
LABEL: Final = 64
"""Characters of a name on an axis."""
BLUE, ORANGE, GREEN, PURPLE, GREY = "#2f7fd1", "#d0632c", "#2b9362", "#a066c8", "#858b93"
"""Each differs from a white and from a dark background by at least 3 : 1 (WCAG 2.2, 1.4.11)."""
INK: Final = "currentColor"
"""Text in a drawing: the colour of the page's text, light or dark."""
COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE)
_OPENING: Final = re.compile(r"<svg [^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\" viewBox=\"([\d. -]+)\"[^>]*>")
_VERSION: Final = "6.4"
_CONFIGURATION: Final[dict[str, Any]] = {
    "background": None,
    "font": "Arial, Helvetica, Liberation Sans, sans-serif",
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 460,
        "labelOverlap": "greedy",
        "labelSeparation": 4,
        "grid": True,
    },
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "orient": "top", "labelLimit": 320, "columnPadding": 40},
    "title": {"fontSize": 13, "anchor": "start", "fontWeight": "normal"},
}
_NAME: Final = 20
"""Pixels above a row of marks on a phone, where its name stands: beside it there is no room."""


def draw(chart: Any, says: str, *, room: int = 0, narrow: Any = None) -> Markup:
    """Render an Altair chart as an inline SVG picture, twice: one fills the page, the other a phone. The style sheet shows one.

    Parameters
    ----------
    chart
        An Altair chart over values it carries; nothing is fetched. Rows of names are those whose height is a step.
    says
        What a person who does not see it should know, as text.
    room
        Characters of the longest label at the left edge. Fonts differ from those that the converter measures with, so that
        a long label needs more room than it says.
    narrow
        Another chart for phones.

    Returns
    -------
    Markup
        One element with the role of a picture. The same bytes for the same chart.
    """
    padding = {"left": 8 + room, "right": 24, "top": 4, "bottom": 4}
    roomy = _svg(chart.to_dict(), ROOMY, {**_CONFIGURATION, "padding": padding})
    slim = _svg(*_for_phone((narrow or chart).to_dict()))
    return Markup(
        '<div class="drawing" role="img" aria-label="{}"><svg class="roomy" {}</svg><svg class="slim" {}</svg></div>'
    ).format(visible(says, 600), roomy, slim)


def _svg(spec: Mapping[str, Any], width: int, settings: Mapping[str, Any]) -> Markup:
    """Render a chart so wide, labels and all: from the attributes of its element on, without the closing tag."""
    import vl_convert

    fitted = {"width": width, "autosize": {"type": "fit-x", "contains": "padding"}, "config": dict(settings)}
    text: str = vl_convert.vegalite_to_svg({**spec, **fitted}, vl_version=_VERSION, allowed_base_urls=[])
    opening = _OPENING.match(text)
    if opening is None:  # pragma: no cover - a converter that no longer writes what it did
        raise RuntimeError("the converter wrote no SVG that can be set into a page")
    return Markup('width="{}" height="{}" viewBox="{}" aria-hidden="true">{}').format(
        *opening.groups(),
        Markup(text[opening.end() :].removesuffix("</svg>")),  # noqa: S704 - the converter escapes what it writes
    )


def _for_phone(spec: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, Any]]:
    """Set the name of each row above it, where a chart has rows of names; its legend in one column."""
    settings: dict[str, Any] = {
        **_CONFIGURATION,
        "padding": {"left": 6, "right": 10, "top": 4, "bottom": 4},
        "legend": {**_CONFIGURATION["legend"], "columns": 1},
    }
    height = spec.get("height")
    if isinstance(height, dict):
        below = _offsets(spec)
        marks = height["step"] * below
        if below == 1:
            spec = {**spec, "height": {"step": marks + _NAME}}
        else:
            share = _NAME / (marks + _NAME)
            settings["scale"] = {
                "bandWithNestedOffsetPaddingInner": share,
                "bandWithNestedOffsetPaddingOuter": share,
            }
        settings["axisYBand"] = settings["axisYPoint"] = {
            "labelAlign": "left",
            "labelPadding": 2,
            "labelOffset": -(marks / 2 + 3),
            "ticks": False,
            "domain": False,
        }
    return spec, PHONE, settings


def _offsets(spec: Mapping[str, Any]) -> int:
    """Count the marks that stand below each other in a row of names."""
    layers = spec.get("layer", [spec])
    return max(len(layer["encoding"].get("yOffset", {}).get("sort", [0])) for layer in layers)


def values(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Give rows to a chart."""
    import altair as alt

    return alt.InlineData(values=[dict(row) for row in rows])


def label(text: object, longest: int = LABEL) -> str:
    """Shorten a name for an axis, and make it inert."""
    return visible(str(text), longest)


def told_apart(texts: Sequence[str], longest: int = LABEL) -> list[str]:
    """Shorten names for an axis so that no two become one.

    Examples
    --------
    >>> told_apart(["login", "login", "a"])
    ['login', 'login (2)', 'a']
    """
    seen: dict[str, int] = {}
    labels = []
    for text in texts:
        short = label(text, longest)
        seen[short] = seen.get(short, 0) + 1
        labels.append(short if seen[short] == 1 else f"{short} ({seen[short]})")
    return labels
