"""The explorer: counts that a page carries, so that its reader can move thresholds and windows and add a second criterion."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from pqlkit.analysis.joint import joint
from pqlkit.definitions.expression import expression
from pqlkit.errors import UsageError
from pqlkit.inert import visible
from pqlkit.measures.behaviour import GRID
from pqlkit.proposal.promise import promise, started
from pqlkit.proposal.trying import hypothesis
from pqlkit.reporting.pages.heat_map import FEWEST, spread
from pqlkit.reporting.renderers.words import doing, named, window_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.association import Association
    from pqlkit.reporting.next_command import Invocation

SHORTLIST: Final = 12
"""So many behaviours can be chosen at most, those that go with converting closest."""
LARGEST: Final = 1_000_000
"""Characters that the counts may take in a page: behaviours at the end of the shortlist give way."""


def explorer(analysis: Analysis, shown: Sequence[Association], call: Invocation) -> dict[str, Any]:
    """Count what the explorer shows: every shown threshold of the closest behaviours in every window, alone and two by two.

    Parameters
    ----------
    analysis
        What was found.
    shown
        The behaviours of the page, the closest first, at the thresholds that people are shown.
    call
        How the command was called: the commands that are shown repeat it.

    Returns
    -------
    dict
        Empty where nothing goes with converting. ``snapshots``, ``converted``, ``design_effect``, ``command``; ``behaviours`` (name,
        ``columns``); ``columns`` (window, thresholds, ``met`` and ``converted`` at or above each, ``expressions``, ``words``,
        ``pqls_per_week`` where it was counted); ``pairs``: for columns ``i`` < ``j``, ``[met, converted]`` at exactly the steps
        of both, row by row.
    """
    paces = [_pace(analysis, chosen) for chosen in shown[:SHORTLIST]]
    for size in range(len(paces), 0, -1):
        counts = _counted(analysis, shown[:size], paces, call)
        if len(json.dumps(counts, ensure_ascii=False, separators=(",", ":"))) <= LARGEST:
            return counts
    return {}


def _counted(
    analysis: Analysis, shortlist: Sequence[Association], paces: Sequence[float | None], call: Invocation
) -> dict[str, Any]:
    observed = analysis.observed
    windows = {str(window): place for place, window in enumerate(observed.snapshots.design.windows)}
    behaviours: list[dict[str, Any]] = []
    columns: list[tuple[Association, list[int], bool]] = []
    groups: list[int] = []
    for place, chosen in enumerate(shortlist):
        rows = sorted(_windows(analysis, chosen), key=lambda row: windows.get(str(row.behaviour.window.length), 0))
        first = len(columns)
        for row in rows:
            thresholds = _thresholds(row, chosen.threshold)
            if thresholds:
                own = row.behaviour == chosen.behaviour
                columns.append((row, thresholds, own))
                groups.append(place)
        behaviours.append({"name": named(chosen.behaviour), "columns": list(range(first, len(columns)))})
    places = {behaviour: place for place, behaviour in enumerate(observed.cube.behaviours)}
    counts = joint(
        observed.cube,
        observed.y,
        [(places[row.behaviour], [GRID.index(t) + 1 for t in thresholds]) for row, thresholds, _ in columns],
        apart=groups,
    )
    return {
        "snapshots": observed.base.denominator,
        "converted": observed.base.numerator,
        "design_effect": observed.design_effect,
        "window": observed.snapshots.design.conversion_window.in_words,
        "entity": observed.population.kind.value,
        "command": call.next("try"),
        "behaviours": behaviours,
        "columns": [
            {
                **_column(row, thresholds),
                "met": _at_or_above(alone[0]),
                "converted": _at_or_above(alone[1]),
                "chosen": thresholds.index(shortlist[group].threshold) if own else None,
                "pqls_per_week": paces[group] if own else None,
            }
            for (row, thresholds, own), group, alone in zip(columns, groups, counts.alone, strict=True)
        ],
        "pairs": {f"{i},{j}": cells.reshape(2, -1).tolist() for (i, j), cells in counts.both.items()},
    }


def _windows(analysis: Analysis, chosen: Association) -> list[Association]:
    """Give the same behaviour in every window."""
    wanted = chosen.behaviour
    return [
        row
        for row in analysis.behaviours
        if (row.behaviour.event, row.behaviour.measure, row.behaviour.where)
        == (wanted.event, wanted.measure, wanted.where)
    ]


def _thresholds(row: Association, chosen: int) -> list[int]:
    """Choose the thresholds that enough snapshots reach, thinned as on a heat map."""
    return spread([step.threshold for step in row.curve if step.table.n1 >= FEWEST], chosen)


def _column(row: Association, thresholds: Sequence[int]) -> dict[str, Any]:
    return {
        "window": window_in_words(row.behaviour),
        "thresholds": list(thresholds),
        "words": [visible(doing(row.behaviour, threshold), 120) for threshold in thresholds],
        "expressions": [_expression(row, threshold) for threshold in thresholds],
    }


def _expression(row: Association, threshold: int) -> str | None:
    try:
        return expression(row.behaviour.criterion(at_least=threshold))
    except UsageError:  # a name that the language cannot write
        return None


def _pace(analysis: Analysis, chosen: Association) -> float | None:
    """Count the new PQLs of a median week, from qualifying, as `try` does."""
    population = analysis.observed.population
    definition = hypothesis(analysis.observed, chosen.behaviour.criterion(at_least=chosen.threshold), "explored")
    promised = promise(population, started(population, definition), first=population.history_from, before=None)
    return promised.pqls_per_week.median


def _at_or_above(counts: Any) -> list[int]:
    """Sum from the highest step down: how many reach each."""
    return list(accumulate(counts[:0:-1].tolist()))[::-1]
