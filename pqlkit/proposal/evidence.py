"""The evidence: counts, rates and dates as a definition file keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.analysis.observation import Observed
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def span(observed: Observed, part: NDArray[np.bool_]) -> dict[str, Json]:
    """Give the dates (UTC) of the first and last cutoff of some snapshots; None without snapshots."""
    cutoffs = observed.snapshots.frame.get_column("cutoff").to_numpy()[part]
    if not cutoffs.size:
        return {"from": None, "through": None}
    first, last = (
        (_EPOCH + timedelta(microseconds=int(at))).date().isoformat() for at in (cutoffs.min(), cutoffs.max())
    )
    return {"from": first, "through": last}


def figures(rate: Rate) -> dict[str, Json]:
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
