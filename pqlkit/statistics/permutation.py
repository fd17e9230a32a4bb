"""The permutation: outcomes shuffled among rows that could have swapped them.

shuffled(outcome, blocks, *, generator) -> array ; shuffles(outcome, blocks, *, times, seed) -> Iterator[array] ; permutation_p_value(observed, permuted) -> float
"""
