"""The worlds: every simulated product by name, for tests, simulations and benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.demo.simulated import SimulatedWorld
    from pqlkit.demo.truth import Truth


def recipe(
    users: int = 20_000,
    seed: int = 1,
    *,
    outcome: Literal["rule", "thin", "additive", "none"] = "rule",
    base_rate: float = 0.04,
    drift: Literal["effect", "volume"] | None = None,
    accounts: bool = False,
    traps: bool = True,
) -> SimulatedWorld:
    """Make the world of the recipe: 360 days of signups, 64 event names, a planted rule on the first 14 days."""
    raise NotImplementedError


def write_recipe(folder: Path | str, users: int = 1_000_000, seed: int = 1, **options: object) -> Truth:
    """Write `recipe` of any size as canonical Parquet in bounded memory; same rows as `recipe(...).write(folder)`."""
    raise NotImplementedError


def freemium(accounts: int = 60_000, seed: int = 1, *, permuted: bool = False) -> SimulatedWorld:
    """Make the freemium world: 156 weeks of signups, bursts that last weeks, a planted trailing rule, late upgrades."""
    raise NotImplementedError


def age_trial(users: int = 20_000, seed: int = 1) -> SimulatedWorld:
    """Make a trial in which 70 % of the upgrades come inside the 14 days."""
    raise NotImplementedError


def card_trial(users: int = 20_000, seed: int = 1) -> SimulatedWorld:
    """Make a trial with the card on file: most conversions are automatic and fall on the day the trial ends."""
    raise NotImplementedError


def little(seed: int = 1) -> SimulatedWorld:
    """Make a start-up: 900 signups and 41 upgrades (9 in the first 14 days, 22 in the 30 after, 7 later, 3 too recent)."""
    raise NotImplementedError
