"""The freemium world: accounts that use the product in bursts, and pay, if ever, after months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.definitions.model import All, Criterion, Definition, EntityKind, Outcome, Window, WindowKind
from pqlkit.demo.bursts import Burst, draw_bursts, spread_bursts, trailing
from pqlkit.demo.calendar import office_hours
from pqlkit.demo.classes import NEVER
from pqlkit.demo.streams import stream
from pqlkit.durations import DAY, WEEK, Duration

if TYPE_CHECKING:
    from numpy.typing import NDArray

START: Final = 1_699_228_800_000_000  # Monday 2023-11-06
WEEKS: Final = 156
END: Final = START + WEEKS * WEEK
EXPORTED_FROM: Final = START + 26 * WEEK
"""The events export begins half a year after the product."""

NAMES: Final = (
    "login",
    "task_created",
    "task_completed",
    "comment_posted",
    "file_uploaded",
    "board_viewed",
    "search_used",
    "report_viewed",
    "teammate_invited",
    "integration_connected",
    "project_created",
    "template_used",
    "file_exported",
    "automation_built",
)
COMMON: Final = 8
"""The first eight names are everyday use; the others belong to roll-outs, and two of them are planted."""

TRY_OUT: Final = Burst(apart=1.0, lasts=3.0, least=1, spread=2.0)
LIGHT: Final = Burst(apart=17.0, lasts=3.0, least=1, spread=2.0)
ROLL_OUT: Final = Burst(apart=220.0, lasts=8.0, least=4, spread=3.0)

_EVERYDAY: Final = (1.2, 1.0, 0.8, 0.5, 0.3, 0.6, 0.3, 0.2)
_HAZARD: Final = {"holds": 0.034, "roll_out": 0.003, "active": 0.001, "dormant": 0.0002}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One condition of the planted rule: ``count(names[code]) >= at_least`` in the last 28 days."""

    code: int
    at_least: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lives:
    """A chunk of accounts: what they did and whether they paid.

    Parameters
    ----------
    anchor, converted, deleted
        Int64 UTC microseconds, one per account; `NEVER` without.
    owner, code, at
        One per event, sorted by owner: the account's number, the name's number, UTC microseconds. From the beginning of the
        product on.
    holds, active
        Accounts x weeks: whether the rule held, and whether there was any event, in the 28 days before the week's Monday.
    hazard
        Accounts x weeks: the chance to convert in the week, for one who has not; 0 where the account does not exist.
    """

    anchor: NDArray[np.int64]
    converted: NDArray[np.int64]
    deleted: NDArray[np.int64]
    owner: NDArray[np.int64]
    code: NDArray[np.int64]
    at: NDArray[np.int64]
    holds: NDArray[np.bool_]
    active: NDArray[np.bool_]
    hazard: NDArray[np.float64]


def choose_demands(seed: int) -> tuple[Demand, Demand]:
    """Choose two events of roll-outs and how often each must have happened."""
    rng = stream(seed, "demands")
    first, second = (int(code) for code in rng.permutation(np.arange(COMMON, len(NAMES)))[:2])
    return Demand(code=first, at_least=int(rng.integers(4, 6))), Demand(code=second, at_least=int(rng.integers(2, 4)))


def weekly_rates(demands: tuple[Demand, ...]) -> NDArray[np.float64]:
    """Give the mean events a week by name, for light use (row 0) and roll-outs (row 1) of intensity 1."""
    light = np.array([*_EVERYDAY, *([0.12] * (len(NAMES) - COMMON))])
    heavy = light * np.where(np.arange(len(NAMES)) < COMMON, 1.8, 4.5)
    for demand in demands:
        light[demand.code] = 0.05 * demand.at_least
        heavy[demand.code] = 0.27 * demand.at_least
    return np.stack([light, heavy])


def draw_lives(accounts: int, demands: tuple[Demand, ...], rng: np.random.Generator, *, permuted: bool) -> Lives:
    """Draw a chunk of accounts; with `permuted`, every active account has the same chance whatever it does."""
    anchor = START + (rng.random(accounts) * (WEEKS * WEEK)).astype(np.int64)
    deleted = np.where(
        rng.random(accounts) < 0.03, anchor + (rng.random(accounts) * (2 * 365 * DAY)).astype(np.int64), NEVER
    )
    deleted = np.where(deleted < END, deleted, NEVER)
    first_week = (anchor - START) // WEEK
    light, heavy = draw_levels(first_week, rng)
    owner, code, at = draw_events(anchor, deleted, light, heavy, weekly_rates(demands), rng)
    week = (at - START) // WEEK
    recent = trailing(weekly_bins(owner, week, accounts), 4) > 0
    holds = np.ones_like(recent)
    for demand in demands:
        chosen = code == demand.code
        holds &= trailing(weekly_bins(owner[chosen], week[chosen], accounts), 4) >= demand.at_least
    chances = dict.fromkeys(_HAZARD, 0.0032) | {"dormant": _HAZARD["dormant"]} if permuted else _HAZARD
    hazard = np.select(
        [holds, recent & (heavy > 0), recent],
        [chances["holds"], chances["roll_out"], chances["active"]],
        chances["dormant"],
    )
    monday = START + np.arange(WEEKS) * WEEK
    hazard[(monday < anchor[:, None]) | (monday + WEEK > deleted[:, None])] = 0.0
    return Lives(
        anchor=anchor,
        converted=draw_conversions(hazard, rng),
        deleted=deleted,
        owner=owner,
        code=code,
        at=at,
        holds=holds,
        active=recent,
        hazard=hazard,
    )


def draw_levels(
    first_week: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw the intensity of light use (a try-out at first, then now and then) and of roll-outs, accounts x weeks."""
    everybody = np.arange(first_week.size)
    fit = rng.standard_gamma(0.8, first_week.size) / 0.8
    tried = spread_bursts(TRY_OUT, everybody, first_week, first_week.size, WEEKS, rng)
    again = draw_bursts(LIGHT, first_week, WEEKS, fit, rng)
    return np.maximum(tried, again), draw_bursts(ROLL_OUT, first_week, WEEKS, fit, rng)


def draw_events(
    anchor: NDArray[np.int64],
    deleted: NDArray[np.int64],
    light: NDArray[np.float32],
    heavy: NDArray[np.float32],
    rates: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw the events of all account-weeks: owner, code and moment; none before the anchor or after the deletion."""
    account, week = np.nonzero((light > 0) | (heavy > 0))
    mean = light[account, week, None] * rates[0] + heavy[account, week, None] * rates[1]
    counts = rng.poisson(mean)
    cell, name = np.nonzero(counts)
    times = counts[cell, name]
    owner, code = np.repeat(account[cell], times), np.repeat(name, times)
    monday = START + np.repeat(week[cell], times) * WEEK
    at = monday + office_hours(owner.size, rng)
    born = anchor[owner]
    late = born + (rng.random(owner.size) * (monday + WEEK - born)).astype(np.int64)
    at = np.where(at < born, late, at)
    kept = at < np.minimum(deleted[owner], END)
    return owner[kept], code[kept], at[kept]


def draw_conversions(hazard: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw when each account converts by its weekly hazards: somewhere inside the week, `NEVER` if in none."""
    survived = np.cumprod(1 - hazard, axis=1)
    week = (rng.random((hazard.shape[0], 1)) <= survived).sum(axis=1)
    moment = START + week * WEEK + 1 + (rng.random(week.size) * (WEEK - 2)).astype(np.int64)
    return np.where(week < hazard.shape[1], moment, NEVER)


def trailing_definition(demands: tuple[Demand, ...]) -> Definition:
    """Write the planted rule as a definition of the last 28 days."""
    criteria = tuple(
        Criterion(
            id=NAMES[demand.code],
            events=(NAMES[demand.code],),
            window=Window(kind=WindowKind.TRAILING, length=Duration(28, "d")),
            at_least=demand.at_least,
        )
        for demand in demands
    )
    return Definition(
        name="planted-freemium",
        title="planted-freemium",
        entity=EntityKind.ACCOUNT,
        qualify=All(parts=criteria),
        outcome=Outcome(within=Duration(28, "d")),
    )


def weekly_bins(owner: NDArray[np.int64], week: NDArray[np.int64], accounts: int) -> NDArray[np.int64]:
    """Count rows by account and week: accounts x weeks."""
    return np.bincount(owner * WEEKS + week, minlength=accounts * WEEKS).reshape(accounts, WEEKS)
