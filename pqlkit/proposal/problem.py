"""The search problem: the snapshots, what may be said about them, and what a good rule is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.literals import Floors, literals
from pqlkit.proposal.objective import Constraints, Goal, Objective

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Literal, Trait


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """What the search, its folds, its halves and its shuffles have in common.

    Parameters
    ----------
    cube
        Levels of every behaviour at every snapshot.
    y
        Converted, one per snapshot.
    entities
        The entity of each snapshot, for floors in heads; None = each snapshot is another entity.
    objective, max_criteria
        What is best at snapshots, and of how many criteria a rule may be.
    excluded
        Events that no rule may name.
    kinds_from, design_effect
        From this behaviour on they are kinds of events (None = there are none): a search takes in those that go with more conversions
        among the doers of the event, at the snapshots that choose. Rows per independent row, for that test.
    any_event
        Whether a rule may speak of any event at all: not where some of them are what is billed.
    traits
        Fixed traits that may become eligibility.
    leads_to
        Event -> the event that it mostly leads to within a minute.
    thresholds
        The only thresholds to try; None = the whole grid.
    seed
        Of every sample.
    max_rules
        How many rules one search may judge.
    """

    cube: Cube
    y: NDArray[np.bool_]
    entities: NDArray[np.int64] | None = None
    objective: Objective = field(default_factory=Objective)
    max_criteria: int = 3
    excluded: Collection[str] = ()
    kinds_from: int | None = None
    design_effect: float = 1.0
    any_event: bool = True
    traits: tuple[Trait, ...] = ()
    leads_to: Mapping[str, str] = field(default_factory=dict)
    thresholds: tuple[int, ...] | None = None
    seed: int = 0
    max_rules: float = 200_000_000

    def heads(self, part: NDArray[np.bool_]) -> int:
        """Count the entities of some snapshots."""
        return int(part.sum()) if self.entities is None else len(np.unique(self.entities[part]))

    def floors(self, part: NDArray[np.bool_]) -> Floors:
        """Say what a literal needs to enter a search of some snapshots."""
        return Floors.of(int(part.sum()), self.heads(part & self.y), thresholds=self.thresholds)

    def goal(self, part: NDArray[np.bool_]) -> Goal:
        """Say what a good rule is where some snapshots choose it.

        The least number of converters is one of people: what has that many snapshots may have it, and what is chosen must (see
        `pqlkit.proposal.standings.Bounds`). What was asked for binds qualifications, not snapshots.
        """
        least = Constraints.of(self.heads(part & self.y)).converters
        return Goal(objective=self.objective, constraints=Constraints(converters=least), max_criteria=self.max_criteria)

    def literals(
        self, part: NDArray[np.bool_], *, floors: Floors | None = None, only: Collection[str] | None = None
    ) -> tuple[Literal, ...]:
        """List the literals that a search of some snapshots may use.

        Parameters
        ----------
        part
            The snapshots that choose.
        floors
            None = those of the part.
        only
            These events alone, whatever is excluded, and no traits; None = all that are not excluded.
        """
        return literals(
            self.cube,
            self.y,
            part,
            floors=floors or self.floors(part),
            entities=self.entities,
            exclude=self.excluded if only is None else (),
            columns=self.columns(part) if only is None else None,
            only=only,
            traits=self.traits if only is None else (),
            leads_to=self.leads_to,
        )

    def columns(self, part: NDArray[np.bool_]) -> Collection[int]:
        """Name the behaviours that a search of some snapshots may use."""
        from pqlkit.analysis.among_doers import admitted, kind_tests

        behaviours = self.cube.behaviours
        first = len(behaviours) if self.kinds_from is None else self.kinds_from
        taken = set(range(first))
        if first < len(behaviours):
            effect, skip = self.design_effect, self.excluded
            taken |= admitted(kind_tests(self.cube, self.y, first=first, design_effect=effect, skip=skip, rows=part))
        return {column for column in taken if self.any_event or behaviours[column].event is not None}
