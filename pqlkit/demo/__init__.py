"""The sample product: exports with a known truth."""
