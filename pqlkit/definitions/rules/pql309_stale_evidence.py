"""The rule PQL309: evidence that is no longer true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import DefinitionFacts, Facts, NameFacts, Proportion
from pqlkit.definitions.model import EvidenceView
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule
from pqlkit.definitions.rules.pql307_rate_not_above_base import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.model import EvidencePart
    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Compare the PQL conversion rate in ``evidence`` with the data's: like with like, and only if their intervals are apart."""
    evidence, figures = subject.definition.evidence, subject.figures
    if evidence is None or figures is None or figures.qualifications is None:
        return
    now = figures.qualifications
    for part, figures_then in (("holdout", evidence.holdout), ("fit", evidence.fit)):
        if figures_then is not None and figures_then.view is EvidenceView.QUALIFICATION:
            yield from _apart(figures_then, now, part)
            return


def _apart(then: EvidencePart, now: Proportion, part: str) -> Iterator[Finding]:
    rate, low, high = then.rate, then.low, then.high
    if rate is None or low is None or high is None:
        return
    if now.low is None or now.high is None or (now.low <= high and low <= now.high):
        return
    side = "lower" if now.high < low else "higher"
    yield Finding(
        path=("evidence", part, "rate"),
        message=f"evidence says {100 * rate:.1f} % [{100 * low:.1f}, {100 * high:.1f}], the data {said(now)}: {side}",
        hint="renew it: `pqlkit propose --against` this file, or `pqlkit report` to see since when",
    )


_EVIDENCE = """evidence:
  chosen_by: hand
  fit: {view: qualification, qualified: 480, converted: 127, rate: 0.265, low: 0.227, high: 0.306}
"""


def _data(converted: int, low: float, high: float) -> Facts:
    figures = DefinitionFacts(qualifications=Proportion(numerator=converted, denominator=500, low=low, high=high))
    return Facts(source="data/", names=NameFacts(), definitions={"example": figures})


RULE = Rule(
    code=Code("PQL309", "stale-evidence", Severity.WARNING),
    what="The PQL conversion rate of the data and the one in `evidence` have 95 % intervals that do not touch.",
    why="The evidence is why the definition is trusted. It describes another product or another market by now.",
    fix="Renew it with `pqlkit propose --against FILE`, and raise the version if the formula changes.",
    bad=Example(
        text=_EVIDENCE, facts=_data(60, 0.0944, 0.1514), note="where now 60 of 500 convert: 12.0 % [9.4, 15.1]"
    ),
    good=Example(text=_EVIDENCE, facts=_data(120, 0.2046, 0.2793)),
    check=check,
    need=Need.DATA,
)
