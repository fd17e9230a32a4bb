"""The ranking: how well a level tells converters from the others.

Columns are histograms along the LAST axis: positive[..., level], negative[..., level], levels ascending.
auc(positive, negative) -> Floats
auc_error(positive, negative, *, method="delong"|"hanley-mcneil") -> Floats   # standard error
auc_interval(positive, negative) -> (auc, low, high)
mann_whitney(positive, negative) -> p values
spearman(positive, negative) -> rho
point_biserial(levels, positive, negative) -> correlation of log1p(level) with y
information_value(positive, negative) -> IV ; mutual_information(positive, negative) -> bits, Miller-Madow
"""
