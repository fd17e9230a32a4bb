"""Timing: sentences that say when conversions come, and which conversion window and snapshots would see more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.inert import visible

if TYPE_CHECKING:
    from pqlkit.analysis.analyzing import Analysis

__all__ = ["after_the_snapshot", "beginning", "half_came", "notes"]


def notes(analysis: Analysis) -> list[str]:
    """Give the advice about time: on the conversion window, on the snapshots, and on a day that holds too many."""
    advice, spike, window = analysis.advice, analysis.spike, analysis.observed.snapshots.design.conversion_window
    # From qualifying at once a shorter window would end before the day on which conversions pile up.
    shorter = spike is not None and advice is not None and advice.advised is not None and advice.advised < spike.covers
    said = None if advice is None or shorter else advice.says(window)
    sentences = (said, analysis.early, None if spike is None else spike.says(window))
    return [text[:1].upper() + text[1:] if text[:2] != "--" else text for text in sentences if text is not None]


def half_came(analysis: Analysis) -> str | None:
    """Say within how many days of the beginning half the conversions came; None without any."""
    median = analysis.ages.median
    return None if median is None else f"median {_days(median)} after {beginning(analysis)}, of {analysis.ages.n:,}"


def after_the_snapshot(analysis: Analysis) -> str | None:
    """Say within how many days of the snapshot the conversions came, for snapshots at one age; None without any."""
    advice = analysis.advice
    if advice is None or not advice.delays:
        return None
    words = {0.1: "a tenth", 0.25: "a quarter", 0.5: "half", 0.75: "three quarters", 0.9: "nine tenths"}
    parts = ", ".join(f"{words[share]} {days:,.0f}" for share, days in advice.delays)
    return f"Days from the snapshot, {advice.n:,} conversions of snapshots seen for 90d: {parts}"


def beginning(analysis: Analysis) -> str:
    """Name the moment that an entity's clock starts."""
    population = analysis.observed.population
    anchor, kind = population.anchor, population.kind.value
    if anchor.event is not None:
        return f"the first {visible(anchor.event, 60)}"
    if anchor.kind != "signup":
        return "the first event"
    return "signup" if kind == "user" else f"the {kind} began"


def _days(value: float) -> str:
    return f"{value:,.0f} days" if value >= 2 else f"{value:.1f} days"
