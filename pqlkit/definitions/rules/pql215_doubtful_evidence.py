"""The rule PQL215: evidence that does not add up."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.rules.rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pqlkit.definitions.rules.rule import Subject
    from pqlkit.typing import Json

ROUNDING: Final = 0.002
"""Rates in evidence are written in three digits."""


def check(subject: Subject) -> Iterator[Finding]:
    """Recompute what can be recomputed in ``evidence``."""
    evidence = subject.definition.evidence
    if not isinstance(evidence, dict):
        return
    if evidence.get("chosen_by") == "propose" and not evidence.get("search"):
        yield Finding(
            path=("evidence", "chosen_by"),
            message="chosen by propose, but the hash of its search is missing",
            hint="write `chosen_by: hand`, or let `pqlkit propose` write the file",
        )
    for part in ("data", "fit", "holdout"):
        block = evidence.get(part)
        if isinstance(block, dict):
            for key, message in _doubts(block):
                yield Finding(path=("evidence", part, key), message=f"{part}: {message}", hint=_HINT)


_HINT: Final = "evidence is written by propose or try, never by hand"


def _doubts(block: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    converted, of = _number(block.get("converted")), _number(block.get("qualified", block.get("entities")))
    rate, low, high = (_number(block.get(key)) for key in ("rate", "low", "high"))
    if converted is not None and of is not None and converted > of:
        yield "converted", f"{converted:g} converted of only {of:g}"
    elif converted is not None and of and rate is not None and abs(rate - converted / of) > ROUNDING:
        yield "rate", f"{converted:g} of {of:g} is {converted / of:.3f}, not {rate:g}"
    if rate is not None and low is not None and high is not None and not low <= rate <= high:
        yield "rate", f"{rate:g} lies outside its own interval {low:g} to {high:g}"
    start, end = _day(block.get("from")), _day(block.get("through"))
    if start is not None and end is not None and start > end:
        yield "from", f"{start} is after {end}"


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _day(value: object) -> str | None:
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else None


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
