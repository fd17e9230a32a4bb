"""The evidence: counts, rates and dates as a definition file keeps them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from pqlkit.definitions.model import EvidenceData

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.analysis.observation import Observed
    from pqlkit.statistics.rate import Rate

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(TypedDict):
    """The dates of the first and last snapshot."""

    start: date | None
    through: date | None


class Figures(TypedDict):
    """A rate with its counts."""

    qualified: int
    converted: int
    rate: float | None
    low: float | None
    high: float | None


def span(observed: Observed, part: NDArray[np.bool_]) -> Span:
    """Give the dates (UTC) of the first and last cutoff of some snapshots; None without snapshots."""
    cutoffs = observed.snapshots.frame.get_column("cutoff").to_numpy()[part]
    if not cutoffs.size:
        return {"start": None, "through": None}
    first, last = ((_EPOCH + timedelta(microseconds=int(at))).date() for at in (cutoffs.min(), cutoffs.max()))
    return {"start": first, "through": last}


def gathered(observed: Observed) -> EvidenceData:
    """Say what the figures were gathered in: all snapshots."""
    return EvidenceData(
        **span(observed, np.ones(len(observed.y), dtype=np.bool_)),
        snapshots=len(observed.y),
        entities=observed.snapshots.frame.get_column("entity").n_unique(),
        converted=observed.converters,
    )


def figures(rate: Rate) -> Figures:
    """Give a rate with its counts, rounded for people who read the file (`validate` compares the counts)."""
    return {
        "qualified": rate.denominator,
        "converted": rate.numerator,
        "rate": rounded(rate.rate),
        "low": rounded(rate.low),
        "high": rounded(rate.high),
    }


def rounded(value: float | None) -> float | None:
    """Round to four decimals; None stays None."""
    return None if value is None else round(value, 4)
