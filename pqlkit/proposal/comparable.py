"""The comparable others: moments like those at which leads begin, of whoever does not meet the rule then.

A qualification is always a moment of activity; a snapshot, or just being at risk, is not, and a rule that says no more than
"is active" would pass against those. So leads are compared with moments of activity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import AT, ENTITY, EVENT, ON
from pqlkit.durations import DAY
from pqlkit.measures.scope import LAST, SINCE, scope_of
from pqlkit.statistics.stratified import Moments, excess

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.crossings import Line, Stretches
    from pqlkit.measures.world import World
    from pqlkit.proposal.lives import Lives
    from pqlkit.statistics.stratified import Excess
    from pqlkit.typing import LazyFrame, Microseconds

HOUR: Final = DAY // 24
BLOCK: Final = 28 * DAY
_HOURLY: Final = 3
"""Days of age within which hours tell moments apart."""

_DRAWS: Final = 1021
_RECENT: Final = 7
_DAY: Final = "day"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Activity:
    """Moments of activity: one event of each day of each entity, drawn; sorted by entity and time."""

    entity: NDArray[np.int64]
    at: NDArray[np.int64]

    @classmethod
    def of(cls, world: World) -> Activity:
        """Draw the moments of a world: events of lives, by a number made of their time."""
        rest = nw.col(AT) - nw.col(_DAY) * DAY
        draw = (nw.col(AT) // 1_000 % 1_000_003 * 8_191 % _DRAWS) * DAY + rest
        owned = _existing(world).with_columns((nw.col(AT) // DAY).alias(_DAY))
        drawn = owned.with_columns(draw.alias("draw")).group_by(ENTITY, _DAY).agg(nw.col("draw").min())
        frame = world.engine.collect(drawn).sort(ENTITY, _DAY)
        entity, day, number = (frame.get_column(name).cast(pl.Int64).to_numpy() for name in (ENTITY, _DAY, "draw"))
        return cls(entity=entity, at=day * DAY + number % DAY)

    def take(self, rows: NDArray[np.bool_]) -> Activity:
        """Keep these moments."""
        return Activity(entity=self.entity[rows], at=self.at[rows])

    def active(self, first: Microseconds, before: Microseconds) -> int:
        """Count the entities with an event in a stretch of time."""
        return len(np.unique(self.entity[(self.at >= first) & (self.at < before)]))


def _existing(world: World, without: Collection[str] = ()) -> LazyFrame:
    """Plan the events of lives, without some of them: ``entity``, ``at``."""
    scope = scope_of(world)
    events = scope.events([EVENT])
    if without:
        events = events.filter(~nw.col(EVENT).is_in(sorted(without)))
    owned = scope.owned(events, [LAST, *([SINCE] if scope.has_since else [])]).filter(nw.col(AT) <= nw.col(LAST))
    if scope.has_since:
        owned = owned.filter(nw.col(SINCE).is_null() | (nw.col(AT) >= nw.col(SINCE)))
    return owned.select(ENTITY, AT)


def strata(lives: Lives, entity: NDArray[np.int64], at: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Label moments by age (hours in the first three days, days after) and 4-week block, then by ever coarser ages."""
    age = np.maximum(at - lives.anchor[entity], 0)
    hours, days = age // HOUR, age // DAY
    block = at // BLOCK
    fine = np.where(days < _HOURLY, hours, 24 * _HOURLY + days)
    weeks = np.where(days < 28, days, 28 + days // 28)
    return [block * 1_000_000 + fine, block * 1_000_000 + weeks, weeks, np.zeros(len(at), dtype=np.int64)]


def holding(lines: Sequence[Line], spells: Sequence[Stretches], moments: Activity) -> NDArray[np.bool_]:
    """Tell at which moments a rule is met just after: by the spells that cover them."""
    held = np.zeros(len(moments.at), dtype=np.bool_)
    for line, own in zip(lines, spells, strict=True):
        rows = np.flatnonzero(line.holds(moments.entity))
        if not len(rows) or not len(own.on):
            continue
        places = line.places(moments.entity[rows], moments.at[rows])
        last = np.searchsorted(own.on, places, side="right") - 1
        held[rows] = (last >= 0) & (own.off[np.maximum(last, 0)] > places)
    return held


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Leads against comparable others.

    Parameters
    ----------
    active
        Against accounts as active that day: moments of the same age and time.
    adjusted
        Of the same number of active days in the week before, too, without the rule's own events; None where it was not asked for:
        the proposed rule alone has it.
    newest
        `active`, of the newest leads alone: 13 weeks, or as many more as it takes to expect five conversions.
    """

    active: Excess
    adjusted: Excess | None
    newest: Excess | None


def compare(
    lives: Lives, leads: pl.DataFrame, others: Activity, *, newest_from: Microseconds | None = None
) -> Comparison:
    """Compare leads with others of the same moments.

    Parameters
    ----------
    lives
        What followed.
    leads
        ``entity``, ``on``, ``y``, complete ones alone.
    others
        Moments of activity of entities that are at risk then, seen for long enough, and do not meet the rule just after.
    newest_from
        Where the newest 13 weeks begin; None = the newest leads are not compared apart.

    Notes
    -----
    Who qualifies later stays among the others: to leave them out would look ahead.

    References
    ----------
    Li, Y. P., Propert, K. J. & Rosenbaum, P. R. (2001). Balanced risk set matching. Journal of the American Statistical
    Association 96, 870-882. Hernán, M. A. et al. (2008). Observational studies analyzed like randomized experiments.
    Epidemiology 19, 766-779. Danaei, G. et al. (2013). Observational data for comparative effectiveness research: an
    emulation of randomised trials. Statistical Methods in Medical Research 22, 70-96.
    """
    kind, rest = _moments(lives, leads, others)
    active = excess(kind, rest)
    on = leads.get_column(ON).to_numpy()
    return Comparison(
        active=active,
        adjusted=None,
        newest=None if newest_from is None else _newest(kind, on, rest, active, newest_from),
    )


def _moments(lives: Lives, leads: pl.DataFrame, others: Activity) -> tuple[Moments, Moments]:
    """Describe leads and others by what followed, and by when they are."""
    entity, on, y = (leads.get_column(name).to_numpy() for name in (ENTITY, ON, "y"))
    return (
        Moments(y=y, cluster=lives.cluster[entity], strata=strata(lives, entity, on)),
        Moments(
            y=lives.followed(others.entity, others.at),
            cluster=lives.cluster[others.entity],
            strata=strata(lives, others.entity, others.at),
        ),
    )


def _newest(kind: Moments, on: NDArray[np.int64], rest: Moments, whole: Excess, first: Microseconds) -> Excess:
    """Compare the newest leads, as far back as it takes to expect five conversions."""
    expects = max(whole.converted / max(whole.n, 1), 1e-9)
    order = np.sort(on)[::-1]
    needed = min(len(order), int(np.ceil(5 / expects)))
    since = min(first, int(order[needed - 1])) if needed else first
    late = on >= since
    return excess(
        Moments(y=kind.y[late], cluster=kind.cluster[late], strata=[labels[late] for labels in kind.strata]), rest
    )


def compare_as_active(
    lives: Lives, leads: pl.DataFrame, others: Activity, *, world: World, own_events: Collection[str]
) -> Excess:
    """Compare at the same number of active days, too, in the seven days up to each moment.

    Parameters
    ----------
    lives, leads, others
        As of `compare`.
    world, own_events
        Whose, and the events that the rule names, which make no day an active one.
    """
    entity, on = (leads.get_column(name).to_numpy() for name in (ENTITY, ON))
    asked = np.zeros(len(lives.anchor), dtype=np.bool_)
    asked[entity] = asked[others.entity] = True
    days = world.engine.collect(
        _existing(among(world, asked), own_events)
        .with_columns((nw.col(AT) // DAY).alias(_DAY))
        .select(ENTITY, _DAY)
        .unique()
    ).sort(ENTITY, _DAY)
    wide = 1 << 20
    known = days.get_column(ENTITY).to_numpy() * wide + days.get_column(_DAY).to_numpy()

    def labelled(entity: NDArray[np.int64], at: NDArray[np.int64], moments: Moments) -> Moments:
        day = entity * wide + at // DAY
        number = np.searchsorted(known, day, side="right") - np.searchsorted(known, day - (_RECENT - 1), side="left")
        finest, *coarser = moments.strata
        return Moments(
            y=moments.y,
            cluster=moments.cluster,
            strata=[finest * 8 + number, coarser[0] * 8 + number, coarser[1] * 8 + number, number],
        )

    kind, rest = _moments(lives, leads, others)
    return excess(labelled(entity, on, kind), labelled(others.entity, others.at, rest))


def among(world: World, entities: NDArray[np.bool_]) -> World:
    """Give a world in which some entities alone live; they keep their numbers."""
    return replace(world, entities=world.entities.filter(pl.Series(entities[world.entities[ENTITY].to_numpy()])))
