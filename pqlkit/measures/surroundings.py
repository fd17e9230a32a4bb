"""The surroundings of the conversion: which events happen in the hour before it, and which begin after it.

The one measurement that looks at events at and after the conversion, on purpose: it finds the events that would leak the
outcome, so that nothing else has to fear them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import narwhals as nw
import numpy as np

from pqlkit.columns import ANCHOR, AT, CONVERTED, ENTITY, EVENT
from pqlkit.durations import DAY, HOUR
from pqlkit.engines.portable import one

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.measures.scope import Scope
    from pqlkit.measures.world import World
    from pqlkit.typing import Microseconds

SECOND: Final = 1_000_000
CONTROL_DAYS: Final = (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """Counts of entities per event, on events that no conversion cuts off.

    Parameters
    ----------
    events
        Names of the events that converters do, sorted; one per cell of the arrays.
    entities, converters
        Of all entities asked about, whatever they did.
    users
        Entities that do the event at least once; counted where converters begin it late or do it more just before they
        convert, else 0: nothing hangs on the others, and the count takes all events.
    users_converted
        Of these, how many convert at or before `as_of`.
    first_late
        Of these, how many do it for the first time less than an hour before the conversion, or after it.
    within_a_day
        Entities whose conversion comes at most 24 hours after their first one (not before it).
    hazard
        Converters who do it in the hour before the conversion, its own second included.
    control
        The mean, over one, two and three days earlier, of the converters who do it in the same hour, [c - d - 1h, c - d).
        Converters who had not begun by then cannot have done it.
    active_hazard, active_control
        The same for any event at all: how much more active converters are just before they convert.
    days_at_risk
        Entity-days from the anchor to the conversion or the end.
    """

    events: tuple[str, ...]
    entities: int
    converters: int
    users: NDArray[np.int64]
    users_converted: NDArray[np.int64]
    first_late: NDArray[np.int64]
    within_a_day: NDArray[np.int64]
    hazard: NDArray[np.int64]
    control: NDArray[np.float64]
    active_hazard: int
    active_control: float
    days_at_risk: float


def surroundings(
    world: World, *, entities: pl.DataFrame | None = None, until: Microseconds | None = None
) -> Surroundings:
    """Count what happens around the conversions.

    Parameters
    ----------
    world
        The population; customers before their anchor are left out.
    entities
        ``entity``: only these (the fit part of a split). None = all.
    until
        The last microsecond looked at; None = `as_of`.

    Notes
    -----
    Where events are dates, the hour becomes the conversion's own date, and the controls the three dates before it.
    """
    import polars as pl

    from pqlkit.measures.scope import scope_of

    scope = scope_of(world)
    end = world.as_of if until is None else min(until, world.as_of)
    lives = world.entities.select(ENTITY, ANCHOR, CONVERTED).filter(
        pl.col(ANCHOR).is_not_null() & (pl.col(CONVERTED).is_null() | (pl.col(CONVERTED) >= pl.col(ANCHOR)))
    )
    if entities is not None:
        lives = lives.join(entities.select(ENTITY).unique(), on=ENTITY, how="semi", maintain_order="left")
    lives = lives.with_columns(pl.when(pl.col(CONVERTED) <= end).then(pl.col(CONVERTED)).alias(CONVERTED))
    converters = lives.filter(pl.col(CONVERTED).is_not_null())
    if world.dates_only:
        converters, lives = (_dated(scope, frame) for frame in (converters, lives))
    around = _each(replace(scope, lives=converters), end)
    names = [name for name in around.columns if name.startswith(("hazard", "control"))]
    active = around.group_by(ENTITY).agg(pl.col(names).max()).select(pl.col(names).sum())
    near = around.group_by(EVENT).agg(pl.len().alias("users_converted"), pl.col(around.columns[2:]).sum())
    users = _users(replace(scope, lives=lives), end, near.filter(_notable()).get_column(EVENT).to_list())
    joined = near.join(users, on=EVENT, how="left").sort(EVENT)

    def counts(name: str) -> NDArray[np.int64]:
        return joined.get_column(name).fill_null(0).cast(pl.Int64).to_numpy()

    return Surroundings(
        events=tuple(joined.get_column(EVENT).to_list()),
        entities=lives.height,
        converters=converters.height,
        users=counts("users"),
        users_converted=counts("users_converted"),
        first_late=counts("first_late"),
        within_a_day=counts("within_a_day"),
        hazard=counts("hazard"),
        control=np.sum([counts(f"control_{days}") for days in CONTROL_DAYS], axis=0) / len(CONTROL_DAYS),
        active_hazard=int(active.get_column("hazard")[0] or 0),
        active_control=sum(int(active.get_column(f"control_{days}")[0] or 0) for days in CONTROL_DAYS)
        / len(CONTROL_DAYS),
        days_at_risk=_days_at_risk(lives, end),
    )


def _days_at_risk(lives: pl.DataFrame, end: Microseconds) -> float:
    import polars as pl

    spans = lives.select((pl.coalesce(CONVERTED, pl.lit(end)) - pl.col(ANCHOR)).clip(lower_bound=0))
    return float(spans.to_series().sum()) / DAY


def _dated(scope: Scope, lives: pl.DataFrame) -> pl.DataFrame:
    """Put the conversions on the clock of events that are dates."""
    frame = nw.from_native(lives).with_columns((scope.calendar.date(nw.col(CONVERTED)) * DAY).alias(CONVERTED))
    return frame.to_native()


def _each(scope: Scope, end: Microseconds) -> pl.DataFrame:
    """Mark for each converter and event (``entity``, ``event``) when it is done: first, just before, and in the controls."""
    owned = scope.owned(scope.events([EVENT]).filter(nw.col(AT) <= end), [CONVERTED])
    at, converted = nw.col(AT), nw.col(CONVERTED)
    hour = DAY if scope.world.dates_only else HOUR
    begin = converted - _hour(scope)
    flags = {"hazard": (at >= begin) & (at <= _through(scope))}
    for days in CONTROL_DAYS:
        flags[f"control_{days}"] = (at >= begin - days * DAY) & (at < begin - days * DAY + hour)
    marked = owned.with_columns(**{name: one(flag) for name, flag in flags.items()})
    moments = (at.min().alias("first"), converted.max().alias(CONVERTED))
    plan = marked.group_by(ENTITY, EVENT).agg(*moments, *(nw.col(name).max() for name in flags))
    first, wait = nw.col("first"), converted - nw.col("first")
    late = one(first >= begin).alias("first_late")
    day = one((wait >= -_slack(scope)) & (wait <= DAY)).alias("within_a_day")
    return scope.world.engine.collect(plan.select(ENTITY, EVENT, late, day, *flags))


def _notable() -> pl.Expr:
    """Whether converters begin an event late, or do it twice as often just before they convert as in the controls."""
    import polars as pl

    control = pl.sum_horizontal(f"control_{days}" for days in CONTROL_DAYS) / len(CONTROL_DAYS)
    return (2 * pl.col("first_late") >= pl.col("users_converted")) | (pl.col("hazard") >= 2 * control + 1)


def _users(scope: Scope, end: Microseconds, names: list[str]) -> pl.DataFrame:
    """Count the entities that do each of a few events at least once."""
    import polars as pl

    if not names:
        return pl.DataFrame(schema={EVENT: pl.String, "users": pl.Int64})
    events = scope.events([EVENT]).filter(nw.col(AT) <= end, nw.col(EVENT).is_in(names))
    pairs = scope.owned(events, []).select(ENTITY, EVENT).unique()
    return scope.world.engine.collect(pairs.group_by(EVENT).agg(nw.len().alias("users")))


def _hour(scope: Scope) -> int:
    return 0 if scope.world.dates_only else HOUR


def _through(scope: Scope) -> nw.Expr:
    """Give the last microsecond of the conversion's own second (date, where events are dates)."""
    converted = nw.col(CONVERTED)
    return converted if scope.world.dates_only else converted - converted % SECOND + (SECOND - 1)


def _slack(scope: Scope) -> int:
    return 0 if scope.world.dates_only else SECOND - 1
