"""The recipe: the outcomes of the statistical worlds, planted on early behaviours and calibrated to a base rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.definitions.model import EntityKind
from pqlkit.demo.randomness import stream
from pqlkit.demo.series import NEVER
from pqlkit.durations import DAY, HOUR
from tests.worlds.habits import WINDOW, Usage, draw_habits
from tests.worlds.planting import CONVERSION_WINDOW, Literal, Sample, choose_points, choose_rule, draw_sample
from tests.worlds.simulation import DRIFT_FROM, Decision, Simulation

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tests.worlds.simulation import Drift, Planted

EARLY: Final = 0.008
LATER: Final = 0.01
DECAY: Final = 0.35
"""What is left of the rule's rate when the effect drifts."""

_ODDS: Final = (1.7, 1.5, 1.3, 1.2, 1.0, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """Literals and what meeting all of them is worth: `rate`, against ``background x exp(0.35 activity)`` otherwise."""

    literals: tuple[Literal, ...]
    rate: float
    background: float

    def chance(self, usage: Usage) -> NDArray[np.float64]:
        """Give each entity's chance to convert within the conversion window of the landmark."""
        held = np.logical_and.reduce([literal.met(usage) for literal in self.literals])
        return np.where(held, self.rate, np.minimum(self.background * np.exp(0.35 * usage.activity), 1.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Literals and the log odds that each adds to `constant`."""

    literals: tuple[Literal, ...]
    odds: tuple[float, ...]
    constant: float

    def chance(self, usage: Usage) -> NDArray[np.float64]:
        """Give each entity's chance to convert within the conversion window of the landmark."""
        total = sum(odds * literal.met(usage) for odds, literal in zip(self.odds, self.literals, strict=True))
        return np.asarray(1 / (1 + np.exp(-(self.constant + total))), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flat:
    """Nothing is planted: everybody has the same chance."""

    literals: tuple[Literal, ...]
    rate: float

    def chance(self, usage: Usage) -> NDArray[np.float64]:
        """Give each entity's chance to convert within the conversion window of the landmark."""
        return np.full(usage.activity.size, self.rate)


def plant_rule(
    sample: Sample, seed: int, *, conditions: int, share: tuple[float, float], rate: float, base_rate: float
) -> Rule:
    """Choose a rule, and the background that brings the whole to `base_rate`."""
    rows = choose_rule(sample, seed, conditions=conditions, share=share)
    held = np.logical_and.reduce(sample.met[list(rows)])
    others = float(np.exp(0.35 * sample.usage.activity)[~held].sum()) / held.size
    background = (base_rate - rate * float(held.mean())) / others
    return Rule(literals=tuple(sample.literals[i] for i in rows), rate=rate, background=max(background, 0.0))


def plant_points(sample: Sample, seed: int, *, base_rate: float) -> Points:
    """Choose six literals, and the constant that brings the whole to `base_rate` (by bisection)."""
    rows = choose_points(sample, seed, conditions=len(_ODDS))
    total = np.array(_ODDS[: len(rows)]) @ sample.met[list(rows)]
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        if float((1 / (1 + np.exp(-(middle + total)))).mean()) < base_rate:
            low = middle
        else:
            high = middle
    return Points(literals=tuple(sample.literals[i] for i in rows), odds=_ODDS[: len(rows)], constant=low)


def landmark_outcome(
    planted: Rule | Points | Flat, *, decay: float = 1.0
) -> Callable[[Usage, NDArray[np.int64], np.random.Generator], Decision]:
    """Decide at the landmark: 0.8 % are early, then the planted chance within 30 days, then 1 % at some later time.

    `decay` multiplies the chance of those who meet a rule and signed up after the drift began.
    """

    def decide(usage: Usage, anchor: NDArray[np.int64], rng: np.random.Generator) -> Decision:
        n = usage.activity.size
        chance = planted.chance(usage)
        if isinstance(planted, Rule) and decay < 1:
            chance = np.where((chance == planted.rate) & (anchor >= DRIFT_FROM), chance * decay, chance)
        hasty = EARLY if isinstance(planted, Flat) else EARLY * np.exp(0.35 * usage.activity - 0.06)
        at_once = HOUR + (rng.random(n) * (WINDOW - HOUR)).astype(np.int64)
        within = WINDOW + 1 + (rng.beta(1.0, 1.6, n) * (CONVERSION_WINDOW - 1)).astype(np.int64)
        late = WINDOW + CONVERSION_WINDOW + DAY + (rng.standard_exponential(n) * (25 * DAY)).astype(np.int64)
        after = np.select(
            [rng.random(n) < hasty, rng.random(n) < chance, rng.random(n) < LATER], [at_once, within, late], NEVER
        )
        return Decision(after=after.astype(np.int64), chance=chance)

    return decide


def plan_recipe(
    entities: int,
    seed: int,
    *,
    outcome: Planted = "rule",
    base_rate: float = 0.04,
    drift: Drift | None = None,
    kind: EntityKind = EntityKind.USER,
    traps: bool = True,
) -> Simulation:
    """Plan a world by the recipe: everything that all of its chunks share."""
    habits = draw_habits(seed)
    rng = stream(seed, "plan")
    sample = draw_sample(habits, seed, reach=(0.24, 0.34))
    planted: Rule | Points | Flat
    odds: dict[str, float] = {}
    if outcome == "additive":
        planted = plant_points(draw_sample(habits, seed, reach=(0.18, 0.45)), seed, base_rate=base_rate)
        names = (habits.names[literal.code] for literal in planted.literals)
        odds = dict(zip(names, planted.odds, strict=True))
    else:
        conditions = 3 if outcome == "thin" else int(rng.integers(2, 4))
        times = 3.0 if outcome == "thin" else float(rng.uniform(5.5, 8.5))
        rate = min(times * base_rate, 0.6)
        planted = plant_rule(sample, seed, conditions=conditions, share=(0.05, 0.08), rate=rate, base_rate=base_rate)
        if outcome == "none":
            planted = Flat(literals=planted.literals, rate=base_rate)
    return Simulation(
        name=f"planted-{outcome}",
        entities=entities,
        seed=seed,
        kind=kind,
        habits=habits,
        literals=planted.literals,
        decide=landmark_outcome(planted, decay=DECAY if drift == "effect" else 1.0),
        planted=outcome,
        traps=traps,
        more_volume=drift == "volume",
        points=odds,
        drift_from=DRIFT_FROM if drift else None,
    )
