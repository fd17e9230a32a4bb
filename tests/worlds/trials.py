"""The trial: worlds in which the upgrade falls inside the trial, on its last day, or hardly ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.definitions.model import EntityKind
from pqlkit.demo.series import NEVER
from pqlkit.durations import DAY, HOUR, MINUTE
from tests.worlds.habits import WINDOW, draw_habits
from tests.worlds.planting import CONVERSION_WINDOW, draw_sample
from tests.worlds.recipe import Rule, landmark_outcome, plant_rule
from tests.worlds.simulation import SPAN, START, Decision, Simulation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.worlds.habits import Usage
    from tests.worlds.planting import Literal

AGES: Final = tuple(days * DAY for days in (1, 2, 3, 5, 7, 10))
INSIDE: Final = 0.7
"""Share of the upgrades of `plan_age_trial` that come before the trial's last day."""

_DAYS: Final = 14
_HAZARD: Final = 0.045
_BACKGROUND: Final = 0.0032


def plan_age_trial(users: int, seed: int) -> Simulation:
    """Plan a trial of 14 days in which most upgrade inside it, the sooner the sooner they meet a rule on 3 days.

    From the first day's start at which the rule holds, each of the trial's days brings an upgrade with a chance of 4.5 %,
    else of 0.32 % x exp(0.35 activity); the rest upgrade in the weeks after it.
    """
    habits = draw_habits(seed)
    sample = draw_sample(habits, seed, reach=(0.12, 0.3), windows=(3,))
    rule = plant_rule(sample, seed, conditions=2, share=(0.05, 0.09), rate=0.0, base_rate=0.0)
    return Simulation(
        name="planted-age",
        entities=users,
        seed=seed,
        kind=EntityKind.USER,
        habits=habits,
        literals=rule.literals,
        decide=Daily(literals=rule.literals).decide,
        cutoffs=AGES,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """A hazard for each day of the trial, by whether the rule held when the day began."""

    literals: tuple[Literal, ...]

    def decide(self, usage: Usage, anchor: NDArray[np.int64], rng: np.random.Generator) -> Decision:
        """Draw conversions; the chance is that of an upgrade within 30 days of the first snapshot."""
        n = anchor.size
        since = np.maximum.reduce([reached(literal, usage) for literal in self.literals])
        holds = since[:, None] <= np.arange(_DAYS) * DAY
        hazard = np.where(holds, _HAZARD, np.minimum(_BACKGROUND * np.exp(0.35 * usage.activity), 0.5)[:, None])
        gone = 1 - np.cumprod(1 - hazard, axis=1)
        inside = gone[:, -1]
        outside = np.minimum(inside * (1 - INSIDE) / INSIDE, 1 - inside)
        draw = rng.random(n)
        day = (draw[:, None] >= gone).sum(axis=1)
        at = day * DAY + 1 + (rng.random(n) * (DAY - 1)).astype(np.int64)
        late = WINDOW + 1 + (rng.standard_exponential(n) * (12 * DAY)).astype(np.int64)
        after = np.select([day < _DAYS, draw < inside + outside], [at, late], NEVER)
        # Of those who upgrade late, the share within 30 days of the first snapshot: 17 of the days after the trial.
        soon = inside - hazard[:, 0] + outside * -np.expm1(-(1 + 30 - _DAYS) / 12)
        return Decision(after=after.astype(np.int64), chance=soon / (1 - hazard[:, 0]))


def reached(literal: Literal, usage: Usage) -> NDArray[np.int64]:
    """Find when each entity met a literal: the offset just after its k-th event in the window, `NEVER` if it did not."""
    inside = np.flatnonzero((usage.code == literal.code) & (usage.offset < literal.days * DAY))
    order = inside[np.lexsort((usage.offset[inside], usage.owner[inside]))]
    owner = usage.owner[order]
    first = np.searchsorted(owner, np.arange(usage.activity.size))
    nth = np.arange(owner.size) - first[owner] == literal.at_least - 1
    moment = np.full(usage.activity.size, NEVER)
    moment[owner[nth]] = usage.offset[order][nth] + 1
    return moment


def plan_card_trial(users: int, seed: int) -> Simulation:
    """Plan a trial with the card on file: four of five conversions are automatic, within three hours of day 14."""
    habits = draw_habits(seed)
    sample = draw_sample(habits, seed, reach=(0.24, 0.34))
    rule = plant_rule(sample, seed, conditions=2, share=(0.05, 0.08), rate=0.4, base_rate=0.09)
    return Simulation(
        name="planted-card",
        entities=users,
        seed=seed,
        kind=EntityKind.USER,
        habits=habits,
        literals=rule.literals,
        decide=Automatic(rule=rule).decide,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Automatic:
    """The recipe's outcome, but four of five who convert in the conversion window do so when the trial ends."""

    rule: Rule

    def decide(self, usage: Usage, anchor: NDArray[np.int64], rng: np.random.Generator) -> Decision:
        """Draw conversions as at a landmark, then move most of them to the end of the trial."""
        decision = landmark_outcome(self.rule)(usage, anchor, rng)
        spike = WINDOW + MINUTE + (rng.random(anchor.size) * (3 * HOUR)).astype(np.int64)
        moved = (
            (decision.after > WINDOW) & (decision.after <= WINDOW + CONVERSION_WINDOW) & (rng.random(anchor.size) < 0.8)
        )
        return Decision(after=np.where(moved, spike, decision.after), chance=decision.chance)


def plan_little(seed: int) -> Simulation:
    """Plan a start-up of 900 signups and exactly 41 upgrades: 9 early, 22 in the conversion window, 7 later, 3 too recent."""
    habits = draw_habits(seed)
    sample = draw_sample(habits, seed, reach=(0.2, 0.3))
    rule = plant_rule(sample, seed, conditions=1, share=(0.2, 0.3), rate=0.07, base_rate=0.03)
    return Simulation(
        name="planted-little",
        entities=900,
        seed=seed,
        kind=EntityKind.USER,
        habits=habits,
        literals=rule.literals,
        decide=Few(rule=rule).decide,
        faults=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Few:
    """Exact numbers of upgrades, drawn in proportion to the planted chance."""

    rule: Rule
    early: int = 9
    used: int = 22
    later: int = 7
    recent: int = 3

    def decide(self, usage: Usage, anchor: NDArray[np.int64], rng: np.random.Generator) -> Decision:
        """Draw who upgrades in each group of ages, without replacement."""
        chance = self.rule.chance(usage)
        age = START + SPAN - DAY - anchor  # a day's grace: the newest row is what a tool takes for the end
        weight = np.log(chance) + rng.gumbel(size=anchor.size)
        after = np.full(anchor.size, NEVER)
        mature = age >= WINDOW + CONVERSION_WINDOW
        groups = (
            (self.early, mature, HOUR, WINDOW - HOUR),
            (self.used, mature, WINDOW + 1, CONVERSION_WINDOW - 1),
            (self.later, age >= WINDOW + CONVERSION_WINDOW + 30 * DAY, WINDOW + CONVERSION_WINDOW + DAY, 25 * DAY),
            (
                self.recent,
                (age >= WINDOW + 5 * DAY) & (age < WINDOW + CONVERSION_WINDOW - 2 * DAY),
                WINDOW + 1,
                4 * DAY,
            ),
        )
        for count, who, start, length in groups:
            free = np.where(who & (after == NEVER), weight, -np.inf)
            chosen = np.argsort(-free, kind="stable")[:count]
            after[chosen] = start + (rng.random(count) * length).astype(np.int64)
        return Decision(after=after, chance=chance)
