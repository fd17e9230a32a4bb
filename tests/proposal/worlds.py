"""Worlds to search in: snapshots, behaviours and a planted rule, in numpy alone (the recipe of the statistics).

Sixty ordinary events of zero-inflated 1 + negative binomial counts, tied together by a latent activity and three personas;
one that nearly everybody does; a proxy of the first true event. The truth is a rule of two or three counts, or additive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.definitions.model import Measure, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.measures.behaviour import GRID, Behaviour, Cube

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVENTS = 60
WINDOWS = (3, 7, 14)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    cube: Cube
    y: NDArray[np.bool_]
    cutoff: NDArray[np.int64]
    chance: NDArray[np.float64]
    truth: tuple[tuple[str, int, int], ...]  # event, window in days, threshold
    meets: NDArray[np.bool_]

    @property
    def events(self) -> set[str]:
        return {event for event, _, _ in self.truth}


def behaviour(event: str | None, days: int = 14) -> Behaviour:
    return Behaviour(event=event, measure=Measure(), window=Window(kind=WindowKind.WITHIN, length=Duration(days, "d")))


def cube_of(columns: dict[Behaviour, NDArray[np.int64]]) -> Cube:
    """Make a cube of whole counts, one array per behaviour."""
    grid = np.array(GRID)
    rows, levels, offsets = [], [], [0]
    for counts in columns.values():
        level = np.searchsorted(grid, counts, side="right").astype(np.uint8)
        above = np.flatnonzero(level)
        rows.append(above.astype(np.uint32))
        levels.append(level[above])
        offsets.append(offsets[-1] + len(above))
    return Cube(
        behaviours=tuple(columns),
        snapshots=len(next(iter(columns.values()))),
        offsets=np.array(offsets, dtype=np.int64),
        rows=np.concatenate(rows) if rows else np.zeros(0, dtype=np.uint32),
        levels=np.concatenate(levels) if levels else np.zeros(0, dtype=np.uint8),
    )


def world(snapshots: int = 20_000, seed: int = 1, *, kind: str = "easy", base_rate: float = 0.04) -> World:
    """Draw a world; `kind` is easy, thin, additive or none."""
    random = np.random.default_rng(seed)
    activity = random.normal(size=snapshots)
    persona = random.integers(0, 3, snapshots)
    reach = np.exp(random.uniform(np.log(0.04), np.log(0.6), EVENTS))
    true = random.choice(EVENTS, 3, replace=False)
    reach[true] = random.uniform(0.4, 0.5, 3)
    tilt = random.normal(0, 0.5, (3, EVENTS))
    columns: dict[Behaviour, NDArray[np.int64]] = {}
    full: list[NDArray[np.int64]] = []
    by_name: dict[tuple[str, int], NDArray[np.int64]] = {}
    size = random.uniform(0.6, 3, EVENTS)
    mean = np.exp(random.uniform(np.log(0.6), np.log(4), EVENTS))
    for event in range(EVENTS):
        shift = np.log(reach[event] / (1 - reach[event])) + 0.8 * activity + tilt[persona, event]
        does = random.random(snapshots) < 1 / (1 + np.exp(-shift))
        rate = random.gamma(size[event], mean[event] / size[event] * np.exp(0.35 * activity))
        counts = np.where(does, 1 + random.poisson(rate), 0)
        full.append(counts)
        _windows(random, f"event_{event:02d}", counts, columns, by_name)
    proxy = np.where(random.random(snapshots) < 0.8, full[true[0]], random.poisson(0.3, snapshots))
    _windows(random, "proxy", proxy, columns, by_name)
    _windows(
        random,
        "common",
        np.where(random.random(snapshots) < 0.97, 1 + random.poisson(1, snapshots), 0),
        columns,
        by_name,
    )
    size_of_truth = 3 if kind == "thin" else 2 + int(random.integers(0, 2))
    truth = _truth(random, true[:size_of_truth], by_name, size_of_truth)
    meets = np.logical_and.reduce([by_name[f"{name}", days] >= k for name, days, k in truth])
    chance = _chance(random, kind, base_rate, activity, meets, truth, by_name)
    y = random.random(snapshots) < chance
    if kind == "none":
        meets = np.zeros(snapshots, dtype=np.bool_)
    cutoff = np.sort(random.integers(0, 360 * 86_400_000_000, snapshots))
    ordered = dict(sorted(columns.items(), key=lambda item: (item[0].event or "", str(item[0].window.length).zfill(4))))
    return World(cube=cube_of(ordered), y=y, cutoff=cutoff, chance=chance, truth=truth, meets=meets)


def _windows(random, name, counts, columns, by_name) -> None:
    """Spread an event's counts over 14 days, more of them early."""
    early = random.binomial(counts, 0.65)
    first = random.binomial(early, 0.6)
    for days, part in zip(WINDOWS, (first, early, counts), strict=True):
        columns[behaviour(name, days)] = part
        by_name[name, days] = part


def _truth(random, events, by_name, size):
    """Choose windows and thresholds such that each condition is met by about 24-34 % (three of them by 34-45 %)."""
    low, high = (0.24, 0.34) if size == 2 else (0.32, 0.42)
    conditions = []
    for event in events:
        name = f"event_{event:02d}"
        options = [
            (name, days, k)
            for days in WINDOWS
            for k in (1, 2, 3, 4, 5)
            if low <= (by_name[name, days] >= k).mean() <= high
        ]
        fallback = [(name, 14, 1)]
        choices = options or fallback
        conditions.append(choices[int(random.integers(0, len(choices)))])
    return tuple(sorted(conditions))


def _chance(random, kind, base_rate, activity, meets, truth, by_name):
    background = np.exp(0.35 * activity)
    if kind == "additive":
        score = sum(
            weight * (by_name[name, days] >= k)
            for (name, days, k), weight in zip(
                [*truth, *((f"event_{e:02d}", 14, 2) for e in range(0, 60, 20))],
                (1.8, 1.4, 1.2, 1.0, 0.8, 0.8),
                strict=False,
            )
        )
        raw = np.exp(score + 0.1 * activity)
        return np.minimum(0.9, raw * base_rate / raw.mean())
    if kind == "none":
        return np.minimum(0.9, background * base_rate / background.mean())
    with_rule = (0.12 if kind == "thin" else float(random.uniform(0.22, 0.34))) * max(1.0, base_rate / 0.04 * 0.5)
    rest = max(0.002, (base_rate - with_rule * meets.mean()) / (1 - meets.mean()))
    low = background * rest / background[~meets].mean()
    return np.where(meets, with_rule, np.minimum(0.9, low))
