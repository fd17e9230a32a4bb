"""The freemium world: accounts that use the product in bursts, and pay, if ever, after months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.definitions.model import All, Criterion, Definition, EntityKind, Outcome, Window, WindowKind
from pqlkit.demo.bursts import Burst, draw_bursts, lingering, spread_bursts, trailing
from pqlkit.demo.randomness import stream
from pqlkit.demo.series import NEVER
from pqlkit.demo.weeks import Era, draw_conversions, draw_events, weekly_bins
from pqlkit.durations import DAY, WEEK, Duration

if TYPE_CHECKING:
    from numpy.typing import NDArray

START: Final = 1_699_228_800_000_000  # Monday 2023-11-06
WEEKS: Final = 156
ERA: Final = Era(start=START, weeks=WEEKS)
END: Final = ERA.end
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
_HAZARD: Final = {"holds": 0.023, "roll_out": 0.003, "active": 0.001, "dormant": 0.0002}


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
    owner, code, at = draw_events(ERA, anchor, deleted, light, heavy, weekly_rates(demands), rng)
    recent = trailing(weekly_bins(ERA, owner, at, accounts), 4) > 0
    holds = np.ones_like(recent)
    for demand in demands:
        chosen = code == demand.code
        holds &= trailing(weekly_bins(ERA, owner[chosen], at[chosen], accounts), 4) >= demand.at_least
    chances = dict.fromkeys(_HAZARD, 0.0032) | {"dormant": _HAZARD["dormant"]} if permuted else _HAZARD
    hazard = np.select(
        [lingering(holds, 4), recent & (heavy > 0), recent],
        [chances["holds"], chances["roll_out"], chances["active"]],
        chances["dormant"],
    )
    monday = ERA.mondays
    hazard[(monday < anchor[:, None]) | (monday + WEEK > deleted[:, None])] = 0.0
    return Lives(
        anchor=anchor,
        converted=draw_conversions(ERA, hazard, rng),
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
