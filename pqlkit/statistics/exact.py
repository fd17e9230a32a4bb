"""The exact distribution of a 2x2 table whose margins are fixed.

fisher(a,b,c,d) -> two-sided p (arrays) ; mid_p_greater(a,b,c,d) -> P(A > a) + P(A = a)/2 (arrays)
odds_ratio(a,b,c,d, *, mid_p=False) -> Estimate: conditional maximum likelihood with exact interval
mcnemar(only_first, only_second, *, mid_p=False) -> float|None
"""
