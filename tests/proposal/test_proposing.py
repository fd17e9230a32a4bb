"""The proposal end to end: the planted rule is found, its figures are recounted, and its files are the same bytes again."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from pqlkit.cli.propose import write
from pqlkit.definitions.emitting import emit
from pqlkit.definitions.folders import load_definition
from pqlkit.definitions.validation import validate
from pqlkit.errors import UsageError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import EventNote, read_project
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.proposal import stability
from pqlkit.proposal.proposing import propose
from pqlkit.rates.report import report
from pqlkit.reporting.records.proposal import record
from pqlkit.reporting.renderers.proposal import as_table
from tests.simulation.printed import recomputed
from tests.simulation.trial import planted, populated
from tests.worlds.by_name import recipe

ONCE = Settings(snapshots="once:14d")


@pytest.fixture(scope="module")
def world():
    return recipe(8_000, 81)


@pytest.fixture(scope="module")
def people(world):
    with populated(world) as found:
        yield found


@pytest.fixture(scope="module")
def result(people):
    return propose(people, ONCE, ProposeOptions(permutations=2, plan_experiment=True))


@pytest.fixture(scope="module")
def written(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    write(result, folder)
    return folder


@pytest.fixture(scope="module")
def again(people, result, written):
    """Where the files are, the same search once more, with the first definition as the one in use."""
    own = result.candidates[0].definition
    with few_halves():
        return propose(people, ONCE, ProposeOptions(permutations=0, out_dir=written, top=1, against=own))


@contextmanager
def few_halves():
    """Choose again on few random halves, where that is not what a test looks at: a third of a search's time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stability, "stability", partial(stability.stability, halves=3))
        yield


def test_the_planted_events_are_proposed(world, result):
    first = result.candidates[0]
    assert {name for name, _, _ in planted(world)} <= {literal.name for literal in first.rule.literals}
    assert result.search.complete
    assert (result.selection.as_good, result.selection.by_chance) == (0, False)


def test_the_rule_stands_for_what_leads_to_its_events(world, result):
    proxy = world.truth.traps.proxy
    [precursor] = result.candidates[0].precursors
    assert (precursor.event, precursor.leads_to) == (proxy, proxy.removesuffix("_opened"))
    figures: Any = record(result)
    assert figures["candidates"][0]["precursors"][0]["event"] == proxy
    shown = StringIO()
    Console(width=80, file=shown).print(as_table(result))
    assert f"{precursor.leads_to} stands for {proxy} too" in " ".join(shown.getvalue().split())


def test_too_few_conversions_after_a_snapshot_are_told_with_where_the_others_fall(tmp_path):
    days = [f"2026-01-{1 + number // 8:02d}T{number % 8:02d}" for number in range(200)]
    (tmp_path / "users.csv").write_text(
        "user_id,signed_up_at\n" + "".join(f"u{n},{d}:00:00Z\n" for n, d in enumerate(days))
    )
    events = (f"u{n},{event},{d}:10:00Z\n" for n, d in enumerate(days) for event in ("login", "invite"))
    (tmp_path / "events.csv").write_text(
        "user_id,event,timestamp\n" + "".join(events) + "u0,login,2026-06-01T00:00:00Z\n"
    )
    bought = (f"u{n},{d}:20:00Z\n" for n, d in enumerate(days) if n % 4)
    (tmp_path / "conversions.csv").write_text("user_id,converted_at\n" + "".join(bought))
    exports = "".join(f"  {name}: {{path: {name}.csv}}\n" for name in ("events", "users", "conversions"))
    (tmp_path / "pqlkit.yml").write_text(f"pqlkit: 1\nentity: user\nexports:\n{exports}")
    project = read_project(tmp_path / "pqlkit.yml")
    said = " ".join(propose(population_of(open_dataset(project), project), ONCE).warnings)
    assert "0 usable conversions: no search" in said
    assert "150 of 150 conversions (100%) come before the first snapshot" in said


def test_no_leak_is_searched_and_each_is_named(world, result):
    traps = world.truth.traps
    assert {one.event for one in result.leakage if one.excluded} == {traps.before, traps.after}
    assert not {traps.before, traps.after} & {literal.name for literal in result.search.literals}


def test_printed_figures_are_those_that_sql_counts(world, result):
    gaps = recomputed(world, result, record(result))
    assert len(gaps) == 18 * len(result.candidates)
    assert max(gaps) < 1e-9


def test_the_qualifications_view_is_what_report_says(people, result):
    for one in result.candidates[:2]:
        said = report(people, one.definition)
        inside = said.starts.filter(pl.col("on") >= result.split.first)
        mature = inside.filter("mature")
        assert one.promised.starts == inside.height
        assert one.promised.rate.denominator == mature.height
        assert one.promised.rate.numerator == int(mature["y"].sum())
        assert one.promised.rate.denominator > 0


def test_definitions_validate_without_findings_and_load_as_they_are(result, tmp_path):
    files = write(result, tmp_path)
    found = validate(sorted(tmp_path.glob("*.yml")), today=date(2026, 1, 1))
    assert [str(one) for one in found.diagnostics] == []
    for one in result.candidates:
        read = load_definition(Path(files[one.definition.name]))
        assert replace(read, path=None, evidence=None) == replace(one.definition, path=None, evidence=None)
        assert emit(read) == emit(one.definition)


def test_names_are_distinct_and_read_from_events(result):
    names = [one.definition.name for one in result.candidates]
    assert len(set(names)) == len(names)
    for one in result.candidates:
        assert one.definition.evidence.chosen_by == "propose"
        assert one.definition.status.value == "hypothesis"
        assert one.definition.rationale.endswith("Says who converts, not why.")


def shuffled(folder: Path, seed: int) -> None:
    """Shuffle every table's rows, and split the events into three files of other sizes."""
    events = pl.concat([pl.read_parquet(path) for path in sorted((folder / "events").glob("*.parquet"))])
    shutil.rmtree(folder / "events")
    (folder / "events").mkdir()
    events = events.sample(fraction=1.0, shuffle=True, seed=seed)
    for number, (start, length) in enumerate([(0, 1_000), (1_000, 50_000), (51_000, events.height)]):
        events.slice(start, length).write_parquet(folder / "events" / f"x{9 - number}.parquet")
    for name in ("users", "conversions"):
        table = pl.read_parquet(folder / f"{name}.parquet")
        table.sample(fraction=1.0, shuffle=True, seed=seed + 1).write_parquet(folder / f"{name}.parquet")


def test_same_data_in_any_order_and_split_gives_the_same_bytes(world, result, tmp_path):
    with TemporaryDirectory() as folder:
        project = read_project(world.write(folder) / "pqlkit.yml")
        shuffled(Path(folder), 5)
        again = propose(population_of(open_dataset(project), project), ONCE, ProposeOptions(permutations=0))
    write(result, tmp_path / "one")
    write(again, tmp_path / "two")
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / part).iterdir()} for part in ("one", "two"))
    assert first == second
    assert first


def test_a_file_that_differs_is_never_replaced(result, tmp_path):
    write(result, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write(result, tmp_path)  # the same again is no change
    other = tmp_path / f"{result.candidates[-1].definition.name}.yml"
    other.write_text("pqlkit: 1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="differ") as error:
        write(result, tmp_path)
    assert "--name" in str(error.value.hint) + str(error.value)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after == before | {other.name: b"pqlkit: 1\n"}


def test_a_second_search_of_the_same_holdout_counts_as_one_more_opening(people, result, written, again):
    assert result.read == 1
    with few_halves():
        other: Any = propose(people, ONCE, ProposeOptions(permutations=0, out_dir=written, top=1, objective="f1"))
    assert (again.read, other.read) == (1, 2)
    assert again.candidates[0].definition.evidence == result.candidates[0].definition.evidence
    assert other.candidates[0].definition.evidence.holdout.times_read == 2
    assert any("read 2 times" in warning for warning in other.warnings)


def test_capacity_keeps_the_leads_within_what_can_be_worked(people, result):
    weekly = result.candidates[0].promised.pqls_per_week.median
    with few_halves():
        tight = propose(people, ONCE, ProposeOptions(permutations=0, top=1, capacity=weekly / 2))
    first = tight.candidates[0]
    assert first.promised.pqls_per_week.median <= weekly / 2 * 1.25
    assert not first.over_capacity
    assert first.fit.n1 < result.candidates[0].fit.n1


def test_the_definition_in_use_is_read_on_the_same_holdout(result, again):
    rate = result.candidates[0].promised.rate
    assert again.champion.promised.rate == rate
    assert again.champion.at_same_leads == (pytest.approx(rate.numerator), rate.denominator)


def test_an_experiment_is_planned_for_the_first(result):
    assert result.experiment.rate == result.candidates[0].promised.rate.rate
    assert result.experiment.pqls_per_week == result.candidates[0].promised.pqls_per_week.median


def test_limit_events_have_a_list_of_their_own(people, world):
    name = sorted(planted(world))[0][0]
    noted = replace(people, project=replace(people.project, events={name: EventNote(mechanical=True)}))
    with few_halves():
        found: Any = propose(noted, ONCE, ProposeOptions(permutations=0, top=1))
    assert name not in {literal.name for literal in found.search.literals}
    (one,) = found.mechanical
    assert [literal.name for literal in one.rule.literals] == [name]
    assert one.mechanical
    assert one.gate.passed
    assert all(criterion.mechanical for criterion in one.definition.criteria)
    written: Any = record(found)
    assert written["mechanical"][0]["mechanical"] is True
    assert all(not candidate.mechanical for candidate in found.candidates)


def test_nothing_is_proposed_where_there_is_nothing_and_the_reason_is_given():
    with populated(recipe(4_000, 86, outcome="none")) as people:
        found: Any = propose(people, ONCE, ProposeOptions(permutations=0))
    assert found.candidates == ()
    assert found.warnings
    assert record(found)["candidates"] == []


def test_little_data_is_cross_fitted_and_says_so():
    with populated(recipe(2_000, 84, base_rate=0.05)) as people:
        found: Any = propose(people, ONCE, ProposeOptions(permutations=0))
    assert found.split.kind == "cross-fitted"
    assert found.tier == "coarse"
    cross = found.cross_fitted
    assert cross.rate.denominator == cross.leads.height
    assert found.benchmark_model is None
    for one in found.candidates:
        figures: Any = one.definition.evidence.holdout
        assert (figures.qualified, figures.converted) == (cross.rate.denominator, cross.rate.numerator)
        assert figures.independent is False
    assert len(found.candidates) <= 1
    assert found.search.literals
    assert all(literal.threshold in {1, 3, 5, 10, 25} for literal in found.search.literals if literal.threshold)


def test_too_little_data_is_not_searched():
    with populated(recipe(600, 85)) as people:
        found: Any = propose(people, ONCE, ProposeOptions(permutations=0))
    assert found.search is None
    assert found.candidates == ()
    assert "no search" in found.warnings[0]
