"""The worlds: every simulated product by name, for tests, simulations and benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pqlkit.definitions.model import EntityKind
from tests.worlds.freemium_tables import simulate_freemium
from tests.worlds.recipe import plan_recipe
from tests.worlds.stating import simulate, write_simulation
from tests.worlds.trials import plan_age_trial, plan_card_trial, plan_little

if TYPE_CHECKING:
    from pqlkit.demo.truth import Truth
    from tests.worlds.simulated import SimulatedWorld
    from tests.worlds.simulation import Drift, Planted


def recipe(
    users: int = 20_000,
    seed: int = 1,
    *,
    outcome: Planted = "rule",
    base_rate: float = 0.04,
    drift: Drift | None = None,
    accounts: bool = False,
    traps: bool = True,
) -> SimulatedWorld:
    """Make the world of the recipe: 360 days of signups, 64 event names, a planted rule on the first 14 days.

    Parameters
    ----------
    users
        How many entities; with `accounts`, how many accounts (of three users on average).
    outcome
        ``rule``: two or three conditions, converting at 22-34 % (5.5 to 8.5 times the base rate); ``thin``: three, at
        three times the base rate; ``additive``: six literals that add log odds; ``none``: everybody has the same chance.
    base_rate
        Chance to convert within the 30 days after the landmark, over everybody at risk there.
    drift
        From 2025-07-01 on ``effect``: the rule is worth 35 % of what it was; ``volume``: the first true event happens
        three times as often.
    traps
        Whether to add the events that mislead.

    Examples
    --------
    >>> world = recipe(2_000, seed=7)
    >>> world.users.height, sum(world.truth.classes.values())
    (2000, 2000)
    """
    return simulate(
        plan_recipe(
            users, seed, outcome=outcome, base_rate=base_rate, drift=drift, kind=_kind(accounts=accounts), traps=traps
        )
    )


def write_recipe(
    folder: Path | str,
    users: int = 1_000_000,
    seed: int = 1,
    *,
    outcome: Planted = "rule",
    base_rate: float = 0.04,
    drift: Drift | None = None,
    accounts: bool = False,
    traps: bool = True,
) -> Truth:
    """Write the world of `recipe`, of any size, as canonical Parquet in bounded memory; gives its truth.

    The rows are those of ``recipe(...).write(folder)``; the events lie in more parts, one for every 20,000 entities.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    plan = plan_recipe(
        users, seed, outcome=outcome, base_rate=base_rate, drift=drift, kind=_kind(accounts=accounts), traps=traps
    )
    return write_simulation(plan, Path(folder))


def _kind(*, accounts: bool) -> EntityKind:
    return EntityKind.ACCOUNT if accounts else EntityKind.USER


def age_trial(users: int = 20_000, seed: int = 1) -> SimulatedWorld:
    """Make a trial of 14 days in which 70 % of the upgrades come inside it; two conditions within 3 days are planted.

    The classes of its truth are those of ``age:1d,2d,3d,5d,7d,10d``; the chance is that of the first snapshot.
    """
    return simulate(plan_age_trial(users, seed))


def card_trial(users: int = 20_000, seed: int = 1) -> SimulatedWorld:
    """Make a trial with the card on file: four of five conversions in the conversion window are automatic, as the trial ends."""
    return simulate(plan_card_trial(users, seed))


def little(seed: int = 1) -> SimulatedWorld:
    """Make a start-up: 900 signups and 41 upgrades (9 in the first 14 days, 22 in the 30 after, 7 later, 3 too recent).

    Examples
    --------
    >>> little().conversions.height
    41
    """
    return simulate(plan_little(seed))


def freemium(accounts: int = 60_000, seed: int = 1, *, permuted: bool = False) -> SimulatedWorld:
    """Make the freemium world: 156 weeks of signups, bursts that last weeks, and upgrades that take months.

    Two events within the last 28 days are planted: a Monday on which both thresholds are met raises the chance of an upgrade to
    2.3 % in each of the next four weeks, so that no later behaviour tells those who meet the rule apart; other weeks have 0.02 %
    (dormant) to 0.3 % (rolling out). The events export begins after half a
    year; the plan changes at the upgrade; a few clocks are wrong. The truth is that of ``every:28d``.

    Parameters
    ----------
    permuted
        Let every active account have the same chance: nothing is to be found.
    """
    return simulate_freemium(accounts, seed, permuted=permuted)
