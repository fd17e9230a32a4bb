"""The drawing: a chart turned into inert SVG, made on this machine, without a script or a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH: Final = 560
"""Pixels of the plot itself; labels stand beside it."""
LABEL: Final = 64
"""Characters of a name on an axis."""
BLUE, ORANGE, GREEN, PURPLE, GREY = "#2f7fd1", "#d0632c", "#2b9362", "#a066c8", "#858b93"
"""Each differs from a white and from a dark background by at least 3 : 1 (WCAG 2.2, 1.4.11)."""
INK: Final = "currentColor"
"""Text in a drawing: the colour of the page's text, light or dark."""
COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE)
_OPENING: Final = re.compile(r"<svg [^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\" viewBox=\"([\d. -]+)\"[^>]*>")
_VERSION: Final = "6.4"
_PADDING: Final = {"right": 24, "top": 4, "bottom": 4}
_CONFIGURATION: Final = {
    "background": None,
    "font": "Arial, Helvetica, Liberation Sans, sans-serif",
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 460,
        "grid": True,
    },
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "orient": "top", "labelLimit": 320, "columnPadding": 28},
    "title": {"fontSize": 13, "anchor": "start", "fontWeight": "normal"},
}


def draw(chart: Any, says: str, *, room: int = 0) -> Markup:
    """Render an Altair chart as an inline SVG picture.

    Parameters
    ----------
    chart
        An Altair chart over values it carries; nothing is fetched.
    says
        What a person who does not see it should know, as text.
    room
        Characters of the longest label at the left edge. Fonts differ from those that the converter measures with, so that
        a long label needs more room than it says.

    Returns
    -------
    Markup
        One element with the role of a picture. The same bytes for the same chart.
    """
    import vl_convert

    spec = {**chart.to_dict(), "config": {**_CONFIGURATION, "padding": {**_PADDING, "left": 8 + room}}}
    text: str = vl_convert.vegalite_to_svg(spec, vl_version=_VERSION, allowed_base_urls=[])
    opening = _OPENING.match(text)
    if opening is None:  # pragma: no cover - a converter that no longer writes what it did
        raise RuntimeError("the converter wrote no SVG that can be set into a page")
    width, height, box = opening.groups()
    body = text[opening.end() :]
    return Markup(
        '<div class="drawing" role="img" aria-label="{}">'
        '<svg width="{}" height="{}" viewBox="{}" aria-hidden="true">{}</div>'
    ).format(visible(says, 600), width, height, box, Markup(body))  # noqa: S704 - the converter escapes what it writes


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
