"""Rules are ranked by their qualifications, kept to bounds in them, and replaced only for what is sure."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.definitions.model import Condition, Operator
from pqlkit.proposal import fit_view
from pqlkit.proposal.advantage import advantage, unlikely
from pqlkit.proposal.definition_wording import definition_of
from pqlkit.proposal.fit_view import FitView, Qualified
from pqlkit.proposal.literals import Floors, Trait, literals
from pqlkit.proposal.menu import standings_of
from pqlkit.proposal.objective import Constraints, Objective, ObjectiveKind
from pqlkit.proposal.promise import started
from pqlkit.proposal.proposing import proposal_of
from tests.proposal.found import search, searched, standings, standings_in
from tests.proposal.worlds import behaviour, cube_of
from tests.simulation.trial import trial
from tests.worlds.by_name import recipe

DESIGNS = ("once:14d", "age:1d,3d,7d,14d", "every:28d")


@pytest.fixture(scope="module", params=DESIGNS)
def read(request):
    with trial(recipe(3_000, 41), snapshots=request.param) as made:
        found = made.brief.search()
        yield made.brief, standings_of(made.brief, found, FitView.of(made.brief, found.literals))


def test_a_qualification_is_a_start_that_the_report_counts(read):
    brief, found = read
    population = brief.observed.population
    for rule in found.rules[:: max(1, len(found.rules) // 12)]:
        definition = definition_of(
            [found.literals[place] for place in rule],
            name="x",
            kind=population.kind,
            outcome=brief.outcome,
            anchor=population.anchor,
        )
        able = np.flatnonzero(found.view.lives.able)
        counted = started(population, definition).select("entity", "on").sort("entity", "on")
        counted = counted.filter(counted["entity"].is_in(able.tolist()))
        entity, on = found.view.starts(rule)
        assert sorted(zip(entity.tolist(), on.tolist(), strict=True)) == counted.rows()


def test_nobody_converts_or_fails_to_more_often_than_there_are(read):
    _, found = read
    view = found.view
    assert view.converters < view.moments
    for rule in found.rules:
        counted = found.counted(rule)
        assert counted.converted <= view.converters
        assert counted.n - counted.converted <= view.moments - view.converters
        assert counted.soon <= counted.converted


def test_a_replacement_is_sure_and_worth_while():
    random = np.random.default_rng(3)
    a, b = random.random(6_000) < 0.2, random.random(6_000) < 0.5
    y = random.random(6_000) < np.where(a, np.where(b, 0.5, 0.05), 0.02)
    columns = {behaviour("a"): a * 1, behaviour("b"): b * 1}
    cube, fit = cube_of(columns), np.ones(6_000, dtype=bool)
    listed = literals(cube, y, fit, floors=Floors(entities=20, converters=5))
    found = search(cube, y, fit, listed, objective=Objective(), constraints=Constraints.of(int(y.sum())))
    first = standings_in(cube, y, fit, found).first()
    assert first is not None
    assert {found.literals[place].name for place in first} == {"a", "b"}


def test_a_criterion_is_idle_where_leads_convert_as_well_without_it():
    """Whoever does it was active, too: at snapshots that says something of everybody, among those leads nothing."""
    random = np.random.default_rng(3)
    active = random.random(6_000) < 0.6
    does = active & (random.random(6_000) < 0.3)
    y = random.random(6_000) < np.where(does, 0.4, np.where(active, 0.05, 0.01))
    cube, fit = cube_of({behaviour("active"): active * 1, behaviour("does"): does * 1}), np.ones(6_000, dtype=bool)
    listed = literals(cube, y, fit, floors=Floors(entities=20, converters=5))
    found = search(cube, y, fit, listed, objective=Objective(), constraints=Constraints.of(int(y.sum())))
    read = standings_in(cube, y, fit, found)
    both = read.placed([literal for literal in found.literals if literal.name in {"active", "does"}])
    assert [found.literals[place].name for place in read.earned(both)] == ["does"]


def test_of_many_entities_a_share_is_read_and_stands_for_all(monkeypatch):
    with trial(recipe(6_000, 41), snapshots="once:14d") as made:
        found = made.brief.search()
        whole = FitView.of(made.brief, found.literals)
        monkeypatch.setattr(fit_view, "ENTITIES", 1_500)
        monkeypatch.setattr(fit_view, "CONVERTERS", 1)
        share = FitView.of(made.brief, found.literals)
        said = "1,500 of 6,000 entities"
        assert any(said in warning for warning in proposal_of(made.brief).warnings)
        monkeypatch.undo()
        half = FitView.of(made.brief, found.literals, part=fit_view.Part(entities=np.arange(6_000) % 2 == 0))
    drawn = whole.lives.cluster % 4 == 0
    assert set(share.activity.entity.tolist()) == set(whole.activity.entity[drawn[whole.activity.entity]].tolist())
    assert share.moments == pytest.approx(whole.moments / 4, rel=0.1)
    for place in range(0, len(found.literals), 40):
        all_, part = whole.read((place,)), share.read((place,))
        own = drawn[all_.entity]
        assert part.entity.tolist() == all_.entity[own].tolist()
        assert part.on.tolist() == all_.on[own].tolist()
        assert part.a_week == pytest.approx(all_.a_week, rel=0.25, abs=3)
        assert half.read((place,)).a_week == pytest.approx(all_.a_week, rel=0.25, abs=3)


def test_bounds_are_kept_in_qualifications():
    made, found = searched(20_000, 2)
    plain = standings(made, found)
    best = plain.first()
    assert best is not None
    free = plain.counted(best)
    fit = np.arange(20_000) < 15_000
    for bounds in (
        {"capacity": 0.6 * free.a_week},
        {"min_rate": 1.02 * free.rate},
        {"min_recall": free.converted / plain.view.converters},
    ):
        asked = standings_in(made.cube, made.y, fit, found, **bounds)
        first = asked.first()
        assert first is not None
        counted = asked.counted(first)
        assert counted.a_week <= bounds.get("capacity", np.inf)
        assert counted.rate >= bounds.get("min_rate", 0)
        assert counted.converted >= bounds.get("min_recall", 0) * asked.view.converters
    assert standings_in(made.cube, made.y, fit, found, min_rate=0.99).first() is None


@pytest.mark.parametrize(("others", "kept"), [(0.1, True), (0.6, False)])
def test_a_trait_that_keeps_out_better_leads_is_never_part_of_a_rule(others: float, kept: bool):
    """Half of those who do it are partners and convert with 40 %; the others who do it with `others`."""
    random = np.random.default_rng(5)
    does, partner = random.random(6_000) < 0.2, random.random(6_000) < 0.5
    y = random.random(6_000) < np.where(does, np.where(partner, 0.4, others), 0.02)
    cube, fit = cube_of({behaviour("does"): does * 1}), np.ones(6_000, dtype=bool)
    trait = Trait(condition=Condition(name="channel", operator=Operator.EQUALS, values=("partner",)), holds=partner)
    listed = literals(cube, y, fit, traits=[trait], floors=Floors(entities=20, converters=5))
    bounds = Constraints.of(int(y.sum()))
    found = search(cube, y, fit, listed, objective=Objective(), constraints=bounds, traits=[trait])
    read = standings_in(cube, y, fit, found, [trait])
    rule = read.placed([literal for literal in found.literals if literal.name in {"does", "channel"}])
    assert len(rule) == 2
    assert read.keeps(rule) is kept


def test_a_larger_capacity_never_brings_less_where_chosen():
    made, found = searched(20_000, 2)
    fit = np.arange(20_000) < 15_000
    brought = []
    for capacity in (10, 40, 100, 400):
        asked = standings_in(made.cube, made.y, fit, found, capacity=capacity)
        asked.objective = Objective(kind=ObjectiveKind.CAPACITY)
        first = asked.first()
        brought.append(0 if first is None else asked.counted(first).converted)
    assert brought == sorted(brought)
    assert brought[-1] > brought[0]


def qualified(entity, y):
    entity, y = np.array(entity, dtype=np.int64), np.array(y, dtype=bool)
    return Qualified(entity=entity, on=entity * 0, name=entity, y=y, quick=y & False, recent=entity, weekly=1.0)


def test_to_cut_out_a_few_of_whom_none_converted_is_not_sure():
    # 40 of 240 leads, of whom none converted, where a lead pays from 9 % on: p is .02, not beyond doubt.
    whole = qualified(range(240), np.arange(240) < 40)
    cut = qualified(range(200), np.arange(200) < 40)
    found = advantage(cut, whole, Objective(), cluster=np.arange(240), converters=200, moments=5_000)
    assert found.value > 0
    assert (found.only_new, found.only_old) == ((0, 0), (40, 0))
    assert found.few
    assert unlikely(found) == pytest.approx((1 - found.breakeven) ** 40)
    assert found.value / found.error < 3


def test_the_same_rule_has_no_advantage():
    whole = qualified(range(50), np.arange(50) < 10)
    found = advantage(whole, whole, Objective(), cluster=np.arange(50), converters=20, moments=500)
    assert found.value == 0
    assert unlikely(found) == pytest.approx(1.0)
