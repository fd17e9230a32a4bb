"""Options of measuring: when behaviour is measured, when the outcome is, and of whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pqlkit.definitions.model import Definition, EntityKind, Measure, MeasureKind
from pqlkit.durations import Duration
from pqlkit.options import parsing as reading
from pqlkit.options.option import Role, option, read_written

SNAPSHOTS: Final = "Snapshots"


class Exposure(StrEnum):
    """Whether everybody is watched equally long (`LANDMARK`), or each until it converts."""

    LANDMARK = "landmark"
    UNTIL_CONVERSION = "until-conversion"


def default_measures(kind: EntityKind) -> tuple[Measure, ...]:
    """Count every event and its days and, for accounts, the users who did it.

    Examples
    --------
    >>> from pqlkit.definitions.model import EntityKind
    >>> [measure.kind.value for measure in default_measures(EntityKind.ACCOUNT)]
    ['count', 'days', 'users']
    """
    kinds = [MeasureKind.COUNT, MeasureKind.DAYS]
    if kind is EntityKind.ACCOUNT:
        kinds.append(MeasureKind.USERS)
    return tuple(Measure(kind=measure) for measure in kinds)


@dataclass(frozen=True, kw_only=True)
class SnapshotOptions:
    """How a population is looked at: what `analyze`, `try` and `propose` share.

    Parameters
    ----------
    snapshots
        A design as ``--snapshots`` spells it, or ``auto``.
    windows, conversion_window, gap
        As stated; None = the design's defaults.
    active_within
        For ``every``.
    measures
        What every event is seen through; empty = `default_measures` of the entity.
    exposure
        See `Exposure`.
    exclude_event, keep_event
        Globs of event names: left out; kept although they look like a leak.
    given
        Only snapshots at which this definition holds.
    """

    snapshots: str = option(
        "auto", "auto, once:14d, age:1d,3d,7d or every:28d.", reads=reading.design, metavar="DESIGN", panel=SNAPSHOTS
    )
    windows: tuple[Duration, ...] | None = option(
        None, "Windows of the behaviours, like 3d,7d,14d.", reads=reading.durations, metavar="LIST", panel=SNAPSHOTS
    )
    conversion_window: Duration | None = option(
        None,
        "How long after a snapshot a conversion counts.",
        reads=reading.duration,
        unset="30d",
        metavar="DURATION",
        panel=SNAPSHOTS,
    )
    gap: Duration | None = option(
        None,
        "Conversions this soon after a snapshot do not count.",
        reads=reading.duration,
        unset="0d",
        metavar="DURATION",
        panel=SNAPSHOTS,
        rare=True,
    )
    active_within: Duration = option(
        Duration(28, "d"),
        "With `every`: entities are looked at if active this recently.",
        reads=reading.duration,
        metavar="DURATION",
        panel=SNAPSHOTS,
        rare=True,
    )
    measures: tuple[Measure, ...] = option(
        (),
        "Measures to look at, like count,days,users,sum(amount).",
        reads=reading.measures,
        unset="count,days; for accounts also users",
        metavar="LIST",
        panel=SNAPSHOTS,
        rare=True,
    )
    exposure: Exposure = option(
        Exposure.LANDMARK,
        "landmark (equal exposure) or until-conversion.",
        reads=reading.chosen(Exposure),
        metavar="KIND",
        panel=SNAPSHOTS,
        rare=True,
    )
    exclude_event: tuple[str, ...] = option(
        (), "Leave this event out (a glob). Repeatable.", metavar="NAME", panel=SNAPSHOTS, rare=True
    )
    keep_event: tuple[str, ...] = option(
        (), "Keep this event though it looks like a leak (a glob). Repeatable.", metavar="NAME", panel=SNAPSHOTS
    )
    given: Definition | None = option(
        None,
        "Only those who meet this definition.",
        reads=reading.definition,
        takes=Path,
        metavar="DEFINITION",
        panel=SNAPSHOTS,
        role=Role.READS,
        rare=True,
    )

    def __post_init__(self) -> None:
        """Read what is spelled as on the command line, such as ``conversion_window="14d"``."""
        read_written(self)


@dataclass(frozen=True, kw_only=True)
class Settings(SnapshotOptions):
    """How a population is looked at, and what `analyze` alone splits and compares.

    Parameters
    ----------
    by
        Cohorts: ``signup_week``, ``signup_month``, ``signup_quarter``, a trait, or a behaviour as `pqlkit try` reads it.
    compare
        Events to compare as value metrics.
    """

    by: tuple[str, ...] = option(
        ("signup_month",),
        "Cohorts: signup_week, signup_month, signup_quarter, a trait, or a behaviour like "
        '"login >= 3 in 7d". Repeatable.',
        shown=", ".join,
        metavar="COHORT",
        panel=SNAPSHOTS,
    )
    compare: tuple[str, ...] = option(
        (), "Compare these events as value metrics. Repeatable.", metavar="EVENT", panel=SNAPSHOTS, rare=True
    )


@dataclass(frozen=True, kw_only=True)
class EntityOptions:
    """Who is looked at."""

    entity: str = option(
        "auto",
        "auto, user or account.",
        reads=reading.word("auto", *EntityKind),
        metavar="KIND",
        panel=SNAPSHOTS,
    )
    sample: float | None = option(
        None,
        "Look at this share of the entities, like 5%.",
        reads=reading.share,
        metavar="SHARE",
        panel=SNAPSHOTS,
        rare=True,
    )


@dataclass(frozen=True, kw_only=True)
class RowsOption:
    """How long a list is."""

    top: int | None = option(
        None, "How many rows to show.", reads=reading.whole(1, 100_000), takes=int, metavar="N", panel=SNAPSHOTS
    )
