"""Figures: numbers and moments as the JSON contract writes them.

Counts, rates and intervals keep full precision; model-based figures have 4 significant digits; times are ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.analysis.effect import Effect
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


def adjusted(effect: Effect | None) -> dict[str, Json]:
    """Write what is left of an association, with and without the fixed traits that were allowed for; null where it was not fitted.

    Examples
    --------
    >>> sorted(adjusted(None))[:3]
    ['adjusted_explained', 'adjusted_for_traits', 'adjusted_high']
    """
    odds, risk = (None, None) if effect is None else (effect.odds_ratio, effect.relative_risk)
    before = None if effect is None else effect.without_traits
    return {
        "adjusted_odds_ratio": modelled(odds.value) if odds else None,
        "adjusted_low": modelled(odds.low) if odds else None,
        "adjusted_high": modelled(odds.high) if odds else None,
        "adjusted_relative_risk": modelled(risk.value) if risk else None,
        "adjusted_relative_risk_low": modelled(risk.low) if risk else None,
        "adjusted_relative_risk_high": modelled(risk.high) if risk else None,
        "adjusted_undefined": odds.undefined.value if odds and odds.undefined else None,
        "adjusted_for_traits": list(effect.traits) if effect else [],
        "adjusted_without_traits": modelled(before.odds_ratio.value) if before else None,
        "adjusted_relative_risk_without_traits": modelled(before.relative_risk.value) if before else None,
        "adjusted_explained": effect.explained if effect else False,
    }


def counts(record: object) -> dict[str, Json]:
    """Write a frozen record of counts as its fields, in their order."""
    from dataclasses import asdict

    return asdict(record)  # type: ignore[call-overload,no-any-return]
