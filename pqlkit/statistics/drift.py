"""The drift: whether a definition does in a later period what it did when it was chosen.

Verdict(StrEnum): STABLE "stable", EFFECT_DECAYED "effect-decayed", BASE_RATE_SHIFT "base-rate-shift", VOLUME_DRIFT "volume-drift", TOO_FEW "too-few"
Period(table: Contingency, rate: Rate|None=None)     # look view; rate = trigger rate if it differs
assess(reference: Period, periods: Sequence[Period], *, shifts: Sequence[Sequence[StabilityIndex]] = ()) -> tuple[Drift, ...]
Drift(verdict, findings, p_value, rate_difference: Estimate, effect_ratio: Estimate, effect_p_value, share_ratio, base_difference: Estimate, detectable_fall: float|None)
two_proportions(x1, n1, x0, n0) -> p values ; newcombe(x1, n1, x0, n0) -> (difference, low, high)
cochran_armitage(successes, totals, scores=None) -> Trend(z, p_value) ; stability_index(reference counts, current counts) -> StabilityIndex(value, p_value, shifted)
"""
