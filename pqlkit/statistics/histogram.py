"""The histogram: how many converters and others stand at each level of a behaviour.

Histogram(levels, positive, negative) (arrays; frozen, addable over disjoint groups); Histogram.of(levels, positive, negative) sorts and merges
.at_least() -> (thresholds, a, b, c, d) arrays, one 2x2 table a threshold >= level
.binned() -> Histogram over the bins 0, 1, 2, 3-4, 5-9, 10+ ; COUNT_BINS
"""
