"""The truth: what was planted in a simulated product, so that what pqlkit finds can be held against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from pqlkit.definitions.model import Definition
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Traps:
    """Events that look like good behaviours and are not; None where a world has no such trap.

    Parameters
    ----------
    before
        Fires 5 s to 30 min before 95 % of upgrades.
    after
        Fires only after an upgrade.
    common
        97 % of all entities do it.
    proxy
        Accompanies the first true event.
    more_after
        The first true event itself: converters do more of it after paying.
    """

    before: str | None = None
    after: str | None = None
    common: str | None = None
    proxy: str | None = None
    more_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """What was planted.

    Parameters
    ----------
    rule
        The planted rule as a definition whose `path` is None, or None where nothing (or something additive) is planted.
    rate
        The chance to convert within the conversion window of the cutoff, for an entity that meets the rule there and is at risk;
        None without a rule. For weekly hazards: the mean over all active moments at which it holds.
    base_rate
        The same chance over everybody at risk.
    points
        Additive worlds: criterion id -> log odds ratio. The criteria are those of `rule`, which nobody is told to obey.
    snapshots
        The design that the classes refer to: ``once:14d``, ``age:...`` or ``every:28d``.
    conversion_window
        In microseconds.
    as_of
        The newest plausible row.
    classes
        Class of product.md's ``population`` -> entities, exact; they sum to the entities that began by `as_of`. For ``every``
        only those that do not depend on an entity's phase.
    places
        Place of product.md's ``conversions`` -> rows, exact; with the same restriction.
    entities
        ``entity`` (the export's id), ``class``, ``meets`` (the rule held at the landmark; null where there is none), and
        ``chance`` (of converting within the conversion window, null where it is not defined).
    traps
        The planted traps.
    drift_from
        The anchor from which the drift acts, or None.
    """

    rule: Definition | None
    rate: float | None
    base_rate: float
    snapshots: str
    conversion_window: Microseconds
    as_of: Microseconds
    classes: Mapping[str, int]
    places: Mapping[str, int]
    entities: pl.DataFrame
    traps: Traps = field(default_factory=Traps)
    points: Mapping[str, float] = field(default_factory=dict)
    drift_from: Microseconds | None = None
