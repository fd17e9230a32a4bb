"""What the data does not give is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pqlkit.definitions.model import (
    All,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Limit,
    Measure,
    MeasureKind,
    Operator,
    Ref,
    Window,
    WindowKind,
)
from pqlkit.engines import ENGINES
from pqlkit.measures.gaps import Gap, gap_warnings, gaps
from tests.measures.oracle import Life, Rules, Seen
from tests.measures.worlds import START, make_world

EVER = Window(kind=WindowKind.EVER)


@pytest.mark.parametrize("name", ENGINES)
def test_unreadable_numbers_and_unknown_limits_are_counted(name):
    values = [("1", 5.0), ("many", None), (None, -1.0), ("2", 0.0)]
    events = [Seen(at=START, event="a", properties={"text.amount": text, "limit": limit}) for text, limit in values]
    lives = [Life(anchor=START, traits={"cap": 3.0}, events=events), Life(anchor=START), Life(anchor=None)]
    total = Measure(kind=MeasureKind.SUM, property="text.amount")
    condition = Condition(name="text.amount", operator=Operator.AT_LEAST, values=(2,))
    criteria = [
        Criterion(id="total", events=("a",), measure=total, window=EVER, at_least=1),
        Criterion(id="large", events=None, window=EVER, where=(condition,)),
        Criterion(id="limit", events=("a",), window=EVER, at_least=Limit(percent=80, property="limit")),
        Criterion(id="cap", events=("a",), window=EVER, at_least=Limit(percent=80, trait="cap")),
        Criterion(id="plain", events=("a",), window=EVER),
    ]
    assert gaps(make_world(lives, Rules(as_of=START), name=name), criteria) == (
        Gap(criterion="total", name="text.amount", reason="unreadable", rows=1, of=4),
        Gap(criterion="large", name="text.amount", reason="unreadable", rows=1, of=4),
        Gap(criterion="limit", name="limit", reason="no limit", rows=3, of=4),
        Gap(criterion="cap", name="cap", reason="no limit", rows=1, of=2),
    )


def test_gaps_become_sentences_also_of_milestones():
    events = [
        Seen(at=START, event="a", properties={"text.amount": text, "limit": limit})
        for text, limit in (("1", 5.0), ("many", None))
    ]
    world = make_world([Life(anchor=START, events=events)], Rules(as_of=START))
    total = Measure(kind=MeasureKind.SUM, property="text.amount")
    inner = Criterion(id="total", events=("a",), measure=total, window=EVER, at_least=1)
    milestone = Definition(name="paid", entity=EntityKind.USER, qualify=inner, outcome=None)
    limit = Criterion(id="seats\n", events=("a",), window=EVER, at_least=Limit(percent=80, property="limit"))
    plain = Criterion(id="plain", events=("a",), window=EVER)
    whole = All(parts=(limit, plain, Ref(id="paid", name="paid", target=milestone)))
    definition = Definition(name="d", entity=EntityKind.USER, qualify=whole, outcome=None)
    assert gap_warnings(world, definition) == (
        "d: criterion seats : limit gives no limit for 1 of 2; the bound is not met there",
        "d: criterion paid, total: text.amount is not a number in 1 of 2 events; they count as if it were missing",
    )
    assert gap_warnings(world, replace(definition, qualify=plain)) == ()
