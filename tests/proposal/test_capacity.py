"""A larger capacity brings no fewer conversions: where rules are chosen never, later not by more than chance."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl

from pqlkit import ProposeOptions, Settings, propose
from pqlkit.proposal.promise import started
from tests.verdicts.battery import WORLDS
from tests.verdicts.saying import said

Z = 1.645
"""One-sided 5 %."""


def test_a_larger_capacity_is_later_never_surely_worse():
    case = next(world for world in WORLDS if world.name == "promise under capacity").make(3)
    chosen, later, leads = [], [], []
    with said(case) as words:
        for capacity in (4.0, 8.0, 16.0):
            wishes = ProposeOptions(capacity=capacity, permutations=0, top=1)
            made: Any = propose(words.population, Settings(**case.settings), wishes)
            first = made.candidates[0]
            assert first.promised.pqls_per_week.median <= 1.15 * capacity
            counted = started(words.population, first.definition, spells=first.spells)
            ripe = counted.filter("mature", pl.col("on") >= made.split.first)
            chosen.append(first.read.converted)
            later.append(set(ripe.filter("y").get_column("entity")))
            leads.append(ripe.height)
    assert chosen == sorted(chosen)
    assert leads[0] < leads[-1]
    for few, many in pairwise(later):
        # Conversions that only one of the two brings: the paired standard error of their difference.
        assert len(few - many) - len(many - few) <= Z * len(few ^ many) ** 0.5
