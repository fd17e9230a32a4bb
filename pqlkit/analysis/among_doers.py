"""The kind among the doers: which value of a property goes with converting, of all who did the event as often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.associations import LEVELS
from pqlkit.measures.behaviour import GRID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Behaviour, Cube
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate

EXPECTED: Final = 5
"""Conversions expected on either side of a threshold: below it the test's normal approximation is none."""

LEVEL: Final = 0.05
ADMITTED: Final = 24
"""Kinds and windows that a search takes in: each makes it longer."""

SHOWN: Final = 3
"""Kinds of one event that are told, of different properties or values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTest:
    """One kind of an event at one threshold, among the snapshots at which the event was done.

    Parameters
    ----------
    column
        Its place in the cube of kinds.
    behaviour, threshold
        A value of a property (`where`), or a numeric property added up.
    table
        Those who did the event: with the kind so often or more, and without.
    z
        Mantel and Haenszel's, over how often the event itself was done: positive where the kind goes with more conversions.
    p_value
        On both sides, times all values, thresholds and windows of the event that were tried.
    tests
        How many those were.
    q_value
        Of the event's smallest p value, by Benjamini and Hochberg among all tests of the analysis.
    """

    column: int
    behaviour: Behaviour
    threshold: int
    table: Contingency
    z: float
    p_value: float
    tests: int
    q_value: float | None = None

    @property
    def expression(self) -> str:
        """The hypothesis that ``pqlkit try`` reads."""
        from pqlkit.definitions.expression import expression

        return expression(self.behaviour.criterion(at_least=self.threshold))

    @property
    def event_rate(self) -> float | None:
        """Of all who did the event, converted."""
        return self.table.m1 / self.table.total if self.table.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldKind:
    """A kind that is told apart, with an interval that allows for having been chosen among many.

    Parameters
    ----------
    test
        What was found.
    relative_risk
        Those with the kind against the other doers. Of the intervals of all that are told 5 % miss on average (FCR);
        there are no ends where a side has no converter.
    """

    test: KindTest
    relative_risk: Estimate


def kind_tests(
    cube: Cube,
    y: NDArray[np.bool_],
    *,
    first: int,
    design_effect: float = 1.0,
    skip: Collection[str] = (),
    rows: NDArray[np.bool_] | None = None,
) -> dict[str, tuple[KindTest, ...]]:
    """Test every kind of every event at every threshold, among those who did the event.

    Parameters
    ----------
    cube, y
        Levels and outcome of every snapshot; from the behaviour `first` on they are kinds.
    first, design_effect
        The first kind, and rows per independent row.
    skip
        Events that are not tested.
    rows
        bool, one per snapshot: only these. None = all.

    Returns
    -------
    dict
        Event -> its best threshold of each kind and window, the clearest first.

    Notes
    -----
    Who does more of an event does more of each of its kinds. So snapshots are compared within strata of how often the event itself
    was done in the same window: of those who shared five times, whoever shared with a collaborator against the others.

    References
    ----------
    Mantel, N. and Haenszel, W. (1959). Statistical aspects of the analysis of data from retrospective studies of disease.
    Journal of the National Cancer Institute 22, 719-748.
    """
    from pqlkit.analysis.adjustment import counted

    whole = {(cube.behaviours[index].event, cube.behaviours[index].window): index for index in counted(cube, skip)}
    by_event: dict[str, list[KindTest]] = {}
    for column in range(first, len(cube.behaviours)):
        behaviour = cube.behaviours[column]
        event = whole.get((behaviour.event, behaviour.window))
        tested = None if event is None else _tested(cube, y, event, column, design_effect, rows)
        if tested is not None and behaviour.event is not None:
            by_event.setdefault(behaviour.event, []).append(tested)
    return {event: _corrected(tests) for event, tests in sorted(by_event.items())}


def _corrected(tests: list[KindTest]) -> tuple[KindTest, ...]:
    tried = sum(test.tests for test in tests)
    full = (replace(test, p_value=min(1.0, test.p_value * tried), tests=tried) for test in tests)
    return tuple(sorted(full, key=lambda test: (test.p_value, -abs(test.z), test.column)))


def _tested(
    cube: Cube,
    y: NDArray[np.bool_],
    event: int,
    column: int,
    design_effect: float,
    rows: NDArray[np.bool_] | None,
) -> KindTest | None:
    from scipy.special import ndtr

    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.stratified import mantel_haenszel

    doers, often = cube.column(event)
    if rows is not None:
        inside = rows[doers]
        doers, often = doers[inside], often[inside]
    reached, levels = cube.column(column)
    place = np.searchsorted(doers, reached)
    # Who has the kind did the event: a reader that sees them apart would be a fault, and a snapshot outside `rows` is no doer.
    known = place < doers.size
    known[known] = doers[place[known]] == reached[known]
    level = np.zeros(doers.size, dtype=np.int64)
    level[place[known]] = levels[known]
    strata = int(often.max(initial=0)) + 1
    cell = often.astype(np.int64) * LEVELS + level
    size = np.bincount(cell, minlength=strata * LEVELS).reshape(strata, LEVELS)
    converted = np.bincount(cell[y[doers]], minlength=strata * LEVELS).reshape(strata, LEVELS)
    reach, hits = _at_least(size), _at_least(converted)
    expected, z = mantel_haenszel(hits[:, 1:], reach[:, 1:], hits[:, 0], reach[:, 0])
    tried = np.flatnonzero(
        (expected >= EXPECTED)
        & (hits[:, 0].sum() - expected >= EXPECTED)
        & ~np.isnan(z)
        & (np.diff(reach.sum(axis=0)) < 0)
    )
    if not tried.size:
        return None
    z = z / np.sqrt(design_effect)
    best = int(tried[np.argmax(np.abs(z[tried]))])
    return KindTest(
        column=column,
        behaviour=cube.behaviours[column],
        threshold=GRID[best],
        table=Contingency.of(
            qualified=int(reach[:, best + 1].sum()),
            converted=int(hits[:, best + 1].sum()),
            entities=int(reach[:, 0].sum()),
            converters=int(hits[:, 0].sum()),
            design_effect=design_effect,
        ),
        z=float(z[best]),
        p_value=float(2 * ndtr(-abs(z[best]))),
        tests=int(tried.size),
    )


def _at_least(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]


def admitted(tests: dict[str, tuple[KindTest, ...]]) -> frozenset[int]:
    """Give the columns of kinds that a search may use: those that go with more conversions, of events with a kind that is told apart.

    Events are told apart at a false discovery rate of 5 %, and the kinds of one at 5 %, corrected for all of the event.
    """
    from pqlkit.statistics.multiplicity import benjamini_hochberg

    q = benjamini_hochberg([rows[0].p_value for rows in tests.values()])
    kept = [
        test
        for rows, value in zip(tests.values(), q, strict=True)
        if value < LEVEL
        for test in rows
        if test.p_value < LEVEL and test.z > 0
    ]
    return frozenset(test.column for test in sorted(kept, key=lambda test: (test.p_value, test.column))[:ADMITTED])


def told(tests: dict[str, tuple[KindTest, ...]], q: dict[str, float | None]) -> tuple[ToldKind, ...]:
    """Choose what is told: the clearest kinds of each event whose q value lies below 5 %, the clearest event first.

    Parameters
    ----------
    tests
        As `kind_tests` gives them.
    q
        Of each event.
    """
    chosen: list[KindTest] = []
    for event, rows in tests.items():
        value = q[event]
        if value is not None and value < LEVEL:
            chosen += [replace(test, q_value=value) for test in _apart(rows)]
    chosen.sort(key=lambda test: (test.p_value, -abs(test.z), test.column))
    made = sum(rows[0].tests for rows in tests.values())
    level = LEVEL * len(chosen) / made if made else LEVEL
    return tuple(ToldKind(test=test, relative_risk=_risk(test.table, level)) for test in chosen)


def _apart(rows: tuple[KindTest, ...]) -> Iterator[KindTest]:
    """Keep one window and threshold of each kind, at most `SHOWN` of the event."""
    seen: set[tuple[str, str]] = set()
    for test in rows:
        behaviour = test.behaviour
        name = behaviour.where[0].name if behaviour.where else str(behaviour.measure.property)
        key = (name, repr(behaviour.where[0].values) if behaviour.where else "")
        if test.p_value < LEVEL and key not in seen and len(seen) < SHOWN:
            seen.add(key)
            yield test


def _risk(table: Contingency, level: float) -> Estimate:
    """Give the ratio with an interval of another level than 95 %.

    References
    ----------
    Benjamini, Y. and Yekutieli, D. (2005). False discovery rate-adjusted multiple confidence intervals for selected parameters.
    Journal of the American Statistical Association 100, 71-81.
    """
    from scipy.special import ndtri

    from pqlkit.statistics.comparison import log_relative_risk
    from pqlkit.statistics.estimate import Estimate

    plain = table.relative_risk()
    if plain.value is None or not table.a or not table.c:
        return Estimate.of(plain.value, None, None)
    middle, error = log_relative_risk(*table.cells, design_effect=table.design_effect)
    width = -ndtri(level / 2) * error
    return Estimate.of(plain.value, float(np.exp(middle - width)), float(np.exp(middle + width)))
