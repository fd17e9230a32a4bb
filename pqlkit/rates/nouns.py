"""The nouns: what a report calls those who met the definition, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.definitions.model import ANY_EVENT
from pqlkit.inert import visible

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition


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

    lead: str = "PQL"
    leads: str = "PQLs"
    success: str = "became customers"
    outcome: str = "customer"
    outcomes: str = "customers"
    who: str = "customers"


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
    lead = f"{visible(definition.name, 40)} {definition.entity}" if definition.milestone else "PQL"
    words = Nouns(lead=lead, leads=f"{lead}s")
    outcome = definition.outcome
    if outcome is None or (outcome.event is None and outcome.definition is None):
        return words
    if outcome.event == ANY_EVENT and outcome.after is not None:
        return Nouns(
            lead=lead,
            leads=words.leads,
            success="returned",
            outcome="returned",
            outcomes="returned",
            who="who returned",
        )
    target = outcome.definition
    did = f"did {visible(outcome.event or '', 40)}" if target is None else f"met {visible(target.name, 40)}"
    return Nouns(lead=words.lead, leads=words.leads, success=did, outcome=did, outcomes=did, who=f"who {did}")
