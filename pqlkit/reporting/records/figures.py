"""Figures: numbers and moments as the JSON contract writes them.

Counts, rates and intervals keep full precision; model-based figures have 4 significant digits; times are ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.typing import Json


def modelled(value: float | None) -> float | None:
    """Round a model-based figure to 4 significant digits.

    Examples
    --------
    >>> modelled(1.234567), modelled(0.000123456), modelled(None)
    (1.235, 0.0001235, None)
    """
    return None if value is None else float(f"{value:.4g}")


def relative_risk(estimate: Estimate) -> dict[str, Json]:
    """Write a relative risk; null with a lower end where it has no upper one ("at least so many times").

    Examples
    --------
    >>> from pqlkit.statistics.contingency import Contingency
    >>> relative_risk(Contingency(1, 1, 0, 0).relative_risk())
    {'relative_risk': None, 'relative_risk_low': None, 'relative_risk_high': None}
    """
    return {"relative_risk": estimate.value, "relative_risk_low": estimate.low, "relative_risk_high": estimate.high}


def counts(record: object) -> dict[str, Json]:
    """Write a frozen record of counts as its fields, in their order."""
    from dataclasses import asdict

    return asdict(record)  # type: ignore[call-overload,no-any-return]
