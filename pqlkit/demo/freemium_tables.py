"""The tables of the freemium world: accounts, users, events, conversions and plans, with faults and traps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from pqlkit.columns import (
    ACCOUNT_ID,
    AMOUNT,
    CONVERTED_AT,
    DELETED_AT,
    ENDED_AT,
    EVENT,
    FROM_PLAN,
    KIND,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
    VALID_FROM,
)
from pqlkit.definitions.model import EntityKind
from pqlkit.demo.classes import NEVER
from pqlkit.demo.freemium import END, EXPORTED_FROM, NAMES, START, WEEKS, Demand, Lives, choose_demands, draw_lives
from pqlkit.demo.freemium_truth import state_freemium
from pqlkit.demo.members import share_among_members
from pqlkit.demo.simulated import SimulatedWorld
from pqlkit.demo.simulation import STRANGERS, named
from pqlkit.demo.streams import stream
from pqlkit.demo.traps import AFTER, BEFORE, SECOND
from pqlkit.durations import DAY, MINUTE, WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK: Final = 10_000
INSTANT: Final = pl.Datetime("us", "UTC")
FUTURE: Final = 1_924_992_000_000_000  # 2031-01-01
_COUNTRIES: Final = ("BR", "DE", "FR", "GB", "IN", "US")
_CHANNELS: Final = ("ads", "organic", "partner", "referral")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    lives: Lives
    tables: dict[str, pl.DataFrame]


def simulate_freemium(accounts: int, seed: int, *, permuted: bool) -> SimulatedWorld:
    """Make the whole freemium world in memory, 10,000 accounts at a time."""
    demands = choose_demands(seed)
    parts = [_part(seed, index, accounts, demands, permuted=permuted) for index in range(-(-accounts // CHUNK))]
    tables = {name: pl.concat([part.tables[name] for part in parts]) for name in parts[0].tables}
    tables["conversions"] = pl.concat([tables["conversions"], _strangers(seed)]).sort(CONVERTED_AT, ACCOUNT_ID)
    ids = tables["accounts"][ACCOUNT_ID].to_numpy()
    truth = state_freemium(ids, [part.lives for part in parts], tables, None if permuted else demands, planted=demands)
    return SimulatedWorld(
        kind=EntityKind.ACCOUNT,
        events=pl.concat([tables["events"], _bad_clocks(tables["events"], seed)]),
        users=tables["users"],
        accounts=tables["accounts"],
        conversions=tables["conversions"],
        plan_history=tables["plan_history"],
        weeks=tables["weeks"],
        truth=truth,
    )


def _part(seed: int, index: int, accounts: int, demands: tuple[Demand, ...], *, permuted: bool) -> _Part:
    rng = stream(seed, "lives", index)
    size = min(CHUNK, accounts - index * CHUNK)
    ids = index * CHUNK + 1 + np.arange(size)
    lives = _customers_before(draw_lives(size, demands, rng, permuted=permuted), rng)
    owner, code, at = _with_traps(lives, demands[0].code, rng)
    kept = (at >= EXPORTED_FROM) & (at < np.minimum(lives.deleted[owner], END))
    order = np.flatnonzero(kept)[np.argsort(at[kept], kind="stable")]
    owner, code, at = owner[order], code[order], at[order]
    events = pl.DataFrame(
        {USER_ID: ids[owner], EVENT: named([*NAMES, BEFORE, AFTER], code), TIMESTAMP: pl.Series(at).cast(INSTANT)}
    )
    users, events = share_among_members(ids, lives.anchor, owner, at, events, until=END, rng=rng)
    conversions = _conversions(ids, lives, rng)
    tables = {
        "events": events,
        "users": users,
        "accounts": _accounts(ids, lives, rng),
        "conversions": conversions,
        "plan_history": _plan_history(ids, lives, conversions),
        "weeks": _weeks(ids, lives),
    }
    return _Part(lives=lives, tables=tables)


def _customers_before(lives: Lives, rng: np.random.Generator) -> Lives:
    """Let one in a hundred accounts be a customer before it signs up for the product."""
    sold = rng.random(lives.anchor.size) < 0.01
    before = lives.anchor - DAY - (rng.random(sold.size) * (60 * DAY)).astype(np.int64)
    return Lives(
        anchor=lives.anchor,
        converted=np.where(sold, before, lives.converted),
        deleted=lives.deleted,
        owner=lives.owner,
        code=lives.code,
        at=lives.at,
        holds=lives.holds,
        active=lives.active,
        hazard=lives.hazard,
    )


def _with_traps(
    lives: Lives, first: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Add what comes just before, and what comes after an upgrade inside the product."""
    paid = np.flatnonzero((lives.converted < NEVER) & (lives.converted > lives.anchor))
    when = lives.converted
    hasty = paid[rng.random(paid.size) < 0.95]
    lead = 5 * SECOND + (rng.random(hasty.size) * (30 * MINUTE - 5 * SECOND)).astype(np.int64)
    bills = np.repeat(paid, 1 + rng.poisson(1.5, paid.size))
    more = np.repeat(paid, rng.poisson(4.0, paid.size))
    late = MINUTE + (rng.standard_exponential(bills.size) * (30 * DAY)).astype(np.int64)
    soon = MINUTE + (rng.standard_exponential(more.size) * (15 * DAY)).astype(np.int64)
    owner = np.concatenate([lives.owner, hasty, bills, more])
    code = np.concatenate(
        [
            lives.code,
            np.full(hasty.size, len(NAMES)),
            np.full(bills.size, len(NAMES) + 1),
            np.full(more.size, first),
        ]
    )
    at = np.concatenate(
        [lives.at, np.maximum(when[hasty] - lead, lives.anchor[hasty]), when[bills] + late, when[more] + soon]
    )
    return owner, code, at


def _accounts(ids: NDArray[np.int64], lives: Lives, rng: np.random.Generator) -> pl.DataFrame:
    """``plan`` and ``seats`` are what they are today: a customer's, after the upgrade."""
    paid = lives.converted < NEVER
    seats = 3 + rng.poisson(2.0, ids.size) + np.where(paid, 5 + rng.poisson(6.0, ids.size), 0)
    return pl.DataFrame(
        {
            ACCOUNT_ID: ids,
            SIGNED_UP_AT: pl.Series(lives.anchor).cast(INSTANT),
            DELETED_AT: _moment(lives.deleted),
            "country": named(_COUNTRIES, rng.integers(0, len(_COUNTRIES), ids.size)),
            "channel": named(_CHANNELS, rng.integers(0, len(_CHANNELS), ids.size)),
            PLAN: named(["free", "team"], paid.astype(np.int64)),
            "seats": seats,
        }
    )


def _conversions(ids: NDArray[np.int64], lives: Lives, rng: np.random.Generator) -> pl.DataFrame:
    paid = np.flatnonzero(lives.converted < NEVER)
    when = lives.converted[paid]
    ended = when + DAY + (rng.standard_exponential(paid.size) * (900 * DAY)).astype(np.int64)
    grown = when + 30 * DAY + (rng.standard_exponential(paid.size) * (200 * DAY)).astype(np.int64)
    grows = (rng.random(paid.size) < 0.15) & (grown < np.minimum(np.minimum(ended, lives.deleted[paid]), END))
    amount = rng.integers(3, 30, paid.size) * 12.0
    new = _rows(ids[paid], when, "new", "free", "team", amount, np.where(ended < END, ended, NEVER))
    more = paid[grows]
    none = np.full(more.size, NEVER)
    return pl.concat([new, _rows(ids[more], grown[grows], "expansion", "team", "business", 2 * amount[grows], none)])


def _strangers(seed: int) -> pl.DataFrame:
    """Conversions of accounts that no export lists."""
    rng = stream(seed, "strangers")
    when = START + (rng.random(7) * (END - START)).astype(np.int64)
    return _rows(STRANGERS + np.arange(1, 8), when, "new", "free", "team", np.full(7, 60.0), np.full(7, NEVER))


def _rows(
    ids: NDArray[np.int64],
    when: NDArray[np.int64],
    kind: str,
    from_plan: str,
    plan: str,
    amount: NDArray[np.floating[Any]],
    ended: NDArray[np.int64],
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            ACCOUNT_ID: ids,
            CONVERTED_AT: pl.Series(when).cast(INSTANT),
            KIND: pl.repeat(kind, ids.size, eager=True, dtype=pl.String),
            FROM_PLAN: pl.repeat(from_plan, ids.size, eager=True, dtype=pl.String),
            PLAN: pl.repeat(plan, ids.size, eager=True, dtype=pl.String),
            AMOUNT: amount,
            ENDED_AT: _moment(ended),
        }
    )


def _plan_history(ids: NDArray[np.int64], lives: Lives, conversions: pl.DataFrame) -> pl.DataFrame:
    begin = pl.DataFrame(
        {
            ACCOUNT_ID: ids,
            VALID_FROM: pl.Series(np.minimum(lives.anchor, lives.converted - DAY)).cast(INSTANT),
            PLAN: pl.repeat("free", ids.size, eager=True, dtype=pl.String),
        }
    )
    paid = conversions.select(ACCOUNT_ID, pl.col(CONVERTED_AT).alias(VALID_FROM), PLAN)
    over = conversions.filter(pl.col(ENDED_AT).is_not_null())
    back = over.select(ACCOUNT_ID, pl.col(ENDED_AT).alias(VALID_FROM), pl.lit("free").alias(PLAN))
    return pl.concat([begin, paid, back]).sort(ACCOUNT_ID, VALID_FROM)


def _weeks(ids: NDArray[np.int64], lives: Lives) -> pl.DataFrame:
    monday = START + np.arange(WEEKS) * WEEK
    account, week = np.nonzero(monday >= lives.anchor[:, None])
    return pl.DataFrame(
        {
            ACCOUNT_ID: ids[account],
            "monday": pl.Series(monday[week]).cast(INSTANT),
            "holds": lives.holds[account, week],
            "active": lives.active[account, week],
            "hazard": lives.hazard[account, week].astype(np.float32),
        }
    )


def _bad_clocks(events: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Repeat a few events stamped 2031 and a few stamped 1970: fewer than one in a thousand."""
    rng = stream(seed, "clocks")
    count = min(18, events.height // 2000)
    rows = events.select(pl.all().gather(rng.choice(events.height, count, replace=False)))
    offset = (rng.random(count) * (300 * DAY)).astype(np.int64)
    wrong = np.where(np.arange(count) % 3 == 0, offset // 300, FUTURE + offset)
    return rows.with_columns(pl.Series(TIMESTAMP, wrong).cast(INSTANT))


def _moment(values: NDArray[np.int64]) -> pl.Series:
    """Turn microseconds into instants, `NEVER` into null."""
    moments = pl.Series(values)
    return pl.select(pl.when(moments < NEVER).then(moments)).to_series().cast(INSTANT)
