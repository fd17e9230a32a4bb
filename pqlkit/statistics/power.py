"""The power: how many leads an experiment needs, and what a sample can show.

sample_size(control, treated, *, power=0.8, alpha=0.05, ratio=1.0) -> Arms(control: int, treated: int)     # ratio = treated / control
detectable_difference(control, arms or n_control, n_treated, *, power, alpha) -> float|None ; detectable_fall(rate, n, n_reference)
detectable_relative_risk(converters, share, *, power=0.8) -> float|None
weeks_needed(arms, leads_per_week) -> int
"""
