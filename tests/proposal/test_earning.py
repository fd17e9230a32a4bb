"""The earned criterion: a third one that keeps out a few unlucky leads is struck out, a real one stays."""

from __future__ import annotations

from typing import Any

from scipy.stats import fisher_exact

from pqlkit.proposal.earning import LEVEL, earned
from pqlkit.proposal.menu import menu
from pqlkit.proposal.rule import Rule, holds
from tests.proposal.found import parts, searched, standings


def looked(seed: int) -> tuple[Any, Any]:
    return searched(20_000, seed)


def test_planted_criteria_stay_and_others_go():
    for seed in (31, 32, 33):
        made, found = looked(seed)
        plain = earned(found, found.best)
        assert made.events <= {literal.name for literal in plain.literals}
        assert len(plain.literals) <= len(found.best.literals)


def test_each_criterion_that_stays_passes_fishers_test_by_a_plain_count():
    made, found = looked(31)
    fit, _ = parts(made)
    plain = earned(found, found.best)
    full = holds(made.cube, plain.literals) & fit
    for literal in plain.literals:
        rest = [one for one in plain.literals if one != literal]
        out = holds(made.cube, rest) & fit & ~full
        cells = [
            [int((full & made.y).sum()), int((full & ~made.y).sum())],
            [int((out & made.y).sum()), int((out & ~made.y).sum())],
        ]
        p_value = fisher_exact(cells, alternative="greater").pvalue
        assert p_value * len(found.literals) <= LEVEL
    assert (plain.qualified, plain.converted) == (int(full.sum()), int((full & made.y).sum()))


def test_a_useless_criterion_is_struck_out():
    _, found = looked(31)
    plain = earned(found, found.best)
    taken = {literal.group for literal in plain.literals}
    useless = next(one for one in found.literals if one.name == "common" and one.group not in taken)
    longer = Rule(literals=(*plain.literals[:2], useless), qualified=1, converted=1, score=1.0)
    assert useless not in earned(found, longer).literals


def test_the_menu_shows_what_has_earned_its_place():
    made, found = looked(31)
    read = standings(made, found)
    first = menu(read)[0]
    assert first.places == read.earned(first.places)
    assert all(other.literals != first.rule.literals for other in first.equivalents)
