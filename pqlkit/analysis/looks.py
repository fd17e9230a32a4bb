"""The look: one entity at one cutoff, and whether it converted in the horizon after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.durations import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.analysis.classes import Classes, Dormant, Places
    from pqlkit.analysis.design import Design
    from pqlkit.analysis.population import Population
    from pqlkit.definitions.model import Condition
    from pqlkit.typing import Microseconds

ACTIVE_WITHIN: Final = Duration(28, "d")
"""How recently an entity must have done something to be looked at by ``every``."""

AGE_BANDS: Final = ("< 28d", "< 84d", "< 1y", "older")
"""Age at the cutoff, half-open: 28, 84 and 365 days."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """The rows of every table of an analysis.

    Parameters
    ----------
    design
        What gave the cutoffs.
    text
        The design as ``--looks`` spells it.
    frame
        ``look`` (Int64, 0..n-1, by cutoff then entity), ``entity``, ``anchor``, ``cutoff`` (Int64 UTC microseconds), ``y``
        (bool), ``delay`` (Int64 microseconds from cutoff to conversion, whenever it comes; null = never), ``age_band`` (Int8,
        index into `AGE_BANDS`), ``block`` (Int32, calendar quarter of the cutoff counted from the earliest: 0, 1, ...).
    classes, places
        Where every entity and every first conversion went.
    dormant
        The looks left out because the entity was not active; zeros unless ``every``.
    reason
        Why ``auto`` chose this design, with its counts; None when it was stated.
    entity_classes
        ``entity``, ``class`` (text of product.md's `population`), ``place`` (of its first conversion, null = none).
    """

    design: Design
    text: str
    frame: pl.DataFrame
    classes: Classes
    places: Places
    dormant: Dormant
    reason: str | None
    entity_classes: pl.DataFrame


def looks(
    population: Population,
    design: Design | str = "auto",
    *,
    windows: Sequence[Duration] | None = None,
    horizon: Duration | None = None,
    gap: Duration | None = None,
    active_within: Duration = ACTIVE_WITHIN,
    events_from: Microseconds | None = None,
    eligible: Sequence[Condition] = (),
) -> Looks:
    """Look at a population by a design.

    Parameters
    ----------
    population
        Who exists.
    design
        A design, its text, or ``auto``.
    windows, horizon, gap
        As stated on the command line, when `design` is a text; None = the design's defaults.
    active_within
        For ``every``: an entity is in the table at s if it has an event that is not automatic in [s - this, s).
    events_from
        ``--events-from``: history begins here instead of on the first day of the events export.
    eligible
        Conditions on traits, judged as of the microsecond before each cutoff.

    Returns
    -------
    Looks
        A look at s uses no row at or after s, except for `y`, `delay` and the classes.

    Raises
    ------
    UsageError
        The design cannot be read, or a condition needs a current trait that is not trusted.
    """
    raise NotImplementedError
