"""The candidate: split, search, choice."""
