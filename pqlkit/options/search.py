"""Options of the search: what the proposed rules should be like, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pqlkit.definitions.model import Definition
from pqlkit.options import parsing as reading
from pqlkit.options.option import Role, option, read_written
from pqlkit.typing import Microseconds

SEARCH: Final = "Search"


@dataclass(frozen=True, kw_only=True)
class ProposeOptions:
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
    learn_from
        Rules are chosen on what came from this moment on: the product was another before. None = on everything.
    against
        A definition in use, shown at the same number of leads.
    use_traits
        Whether fixed traits may become eligibility.
    permutations
        How often the whole search is repeated on shuffled outcomes, and 99 times where one of them comes to as much; 0 = not at
        all, and the rule is not held against chance in this way.
    max_rules
        How many rules of three criteria the search may judge, in work and not in time: the same result on every machine.
    plan_experiment
        Whether to plan the experiment that would show that working the leads helps.
    top
        How many candidates, at most 5.
    out_dir
        Where definition files go and earlier searches are counted.
    name
        The first candidate's name; None = made from its events.
    seed
        Of every sample.
    """

    max_criteria: int = option(
        3, "At most this many criteria, 1 to 3.", reads=reading.whole(1, 3), takes=int, metavar="N", panel=SEARCH
    )
    objective: str = option("kappa", "kappa, f1, f0.5, f2, youden or nb:2x.", metavar="NAME", panel=SEARCH, rare=True)
    value: float | None = option(
        None, "What a conversion is worth (with --cost).", metavar="V", panel=SEARCH, rare=True
    )
    cost: float | None = option(None, "What working a lead costs (with --value).", metavar="C", panel=SEARCH, rare=True)
    capacity: float | None = option(
        None, "New leads that can be worked, like 50/week.", reads=reading.weekly, metavar="N/week", panel=SEARCH
    )
    min_share: float | None = option(
        None, "At least this share qualifies.", reads=reading.share, metavar="SHARE", panel=SEARCH, rare=True
    )
    min_recall: float | None = option(
        None,
        "At least this share of converters qualifies.",
        reads=reading.share,
        metavar="SHARE",
        panel=SEARCH,
        rare=True,
    )
    min_rate: float | None = option(
        None, "At least this share of the qualified converts.", reads=reading.share, metavar="SHARE", panel=SEARCH
    )
    holdout: float = option(
        0.25,
        "The newest share of snapshots, set aside to test.",
        reads=reading.part,
        shown="{:.0%}".format,
        metavar="SHARE",
        panel=SEARCH,
        rare=True,
    )
    holdout_from: Microseconds | None = option(
        None,
        "Test on what begins on this date or later.",
        reads=reading.moment,
        metavar="DATE",
        panel=SEARCH,
        rare=True,
    )
    learn_from: Microseconds | None = option(
        None,
        "Choose on what came on this date or later: the product was another before.",
        reads=reading.moment,
        metavar="DATE",
        panel=SEARCH,
        rare=True,
    )
    against: Definition | None = option(
        None,
        "A definition in use, read on the same later leads.",
        reads=reading.definition,
        takes=Path,
        metavar="DEFINITION",
        panel=SEARCH,
        role=Role.READS,
    )
    use_traits: bool = option(False, "Let fixed traits become eligibility.", panel=SEARCH, rare=True)
    permutations: int = option(
        29,
        "Repeat the search on shuffled outcomes, to 99 where one comes near.",
        reads=reading.whole(0),
        takes=int,
        metavar="N",
        panel=SEARCH,
        rare=True,
    )
    max_rules: int = option(
        200_000_000,
        "Stop the search after so many rules.",
        reads=reading.whole(1_000),
        takes=int,
        metavar="N",
        panel=SEARCH,
        rare=True,
    )
    plan_experiment: bool = option(
        False, "Plan the experiment that would show whether calls help.", panel=SEARCH, rare=True
    )
    top: int = option(
        5, "How many candidates, at most 5.", reads=reading.whole(1, 5), takes=int, metavar="N", panel=SEARCH
    )
    out_dir: Path | None = option(
        None, "Where definition files go.", unset="definitions/", metavar="DIR", panel=SEARCH, role=Role.FILLS
    )
    name: str | None = option(
        None, "Name of the first definition.", reads=reading.definition_name, metavar="NAME", panel=SEARCH
    )
    seed: int = option(0, "Seed of every sample.", metavar="N", panel=SEARCH, rare=True)

    def __post_init__(self) -> None:
        """Read what is spelled as on the command line, such as ``capacity="50/week"``."""
        read_written(self)
