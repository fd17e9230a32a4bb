"""The correction for many tests. NaN stays NaN and is not counted as a test.

bonferroni(p, tests) -> min(1, p*tests)     # tests: a number or a column (thresholds of each row)
benjamini_hochberg(p) -> q values ; holm(p) -> adjusted p ; miller_siegmund(p, smallest_share) -> p corrected for the best cut-point (a note only)
"""
