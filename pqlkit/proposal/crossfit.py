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
    An entity, with all users of its account, is in one fold: what chooses shares no event and no conversion with what is read. The
    sum says what choosing in this way is worth; it does not belong to one rule, and the folds' choices share most of their data.
    """
    folds = brief.parts.folds
    names = np.unique(folds[folds >= 0])
    leads, entities, moments, without = [], [], [], 0
    for name in names:
        view, rule = _chosen(brief, activity, folds, int(name))
        own = _fold_of(brief, folds) == name
        lives = view.lives if view is not None else None
        if view is None or rule is None or lives is None:
            without += 1
            continue
        entity, on = view.starts(rule)
        kept = own[entity] & (on >= view.begin) & (on + lives.waits < view.before)
        entity, on = entity[kept], on[kept]
        leads.append(pl.DataFrame({ENTITY: entity, ON: on, "y": lives.followed(entity, on)}))
        at_risk = lives.able[activity.entity] & (activity.at < lives.converted[activity.entity])
        inside = own[activity.entity] & at_risk & (activity.at >= view.begin)
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
    rows = brief.parts.fit & (folds != name)
    problem = brief.problem
    if not (rows & problem.y).any():
        return None, None
    searched = search(problem, rows, problem.literals(rows))
    if not searched.rules:
        return None, None
    part = Part(entities=_fold_of(brief, folds) != name)
    view = FitView.of(brief, searched.literals, activity=activity, part=part)
    return view, standings_of(brief, searched, view).first()
