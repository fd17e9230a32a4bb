"""The settings of an analysis: what `analyze`, `propose` and `try` share, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pqlkit.definitions.model import EntityKind, Measure, MeasureKind
from pqlkit.durations import Duration

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from pqlkit.typing import Microseconds


class Exposure(StrEnum):
    """Whether everybody is watched equally long (`LANDMARK`), or each until it converts."""

    LANDMARK = "landmark"
    UNTIL_CONVERSION = "until-conversion"


def default_measures(kind: EntityKind) -> tuple[Measure, ...]:
    """Count every event and its days and, for accounts, the users who did it.

    Examples
    --------
    >>> from pqlkit.definitions.model import EntityKind
    >>> [one.kind.value for one in default_measures(EntityKind.ACCOUNT)]
    ['count', 'days', 'users']
    """
    kinds = [MeasureKind.COUNT, MeasureKind.DAYS]
    if kind is EntityKind.ACCOUNT:
        kinds.append(MeasureKind.USERS)
    return tuple(Measure(kind=one) for one in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a population is looked at.

    Parameters
    ----------
    snapshots
        A design as ``--snapshots`` spells it, or ``auto``.
    windows, conversion window, gap
        As stated; None = the design's defaults.
    active_within
        For ``every``.
    events_from
        First moment of the events export, if it begins before its first row.
    measures
        What every event is seen through; empty = `default_measures` of the entity.
    exposure
        See `Exposure`.
    exclude, keep
        Globs of event names: left out; kept although they look like a leak.
    by
        Cohorts: ``signup_week``, ``signup_month``, ``signup_quarter``, a trait, or a behaviour as `pqlkit try` reads it.
    given
        Only snapshots at which this definition holds.
    compare
        Events to compare as value metrics.
    """

    snapshots: str = "auto"
    windows: tuple[Duration, ...] | None = None
    conversion_window: Duration | None = None
    gap: Duration | None = None
    active_within: Duration = field(default_factory=lambda: Duration(28, "d"))
    events_from: Microseconds | None = None
    measures: tuple[Measure, ...] = ()
    exposure: Exposure = Exposure.LANDMARK
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    by: tuple[str, ...] = ("signup_month",)
    given: Definition | None = None
    compare: tuple[str, ...] = ()
