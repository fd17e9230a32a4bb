"""The points card: few literals with whole points that add up to 100."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.literals import View, views
from pqlkit.statistics.newton import chances, climb, log_likelihood

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search

MOST: Final = 6
"""Lines of a card."""

FULL: Final = 100
_SAMPLE: Final = 30_000
LEVEL: Final = 0.05
_RIDGE: Final = 1e-6
"""Penalty of a line, as a share of the intercept's curvature where nobody's lines count."""
_TINY: Final = 1e-9
_STEPS: Final = (5, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """A scorecard.

    Parameters
    ----------
    literals
        At most six, one per event, the most points first.
    points
        Whole numbers, at least 1 each, adding up to 100.
    """

    literals: tuple[Literal, ...]
    points: tuple[int, ...]


def points_card(search: Search, *, most: int = MOST) -> Points | None:
    """Fit a card on the searched snapshots; None if no literal goes with converting.

    Parameters
    ----------
    search
        The search: its literals (traits left out) and its snapshots.
    most
        Lines of the card.

    Notes
    -----
    Lines enter one by one, one literal to an event: always the one whose score test beside the lines so far is largest, as
    long as it is beyond chance (5 % divided by the literals tried). Thresholds and windows are then exchanged within each
    event as long as the likelihood of an unpenalised logistic model rises. Its coefficients, scaled to 100 and rounded to
    fives (to ones if a line would vanish), are the points. Activity at large is no line while named events are: it goes with
    all of them. In worlds of six planted literals this finds the six, and ranks as well as the truth (AUC .997 of it); an L1
    path, whose steps skip sizes, found four and activity (.956).

    References
    ----------
    Rao, C. R. (1948). Large sample tests of statistical hypotheses concerning several parameters with applications to problems
    of estimation. Mathematical Proceedings of the Cambridge Philosophical Society 44, 50-57; the score test. Scott, A. J. &
    Wild, C. J. (1986). Fitting logistic models under case-control or choice based sampling. Journal of the Royal Statistical
    Society B 48, 170-182; its variance where snapshots of either outcome were drawn. Ustun, B. & Rudin, C. (2016). Supersparse
    linear integer models. Machine Learning 102, 349-391.
    """
    view = views(search.literals)
    usable = [index for index, literal in enumerate(search.literals) if literal.behaviour is not None]
    usable = [index for index in usable if view[index] < View.ACTIVITY] or usable
    if not usable or search.converters == 0 or search.converters == search.snapshots:
        return None
    sample = _Sample.of(search, usable)
    lines = sample.entering(most)
    lines, slopes = sample.exchanged(lines) if lines else ([], np.zeros(0))
    if not lines:
        return None
    whole = _whole(slopes)
    order = sorted(range(len(lines)), key=lambda index: (-whole[index], lines[index]))
    return Points(
        literals=tuple(search.literals[lines[index]] for index in order),
        points=tuple(whole[index] for index in order),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Where literals hold, as a matrix (literals, snapshots), the outcome of the snapshots, and what each stands for."""

    literals: Sequence[Literal]
    usable: Sequence[int]
    met: NDArray[np.bool_]
    y: NDArray[np.bool_]
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, search: Search, usable: Sequence[int]) -> _Sample:
        """Unpack the converters and as many controls as fit: packed snapshots stand in random order, the first are a sample."""
        bits = search.bits
        hits = _unpacked(bits.hits[usable], min(bits.converters, _SAMPLE))
        controls = _unpacked(bits.others[usable], min(bits.controls, _SAMPLE))
        met = np.concatenate([hits, controls], axis=1)
        y = np.arange(met.shape[1]) < hits.shape[1]
        shares = (bits.converters / max(1, hits.shape[1]), bits.controls * bits.weight / max(1, controls.shape[1]))
        return cls(search.literals, usable, met, y, np.where(y, shares[0], shares[1]))

    def entering(self, most: int) -> list[int]:
        """Choose literals one by one, at most `most`, one to an event, by the score test beside those chosen before."""
        enough = -NormalDist().inv_cdf(LEVEL / len(self.usable))
        groups = [self.literals[index].group for index in self.usable]
        met = self.met.astype(np.float32)
        chosen: list[int] = []
        while len(chosen) < most:
            taken = {groups[column] for column in chosen}
            tests = np.where([group in taken for group in groups], -np.inf, self._score_tests(met, chosen))
            best = int(np.argmax(tests))
            if tests[best] <= enough:
                break
            chosen.append(best)
        return chosen

    def _score_tests(self, met: NDArray[np.float32], chosen: Sequence[int]) -> NDArray[np.float64]:
        """Test each literal beside the chosen ones: its score over its standard error, positive where it goes with converting."""
        cells = self._cells(chosen)
        count, design = len(cells.counts), cells.design
        # Snapshots of one cell and outcome weigh alike, so counts of them say all; being whole, they are the same on every processor.
        places = np.zeros((len(cells.code), 2 * count), dtype=np.float32)
        places[np.arange(len(cells.code)), cells.code + count * self.y] = 1.0
        held = (met @ places).astype(np.float64)
        of = np.arange(2 * count) % count
        y = np.arange(2 * count) >= count
        weight = np.where(y, *self._weights())
        chance = chances(design @ _climbed(cells))[of]
        known = weight * chance * (1 - chance)
        # Snapshots that stand for others vary more than the model says, by what the draw adds.
        varies = known + weight * (weight - 1) * (y - chance) ** 2
        snapshots = np.bincount(cells.code + count * self.y, minlength=2 * count)
        inside, spread = (np.bincount(of, weights=snapshots * part, minlength=count) for part in (known, varies))
        sums, parts = (np.add.reduce((held * part).reshape(-1, 2, count), axis=1) for part in (known, varies))
        # What the chosen literals explain of a literal is no information about it.
        explained = (
            sums @ design @ np.linalg.pinv((design * inside[:, None]).T @ design, _TINY, hermitian=True) @ design.T
        )
        variance = (parts * (1 - 2 * explained)).sum(axis=1) + explained**2 @ spread
        tests = (held * (weight * (y - chance))).sum(axis=1) / np.sqrt(np.maximum(variance, _TINY))
        return np.asarray(np.round(tests, 6), dtype=np.float64)

    def _weights(self) -> tuple[float, float]:
        """Weigh one converter, and one snapshot that did not convert."""
        return float(self.weight[self.y].max()), float(self.weight[~self.y].max())

    def exchanged(self, lines: list[int]) -> tuple[list[int], NDArray[np.float64]]:
        """Exchange each line for the best literal of its event, until nothing gains; drop what does not add."""
        likelihood, slopes = self._fit(lines)
        for _ in range(3):
            before = list(lines)
            for place in range(len(lines)):
                for column in self._of_event(lines[place]):
                    trial = [*lines[:place], column, *lines[place + 1 :]]
                    better, other = self._fit(trial)
                    if better > likelihood + 1e-9 * abs(likelihood):
                        lines, likelihood, slopes = trial, better, other
            if lines == before:
                break
        while len(lines) > 1 and slopes.min() <= 0:
            lines = [line for line, slope in zip(lines, slopes, strict=True) if slope > slopes.min()]
            likelihood, slopes = self._fit(lines)
        return ([self.usable[line] for line in lines], slopes) if len(lines) and slopes.min() > 0 else ([], slopes)

    def _of_event(self, column: int) -> list[int]:
        group = self.literals[self.usable[column]].group
        return [
            other
            for other in range(len(self.usable))
            if other != column and self.literals[self.usable[other]].group == group
        ]

    def _fit(self, lines: Sequence[int]) -> tuple[float, NDArray[np.float64]]:
        """Fit the unpenalised model on the cells that the lines make; give log-likelihood and slopes."""
        cells = self._cells(lines)
        beta = _climbed(cells)
        return log_likelihood(cells.design @ beta, cells.share, cells.counts), beta[1:]

    def _cells(self, lines: Sequence[int]) -> _Cells:
        """Group the snapshots by which of the lines they meet."""
        code = np.zeros(len(self.y), dtype=np.int64)
        for place, line in enumerate(lines):
            code += self.met[line].astype(np.int64) << place
        cells = 1 << len(lines)
        hits = np.bincount(code, weights=self.weight * self.y, minlength=cells).astype(np.float64)
        counts = np.bincount(code, weights=self.weight, minlength=cells).astype(np.float64)
        design = np.column_stack([np.ones(cells), (np.arange(cells)[:, None] >> np.arange(len(lines))) & 1])
        return _Cells(code=code, hits=hits, counts=counts, design=design.astype(np.float64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cells:
    """Snapshots by which of a few lines they meet: the cell of each, and per cell converters, snapshots (weighted) and its lines."""

    code: NDArray[np.int64]
    hits: NDArray[np.float64]
    counts: NDArray[np.float64]
    design: NDArray[np.float64]

    @property
    def share(self) -> NDArray[np.float64]:
        """Of each cell, how many converted; 0 of an empty one."""
        return self.hits / np.maximum(self.counts, _TINY)


def _unpacked(words: NDArray[np.uint64], count: int) -> NDArray[np.bool_]:
    """Unpack the first `count` snapshots: (literals, count)."""
    part = np.ascontiguousarray(words[:, : -(-count // 64)])
    return np.unpackbits(part.view(np.uint8), axis=1, count=count, bitorder="little").astype(np.bool_)


def _climbed(cells: _Cells) -> NDArray[np.float64]:
    """Fit a logistic model to the cells, intercept first; a touch of ridge keeps separated cells finite."""
    hits, snapshots = cells.hits.sum(), cells.counts.sum()
    penalty = np.full(cells.design.shape[1], _RIDGE * hits * (1 - hits / snapshots))
    penalty[0] = 0.0
    top = climb(cells.design, cells.share, cells.counts, penalty).coefficients
    return np.zeros(len(penalty)) if top is None else top


def _whole(slopes: NDArray[np.float64]) -> list[int]:
    """Scale to 100 and round so that the sum stays 100 (largest remainders): to fives, to ones if a line would vanish."""
    exact = slopes / slopes.sum() * FULL
    for step in _STEPS:
        floor = np.floor(exact / step)
        left = round(FULL / step - floor.sum())
        for index in np.argsort(-(exact / step - floor), kind="stable")[:left]:
            floor[index] += 1
        if floor.min() > 0:
            return [int(part) * step for part in floor]
    floor[np.argmax(floor)] -= int((floor == 0).sum())
    return [int(max(part, 1)) for part in floor]
