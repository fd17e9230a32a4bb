"""Markup: text, numbers and tables as HTML, with other people's names made inert.

Every number is a ``<data>`` element whose ``value`` is the figure of the JSON in full precision, so that a page can be
checked against it. Names stand in ``<span class="name">``, sentences that the JSON holds word for word in
``<p class="said">``.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from pqlkit.inert import LONGEST, visible
from pqlkit.reporting.renderers.words import percent, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LONG: Final = 40
NOTHING: Final = '<span class="none">-</span>'


def words(text: str) -> str:
    """Escape pqlkit's own words."""
    return escape(text)


def name(text: object, longest: int = LONGEST) -> str:
    """Show a name from an export or a definition: one line, bounded, no markup, isolated from the direction around it.

    Examples
    --------
    >>> name("<b>")
    '<span class="name"><bdi>&lt;b&gt;</bdi></span>'
    """
    kind = "name long" if len(str(text)) > LONG else "name"
    return f'<span class="{kind}"><bdi>{escape(visible(str(text), longest))}</bdi></span>'


def moment(text: str) -> str:
    """Show an ISO 8601 moment as its date, with the whole of it for machines.

    Examples
    --------
    >>> moment("2026-11-01T23:54:40.503891Z")
    '<time datetime="2026-11-01T23:54:40.503891Z">2026-11-01</time>'
    """
    return f'<time datetime="{escape(text)}">{escape(text[:10])}</time>'


def said(text: str, *, warning: bool = True) -> str:
    """Show a sentence of the result, as a warning or plainly."""
    return f'<p class="said{" warning" if warning else ""}">{escape(visible(text, 1000))}</p>'


def number(value: float | None, shown: str) -> str:
    """Show a figure as `shown`, with the whole figure beside it for machines; a dash for None.

    Examples
    --------
    >>> number(0.0859504, "8.6%"), number(None, "-")
    ('<data value="0.0859504">8.6%</data>', '<span class="none">-</span>')
    """
    return NOTHING if value is None else f'<data value="{value!r}">{escape(shown)}</data>'


def count(value: float | None) -> str:
    """Show a count with its thousands apart."""
    return number(value, "" if value is None else f"{value:,}")


def fraction(value: float | None) -> str:
    """Show a fraction as a percentage."""
    return number(value, percent(value))


def ratio(value: float | None) -> str:
    """Show a ratio with about three figures."""
    return number(value, times(value))


def days(value: float | None) -> str:
    """Show a number of days with one decimal."""
    return number(value, "" if value is None else f"{value:.1f}")


def span(low: float | None, high: float | None, *, of_ratio: bool = False) -> str:
    """Show the ends of a 95 % interval; nothing where there is none."""
    if low is None or high is None:
        return ""
    show = ratio if of_ratio else fraction
    return f' <span class="span">[{show(low)}, {show(high)}]</span>'


def rate(record: Mapping[str, Any], top: str, bottom: str) -> str:
    """Show a rate of the JSON with its counts and interval, never bare; a dash where it was not counted.

    Parameters
    ----------
    record
        With `top` and `bottom` (its counts), ``rate``, ``low`` and ``high``.
    top, bottom
        The keys of numerator and denominator.
    """
    if record.get(bottom) is None:
        return NOTHING
    counts = f"{count(record[top])} of {count(record[bottom])}"
    if record.get("rate") is None:
        return counts
    return f"{counts}: <b>{fraction(record['rate'])}</b>{span(record['low'], record['high'])}"


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Set rows of finished cells as a table; the first cell of a row is its header.

    Parameters
    ----------
    caption
        What the table holds, in pqlkit's own words.
    header
        Column names, in pqlkit's own words.
    rows
        Cells as markup.
    left
        So many columns are set flush left, the others flush right.
    """
    head = "".join(f'<th scope="col"{_side(i, left)}>{escape(text)}</th>' for i, text in enumerate(header))
    body = "".join(f"<tr>{''.join(_cell(i, cell, left) for i, cell in enumerate(row))}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(index: int, cell: str, left: int) -> str:
    tag = 'th scope="row"' if index == 0 else 'td class="text"' if index < left else "td"
    return f"<{tag}{_side(index, left)}>{cell}</{tag[:2]}>"


def _side(index: int, left: int) -> str:
    return "" if index < left else ' class="figure"'


def section(title: str, *parts: str) -> str:
    """Set parts under a heading; nothing where there are none."""
    inside = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>{inside}</section>" if inside else ""


def paragraph(*parts: str) -> str:
    """Set finished markup as a paragraph."""
    return f"<p>{''.join(parts)}</p>"


def figure(drawing: str, caption: str, behind: str) -> str:
    """Set a drawing with its caption and, folded away, the table behind it."""
    return (
        f"<figure>{drawing}<figcaption>{caption}</figcaption>"
        f"<details><summary>The numbers behind it</summary>{behind}</details></figure>"
    )
