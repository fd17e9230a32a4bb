"""The E-value: how strong an unmeasured factor would have to be to explain an association away."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["COMMON", "e_value", "e_value_limit", "risk_ratio_of_odds"]

COMMON: Final = 0.15
"""An outcome of more than this share is common: an odds ratio is no relative risk then."""


def e_value(relative_risk: float) -> float:
    """Find the risk ratio that an unmeasured factor would need with both sides to explain a relative risk away.

    Parameters
    ----------
    relative_risk
        Above 0; below 1 it is turned round.

    Returns
    -------
    float
        At least 1. "An unmeasured factor would have to be tied to both doing it and converting by a risk ratio of at least
        this each."

    Raises
    ------
    ValueError
        `relative_risk` is not a positive number.

    References
    ----------
    VanderWeele, T. J. and Ding, P. (2017). Sensitivity analysis in observational research: introducing the E-value. Annals
    of Internal Medicine 167, 268-274.

    Examples
    --------
    >>> round(e_value(3.9), 2)
    7.26
    """
    if not relative_risk > 0 or math.isinf(relative_risk):
        message = f"an E-value needs a relative risk above 0, not {relative_risk}"
        raise ValueError(message)
    away = max(relative_risk, 1 / relative_risk)
    return away + math.sqrt(away * (away - 1))


def e_value_limit(low: float, high: float) -> float:
    """Find the E-value of the end of an interval that lies nearest to 1.

    Parameters
    ----------
    low, high
        Interval of a relative risk.

    Returns
    -------
    float
        1 when the interval covers 1: no unmeasured factor is needed.

    References
    ----------
    VanderWeele, T. J. and Ding, P. (2017). Sensitivity analysis in observational research: introducing the E-value. Annals
    of Internal Medicine 167, 268-274.

    Examples
    --------
    >>> round(e_value_limit(1.8, 8.7), 2), e_value_limit(0.9, 2.0)
    (3.0, 1.0)
    """
    if low <= 1 <= high:
        return 1.0
    return e_value(low if low > 1 else high)


def risk_ratio_of_odds(odds_ratio: float, outcome: float) -> float:
    """Turn an odds ratio into about the relative risk that an E-value needs.

    Parameters
    ----------
    odds_ratio
        Above 0.
    outcome
        The share of all rows with the outcome.

    Returns
    -------
    float
        The odds ratio itself where the outcome is rare, its square root where more than 15 % have it.

    References
    ----------
    VanderWeele, T. J. and Ding, P. (2017). Sensitivity analysis in observational research: introducing the E-value. Annals
    of Internal Medicine 167, 268-274.

    VanderWeele, T. J. (2017). On a square-root transformation of the odds ratio for a common outcome. Epidemiology 28,
    e58-e60.

    Examples
    --------
    >>> risk_ratio_of_odds(4.0, 0.03), risk_ratio_of_odds(4.0, 0.3)
    (4.0, 2.0)
    """
    return math.sqrt(odds_ratio) if outcome > COMMON else odds_ratio
