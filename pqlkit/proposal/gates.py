"""The gate: what a rule must show on the holdout before it is proposed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MENU: Final = 5
"""Rules that may be tested at once: the level is divided by this, however many there are."""

LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether a rule passed.

    Parameters
    ----------
    passed
        Both conditions hold.
    relative_risk
        Rate with / rate without, uncorrected: 0 without a hit; None if nobody or everybody meets the rule, or nobody
        without it converted (then it is boundless, and passes).
    p_value
        One-sided exact mid-p of so many hits or more by chance.
    reasons
        What failed, in words; empty if it passed.
    """

    passed: bool
    relative_risk: float | None
    p_value: float
    reasons: tuple[str, ...]


def gate(
    *, qualified: int, converted: int, looks: int, converters: int, deff: float = 1.0, level: float = LEVEL / MENU
) -> Gate:
    """Judge a rule by its counts on the holdout.

    Parameters
    ----------
    qualified, converted
        Looks that meet it, and those of them that converted.
    looks, converters
        Of the whole holdout.
    deff
        Design effect, at least 1: all counts are divided by it where looks of one entity overlap.
    level
        Of the mid-p.
    """
    raise NotImplementedError
