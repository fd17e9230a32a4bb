"""The homogeneity of odds ratios: Woolf's test where cells are large, Zelen's exact one where they are not."""

from __future__ import annotations

from itertools import product
from math import comb, log

import numpy as np
import pytest
from scipy.stats import chi2

from pqlkit.statistics import homogeneity as module
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.homogeneity import homogeneity

LARGE = (Contingency(20, 80, 30, 270), Contingency(15, 85, 40, 160))
SMALL = (Contingency(3, 10, 1, 12), Contingency(6, 6, 2, 20), Contingency(1, 15, 6, 20))


def test_large_tables_are_tested_by_the_spread_of_their_log_odds_ratios():
    logs = [log(t.a * t.d / (t.b * t.c)) for t in LARGE]
    spread = (logs[0] - logs[1]) ** 2 / sum(sum(1 / cell for cell in t.cells) for t in LARGE)
    assert homogeneity(LARGE) == pytest.approx(chi2.sf(spread, 1))


def test_rows_that_go_together_count_as_fewer():
    doubled = [Contingency(*(2 * cell for cell in t.cells), design_effect=2.0) for t in LARGE]
    assert homogeneity(doubled) == pytest.approx(homogeneity(LARGE))


def by_hand(tables: tuple[Contingency, ...]) -> float:
    """Zelen's test by listing every way to fill the tables."""

    def ways(table: Contingency, a: int) -> int:
        return comb(table.n1, a) * comb(table.n0, table.m1 - a)

    total = sum(t.a for t in tables)
    every = [
        float(np.prod([ways(t, a) for t, a in zip(tables, cells, strict=True)]))
        for cells in product(*(range(max(0, t.m1 - t.n0), min(t.n1, t.m1) + 1) for t in tables))
        if sum(cells) == total
    ]
    own = float(np.prod([ways(t, t.a) for t in tables]))
    return sum(way for way in every if way <= own * (1 + 1e-9)) / sum(every)


def test_small_tables_are_tested_exactly():
    assert homogeneity(SMALL) == pytest.approx(by_hand(SMALL))


def test_of_too_many_tables_a_sample_is_drawn(monkeypatch):
    monkeypatch.setattr(module, "_TABLES", 1)
    assert homogeneity(SMALL) == pytest.approx(by_hand(SMALL), abs=0.003)


def test_groups_that_say_nothing_are_left_out():
    assert homogeneity([*SMALL, Contingency(0, 10, 0, 30), Contingency(3, 4, 0, 0)]) == homogeneity(SMALL)
    assert homogeneity([SMALL[0], Contingency(0, 10, 0, 30)]) is None


def test_one_odds_ratio_is_rarely_taken_for_several():
    random = np.random.default_rng(3)
    groups = ((60, 80), (70, 50), (30, 40))
    small = 0
    for _ in range(200):
        drawn = [(random.binomial(n1, 0.15), n1, random.binomial(n0, 0.05), n0) for n1, n0 in groups]
        p_value = homogeneity([Contingency(a, n1 - a, c, n0 - c) for a, n1, c, n0 in drawn])
        small += p_value is not None and p_value < 0.05
    assert small <= 0.05 * 200 + 6
