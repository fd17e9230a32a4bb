"""Teams: how many leads each team brings (one count), and how good they are (one rate)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.rates.funnel import Funnel
    from pqlkit.rates.nouns import Nouns
    from pqlkit.statistics.rate import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """One team's pair.

    Parameters
    ----------
    team
        ``marketing``, ``product``, ``sales`` or ``customer success``.
    quantity, quantity_of
        How much, and of what.
    quality, quality_of
        What became of it, and as what; None where the outcome does not ask.
    """

    team: str
    quantity: int
    quantity_of: str
    quality: Rate | None
    quality_of: str


def teams(funnel: Funnel, retained: Rate | None, nouns: Nouns) -> tuple[Team, ...]:
    """Pair each team's quantity with the quality of the same thing.

    Parameters
    ----------
    funnel
        The report's.
    retained
        Of the leads' conversions, those that stayed; None without ``retained_for``.
    nouns
        The report's words.

    Returns
    -------
    tuple of Team
        Marketing brings signups (do they become PQLs in the cohort's time?); the product makes PQLs (do they become customers?);
        sales wins customers among them (how many of all customers were PQLs first?); customer success keeps them.
    """
    won_of = f"{nouns.outcomes} won from {nouns.leads}" if nouns.outcome == "customer" else f"{nouns.leads} {nouns.who}"
    won = funnel.pql_to_customer.numerator if retained is None else retained.denominator
    return (
        Team(
            team="marketing",
            quantity=funnel.signups,
            quantity_of="signups",
            quality=funnel.cohort.levels.pqls,
            quality_of=f"became {nouns.leads} within {funnel.cohort.pql_within} of signing up",
        ),
        Team(
            team="product",
            quantity=funnel.pqls,
            quantity_of=nouns.leads,
            quality=funnel.pql_to_customer,
            quality_of=f"{nouns.lead} to customer" if nouns.outcome == "customer" else nouns.outcome,
        ),
        Team(
            team="sales",
            quantity=won,
            quantity_of=won_of,
            quality=funnel.qualified_first,
            quality_of=f"{nouns.who} and were {nouns.leads} first"
            if nouns.outcome != "customer"
            else f"customers who were {nouns.leads} first",
        ),
        Team(
            team="customer success",
            quantity=won if retained is None else retained.numerator,
            quantity_of=won_of if retained is None else "customers who stayed",
            quality=retained,
            quality_of="customers retained",
        ),
    )
