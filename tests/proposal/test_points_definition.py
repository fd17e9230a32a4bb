"""A points card becomes a definition where its qualifications are surely better, and promises what the report counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqlkit.definitions.emitting import emit
from pqlkit.definitions.folders import load_definition
from pqlkit.measures.crossings import reaching
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.fit_view import FitView
from pqlkit.proposal.menu import standings_of
from pqlkit.proposal.points import Points, points_card
from pqlkit.proposal.points_definition import as_definition, best_cut
from pqlkit.proposal.promise import started
from pqlkit.proposal.proposing import propose
from pqlkit.snapshots.qualifications import between, pql_conversion_rate
from tests.simulation.trial import populated, trial
from tests.worlds.by_name import recipe

pytestmark = pytest.mark.slow

ONCE = Settings(snapshots="once:14d")


@pytest.fixture(scope="module")
def additive():
    with populated(recipe(20_000, 4001, outcome="additive")) as people:
        yield people, propose(people, ONCE, ProposeOptions(permutations=0, top=1))


def test_where_every_line_adds_a_little_the_card_is_offered(additive):
    _, proposal = additive
    offer = proposal.points_offer
    assert offer is not None
    first = proposal.candidates[0]
    assert offer.definition.name == f"{first.definition.name}-points"
    assert sum(offer.definition.score.points.values()) == 100
    assert set(offer.definition.score.points) == {criterion.id for criterion in offer.definition.criteria}
    assert offer.definition.evidence.holdout.qualified == offer.promised.rate.denominator
    assert offer.compared.active.relative_risk >= 1.5


def test_it_promises_what_its_file_is_found_to_do(additive, tmp_path):
    people, proposal = additive
    offer = proposal.points_offer
    part = between(started(people, offer.definition), proposal.holdout.first, None)
    assert offer.promised.rate == pql_conversion_rate(part)
    file = tmp_path / "card.yml"
    file.write_text(emit(offer.definition))
    assert load_definition(file) == replace(offer.definition, path=str(file))


@pytest.mark.parametrize("design", ["once:14d", "age:1d,3d,7d,14d", "every:28d"])
def test_its_qualifications_are_the_starts_that_the_report_counts(design):
    with trial(recipe(3_000, 41), snapshots=design) as made:
        found = made.brief.search()
        view = FitView.of(made.brief, found.literals)
        own = {literal.group: literal for literal in found.literals}
        card = Points(literals=tuple(own.values())[:4], points=(40, 30, 20, 10))
        places = found.places(card.literals)
        for cut in (30, 60, 100):
            held = [reaching(moments, depth, cut) for moments, depth in view.totals(places, card.points)]
            population = made.population
            file = as_definition(
                card,
                cut,
                name="card",
                kind=population.kind,
                outcome=made.brief.outcome,
                anchor=population.anchor,
            )
            able = np.flatnonzero(view.lives.able).tolist()
            counted = started(population, file).select("entity", "on").sort("entity", "on")
            entity, on = view.starts_of(held, places)
            assert (
                sorted(zip(entity.tolist(), on.tolist(), strict=True))
                == counted.filter(pl.col("entity").is_in(able)).rows()
            )


def test_a_rule_that_is_the_truth_stays():
    with trial(recipe(8_000, 81)) as made:
        found = made.brief.search()
        standings = standings_of(made.brief, found, FitView.of(made.brief, found.literals))
        card, first = points_card(found), standings.first()
        assert card is not None
        assert first is not None
        assert best_cut(card, standings, first) is None


def test_the_points_there_are_the_sum_of_the_lines_that_hold():
    with trial(recipe(3_000, 41), snapshots="every:28d") as made:
        found = made.brief.search()
        view = FitView.of(made.brief, found.literals)
        places, points = (0, len(found.literals) // 2, len(found.literals) - 1), (50, 30, 20)
        totals = view.totals(places, points)
        for (moments, depth), line, spells in zip(totals, view.lines, view.spells, strict=True):
            at = np.random.default_rng(1).choice(moments, 500)
            by_hand = np.zeros(500, dtype=np.int64)
            for place, point in zip(places, points, strict=True):
                own: Any = spells[place]
                last = np.searchsorted(own.on, at, side="right") - 1
                by_hand += point * ((last >= 0) & (own.off[np.maximum(last, 0)] > at))
            assert np.array_equal(depth[np.searchsorted(moments, at, side="right") - 1], by_hand)
            for cut in (20, 50, 80):
                held = reaching(moments, depth, cut)
                last = np.searchsorted(held.on, at, side="right") - 1
                assert np.array_equal((last >= 0) & (held.off[np.maximum(last, 0)] > at), by_hand >= cut)
            assert line.entities
