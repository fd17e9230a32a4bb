"""The rule PQL215: evidence that does not add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.model import ChosenBy
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from pqlkit.definitions.model import EvidencePart
    from pqlkit.definitions.rules.lint_rule import Subject

ROUNDING: Final = 0.002
"""Rates in evidence are written in three digits."""


def check(subject: Subject) -> Iterator[Finding]:
    """Recompute what can be recomputed in ``evidence``."""
    evidence = subject.definition.evidence
    if evidence is None:
        return
    if evidence.chosen_by is ChosenBy.PROPOSE and evidence.search is None:
        yield Finding(
            path=("evidence", "chosen_by"),
            message="chosen by propose, but the hash of its search is missing",
            hint="write `chosen_by: hand`, or let `pqlkit propose` write the file",
        )
    data = evidence.data
    if data is not None:
        yield from _doubted("data", data.converted, data.entities, data.start, data.through)
    for name, part in (("fit", evidence.fit), ("holdout", evidence.holdout)):
        if part is not None:
            yield from _doubted(name, part.converted, part.qualified, part.start, part.through)
            yield from _misread(name, part)


_HINT: Final = "evidence is written by propose or try, never by hand"


def _doubted(
    part: str, converted: int | None, of: int | None, start: date | None, through: date | None
) -> Iterator[Finding]:
    if converted is not None and of is not None and converted > of:
        yield _finding(part, "converted", f"{converted} converted of only {of}")
    if start is not None and through is not None and start > through:
        yield _finding(part, "from", f"{start} is after {through}")


def _misread(name: str, part: EvidencePart) -> Iterator[Finding]:
    converted, of, rate = part.converted, part.qualified, part.rate
    if converted is not None and of and converted <= of and rate is not None and abs(rate - converted / of) > ROUNDING:
        yield _finding(name, "rate", f"{converted} of {of} is {converted / of:.3f}, not {rate:g}")
    if rate is not None and part.low is not None and part.high is not None and not part.low <= rate <= part.high:
        yield _finding(name, "rate", f"{rate:g} lies outside its own interval {part.low:g} to {part.high:g}")


def _finding(part: str, key: str, message: str) -> Finding:
    return Finding(path=("evidence", part, key), message=f"{part}: {message}", hint=_HINT)


RULE = Rule(
    code=Code("PQL215", "doubtful-evidence", Severity.WARNING),
    what="Numbers under `evidence` that do not agree: a rate that is not converted / qualified, more converted than qualified, "
    "a rate outside its interval, a period that ends before it begins, a proposal without its search.",
    why="Evidence is what a reviewer trusts. Numbers that do not add up were typed or edited by hand.",
    fix="Let `pqlkit propose` or `pqlkit try --save` write the block again.",
    bad=Example(
        text="""evidence:
  chosen_by: hand
  fit: {view: snapshot, qualified: 1403, converted: 393, rate: 0.42, low: 0.257, high: 0.304}
""",
    ),
    good=Example(
        text="""evidence:
  chosen_by: hand
  fit: {view: snapshot, qualified: 1403, converted: 393, rate: 0.280, low: 0.257, high: 0.304}
""",
    ),
    check=check,
)
