"""The settings of an analysis: what `analyze`, `propose` and `try` share, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pqlkit.definitions.model import Measure, MeasureKind
from pqlkit.durations import Duration

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from pqlkit.typing import Microseconds


class Exposure(StrEnum):
    """Whether everybody is watched equally long (`LANDMARK`), or each until it converts."""

    LANDMARK = "landmark"
    UNTIL_CONVERSION = "until-conversion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a population is looked at.

    Parameters
    ----------
    looks
        A design as ``--looks`` spells it, or ``auto``.
    windows, horizon, gap
        As stated; None = the design's defaults.
    active_within
        For ``every``.
    events_from
        First moment of the events export, if it begins before its first row.
    measures
        What every event is seen through.
    exposure
        See `Exposure`.
    exclude, keep
        Globs of event names: left out; kept although they look like a leak.
    by
        Cohorts: ``signup_week``, ``signup_month``, ``signup_quarter``, a trait, or a behaviour as `pqlkit try` reads it.
    given
        Only looks at which this definition holds.
    compare
        Events to compare as value metrics.
    """

    looks: str = "auto"
    windows: tuple[Duration, ...] | None = None
    horizon: Duration | None = None
    gap: Duration | None = None
    active_within: Duration = field(default_factory=lambda: Duration(28, "d"))
    events_from: Microseconds | None = None
    measures: tuple[Measure, ...] = (Measure(kind=MeasureKind.COUNT), Measure(kind=MeasureKind.DAYS))
    exposure: Exposure = Exposure.LANDMARK
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    by: tuple[str, ...] = ("signup_month",)
    given: Definition | None = None
    compare: tuple[str, ...] = ()
