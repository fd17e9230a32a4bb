"""The gate: what a rule must show on the holdout before it is proposed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pqlkit.proposal.objective import HIGH_BASE_RATE, RELATIVE_RISK

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
        Rate with / rate without, uncorrected: 0 without a hit; None if nobody or everybody meets the rule, nobody
        converted, or nobody without it did (then it is boundless, and passes).
    p_value
        One-sided exact mid-p of so many hits or more by chance; None where a margin is empty.
    reasons
        What failed, in words; empty if it passed.
    """

    passed: bool
    relative_risk: float | None
    p_value: float | None
    reasons: tuple[str, ...]


def gate(
    *,
    qualified: int,
    converted: int,
    snapshots: int,
    converters: int,
    deff: float = 1.0,
    level: float = LEVEL / MENU,
) -> Gate:
    """Judge a rule by its counts on the holdout.

    Parameters
    ----------
    qualified, converted
        Snapshots that meet it, and those of them that converted.
    snapshots, converters
        Of the whole holdout.
    deff
        Design effect, at least 1: for the p value all counts are divided by it and rounded, where snapshots of one entity overlap.
    level
        Of the mid-p.

    Notes
    -----
    The relative risk must reach 1.5; where more than 40 % convert anyway, (1 - rate without) / (1 - rate with) may instead.

    References
    ----------
    Lancaster, H. O. (1961). Significance tests in discrete distributions. Journal of the American Statistical
    Association 56, 223-234.

    Examples
    --------
    >>> gate(qualified=100, converted=20, snapshots=1000, converters=50).passed
    True
    >>> gate(qualified=100, converted=6, snapshots=1000, converters=50).reasons
    ('converts 1.2 times as often as the others, less than 1.5', 'chance alone does as well with p = 0.3, more than 0.01')
    """
    rest, missed = snapshots - qualified, converters - converted
    if qualified == 0 or rest == 0 or converters == 0 or converters == snapshots:
        return Gate(passed=False, relative_risk=None, p_value=None, reasons=(_empty(qualified, rest, converters),))
    with_, without = converted / qualified, missed / rest
    risk = with_ / without if missed else None
    reasons = []
    if not (missed == 0 or with_ >= RELATIVE_RISK * without or _spares(with_, without, converters / snapshots)):
        reasons.append(f"converts {with_ / without:.1f} times as often as the others, less than {RELATIVE_RISK:g}")
    p_value = _chance(converted, qualified - converted, missed, rest - missed, deff)
    if p_value is None or p_value > level:
        shown = "unknown" if p_value is None else f"{p_value:.2g}"
        reasons.append(f"chance alone does as well with p = {shown}, more than {level:g}")
    return Gate(passed=not reasons, relative_risk=risk, p_value=p_value, reasons=tuple(reasons))


def _empty(qualified: int, rest: int, converters: int) -> str:
    if qualified == 0:
        return "nobody in the later period meets it"
    if rest == 0:
        return "everybody in the later period meets it"
    return "nobody in the later period converted" if converters == 0 else "everybody in the later period converted"


def _spares(with_: float, without: float, base: float) -> bool:
    """Judge a rule where the base rate caps the relative risk: how much rarer not converting is with it."""
    return base > HIGH_BASE_RATE and (1 - without) >= RELATIVE_RISK * (1 - with_)


def _chance(a: int, b: int, c: int, d: int, deff: float) -> float | None:
    """Give the mid-p of counts shrunk by the design effect, None where a margin is empty then."""
    from pqlkit.statistics.exact import fisher_greater  # scipy only where a rule is judged

    cells = [round(cell / max(deff, 1.0)) for cell in (a, b, c, d)]
    p_value = float(fisher_greater(*cells, mid_p=True))
    return None if p_value != p_value else p_value
