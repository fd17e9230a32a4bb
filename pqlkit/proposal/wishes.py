"""The wishes: what a person asks of a proposal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.definitions.model import Definition
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the proposed rules should be like.

    Parameters
    ----------
    max_criteria
        1 to 3.
    objective
        As ``--objective`` spells it.
    value, cost
        Of a conversion and of a lead, in one currency; both or none.
    capacity
        New leads that can be worked in a week; None = any number.
    min_share, min_recall, min_rate
        Fractions; None = no bound.
    holdout, holdout_from
        The newest share of snapshots that tests, or the moment from which on snapshots test.
    against
        A definition in use, shown at the same number of leads.
    use_traits
        Whether fixed traits may become eligibility.
    permutations
        How often the whole search is repeated on shuffled outcomes; 0 = not at all.
    max_seconds
        Of the search.
    top
        How many candidates, at most 5.
    name
        The first candidate's name; None = made from its events.
    folder
        Where definition files go and earlier searches are counted.
    seed
        Of every sample.
    plan_experiment
        Whether to plan the experiment that would show that working the leads helps.
    """

    max_criteria: int = 3
    objective: str = "kappa"
    value: float | None = None
    cost: float | None = None
    capacity: float | None = None
    min_share: float | None = None
    min_recall: float | None = None
    min_rate: float | None = None
    holdout: float = 0.25
    holdout_from: Microseconds | None = None
    against: Definition | None = None
    use_traits: bool = False
    permutations: int = 19
    max_seconds: float = 20.0
    top: int = 5
    name: str | None = None
    folder: Path | None = None
    seed: int = 0
    plan_experiment: bool = False
