"""What people are shown is what enough snapshots bear out; the JSON keeps every row as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pqlkit.analysis.analyzing import analyze
from pqlkit.cli.output import plain
from pqlkit.durations import DAY
from pqlkit.options.settings import Settings
from pqlkit.proposal.trying import try_
from pqlkit.reporting.pages.analysis import as_page
from pqlkit.reporting.renderers import analysis as render
from pqlkit.reporting.renderers import trial
from pqlkit.reporting.renderers.correlation import winners
from tests.analysis.canonical import in_memory

if TYPE_CHECKING:
    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.population.population import Population

USERS = 4_000


@cache
def people() -> Population:
    """Every tenth does "export" 3 times and converts in 30 % of cases; 3 users do "search" 20 times, and all convert."""
    users, events = [], []
    for number in range(USERS):
        name, keen, lucky = f"{number:04}", number % 10 == 0, number in {1, 2, 3}
        converted = (number // 10 % 10 < 3) if keen else lucky or number % 50 == 7
        users.append({"id": name, "anchor": number, "converted": 20 * DAY if converted else None})
        events += [(name, "login", DAY)]
        events += [(name, "export", 2 * DAY)] * (3 if keen else number % 2)
        events += [(name, "search", 3 * DAY)] * (20 if lucky else int(number % 4 == 1))
        events += [(name, "unheard", 4 * DAY)] * int(lucky)
    return in_memory(users, events, as_of=90 * DAY)


@cache
def found() -> Analysis:
    return analyze(people(), Settings(snapshots="once:14d"))


def test_the_luck_of_three_snapshots_is_on_no_screen_and_stays_in_the_json():
    rows = json.loads(render.as_json(found()))["behaviours"]
    lucky = next(row for row in rows if (row["event"], row["window"], row["measure"]) == ("search", "14d", "count"))
    assert (lucky["threshold"], lucky["with"]["snapshots"], lucky["with"]["converted"]) == (2, 3, 3)
    assert any("rare" in row["flags"] for row in rows if row["event"] == "unheard")
    for text in (plain(render.as_table(found())), render.as_markdown(found()), as_page(found())):
        assert "export" in text
        assert "unheard" not in text
        assert "3 of 3" not in text
    assert next(name for one in winners(found()) if (name := one.behaviour.event)) == "export"
    assert all(one.table.n1 >= 80 and one.table.a >= 30 for one in winners(found()))


def test_among_those_who_meet_a_hypothesis_too():
    tried = try_(people(), "login in 14d", settings=Settings(snapshots="once:14d"))
    assert next((one.behaviour.event, one.threshold) for one in tried.then) == ("export", 2)
    assert all(one.table.n1 >= 80 and one.table.a >= 30 for one in tried.then)
    assert "unheard" not in plain(trial.as_table(tried))


def test_a_column_without_figures_has_no_footnote():
    text = plain(render.as_table(found()))
    fitted = any(one.adjusted and one.adjusted.value is not None for one in winners(found()))
    assert ("ADJUSTED for activity" in text) is fitted
    assert ("could not be adjusted for activity" in " ".join(text.split())) is not fitted


def test_snapshots_at_ages_overlap_and_are_not_called_conversions():
    aged = analyze(people(), Settings(snapshots="age:1d,3d,7d"))
    snapshots, people_of_them = aged.observed.base.numerator, aged.observed.converters
    assert people_of_them < snapshots
    said = f"snapshots, {snapshots:,} followed by a conversion ({people_of_them:,} users) within 30 days"
    assert said in " ".join(plain(render.as_table(aged)).split())
    text = " ".join(plain(render.as_table(found())).split())
    assert f"snapshots, {found().observed.base.numerator:,} conversions within 30 days" in text


def test_stays_of_customers_are_not_called_users():
    observed = found().observed
    outcome = replace(observed.population.outcome, kind="expansion")
    expanding = replace(observed, population=replace(observed.population, outcome=outcome))
    assert render.who(replace(found(), observed=expanding)) == "stays at risk of 4,000 users"
    assert render.who(found()) == "users"


def test_the_behaviour_on_the_screen_is_named_among_those_that_cannot_be_told_apart():
    others = ("a_first", "b_second", "c_third", "d_fourth")
    rows = tuple(replace(one, alike=others) if one.behaviour.event == "export" else one for one in found().behaviours)
    text = " ".join(plain(render.as_table(replace(found(), behaviours=rows))).split())
    assert "Done by nearly the same: export, a_first, b_second, c_third and 1 more." in text
