"""The collinearity of behaviours: which of them cannot be told apart.

variance_inflation(design) -> Floats, one a column (inf when a column is a sum of others)
spearman_matrix(design) -> Floats (columns x columns) ; interchangeable(correlation, vif=None, *, threshold=0.8) -> tuple[tuple[int, ...], ...] groups of column indices
"""
