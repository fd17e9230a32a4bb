"""The drift: whether a definition does in a later period what it did when it was chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from pqlkit.statistics.arrays import Z95, Floats, floats, number, ratio
from pqlkit.statistics.change import (
    StabilityIndex,
    at_same_ages,
    chance_of_size,
    ratio_error,
    risk_ratio_change,
    stability_index,
)
from pqlkit.statistics.comparison import mid_p, newcombe, p_value
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.multiplicity import attainable, attainable_level
from pqlkit.statistics.power import detectable_fall
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pqlkit.statistics.contingency import Contingency

__all__ = ["Drift", "Period", "Verdict", "assess"]

LEVEL: Final = 0.05
"""Level of all tests of a year together."""
MARKS: Final = 12
"""How often a year something is judged: each month once, or each quarter three times."""
DECAY: Final = 0.8
"""The effect has decayed only if rate and relative risk are at most this part of the baseline's."""
SHIFT: Final = 0.25
"""A share or a base rate has shifted only if it changed by more than this part of the baseline's."""
BLIND: Final = 0.5
"""A period that could not even show the rate falling by this part says nothing."""


class Verdict(StrEnum):
    """What became of a definition in a period."""

    STABLE = "no-change-found"
    RATE_FELL = "rate-fell"
    OTHERS_CHANGED = "others-changed"
    SHARE_CHANGED = "share-changed"
    TOO_FEW = "too-few-to-tell"
    IN_PROGRESS = "in-progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a definition did in one period.

    Parameters
    ----------
    table
        Qualified or not x converted or not (the snapshot view); its design effect is that of the outcomes.
    rate
        The promised rate of the period (the qualification view); the rate of the qualified in `table` when None.
    behaviours
        Entities in each bin of each criterion's behaviour, in one order for all periods; empty when not followed.
    share_effect
        How many snapshots are worth one independent snapshot when it is asked who of them qualified.
    behaviour_effects
        The same for each of `behaviours`; empty where snapshots are independent.
    ages
        The same period by age band, the same bands in the same order for all periods, without design effects of their own;
        empty where age does not matter.
    """

    table: Contingency
    rate: Rate | None = None
    behaviours: tuple[tuple[float, ...], ...] = ()
    share_effect: float = 1.0
    behaviour_effects: tuple[float, ...] = ()
    ages: tuple[Period, ...] = ()

    @property
    def promise(self) -> Rate:
        """The rate that is followed."""
        return self.table.with_ if self.rate is None else self.rate

    def __add__(self, other: Period) -> Period:
        """Take together with a period of other snapshots; of two design effects the larger stands."""
        return Period(
            table=self.table + other.table,
            rate=self.promise + other.promise,
            behaviours=tuple(
                tuple(x + y for x, y in zip(mine, theirs, strict=True))
                for mine, theirs in zip(self.behaviours, other.behaviours, strict=True)
            ),
            share_effect=max(self.share_effect, other.share_effect),
            behaviour_effects=_larger(self, other),
            ages=tuple(band + same for band, same in zip(self.ages, other.ages, strict=True)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How one period compares with the baseline.

    Parameters
    ----------
    verdict
        The finding that explains most; see `assess`.
    findings
        Every verdict that holds.
    p_value
        That the promised rate fell by chance, corrected for all tests of a year; None when untestable. Near 1 after a rise.
    rate_difference
        Promised rate now less then, with Newcombe's interval; like all that follows, at the ages of both.
    effect_ratio, effect_p_value
        Relative risk now over then, and the corrected p of a fall.
    share_ratio, share_p_value
        Share of the qualified now over then, and the corrected p of a change.
    base_ratio, base_p_value
        Rate of those not qualified now over then, and the corrected p of a change.
    detectable_fall
        Smallest fall of the rate that this period could show with 80 % power, after the correction; None when not even a
        fall to 0.
    missed_fall
        The smaller of `detectable_fall` and of the largest fall that what came leaves possible at `level`: a larger one would
        have been seen. None where there is no rate.
    level
        Chance of each single test, on one side, that all of a year leave it.
    comparable
        Leads of the same age that the period's are worth, beside the baseline's.
    shifts
        Population stability index of each behaviour, with its p corrected likewise.
    """

    verdict: Verdict
    findings: tuple[Verdict, ...]
    p_value: float | None
    rate_difference: Estimate
    effect_ratio: Estimate
    effect_p_value: float | None
    share_ratio: float | None
    share_p_value: float | None
    base_ratio: float | None
    base_p_value: float | None
    detectable_fall: float | None
    missed_fall: float | None
    level: float
    comparable: float
    shifts: tuple[StabilityIndex, ...]

    @property
    def verdict_p_value(self) -> float | None:
        """The p value of what the verdict rests on: the smallest of its tests, all of which are corrected together."""
        moved = (shift.p_value for shift in self.shifts if shift.shifted)
        grounds = {
            Verdict.SHARE_CHANGED: (self.share_p_value, *moved),
            Verdict.RATE_FELL: (self.p_value, self.effect_p_value),
            Verdict.OTHERS_CHANGED: (self.base_p_value,),
        }
        return min((p for p in grounds.get(self.verdict, (self.p_value,)) if p is not None), default=None)

    @property
    def drifted(self) -> bool:
        """Whether anything was found: neither stable, nor too few to say, nor too early."""
        return self.verdict not in {Verdict.STABLE, Verdict.TOO_FEW, Verdict.IN_PROGRESS}


def assess(baseline: Period, periods: Sequence[Period]) -> tuple[Drift, ...]:
    """Compare later periods with the one in which a definition was chosen.

    Parameters
    ----------
    baseline
        The period that the definition's evidence comes from.
    periods
        Later ones, in order, of other entities.

    Returns
    -------
    tuple of Drift
        One a period. What has not changed at all is called changed in at most 5 % of years, if 12 times a year a period is judged.

    Notes
    -----
    Where periods have `ages`, every rate, share and behaviour is compared at the ages that both periods have
    (`pqlkit.statistics.change.at_same_ages`): in the first quarter of a young product everybody is young, and that entities
    grow older is no drift.

    The verdict is the first that holds:

    1. ``share-changed``: the share of the qualified changed by more than a quarter, or one of the behaviours shifted by its
       population stability index (0.1 or more, and more than chance). First, because other people meeting the definition
       also changes its rate: the behaviours have to be looked at before the effect.
    2. ``rate-fell``: the promised rate fell to 0.8 of the baseline's or less, and by as much more than the rate of those
       not qualified: the relative risk fell so far, or the one rate against the other, surely (5 %, on one side). A
       change that both rates share, as after a sale, is no decay, nor is a rise of the other alone.
    3. ``others-changed``: the rate of those *not* qualified changed by more than a quarter.
    4. ``too-few-to-tell``: nothing found, a fall of the rate to half would not have been found with 80 % power, and what came
       does not rule it out either (Newcombe's interval at the level of the test).
    5. ``no-change-found``: nothing found, and enough to have found it or to rule it out.

    Each needs a size that matters and significance besides. A gate that reads the newest period night after night would find
    something in every other quiet year at 5 % a night. So a period is to be judged at marks alone, 12 of them a year, each of
    which may spend a twelfth of the 5 %: its tests of rate, effect, share, base and each behaviour are one family with those of
    the other eleven. Each p value is corrected for all that such a family could find by chance
    (`pqlkit.statistics.multiplicity.attainable`): the more entities, the less often chance alone reaches a size that
    matters, and the less is there to correct for.

    Only a fall is a decay, so the rate and the effect are tested on one side: the rate exactly (mid-p), since a period may
    hold few leads, the effect on the log scale.

    References
    ----------
    DeMets, D. L. and Lan, K. K. G. (1994). Interim analysis: the alpha spending function approach. Statistics in Medicine
    13, 1341-1352.

    Westfall, P. H. and Wolfinger, R. D. (1997). Multiple tests with discrete distributions. The American Statistician 51,
    3-8.

    Lancaster, H. O. (1961). Significance tests in discrete distributions. Journal of the American Statistical
    Association 56, 223-234.

    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine 17, 873-890.

    Altman, D. G. and Bland, J. M. (2003). Interaction revisited: the difference between two estimates. BMJ 326, 219.

    Examples
    --------
    >>> from pqlkit.statistics.contingency import Contingency
    >>> then = Period(table=Contingency(120, 280, 160, 7440))
    >>> now = [Contingency(60, 140, 80, 3720), Contingency(16, 184, 80, 3720), Contingency(1, 2, 2, 45)]
    >>> [drift.verdict.value for drift in assess(then, [Period(table=table) for table in now])]
    ['no-change-found', 'rate-fell', 'too-few-to-tell']
    """
    return tuple(_drift(_compare(baseline, period)) for period in periods)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """One comparison: its p value (NaN when untestable) and the chance that it finds a size that matters for nothing."""

    p: float
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A rate in two periods at the same ages: fractional counts, worth as many entities, and rows per independent row."""

    successes: tuple[float, float]
    totals: tuple[float, float]
    effect: float

    @property
    def rates(self) -> tuple[float | None, float | None]:
        """Now and then."""
        now, then = ratio(self.successes, self.totals)
        return number(now), number(then)

    @property
    def change(self) -> float | None:
        """Now over then."""
        now, then = self.rates
        return None if now is None or not then else now / then

    @property
    def counts(self) -> tuple[float, float, float, float]:
        """Successes and total now, then successes and total of the baseline."""
        return self.successes[0], self.totals[0], self.successes[1], self.totals[1]

    @property
    def cells(self) -> tuple[float, float, float, float]:
        """Successes and failures of the baseline, then those of now."""
        x1, n1, x0, n0 = self.counts
        return x0, n0 - x0, x1, n1 - x1

    @property
    def error(self) -> Floats:
        """Of the logarithm of their ratio, if they are the same."""
        return ratio_error(*self.counts, design_effect=self.effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What changed in a period, and the tests of it: rate, effect, share, base, and each behaviour.

    `shared` is the chance of so much more a fall of the rate than of the base, if both changed alike; 0 where there is no base.
    """

    rate: _Pair
    effect: Estimate
    share: float | None
    base: float | None
    shifts: tuple[StabilityIndex, ...]
    tests: tuple[_Test, ...]
    shared: float


def _compare(baseline: Period, period: Period) -> _Compared:
    parts = list(zip(period.ages, baseline.ages, strict=True)) or [(period, baseline)]

    def pair(rate: Callable[[Period], Rate]) -> _Pair:
        now, then = ([rate(part) for part in side] for side in zip(*parts, strict=True))
        counts = [[[band.numerator for band in side], [band.denominator for band in side]] for side in (now, then)]
        x1, n1, x0, n0 = at_same_ages(*counts[0], *counts[1])
        effect = max(rate(period).design_effect, rate(baseline).design_effect)
        return _Pair(successes=(float(x1), float(x0)), totals=(n1, n0), effect=effect)

    promise, share, with_, base = pair(lambda part: part.promise), pair(_share), pair(_with), pair(_without)
    effect, p = _effect_change(with_, base)
    shifts = _shifts(parts, _larger(period, baseline) or (1.0,) * len(period.behaviours))
    return _Compared(
        rate=promise,
        effect=effect,
        share=share.change,
        base=base.change,
        shifts=shifts,
        tests=(
            _fall_of_rate(promise),
            _fall_of_effect(effect, p),
            _change_of_rate(share),
            _change_of_rate(base),
            *(_Test(p=_or_nan(shift.p_value), chance=_or_nan(shift.chance_of_size)) for shift in shifts),
        ),
        shared=_shared(promise, base),
    )


def _shared(rate: _Pair, base: _Pair) -> float:
    """Give the one-sided chance that the rate fell so much more than the base, on the log scale."""
    if not rate.change or not base.change:
        return 0.0
    error = math.hypot(float(rate.error), float(base.error))
    return NormalDist().cdf(math.log(rate.change / base.change) / error) if error > 0 else 0.0


def _share(period: Period) -> Rate:
    return Rate.of(period.table.n1, period.table.total, design_effect=period.share_effect)


def _with(period: Period) -> Rate:
    return period.table.with_


def _without(period: Period) -> Rate:
    return period.table.without


def _effect_change(with_: _Pair, without: _Pair) -> tuple[Estimate, float | None]:
    """Compare the relative risks now and then."""
    qualified, others = with_.cells, without.cells
    now, then = (*qualified[2:], *others[2:]), (*qualified[:2], *others[:2])
    return risk_ratio_change(now, then, design_effect=max(with_.effect, without.effect))


def _shifts(parts: Sequence[tuple[Period, Period]], effects: Sequence[float]) -> tuple[StabilityIndex, ...]:
    """Measure how far each behaviour has moved at the same ages."""
    shifts = []
    for place, effect in enumerate(effects):
        now, then = (floats([part.behaviours[place] for part in side]) for side in zip(*parts, strict=True))
        later, _, before, _ = at_same_ages(now, now.sum(axis=1), then, then.sum(axis=1))
        shifts.append(stability_index(before, later, design_effect=effect))
    return tuple(shifts)


def _fall_of_rate(pair: _Pair) -> _Test:
    p = mid_p(*pair.cells, design_effect=pair.effect)
    return _Test(p=float(p), chance=float(chance_of_size(pair.error, DECAY)))


def _fall_of_effect(effect: Estimate, p: float | None) -> _Test:
    if effect.value is None or effect.low is None or effect.high is None or p is None:
        return _Test(p=math.nan, chance=math.nan)
    error = math.log(effect.high / effect.low) / (2 * Z95)
    return _Test(p=p / 2 if effect.value < 1 else 1 - p / 2, chance=float(chance_of_size(error, DECAY)))


def _change_of_rate(pair: _Pair) -> _Test:
    p = p_value(*pair.cells, design_effect=pair.effect)
    return _Test(p=float(p), chance=float(chance_of_size(pair.error, 1 - SHIFT, 1 + SHIFT)))


def _larger(period: Period, other: Period) -> tuple[float, ...]:
    """Give the larger design effect of each behaviour."""
    if not period.behaviour_effects or not other.behaviour_effects:
        return period.behaviour_effects or other.behaviour_effects
    return tuple(map(max, period.behaviour_effects, other.behaviour_effects))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _drift(compared: _Compared) -> Drift:
    tests, pair = compared.tests, compared.rate
    # What each mark of a year may find by chance belongs to one family.
    corrected = attainable([test.p for test in tests] * MARKS, [test.chance for test in tests] * MARKS)
    rate, effect, share, base, *behaviours = (number(p) for p in corrected[: len(tests)])
    level = attainable_level([test.chance for test in tests if not math.isnan(test.p)] * MARKS, LEVEL)
    known, fall = pair.rates[1], None
    if known:
        # The rate is tested on one side: the level of a test on two is twice as much.
        fall = detectable_fall(known, *(total / pair.effect for total in pair.totals[::-1]), alpha=2 * level)
    missed = min((each for each in (fall, _largest_fall(pair, level)) if each is not None), default=None)
    blind = not known or missed is None or missed > BLIND * known
    shifts = tuple(
        replace(shift, p_value=value, shifted=shift.shifted and _significant(value))
        for shift, value in zip(compared.shifts, behaviours, strict=True)
    )
    verdicts = _findings(replace(compared, shifts=shifts), rate=rate, effect=effect, share=share, base=base)
    findings = verdicts or ((Verdict.TOO_FEW,) if blind else (Verdict.STABLE,))
    difference = newcombe(*pair.counts, design_effect=pair.effect)
    return Drift(
        verdict=findings[0],
        findings=findings,
        p_value=rate,
        rate_difference=Estimate.of(*difference) if all(pair.totals) else Estimate.none(Undefined.EMPTY_GROUP),
        effect_ratio=compared.effect,
        effect_p_value=effect,
        share_ratio=compared.share,
        share_p_value=share,
        base_ratio=compared.base,
        base_p_value=base,
        detectable_fall=fall,
        missed_fall=missed,
        level=level,
        comparable=pair.totals[0] / pair.effect,
        shifts=shifts,
    )


def _largest_fall(pair: _Pair, level: float) -> float | None:
    """Bound the fall of a rate by Newcombe's interval at a one-sided level: that of so many fewer rows at 95 %."""
    if not all(pair.totals):
        return None
    wider = (NormalDist().inv_cdf(1 - level) / Z95) ** 2
    _, low, _ = newcombe(*pair.counts, design_effect=pair.effect * wider)
    return max(0.0, -float(low))


def _findings(
    compared: _Compared, *, rate: float | None, effect: float | None, share: float | None, base: float | None
) -> tuple[Verdict, ...]:
    """List what is both significant and large, what explains most first."""
    # A relative risk also falls when those not qualified convert more: that the qualified convert less is what decay means.
    change = compared.rate.change
    kept = change is not None and change > DECAY
    decayed = compared.effect.value is not None and compared.effect.value <= DECAY and not kept
    fallen = change is not None and change <= DECAY * min(1.0, 1.0 if compared.base is None else compared.base)
    fallen &= compared.shared <= LEVEL
    moved = any(shift.shifted for shift in compared.shifts)
    held = {
        Verdict.SHARE_CHANGED: moved or (_shifted(compared.share) and _significant(share)),
        Verdict.RATE_FELL: (decayed and _significant(effect)) or (fallen and _significant(rate)),
        Verdict.OTHERS_CHANGED: _shifted(compared.base) and _significant(base),
    }
    return tuple(verdict for verdict, holds in held.items() if holds)


def _shifted(change: float | None) -> bool:
    return change is not None and abs(change - 1) > SHIFT


def _significant(p: float | None) -> bool:
    return p is not None and p <= LEVEL
