"""The conversion curve: who has converted by when, with those not yet seen through respected.

LifeTable(times, events, censored) frozen addable counts at distinct times; LifeTable.of(durations, observed, weights=None)
kaplan_meier(table: LifeTable) -> Curve ; Curve: times, at_risk, events, survival, error, low, high arrays
   Curve.converted_by(t) -> Estimate of 1 - S(t) (Greenwood, log(-log)) ; Curve.quantile(0.5) -> Estimate (time by which half converted)
log_rank(tables: Sequence[LifeTable]) -> LogRank(statistic, degrees, p_value)
cumulative_incidence(times, events, competing, censored) -> Curve-like Incidence
disagreement(curve, rate: Rate, at: float) -> Disagreement(difference, error, drift: bool)
"""
