"""Hypothesis without a deadline: the first call of a formula imports SciPy, which takes longer than any example."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
