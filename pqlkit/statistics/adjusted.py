"""The adjusted association: logistic regression, its odds ratios and robust errors.

fit_logistic(design, outcome, *, clusters=None, weights=None) -> LogisticFit      # unpenalised, intercept added as column 0
   LogisticFit(coefficients|None, covariance|None, undefined: Undefined|None, ...); .odds_ratio(column) -> Estimate; .p_value(column) -> float|None   (column = index in `design`)
ridge_logistic(design, outcome, *, c=0.1, weights=None) -> RidgeFit(intercept, coefficients per SD, scale)      # only orders
corrected_intercept(intercept, control_share) -> float
"""
