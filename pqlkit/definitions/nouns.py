"""The nouns: what those who met a definition are called, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.model import ANY_EVENT
from pqlkit.inert import visible

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition, Outcome

PQL: Final = "PQL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nouns:
    """The words of one report.

    Parameters
    ----------
    lead, leads
        Who met the definition: ``PQL``, ``PQLs``; of a milestone ``activated user``, ``activated users``.
    success
        What became of them, as a verb: ``became customers``, ``did report_exported``.
    outcome, outcomes
        The same as a label: ``customer`` and ``customers``, or the verb.
    who
        All to whom it happened: ``customers``, ``who did report_exported``.
    """

    lead: str = PQL
    leads: str = "PQLs"
    success: str = "became customers"
    outcome: str = "customer"
    outcomes: str = "customers"
    who: str = "customers"

    @property
    def meaning(self) -> str:
        """What a lead is, spelled out: what follows it is the rule."""
        return "Product-qualified lead (PQL)" if self.lead == PQL else self.lead[:1].upper() + self.lead[1:]


def nouns_of(definition: Definition) -> Nouns:
    """Give the words for a definition; only a purchase makes customers.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from pqlkit.definitions.folders import load_definition
    >>> from pqlkit.shipped import shipped
    >>> milestone = load_definition(shipped("definitions") / "activated.yml")
    >>> words = nouns_of(milestone)
    >>> words.leads, words.success
    ('activated users', 'became customers')
    """
    lead = f"{visible(definition.name, 40)} {definition.entity}" if definition.milestone else PQL
    did = deed(definition.outcome)
    if did is None:
        return Nouns(lead=lead, leads=f"{lead}s")
    return Nouns(lead=lead, leads=f"{lead}s", success=did, outcome=did, outcomes=did, who=f"who {did}")


def deed(outcome: Outcome | None) -> str | None:
    """Say as a verb what an outcome is that is no purchase: ``returned``, ``did report_exported``, ``met activated``; else None."""
    if outcome is None:
        return None
    if outcome.definition is not None:
        return f"met {visible(outcome.definition.name, 40)}"
    if outcome.event is None:
        return None
    return "returned" if outcome.event == ANY_EVENT else f"did {visible(outcome.event, 40)}"


def span(outcome: Outcome) -> str:
    """Say in which time an outcome counts: ``28 days``, or ``60 to 90 days`` where it begins later.

    Examples
    --------
    >>> from pqlkit.definitions.model import Outcome
    >>> from pqlkit.durations import Duration
    >>> window = Duration(90, "d")
    >>> span(Outcome(within=window)), span(Outcome(within=window, after=Duration(60, "d")))
    ('90 days', '60 to 90 days')
    """
    end = outcome.within.in_words
    return end if outcome.after is None else f"{outcome.after.in_words.removesuffix(' days')} to {end}"
