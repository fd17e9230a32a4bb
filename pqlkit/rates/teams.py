"""Teams: how much each team brings, and how good it is: the pairs by which marketing, product, sales and the others are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.errors import UsageError
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from pqlkit.definitions.nouns import Nouns
    from pqlkit.rates.customer_value import CustomerValue, Quantity
    from pqlkit.rates.funnel import Funnel


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """What one team is measured by.

    Parameters
    ----------
    team
        ``marketing``, ``product``, ``engineering``, ``sales`` or ``customer success``.
    figures
        What each figure is of, and the figure: a count, a share, or a mean.
    """

    team: str
    figures: tuple[tuple[str, int | Rate | Quantity], ...]


def teams(
    funnel: Funnel, retained: Rate | None, value: CustomerValue | None, nouns: Nouns, *, visitors: int | None = None
) -> tuple[Team, ...]:
    """Pair what each team brings with how good it is.

    Parameters
    ----------
    funnel
        The report's.
    retained
        Of the leads' conversions, those that stayed; None without ``retained_for``.
    value
        What kind of customers PQLs become; None where the export does not say.
    nouns
        The report's words.
    visitors
        Of the site, while these signed up; None = not known.

    Returns
    -------
    tuple of Team
        Marketing brings visitors and signups (do they become PQLs in the cohort's time?); the product makes PQLs (were customers
        PQLs first?); engineering makes it usable (do signups use it?); sales makes customers of PQLs (for how long, and for how
        much?); customer success helps signups to become PQLs, and keeps and grows the customers.

    Raises
    ------
    UsageError
        There were more signups than visitors.
    """
    if visitors is not None and visitors < funnel.signups:
        raise UsageError(
            f"{visitors:,} visitors are fewer than the {funnel.signups:,} that signed up",
            where="--visitors",
            hint="give the visitors of the whole time of the export",
        )
    cohort = funnel.cohort
    became = (f"signups that became {nouns.leads} within {cohort.pql_within.in_words}", cohort.levels.pqls)
    seen = [] if visitors is None else [("visitors that signed up", Rate.of(funnel.signups, visitors))]
    first = (f"{nouns.who} that were {nouns.leads} first", funnel.qualified_first)
    stayed = [] if retained is None else [("customers retained", retained)]
    return (
        Team(team="marketing", figures=(*seen, ("signups", funnel.signups), became)),
        Team(
            team="product",
            figures=((nouns.leads, funnel.pqls), *([first] if funnel.customers else [])),
        ),
        Team(team="engineering", figures=(("signups that used the product", funnel.used),)),
        Team(
            team="sales",
            figures=(
                (f"new {nouns.leads} that {nouns.success}", funnel.pql_to_customer),
                *_of_pqls(value, nouns, {"days_paid": "days paid for", "paid": "paid so far"}),
            ),
        ),
        Team(
            team="customer success",
            figures=(became, *stayed, *_of_pqls(value, nouns, {"retained": "still there", "expansion": "expansion"})),
        ),
    )


def _of_pqls(value: CustomerValue | None, nouns: Nouns, texts: dict[str, str]) -> list[tuple[str, Rate | Quantity]]:
    """Give figures of the customers that were PQLs first, where the export knows them."""
    lines = [] if value is None else [(text, line) for name, text in texts.items() if (line := value.line(name))]
    return [
        (f"{text}, first {line.window.in_words} of customers that were {nouns.leads}", line.pql_born)
        for text, line in lines
        if line.window is not None
    ]
