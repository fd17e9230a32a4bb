"""The proposal: what a search came to, and what later data say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.shown import Tabled

if TYPE_CHECKING:
    from pqlkit.analysis.bend import Shape
    from pqlkit.analysis.fewer import Fewer
    from pqlkit.analysis.leaks import Suspect
    from pqlkit.analysis.metering import Meter
    from pqlkit.analysis.observation import Observed
    from pqlkit.analysis.tiers import Tier
    from pqlkit.options.search import ProposeOptions
    from pqlkit.proposal.benchmark_model import BenchmarkModel
    from pqlkit.proposal.candidate import Candidate
    from pqlkit.proposal.champion import Champion
    from pqlkit.proposal.crossfit import CrossFit
    from pqlkit.proposal.decay import Change
    from pqlkit.proposal.experiment import Experiment
    from pqlkit.proposal.menu import Step
    from pqlkit.proposal.points import Points
    from pqlkit.proposal.points_definition import PointsOffer
    from pqlkit.proposal.replacement import Replacement
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.shuffles import PermutationTest
    from pqlkit.proposal.split import Split
    from pqlkit.proposal.tonight import Tonight
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Microseconds

__all__ = ["Frontier", "Halves", "Proposal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """One side of the split: first and last cutoff, snapshots and conversions. None = no snapshot."""

    first: Microseconds | None
    through: Microseconds | None
    base: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """A rule that no other beats in both rate and recall, in words, on the fit part."""

    words: str
    rate: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """The best rule of what came since a change, which no later data have tested.

    Parameters
    ----------
    words
        The rule; None where nothing stands out, or there are too few conversions.
    rate
        Cross-validated: of qualifications by rules that were chosen without them, converted.
    why
        Why there is none, in words.
    """

    words: str | None
    rate: Rate | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Proposal(Tabled):
    """What `pqlkit propose` found.

    Parameters
    ----------
    observed, wishes
        What was looked at, and what was asked for.
    split, fit, holdout
        Who chose, who tested; `read` says how often this holdout was looked at.
    tier
        What the data bears.
    search
        The search, or None where there was none.
    candidates
        The menu, the proposed one first; empty is a result, and `warnings` says why.
    mechanical
        The best rule of each event that precedes the upgrade by construction (a limit reached): a list of their own, never
        mixed with behaviour and never written; only what later snapshots bear out.
    rejected
        Rules of the menu that later snapshots did not bear out, in words, with the reasons.
    front
        Rate against recall on the fit part.
    ladder
        The best rule of one, two and three criteria.
    points, points_offer
        The card beside the rule; as a definition, where its qualifications are surely better than the rule's and later ones bear it
        out, else None.
    benchmark_model, captured
        The boosting model, and the share of the achievable that the first candidate captures.
    selection
        The search on shuffled outcomes.
    cross_fitted
        With little data: what the search's choices did where they were not chosen. It stands for the holdout then: nothing
        is proposed unless it passes the gate, and it is the holdout figure of the one candidate.
    changes
        Rules that were looked at, in words, whose effect has surely changed; the first of the menu first.
    since
        The first cutoff that chose, where rules are chosen on what came after a moment; None = on all.
    refit
        After a change, beside what is proposed: the best rule of what came since.
    replacement
        What the first candidate would change for those who work by the definition in use.
    champion
        The definition in use, on the same holdout.
    experiment
        The plan that would show whether working the leads helps.
    tonight
        Whom the first candidate finds at the end of the data; None without one.
    leakage
        Events and traits that look like leaks, judged on the fit part alone.
    shapes
        Of the first candidate's criteria, those that are not monotone: whoever never did it converts as often.
    meters
        Events that are what is billed: only ever in the list apart.
    contacted
        Of the first candidate's later leads, how many had been contacted before they began to meet it, and all; None without
        contacts.
    fewer
        Where no rule is proposed, behaviours after which fewer convert: what could be tested instead.
    highest
        Where no rule keeps the bounds, the highest rate of qualifications that one came to where it was chosen.
    """

    observed: Observed
    wishes: ProposeOptions
    split: Split | None
    fit: Halves
    holdout: Halves
    read: int
    tier: Tier
    search: Search | None
    candidates: tuple[Candidate, ...]
    mechanical: tuple[Candidate, ...]
    rejected: tuple[tuple[str, tuple[str, ...]], ...]
    front: tuple[Frontier, ...]
    ladder: tuple[Step, ...]
    points: Points | None
    points_offer: PointsOffer | None
    benchmark_model: BenchmarkModel | None
    captured: float | None
    selection: PermutationTest | None
    cross_fitted: CrossFit | None
    champion: Champion | None
    experiment: Experiment | None
    leakage: tuple[Suspect, ...]
    warnings: tuple[str, ...]
    changes: tuple[tuple[str, Change], ...] = ()
    since: Microseconds | None = None
    refit: Refit | None = None
    replacement: Replacement | None = None
    tonight: Tonight | None = None
    shapes: tuple[Shape, ...] = ()
    fewer: tuple[Fewer, ...] = ()
    meters: tuple[Meter, ...] = ()
    contacted: tuple[int, int] | None = None
    highest: Rate | None = None
