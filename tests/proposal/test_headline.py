"""The headline: plain words where nothing tells them apart from others, days and activity where they are what matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import norm

from pqlkit.definitions.model import Measure, MeasureKind, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.measures.behaviour import Behaviour
from pqlkit.proposal.difference import difference
from pqlkit.proposal.headline import LEVEL, headline, preferred
from pqlkit.proposal.literals import View, literals, views
from pqlkit.proposal.objective import Constraints, Objective
from tests.proposal.brute import best_of_size
from tests.proposal.found import search
from tests.proposal.worlds import behaviour, cube_of

if TYPE_CHECKING:
    from pqlkit.proposal.result import Search


def days(event: str | None) -> Behaviour:
    return Behaviour(
        event=event,
        measure=Measure(kind=MeasureKind.DAYS),
        window=Window(kind=WindowKind.WITHIN, length=Duration(14, "d")),
    )


def product(seed: int, planted: str, snapshots: int = 12_000) -> tuple[Any, Any]:
    """Make snapshots of six events: how often, on how many days, and of anything at all; upgrades go with what is planted."""
    random = np.random.default_rng(seed)
    mood = random.normal(size=snapshots)
    counts = {f"e{i}": random.poisson(np.exp(0.6 * mood + 0.2)) for i in range(6)}
    dates = {name: np.minimum(count, random.binomial(count, 0.6) + (count > 0)) for name, count in counts.items()}
    anything = np.sum(list(counts.values()), axis=0)
    met = {
        "count": (counts["e1"] >= 3) & (counts["e2"] >= 3),
        "days": (dates["e1"] >= 3) & (dates["e2"] >= 2),
        "activity": (anything >= 15) & (counts["e1"] >= 3),
    }[planted]
    y = random.random(snapshots) < np.where(met, 0.3, 0.02)
    columns = {behaviour(None): anything}
    columns |= {behaviour(name): count for name, count in counts.items()}
    columns |= {days(name): count for name, count in dates.items()}
    return cube_of(dict(sorted(columns.items(), key=str))), y


def found(seed: int, planted: str, **options: Any) -> Search:
    cube, y = product(seed, planted, **options)
    fit = np.ones(len(y), dtype=bool)
    return search(
        cube,
        y,
        fit,
        literals(cube, y, fit),
        objective=Objective(),
        constraints=Constraints.of(int(y.sum())),
    )


def spelled(rule: Any) -> set[tuple[str, str]]:
    return {(one.name, one.behaviour.measure.kind.value) for one in rule.literals}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("planted", "wanted"),
    [
        ("count", {("e1", "count"), ("e2", "count")}),
        ("days", {("e1", "days"), ("e2", "days")}),
        ("activity", {("any event", "count"), ("e1", "count")}),
    ],
)
def test_what_is_planted_heads_the_menu(planted, wanted, seed):
    assert spelled(headline(found(seed, planted))) == wanted


def test_a_wider_vocabulary_must_beat_the_plain_one_by_more_than_its_size_explains():
    plain_kept = 0
    for seed in range(12):
        one = found(seed, "count", snapshots=3_000)
        assert one.best is not None
        if not one.plainer:  # the best rule is plain itself
            assert all(view is View.NAMED for view in map(View, views(one.literals)[one.places(one.best.literals)]))
            continue
        (size, plain), *_ = one.plainer
        gain = difference(one, one.best.literals, plain.literals)
        beats = gain.value > norm.isf(LEVEL / (len(one.literals) - size)) * gain.error
        assert (preferred(one) == plain) == (not beats)
        plain_kept += preferred(one) == plain != one.best
    assert plain_kept >= 3


def test_the_plain_rule_is_the_best_of_its_literals_by_brute_force():
    cube, y = product(3, "activity", snapshots=1_500)
    fit = np.ones(len(y), dtype=bool)
    columns = literals(cube, y, fit)
    options: dict[str, Any] = {"objective": Objective(), "constraints": Constraints.of(int(y.sum()))}
    one = search(cube, y, fit, columns, **options)
    view = views(columns)
    for (size, rule), width in zip(one.plainer, (View.NAMED, View.INDIRECT), strict=False):
        among = [literal for literal, kind in zip(columns, view, strict=True) if kind <= width]
        assert size == len(among)
        best = best_of_size(cube, y, fit, among, **options)
        assert rule.score == pytest.approx(max(other.score for other in best.values()))


def test_dates_alone_are_plain():
    cube, y = product(1, "days")
    only = [index for index, one in enumerate(cube.behaviours) if one.measure.kind is MeasureKind.DAYS]
    fit = np.ones(len(y), dtype=bool)
    columns = [one for one in literals(cube, y, fit) if one.column in only]
    assert set(views(columns).tolist()) == {View.NAMED}
    both = views(literals(cube, y, fit))
    assert set(both.tolist()) == {View.NAMED, View.INDIRECT, View.ACTIVITY}


@pytest.mark.parametrize(("planted", "wanted"), [("done", {"done", "login"}), ("opened", {"opened", "login"})])
def test_what_is_done_is_named_rather_than_the_precursor_unless_the_precursor_says_more(planted, wanted):
    named_first = 0
    for seed in range(4):
        random = np.random.default_rng(seed)
        done = random.poisson(2.0, 6_000)
        opened = random.binomial(done, 0.9) + random.poisson(0.3 if planted == "done" else 2.0, 6_000)
        counts = {"done": done, "login": random.poisson(2.0, 6_000), "opened": opened}
        met = (counts[planted] >= 3) & (counts["login"] >= 2)
        y = random.random(6_000) < np.where(met, 0.25, 0.03)
        cube = cube_of({behaviour(name): count for name, count in counts.items()})
        fit = np.ones(len(y), dtype=bool)
        columns = literals(cube, y, fit, leads_to={"opened": "done"})
        assert {one.name for one, view in zip(columns, views(columns), strict=True) if view} == {"opened"}
        one = search(cube, y, fit, columns, objective=Objective(), constraints=Constraints.of(int(y.sum())))
        rule = headline(one)
        named_first += rule is not None and {literal.name for literal in rule.literals} == wanted
    assert named_first == 4


def test_an_precursor_to_what_is_not_searched_is_plain():
    cube, y = product(1, "count")
    fit = np.ones(len(y), dtype=bool)
    columns = [one for one in literals(cube, y, fit, leads_to={"e1": "gone"}) if one.name == "e1"]
    assert {one.leads_to for one in columns} == {"gone"}
    assert View.NAMED in views(columns)


def test_nothing_found_has_no_headline():
    cube = cube_of({behaviour("a"): np.arange(100) % 2})
    fit = np.ones(100, dtype=bool)
    empty = search(cube, ~fit, fit, (), objective=Objective(), constraints=Constraints())
    assert (preferred(empty), headline(empty), empty.plainer) == (None, None, ())
