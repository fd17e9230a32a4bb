"""The formula: numbers in, numbers out."""
