"""The tables of the freemium world: accounts, users, events, conversions and plans, with faults and traps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import (
    ACCOUNT_ID,
    CONVERTED_AT,
    DELETED_AT,
    EVENT,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
)
from pqlkit.definitions.model import EntityKind
from pqlkit.demo.billing import bill_rows, draw_bills, moment, plan_history
from pqlkit.demo.randomness import stream
from pqlkit.demo.series import INSTANT, NEVER, named
from pqlkit.durations import DAY, MINUTE, WEEK
from tests.worlds.freemium import END, EXPORTED_FROM, NAMES, START, WEEKS, Demand, Lives, choose_demands, draw_lives
from tests.worlds.freemium_truth import state_freemium
from tests.worlds.members import share_among_members
from tests.worlds.simulated import SimulatedWorld
from tests.worlds.simulation import STRANGERS
from tests.worlds.traps import AFTER, BEFORE, SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK: Final = 10_000
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
    conversions = draw_bills(pl.Series(ids), lives.converted, lives.deleted, end=END, rng=rng)
    tables = {
        "events": events,
        "users": users,
        "accounts": _accounts(ids, lives, rng),
        "conversions": conversions,
        "plan_history": plan_history(pl.Series(ids), lives.anchor, lives.converted, conversions),
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
            DELETED_AT: moment(lives.deleted),
            "country": named(_COUNTRIES, rng.integers(0, len(_COUNTRIES), ids.size)),
            "channel": named(_CHANNELS, rng.integers(0, len(_CHANNELS), ids.size)),
            PLAN: named(["free", "team"], paid.astype(np.int64)),
            "seats": seats,
        }
    )


def _strangers(seed: int) -> pl.DataFrame:
    """Conversions of accounts that no export lists."""
    rng = stream(seed, "strangers")
    when = START + (rng.random(7) * (END - START)).astype(np.int64)
    return bill_rows(
        pl.Series(STRANGERS + np.arange(1, 8)), when, "new", "free", "team", np.full(7, 60.0), np.full(7, NEVER)
    )


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
