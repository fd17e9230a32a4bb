"""The benchmark model: what a boosting model makes of the same behaviours, to hold the rule against."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.boosting import Boosting
from pqlkit.statistics.histogram import Histogram
from pqlkit.statistics.ranks import auc, average_precision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube

MODEL: Final = "gradient boosting"
MOST: Final = 20_000
"""Snapshots of either outcome that the model is fitted on: twice as many take twice as long for 0.001 of AUC."""

FITTED: Final = 0.7
"""Share of entities that the model is fitted on where an entity has several snapshots."""

_SMALLEST_CLASS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenchmarkModel:
    """A model read on the holdout.

    Parameters
    ----------
    model
        What it is.
    auc, average_precision
        On the snapshots read; None if they hold only one outcome, or nothing could be fitted.
    f1
        At the threshold that was best on the fit part; None likewise.
    snapshots, converters
        How many were read.
    read
        bool, one per snapshot of the cube: where it was read. Compare a rule with the model on these snapshots.
    scores
        float64, one per snapshot read.
    y
        bool, one per snapshot read.
    """

    model: str
    auc: float | None
    average_precision: float | None
    f1: float | None
    snapshots: int
    converters: int
    read: NDArray[np.bool_] = field(repr=False)
    scores: NDArray[np.float64] = field(repr=False)
    y: NDArray[np.bool_] = field(repr=False)

    def rate_at(self, share: float) -> float | None:
        """Give the rate among the highest-scored `share` of the snapshots read; ties at the edge enter in proportion.

        None where the share holds nobody.
        """
        wanted = share * self.snapshots
        if wanted <= 0 or not self.snapshots:
            return None
        edge = np.sort(self.scores)[::-1][min(self.snapshots, max(1, int(np.ceil(wanted)))) - 1]
        above, at = self.scores > edge, self.scores == edge
        taken = (wanted - above.sum()) / at.sum()
        return float((self.y[above].sum() + taken * self.y[at].sum()) / wanted)

    def captured(self, rule: NDArray[np.bool_]) -> float | None:
        """Give what share of the achievable the rule (bool, one per snapshot of the cube) captures, at its own share.

        (rate of the rule - base) / (rate of the model at the same share - base), on the snapshots read; None if nobody meets the
        rule or the model is no better than the base rate.
        """
        met = rule[self.read]
        model = self.rate_at(float(met.mean())) if self.snapshots else None
        base = self.converters / self.snapshots if self.snapshots else 0.0
        if model is None or model <= base:
            return None
        return (float(self.y[met].mean()) - base) / (model - base)


@contextmanager
def benchmark_model_begun(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    holdout: NDArray[np.bool_],
    *,
    columns: NDArray[np.intp] | None = None,
    entities: NDArray[np.int64] | None = None,
    seed: int = 0,
    most: int = MOST,
) -> Iterator[Callable[[], BenchmarkModel]]:
    """Begin to fit gradient boosting on the fit part; what is yielded waits for it and reads it on the holdout.

    Parameters
    ----------
    cube, y
        Levels and outcome of every snapshot.
    fit, holdout
        bool, one per snapshot.
    columns
        Behaviours that may be used (no leaks); None = all.
    entities
        Entity of each snapshot, where one entity has several: fitted on 70 % of the entities, read on the others.
    seed
        Draws the entities, the snapshots, and the model's own validation part.
    most
        More snapshots of one outcome than this are sampled.

    Yields
    ------
    Callable
        Gives the benchmark model: without a model (all figures None, all scores 0) if the fit part has fewer than ten snapshots of either
        outcome, or there is no behaviour or no snapshot to read.

    Notes
    -----
    The model is a benchmark model of what these measurements hold, not of what could be known. Sampling either outcome changes no
    ranking, and nothing else is read from the scores.
    """
    random = np.random.default_rng(seed)
    fit, read = _apart(fit, holdout, entities, random)
    used = np.arange(len(cube.behaviours)) if columns is None else np.asarray(columns)
    rows = _training(y, fit, most, random)
    if len(used) == 0 or not read.any() or min(y[rows].sum(), (~y[rows]).sum()) < _SMALLEST_CLASS:
        yield lambda: _unfitted(y[read], read)
        return
    snapshots = np.flatnonzero(read)

    def finished() -> BenchmarkModel:
        fitted, scores = model.scores()
        return _reading(y[snapshots], scores, _best_cut(fitted, y, fit, rows), read)

    levels, others = _dense(cube, used, rows), _dense(cube, used, snapshots)
    with Boosting(levels=levels, y=y[rows], read=others, seed=seed) as model:
        yield finished


def _unfitted(y: NDArray[np.bool_], read: NDArray[np.bool_]) -> BenchmarkModel:
    """Say that there is no model."""
    return BenchmarkModel(
        model=MODEL,
        auc=None,
        average_precision=None,
        f1=None,
        snapshots=len(y),
        converters=int(y.sum()),
        read=read,
        scores=np.zeros(len(y)),
        y=y,
    )


def _apart(
    fit: NDArray[np.bool_],
    holdout: NDArray[np.bool_],
    entities: NDArray[np.int64] | None,
    random: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Keep entities that the model was fitted on out of those it is read on, if any has several snapshots."""
    if entities is None:
        return fit, holdout
    names, codes = np.unique(entities, return_inverse=True)
    if len(names) == len(entities):
        return fit, holdout
    fitted = (random.random(len(names)) < FITTED)[codes]
    return fit & fitted, holdout & ~fitted


def _training(y: NDArray[np.bool_], fit: NDArray[np.bool_], most: int, random: np.random.Generator) -> NDArray[np.intp]:
    """List the snapshots to fit on, at most so many of either outcome."""
    classes = (np.flatnonzero(fit & ~y), np.flatnonzero(fit & y))
    drawn = [
        random.choice(snapshots, most, replace=False) if len(snapshots) > most else snapshots for snapshots in classes
    ]
    return np.sort(np.concatenate(drawn))


def _dense(cube: Cube, columns: NDArray[np.intp], snapshots: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Lay out the levels of these snapshots (ascending) as (snapshots, behaviours)."""
    place = np.full(cube.snapshots, len(snapshots), dtype=np.uint32)
    place[snapshots] = np.arange(len(snapshots))
    dense = np.zeros((len(columns), len(snapshots) + 1), dtype=np.uint8)
    for row, column in zip(dense, columns, strict=True):
        rows, levels = cube.column(int(column))
        row[place[rows]] = levels
    return dense[:, :-1].T


def _best_cut(
    scores: NDArray[np.float64], y: NDArray[np.bool_], fit: NDArray[np.bool_], rows: NDArray[np.intp]
) -> float:
    """Find the score from which on calling it a conversion gives the best F1 on the fit part (those drawn stand for all)."""
    hits = y[rows]
    weight = (fit & ~y).sum() / max(1, (~hits).sum()) * (hits.sum() / (fit & y).sum())
    order = np.argsort(-scores, kind="stable")
    true = np.cumsum(hits[order])
    called = true + np.cumsum(~hits[order]) * weight
    last = np.append(scores[order][1:] != scores[order][:-1], True)
    f1 = np.where(last, 2 * true / (called + hits.sum()), -1.0)
    return float(scores[order][int(np.argmax(f1))])


def _reading(y: NDArray[np.bool_], scores: NDArray[np.float64], cut: float, read: NDArray[np.bool_]) -> BenchmarkModel:
    """Read the model where it was not fitted."""
    both = bool(y.any() and (~y).any())
    ranked = Histogram.of(scores, y, ~y)
    called = scores >= cut
    return BenchmarkModel(
        model=MODEL,
        auc=float(auc(ranked.positive, ranked.negative)) if both else None,
        average_precision=float(average_precision(ranked.positive, ranked.negative)) if both else None,
        f1=float(2 * (called & y).sum() / (called.sum() + y.sum())) if y.any() else None,
        snapshots=len(y),
        converters=int(y.sum()),
        read=read,
        scores=scores,
        y=y,
    )
