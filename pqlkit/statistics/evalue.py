"""The E-value: how strong an unmeasured trait would have to be to explain an association away."""

from __future__ import annotations

import math

__all__ = ["e_value", "e_value_limit"]


def e_value(relative_risk: float) -> float:
    """Find the risk ratio that an unmeasured trait would need with both sides to explain a relative risk away.

    Parameters
    ----------
    relative_risk
        Above 0; below 1 it is turned round.

    Returns
    -------
    float
        At least 1. "An unmeasured trait would have to be tied to both doing it and converting by a risk ratio of at least
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
        1 when the interval covers 1: no unmeasured trait is needed.

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
