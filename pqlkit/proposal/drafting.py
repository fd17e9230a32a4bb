"""The draft: a proposal on its way, from looks over a search to candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.tiers import Tier, tier
from pqlkit.proposal.candidate import Candidate, Group
from pqlkit.proposal.proposing import Frontier, Halves, Proposal
from pqlkit.proposal.split import SplitKind, split
from pqlkit.proposal.wording import definition_of, in_words, name_of, numbered
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pqlkit.analysis.analyzing import Observed
    from pqlkit.analysis.leaks import Suspect
    from pqlkit.definitions.model import Definition, Outcome
    from pqlkit.proposal.literals import Literal, Trait
    from pqlkit.proposal.menu import Dish
    from pqlkit.proposal.objective import Constraints, Objective
    from pqlkit.proposal.rule import Rule
    from pqlkit.proposal.search import Search
    from pqlkit.proposal.split import Split
    from pqlkit.proposal.wishes import Wishes
    from pqlkit.statistics.estimate import Estimate

TOO_GOOD_RATE: Final = 0.8
TOO_GOOD_LIFT: Final = 25.0
NOTHING_HERE: Final = 0.55
UNSTABLE: Final = 0.6
WEEK: Final = 7 * 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """What the steps of a proposal share.

    Parameters
    ----------
    observed, wishes, say
        What was looked at, what is asked for, and whom to tell the steps.
    parts
        The split.
    suspects
        Judged on the fit part.
    excluded
        Events that the search may not use.
    traits
        Fixed traits as literals, where asked for.
    """

    observed: Observed
    wishes: Wishes
    say: Callable[[str], None]
    parts: Split
    suspects: tuple[Suspect, ...]
    excluded: frozenset[str]
    traits: tuple[Trait, ...]

    @classmethod
    def of(cls, observed: Observed, wishes: Wishes, say: Callable[[str], None]) -> Draft:
        """Split the looks and judge leaks on the earlier part alone."""
        say("setting later looks aside")
        parts = _split(observed, wishes)
        suspects = _suspects(observed, parts)
        notes = observed.population.project.events
        mechanical = {name for name, note in notes.items() if note.mechanical}
        automatic = {name for name, note in notes.items() if note.automatic}
        leaks = {suspect.event for suspect in suspects if suspect.excluded}
        own = _own_events(observed)
        kept = {name for name in own | automatic if _kept(name, observed.settings.keep)}
        return cls(
            observed=observed,
            wishes=wishes,
            say=say,
            parts=parts,
            suspects=suspects,
            excluded=frozenset((leaks | mechanical | automatic | own) - kept),
            traits=_traits(observed) if wishes.use_traits else (),
        )
