"""The planted rule: conditions on early behaviours, chosen so that they are met as often as the recipe asks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.definitions.model import All, Criterion, Definition, EntityKind, Outcome, Window, WindowKind
from pqlkit.demo.randomness import stream
from pqlkit.durations import DAY, Duration
from tests.worlds.habits import CHUNK, draw_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.worlds.habits import Habits, Usage

WINDOWS: Final = (3, 7, 14)
THRESHOLDS: Final = (2, 3, 4, 5, 6, 7, 8, 10)
CONVERSION_WINDOW: Final = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """``count(names[code], within days of the anchor) >= at_least``."""

    code: int
    days: int
    at_least: int

    def met(self, usage: Usage, until: NDArray[np.int64] | None = None) -> NDArray[np.bool_]:
        """Say which entities meet it, counting offsets below the window's end and below `until` (one per entity)."""
        inside = (usage.code == self.code) & (usage.offset < self.days * DAY)
        if until is not None:
            inside &= usage.offset < until[usage.owner]
        return np.bincount(usage.owner[inside], minlength=usage.activity.size) >= self.at_least


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """The sample on which a world is calibrated, of a fixed size whatever the world's: literals, and who meets them."""

    usage: Usage
    literals: tuple[Literal, ...]
    met: NDArray[np.bool_]


def draw_sample(habits: Habits, seed: int, *, reach: tuple[float, float], windows: Sequence[int] = WINDOWS) -> Sample:
    """Find the literals that between `reach[0]` and `reach[1]` of all entities meet."""
    usage = draw_usage(habits, CHUNK, stream(seed, "sample"))
    literals = []
    columns = []
    for code, days in itertools.product(habits.candidates, windows):
        inside = (usage.code == code) & (usage.offset < days * DAY)
        counts = np.bincount(usage.owner[inside], minlength=CHUNK)
        for at_least in THRESHOLDS:
            column = counts >= at_least
            if reach[0] <= column.mean() <= reach[1]:
                literals.append(Literal(code=code, days=days, at_least=at_least))
                columns.append(column)
    return Sample(usage=usage, literals=tuple(literals), met=np.array(columns, dtype=np.bool_).reshape(-1, CHUNK))


def choose_rule(sample: Sample, seed: int, *, conditions: int, share: tuple[float, float]) -> tuple[int, ...]:
    """Choose literals of different behaviours that together are met by a share inside `share`, else the nearest to it.

    Returns
    -------
    tuple[int, ...]
        Positions in `sample.literals`.
    """
    rng = stream(seed, "rule")
    rows: list[tuple[int, ...]] = [
        row for row in itertools.combinations(range(len(sample.literals)), conditions) if _different(sample, row)
    ]
    middle = sum(share) / 2
    best: tuple[float, tuple[int, ...]] | None = None
    for index in rng.permutation(len(rows)):
        row = rows[int(index)]
        reach = float(np.logical_and.reduce(sample.met[list(row)]).mean())
        if share[0] <= reach <= share[1]:
            return row
        if best is None or abs(reach - middle) < best[0]:
            best = (abs(reach - middle), row)
    if best is None:
        message = "no literal is met by as many entities as the rule asks for"
        raise ValueError(message)
    return best[1]


def _different(sample: Sample, row: tuple[int, ...]) -> bool:
    return len({sample.literals[index].code for index in row}) == len(row)


def choose_points(sample: Sample, seed: int, *, conditions: int = 6) -> tuple[int, ...]:
    """Choose one literal each of `conditions` different behaviours."""
    rng = stream(seed, "points")
    chosen: dict[int, int] = {}
    for index in rng.permutation(len(sample.literals)).tolist():
        chosen.setdefault(sample.literals[index].code, index)
    return tuple(sorted(chosen.values())[:conditions])


def as_definition(names: Sequence[str], literals: Sequence[Literal], kind: EntityKind, *, name: str) -> Definition:
    """Write literals as the definition ``all of them``, with a conversion window of 30 days."""
    criteria = tuple(
        Criterion(
            id=names[literal.code],
            events=(names[literal.code],),
            window=Window(kind=WindowKind.WITHIN, length=Duration(literal.days, "d")),
            at_least=literal.at_least,
        )
        for literal in literals
    )
    return Definition(
        name=name,
        title=name,
        entity=kind,
        qualify=criteria[0] if len(criteria) == 1 else All(parts=criteria),
        outcome=Outcome(within=Duration(30, "d")),
    )
