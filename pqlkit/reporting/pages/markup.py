"""Markup: numbers, moments and names as HTML, with other people's names made inert.

Every number is a ``<data>`` element whose ``value`` is the figure of the JSON in full precision, so that a page can be
checked against it. Names stand in ``<span class="name">``. What the templates put between these, they escape themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.inert import LONGEST, visible
from pqlkit.reporting.renderers import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONG: Final = 40
NOTHING: Final = Markup('<span class="none">-</span>')


def name(text: object, longest: int = LONGEST) -> Markup:
    """Show a name from an export or a definition: one line, bounded, no markup, isolated from the direction around it.

    Examples
    --------
    >>> str(name("<b>"))
    '<span class="name"><bdi>&lt;b&gt;</bdi></span>'
    """
    kind = "name long" if len(str(text)) > LONG else "name"
    return Markup('<span class="{}"><bdi>{}</bdi></span>').format(kind, visible(str(text), longest))


def moment(text: str) -> Markup:
    """Show an ISO 8601 moment as its date, with the whole of it for machines.

    Examples
    --------
    >>> str(moment("2026-11-01T23:54:40.503891Z"))
    '<time datetime="2026-11-01T23:54:40.503891Z">2026-11-01</time>'
    """
    return Markup('<time datetime="{}">{}</time>').format(text, text[:10])


def number(value: float | None, form: str = ",") -> Markup:
    """Show a figure in a format, with the whole figure beside it for machines; a dash for None.

    Examples
    --------
    >>> str(number(0.0859504, ".1%")), str(number(1234)), str(number(None))
    ('<data value="0.0859504">8.6%</data>', '<data value="1234">1,234</data>', '<span class="none">-</span>')
    """
    return NOTHING if value is None else _data(value, format(value, form))


def _data(value: float, shown: str) -> Markup:
    return Markup('<data value="{}">{}</data>').format(repr(value), shown)


def chance(value: float) -> Markup:
    """Show a p value as sentences give it."""
    return _data(value, words.chance(value))


def fraction(value: float | None, low: float | None = None, high: float | None = None) -> Markup:
    """Show a fraction as a percentage, with its 95 % interval where it has one."""
    shown = NOTHING if value is None else _data(value, words.percent(value))
    return shown + _span(fraction, low, high)


def quantity(value: float | None, low: float | None = None, high: float | None = None) -> Markup:
    """Show an amount or a number of days with about three figures, with its 95 % interval where it has one."""
    shown = NOTHING if value is None else _data(value, words.quantity(value))
    return shown + _span(quantity, low, high)


def difference(value: float, low: float, high: float) -> Markup:
    """Show a difference of two fractions in percentage points, with its 95 % interval."""
    return _data(value, f"{100 * value:+.1f} points") + Markup(' <span class="span">[{}, {}]</span>').format(
        *(_data(end, f"{100 * end:+.1f}") for end in (low, high))
    )


def ratio(value: float | None, low: float | None = None, high: float | None = None) -> Markup:
    """Show a ratio with about three figures and its 95 % interval, or the one end of it that the data bound."""
    if value is None and low is not None:
        return Markup("at least ") + _data(low, words.times(low))
    if value == 0 and high is not None:
        return Markup("at most ") + _data(high, words.times(high))
    shown = NOTHING if value is None else _data(value, words.times(value))
    return shown + interval(low, high)


def interval(low: float | None, high: float | None) -> Markup:
    """Show the ends of a ratio's 95 % interval; nothing where there is none."""
    return _span(ratio, low, high)


def _span(show: Callable[[float], Markup], low: float | None, high: float | None) -> Markup:
    if low is None or high is None:
        return Markup()
    return Markup(' <span class="span">[{}, {}]</span>').format(show(low), show(high))


def rate(record: Mapping[str, Any], of: str = "snapshots", hits: str = "converted") -> Markup:
    """Show a rate of the JSON with its counts and interval, never bare; a dash where it was not counted.

    Parameters
    ----------
    record
        With its counts, ``rate``, ``low`` and ``high``.
    of, hits
        The keys of denominator and numerator.
    """
    if record.get(of) is None:
        return NOTHING
    counts = Markup("{} of {}").format(number(record[hits]), number(record[of]))
    if record.get("rate") is None:
        return counts
    return Markup("{}: <b>{}</b>{}").format(
        counts, fraction(record["rate"]), _span(fraction, record["low"], record["high"])
    )
