"""The customers for people: those who were PQLs first against the others, and what each team is measured by; from the JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.reporting.renderers.layout import spread, wrapped
from pqlkit.reporting.renderers.report_sentences import in_words
from pqlkit.reporting.renderers.words import interval, percent, quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = {
    "amount": "first amount",
    "retained": "still there",
    "days_paid": "days paid for",
    "expanded": "expanded",
    "expansion": "expansion",
    "paid": "paid so far",
}
"""What the figures of customers are called; of the export, only `amount` needs no window."""

SHARES: Final = "Shares differ in percentage points."


def shown(figure: Mapping[str, Any]) -> str:
    """Write one side: a share or a mean, with its interval.

    Examples
    --------
    >>> shown({"rate": 0.5, "low": 0.25, "high": 0.75, "numerator": 6, "denominator": 12}), shown({"n": 0, "mean": None})
    ('50.0% [25.0, 75.0]', '-')
    """
    if "mean" in figure:
        return _mean(figure["mean"], figure.get("low"), figure.get("high"))
    return f"{percent(figure['rate'])} {interval(figure['low'], figure['high'])}".rstrip()


def apart(line: Mapping[str, Any]) -> str:
    """Write the difference of both sides: in points where they are shares."""
    difference = line["difference"]
    factor = 1 if "mean" in line["pql_born"] else 100
    ends = [None if end is None else factor * end for end in (difference[key] for key in ("value", "low", "high"))]
    return _mean(ends[0], ends[1], ends[2])


def _mean(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "-"
    return quantity(value) if low is None or high is None else f"{quantity(value)} [{quantity(low)}, {quantity(high)}]"


def customer_lines(figures: Mapping[str, Any]) -> list[str]:
    """Set customers who were PQLs first beside the others; nothing where the conversions say nothing of them."""
    customers, leads = figures["customers"], figures["words"]["leads"]
    if not customers or not customers["figures"]:
        return []
    window = "" if customers["window"] is None else f"first {in_words(customers['window'])} as customers"
    followed = customers["followed"]
    lines = [
        spread("WHAT KIND OF CUSTOMERS", window),
        f"  {'':<14}{f'{leads} first':>21} {'the others':>21} {'difference':>20}",
    ]
    lines += [
        f"  {NAMES[row['what']]:<14}{shown(row['pql_born']):>21} {shown(row['others']):>21} {apart(row):>20}"
        for row in customers["figures"]
    ]
    text = f"First amount: of {customers['pql_born']:,} and {customers['others']:,} customers."
    if window:
        text += (
            f" The rest: of the {followed['pql_born']:,} and {followed['others']:,} that became customers so long ago."
        )
    return [*lines, *wrapped(f"{text} {SHARES}", "  "), ""]


def team_lines(figures: Mapping[str, Any]) -> list[str]:
    """Say what each team is measured by."""
    lines = ["TEAMS"]
    for team in figures["teams"]:
        for place, figure in enumerate(team["figures"]):
            name = team["team"] if not place else ""
            lines += wrapped(f"{figure['what']}: {told(figure)}", f"  {name:<18}", " " * 22)
    return lines


def told(figure: Mapping[str, Any]) -> str:
    """Write a figure of a team: a count, a share with its counts, or a mean."""
    if "count" in figure:
        return f"{figure['count']:,}"
    if "mean" in figure:
        return shown(figure)
    return f"{figure['numerator']:,} of {figure['denominator']:,}, {shown(figure)}"
