"""Cross-fitting: the whole choice repeated without each fold, and its qualifications read on the fold it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pqlkit.columns import ENTITY, ON
from pqlkit.proposal.comparable import Activity, holding
from pqlkit.proposal.fit_view import FitView, Part
from pqlkit.proposal.menu import standings_of
from pqlkit.proposal.search import search
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.proposal.brief import Brief


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossFit:
    """What the choices did where they were not made, added up over the folds.

    Parameters
    ----------
    rate
        Qualifications by the rule that the other folds chose, and how many of them converted; complete ones alone.
    folds, without
        How many folds, and in how many nothing was found (nobody qualifies in them).
    leads
        ``entity``, ``on``, ``y`` of those qualifications.
    others
        Moments of activity in each fold at which its rule was not met.
    """

    rate: Rate
    folds: int
    without: int
    leads: pl.DataFrame = field(repr=False)
    others: Activity = field(repr=False)


def cross_fit(brief: Brief, activity: Activity) -> CrossFit:
    """Choose without each fold in turn, all steps included, and read the rule on the fold.

    Parameters
    ----------
    brief
        What is looked at and asked for.
    activity
        Moments of activity of the population.

    Notes
    -----
    Qualifications of the same entities within a conversion window and a window of behaviour of the fold choose no rule for it:
    they share events and conversions with it. The sum says what choosing in this way is worth; it does not belong to one rule, and
    the folds' choices share most of their data.
    """
    folds = brief.parts.folds
    names = np.unique(folds[folds >= 0])
    leads, entities, moments, without = [], [], [], 0
    for name in names:
        view, rule = _chosen(brief, activity, folds, int(name))
        own = _Fold.of(brief, folds, int(name))
        lives = view.lives if view is not None else None
        if view is None or rule is None or lives is None:
            without += 1
            continue
        entity, on = view.starts(rule)
        kept = own.holds(entity, on) & (on >= view.begin) & (on + lives.waits < view.before)
        entity, on = entity[kept], on[kept]
        leads.append(pl.DataFrame({ENTITY: entity, ON: on, "y": lives.followed(entity, on)}))
        at_risk = lives.able[activity.entity] & (activity.at < lives.converted[activity.entity])
        inside = own.holds(activity.entity, activity.at) & at_risk & (activity.at >= view.begin)
        rest = activity.take(inside & (activity.at + lives.waits < view.before))
        rest = rest.take(~holding(view.lines, view.holding(rule), rest))
        entities.append(rest.entity)
        moments.append(rest.at)
    empty = pl.DataFrame(schema={ENTITY: pl.Int64, ON: pl.Int64, "y": pl.Boolean})
    frame = pl.concat([empty, *leads])
    return CrossFit(
        rate=Rate.of(int(frame["y"].sum()), frame.height),
        folds=len(names),
        without=without,
        leads=frame,
        others=Activity(entity=np.concatenate([_NOBODY, *entities]), at=np.concatenate([_NOBODY, *moments])),
    )


_NOBODY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fold:
    """One fold: its entities, where an entity is in one fold, or a stretch of time."""

    entities: NDArray[np.bool_] | None
    span: tuple[int, int]

    @classmethod
    def of(cls, brief: Brief, folds: NDArray[np.int64], name: int) -> _Fold:
        frame = brief.observed.snapshots.frame
        cutoff = frame.get_column("cutoff").to_numpy()
        inside = folds == name
        step = brief.observed.snapshots.design.conversion_window.microseconds
        span = (int(cutoff[inside].min()), int(cutoff[inside].max()) + step)
        if not _by_entity(brief):
            return cls(entities=None, span=span)
        return cls(entities=_fold_of(brief, folds) == name, span=span)

    def holds(self, entity: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        if self.entities is not None:
            return self.entities[entity]
        return (at >= self.span[0]) & (at < self.span[1])


def _by_entity(brief: Brief) -> bool:
    """Whether all snapshots of an entity are in one fold."""
    return bool(brief.observed.snapshots.design.cutoffs) or brief.observed.dependent


def _fold_of(brief: Brief, folds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the fold of each entity; of one without a snapshot that of whoever began next before it."""
    anchor = brief.observed.population.entities.sort(ENTITY).get_column("anchor").fill_null(0).to_numpy()
    fold = np.full(len(anchor), -1, dtype=np.int64)
    fold[brief.entities] = folds
    order = np.argsort(anchor, kind="stable")
    known = np.maximum.accumulate(np.where(fold[order] >= 0, np.arange(len(order)), 0))
    fold[order] = fold[order][known]
    return np.where(fold < 0, folds[folds >= 0][0], fold)


def _chosen(
    brief: Brief, activity: Activity, folds: NDArray[np.int64], name: int
) -> tuple[FitView | None, tuple[int, ...] | None]:
    """Choose on all but one fold; the view and its rule, or nothing."""
    fold = _Fold.of(brief, folds, name)
    design = brief.observed.snapshots.design
    if fold.entities is not None:
        part, rows = Part(entities=~fold.entities), brief.parts.fit & (folds != name)
    else:
        reach = design.conversion_window.microseconds + design.longest.microseconds
        near = np.zeros(brief.observed.population.entities.height, dtype=np.bool_)
        near[brief.entities[folds == name]] = True
        part = Part(without=fold.span, near=near, purged=(fold.span[0] - reach, fold.span[1] + reach))
        cutoff = brief.observed.snapshots.frame.get_column("cutoff").to_numpy()
        rows = brief.parts.fit & (folds != name) & part.holds(brief.entities, cutoff)
    problem = brief.problem
    if not (rows & problem.y).any():
        return None, None
    searched = search(problem, rows, problem.literals(rows))
    if not searched.rules:
        return None, None
    view = FitView.of(brief, searched.literals, activity=activity, part=part)
    return view, standings_of(brief, searched, view).first()
