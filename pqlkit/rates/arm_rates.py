"""Arms: what became of leads that were passed on, and of those left alone to see the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.statistics.rate import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """The qualification view among mature starts, by the arm that each was given when it was new.

    Parameters
    ----------
    contact, control
        Intention to treat: by the arm, whether or not somebody called.
    difference
        Contact less control, with Newcombe's interval.
    in_progress
        Starts with an arm whose conversion window is not over.
    unmatched
        Starts of the ledger that the data no longer have.
    """

    contact: Rate
    control: Rate
    difference: Estimate
    in_progress: int
    unmatched: int


def arms(population: Population, counted: pl.DataFrame, ledger: Path | str, definition: Definition) -> Arms | None:
    """Split counted starts by the arms of a ledger; None where the ledger gave this definition none.

    Parameters
    ----------
    population
        For the ids.
    counted
        Counted starts.
    ledger
        A file that ``pqlkit score --ledger`` wrote.
    definition
        Whose starts.

    Returns
    -------
    Arms or None
        A start of the ledger is the counted start of the same id nearest to it, at most one conversion window away: late events may
        have moved it since.

    Raises
    ------
    DataError
        The file is not a ledger.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine 17, 873-890.
    """
    import polars as pl

    from pqlkit.scoring.arms import arms_of
    from pqlkit.statistics.comparison import newcombe
    from pqlkit.statistics.estimate import Estimate, Undefined
    from pqlkit.statistics.rate import Rate

    given = arms_of(ledger, definition.name)
    if not given.height or definition.outcome is None:
        return None
    reach = definition.outcome.within.microseconds
    known = population.entities.select("entity", pl.col("id").cast(pl.String))
    starts = counted.join(known, on="entity").select("id", "on", "mature", "y", start="on").sort("on", "id")
    matched = (
        given.sort("on", "id")
        .join_asof(starts, on="on", by="id", strategy="nearest", tolerance=reach, check_sortedness=False)
        .with_columns(away=(pl.col("on") - pl.col("start")).abs())
    )
    frame = (
        matched.filter(pl.col("start").is_not_null())
        .sort("id", "start", "away", "on")
        .unique(["id", "start"], keep="first", maintain_order=True)
    )
    mature = frame.filter("mature")
    contact, control = (
        Rate.of(int(part.get_column("y").sum()), part.height)
        for part in (mature.filter(pl.col("arm") == name) for name in ("contact", "control"))
    )
    both = contact.denominator > 0 and control.denominator > 0
    limits = newcombe(contact.numerator, contact.denominator, control.numerator, control.denominator)
    return Arms(
        contact=contact,
        control=control,
        difference=Estimate.of(*limits) if both else Estimate.none(Undefined.EMPTY_GROUP),
        in_progress=frame.height - mature.height,
        unmatched=given.height - matched.filter(pl.col("start").is_not_null()).height,
    )
