"""Words and bars: how counts, rates and ratios are set on 80 columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pqlkit.inert import visible

if TYPE_CHECKING:
    from pqlkit.measures.behaviour import Behaviour
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Microseconds

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day(at: Microseconds | None) -> str:
    """Write an instant as its UTC date.

    Examples
    --------
    >>> day(0)
    '1970-01-01'
    """
    return "never" if at is None else (_EPOCH + timedelta(microseconds=at)).date().isoformat()


def month(at: Microseconds) -> str:
    """Write an instant as its UTC month.

    Examples
    --------
    >>> month(0)
    'January 1970'
    """
    when = _EPOCH + timedelta(microseconds=at)
    return f"{_MONTHS[when.month - 1]} {when.year}"


def quantity(value: float) -> str:
    """Write an amount or a number of days with about three figures.

    Examples
    --------
    >>> [quantity(x) for x in (12_345.6, 189.15, 3.14159, -0.5)]
    ['12,346', '189', '3.14', '-0.50']
    """
    return f"{value:,.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def percent(value: float | None, digits: int | None = None) -> str:
    """Write a fraction as a percentage with about three figures; None as a dash.

    Examples
    --------
    >>> [percent(x) for x in (0.0044, 0.0612, 0.137, 1.0, None)]
    ['0.44%', '6.1%', '13.7%', '100%', '-']
    """
    if value is None:
        return "-"
    if digits is None:
        digits = 2 if 0 < value < 0.01 else 0 if value >= 0.9995 or value == 0 else 1
    return f"{100 * value:.{digits}f}%"


def interval(low: float | None, high: float | None) -> str:
    """Write a 95 % interval of a rate, in percent, without the signs.

    Examples
    --------
    >>> interval(0.0071, 0.0103), interval(None, None)
    ('[0.71, 1.03]', '')
    """
    if low is None or high is None:
        return ""
    digits = 2 if high < 0.02 else 1
    return f"[{100 * low:.{digits}f}, {100 * high:.{digits}f}]"


def points(value: float, low: float, high: float) -> str:
    """Write a difference of two rates in percentage points, with its interval.

    Examples
    --------
    >>> points(0.063, -0.003, 0.128)
    '+6.3 points [-0.3, +12.8]'
    """
    return f"{100 * value:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}]"


def rate(value: Rate) -> str:
    """Write a rate with its counts and interval, never bare.

    Examples
    --------
    >>> from pqlkit.statistics.rate import Rate
    >>> rate(Rate.of(104, 1210))
    '104 of 1,210: 8.6% [7.1, 10.3]'
    >>> rate(Rate.of(0, 0))
    '0 of 0'
    """
    counts = f"{value.numerator:,} of {value.denominator:,}"
    return counts if value.rate is None else f"{counts}: {percent(value.rate)} {interval(value.low, value.high)}"


def compact(value: float) -> str:
    """Write a threshold in at most five characters.

    Examples
    --------
    >>> [compact(x) for x in (3, 8000, 15_000, 750_000, 2_500_000, 40_000_000_000)]
    ['3', '8,000', '15k', '750k', '2.5M', '40G']
    """
    if value < 10_000:
        return f"{value:,}"
    for size, sign in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:g}{sign}"
    return f"{value:,}"


def chance(p_value: float) -> str:
    """Write a p-value with two figures, and one that is all but zero as a bound.

    Examples
    --------
    >>> chance(0.0421), chance(1e-30)
    ('p = 0.042', 'p < 0.0001')
    """
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"


def times(value: float | None) -> str:
    """Write a ratio with about three figures.

    Examples
    --------
    >>> [times(x) for x in (0.974, 9.7, 11.34, 123.4, 86797.0, None)]
    ['0.97', '9.7', '11.3', '123', '>999', '-']
    """
    if value is None:
        return "-"
    if value >= 999.5:
        return ">999"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 2 else f"{value:.1f}"


def ratio(estimate: Estimate, word: str = "") -> str:
    """Write a ratio, a word after it and its interval; or the one end of it that the data bound.

    Examples
    --------
    >>> from pqlkit.statistics.contingency import Contingency
    >>> [ratio(Contingency(*cells).relative_risk()) for cells in ((30, 70, 70, 830), (22, 74, 0, 899), (0, 50, 9, 300), (0, 0, 1, 2))]
    ['3.9 [2.7, 5.6]', 'at least 53.8', 'at most 2.5', '-']
    """
    if estimate.value is None:
        return "-" if estimate.low is None else f"at least {times(estimate.low)}{word}"
    if estimate.value == 0:
        return f"at most {times(estimate.high)}{word}"
    return f"{times(estimate.value)}{word} [{times(estimate.low)}, {times(estimate.high)}]"


def about(estimate: Estimate) -> str:
    """Write a ratio alone, or as `ratio` does where only one end of it is bounded.

    Examples
    --------
    >>> from pqlkit.statistics.contingency import Contingency
    >>> about(Contingency(30, 70, 70, 830).relative_risk()), about(Contingency(22, 74, 0, 899).relative_risk())
    ('3.9', 'at least 53.8')
    """
    return times(estimate.value) if estimate.value else ratio(estimate)


def named(behaviour: Behaviour, width: int = 200) -> str:
    """Name a behaviour for people: the event, and the measure where it is not a plain count.

    Examples
    --------
    >>> from pqlkit.definitions.model import Measure, MeasureKind, Window, WindowKind
    >>> from pqlkit.durations import Duration
    >>> from pqlkit.measures.behaviour import Behaviour
    >>> week = Window(kind=WindowKind.WITHIN, length=Duration(7, "d"))
    >>> named(Behaviour(event="login", measure=Measure(kind=MeasureKind.DAYS), window=week))
    'days of login'
    >>> named(Behaviour(event=None, measure=Measure(kind=MeasureKind.DAYS), window=week))
    'active days'
    """
    kind, name = behaviour.measure.kind.value, behaviour.measure.property
    if behaviour.event is None:
        return visible(
            {
                "count": "events of any kind",
                "days": "active days",
                "users": "active users",
                "distinct_events": "different events",
            }.get(kind, kind),
            width,
        )
    where = ", ".join(f"{condition.name} = {condition.values[0]}" for condition in behaviour.where)
    event = f"{behaviour.event} where {where}" if where else behaviour.event
    if kind == "count":
        return visible(event, width)
    return visible(f"{kind} of {event}" if name is None else f"{kind} of {event}.{name}", width)


def doing(behaviour: Behaviour, threshold: int, width: int = 60) -> str:
    """Name a behaviour with its threshold, as a row of a table: without its window.

    Examples
    --------
    >>> from pqlkit.definitions.model import Measure, MeasureKind, Window, WindowKind
    >>> from pqlkit.measures.behaviour import Behaviour
    >>> ever = Window(kind=WindowKind.EVER)
    >>> def of(event, kind, name=None):
    ...     return doing(Behaviour(event=event, measure=Measure(kind=MeasureKind(kind), property=name), window=ever), 3)
    >>> of("login", "count"), of("login", "days"), of("login", "users"), of(None, "count")
    ('login 3+ times', 'login on 3+ days', 'login by 3+ users', 'any event 3+ times')
    >>> of("order", "sum", "amount"), of("order", "distinct", "sku"), of(None, "distinct_events")
    ('order, sum of amount 3+', 'order with 3+ different sku', '3+ different events')
    """
    kind, name, at_least = behaviour.measure.kind.value, behaviour.measure.property, compact(threshold)
    where = ", ".join(f"{condition.name} = {condition.values[0]}" for condition in behaviour.where)
    event = (behaviour.event or "any event") + (f" where {where}" if where else "")
    match kind:
        case "count":
            return visible(event, width) + f" {at_least}+ times"
        case "days":
            return visible(event, width) + f" on {at_least}+ days"
        case "users":
            return visible(event, width) + f" by {at_least}+ users"
        case "distinct_events":
            return f"{at_least}+ different events" + ("" if behaviour.event is None else f" of {visible(event, width)}")
        case "distinct":
            return visible(event, width) + f" with {at_least}+ different {visible(str(name), width)}"
        case _:
            return visible(event, width) + f", {kind} of {visible(str(name), width)} {at_least}+"


def having_done(behaviour: Behaviour, threshold: int) -> str:
    """Name those who reach a threshold, within a sentence: ``with 4+ login in the last 28 days``.

    Examples
    --------
    >>> from pqlkit.definitions.model import Measure, MeasureKind, Window, WindowKind
    >>> from pqlkit.durations import Duration
    >>> from pqlkit.measures.behaviour import Behaviour
    >>> month = Window(kind=WindowKind.TRAILING, length=Duration(28, "d"))
    >>> def of(event, kind):
    ...     return having_done(Behaviour(event=event, measure=Measure(kind=MeasureKind(kind)), window=month), 4)
    >>> of("login", "count"), of("login", "days"), of(None, "days")
    ('with 4+ login in the last 28 days', 'with login on 4+ days in the last 28 days', 'active on 4+ days in the last 28 days')
    """
    kind, when = behaviour.measure.kind.value, window_in_words(behaviour)
    if kind == "count":
        noun = "events of any kind" if behaviour.event is None else visible(named(behaviour), 60)
        return f"with {compact(threshold)}+ {noun} {when}"
    if kind == "days" and behaviour.event is None:
        return f"active on {compact(threshold)}+ days {when}"
    return f"with {doing(behaviour, threshold)} {when}"


def window_in_words(behaviour: Behaviour) -> str:
    """Say over which time a behaviour is counted."""
    window = behaviour.window
    if window.length is None:
        return "at any time"
    return f"in the {'last' if window.kind.value == 'trailing' else 'first'} {window.length.in_words}"


def plural(count: int, word: str) -> str:
    """Count things.

    Examples
    --------
    >>> plural(1, "row"), plural(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
