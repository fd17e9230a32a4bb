"""The funnel: how many signed up, qualified and became customers, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.durations import Duration
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.rate import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long those took who got there, in days from the anchor.

    Everybody counted has been followed for the whole of `within`, so nobody is censored and nobody had less time than
    another: `n` entities were followed, `reached` of them got there in time, and the quartiles (interpolated linearly; None
    = nobody) are of these. The same entities as in the rate of the same name.
    """

    within: Duration
    n: int
    reached: int
    p25_days: float | None
    median_days: float | None
    p75_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Signup -> PQL -> customer.

    Parameters
    ----------
    signups, pqls, customers
        Entities that are eligible and observed (see `pqlkit.snapshots.classes`); of these, who ever qualified, and who converted.
    signup_to_pql
        Qualified by anchor + T, among those past that moment (T = the longest `within`, else 84 d) whose whole life the events
        export has seen: earlier lives would be false zeros.
    pql_to_customer
        The qualification view: conversions within the conversion window of a counted start, among mature starts.
    signup_to_customer
        Converted by anchor + T + conversion window, among those past that moment, of the same lives.
    recall
        Of the `customers`, who qualified before converting.
    snapshot
        The snapshot view, with and without: everything that compares with non-PQLs.
    """

    signups: int
    pqls: int
    customers: int
    signup_to_pql: Rate
    pql_to_customer: Rate
    signup_to_customer: Rate
    recall: Rate
    snapshot: Contingency
