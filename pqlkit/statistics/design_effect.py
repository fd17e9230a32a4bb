"""The design effect: how many dependent rows are worth one independent row.

ClusterSums(clusters, rows, converted, rows_squared, converted_squared, product) frozen addable; ClusterSums.of(converted per cluster, rows per cluster)
 .intraclass_correlation -> float|None ; .kish -> 1 + (m~ - 1) ICC ; .ratio -> clustered over binomial variance, at least 1 (float|None)
design_effect(outcome: array, clusters: array) -> float|None     # from rows
"""
