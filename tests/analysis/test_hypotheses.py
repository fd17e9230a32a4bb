"""Hypotheses: a start-up with 41 upgrades, whose own definitions are tested exactly and where nothing is searched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests

from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.hypotheses import hypotheses
from pqlkit.analysis.observation import observe
from pqlkit.analysis.tiers import Tier
from pqlkit.durations import DAY
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import Project, read_project
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.proposal.proposing import propose
from tests.analysis.canonical import in_memory
from tests.rates.simulated import shell
from tests.worlds import by_name as worlds

SHAPE = "pqlkit: 1\nname: {name}\nentity: user\nqualify: {{event: {event}, at_least: {least}, within: 14d}}\noutcome: {{within: 30d}}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("little")
    worlds.little().write(folder)
    (folder / "definitions").mkdir()
    return folder


def write(folder, name, event="milestone_reached", least=3, more=""):
    path = folder / "definitions" / f"{name}.yml"
    path.write_text(SHAPE.format(name=name, event=event, least=least) + more)
    return path


@pytest.fixture
def questions(folder):
    written = [
        write(folder, "a-milestones"),
        write(folder, "b-notes", "note_written", 4),
        write(folder, "c-tags", "tag_created", 2),
    ]
    yield folder
    for path in written:
        path.unlink()


@pytest.fixture(scope="module")
def analysis(folder):
    project = read_project(folder / "pqlkit.yml")
    return analyze(population_of(open_dataset(project), project))


def test_each_is_tested_exactly_and_corrected_together(analysis, questions):
    found = hypotheses(analysis.observed)
    assert [one.definition.name for one in found.tested] == ["a-milestones", "b-notes", "c-tags"]
    plain = []
    for one in found.tested:
        a, b, c, d = one.table.cells
        plain.append(fisher_exact([[a, b], [c, d]]).pvalue)
        assert one.p_value == pytest.approx(plain[-1], rel=1e-9)
        assert one.table.total == 781
        assert one.table.m1 == 22
    holm = multipletests(plain, method="holm")[1]
    assert [one.p_adjusted for one in found.tested] == pytest.approx(list(holm), rel=1e-9)
    planted = found.tested[0]
    assert planted.verdict == "more"
    assert (planted.table.a, planted.table.n1) == (14, 210)
    assert (planted.odds_ratio.low or 0) > 1
    assert (planted.pqls_per_week.median or 0) > 0


def test_who_is_not_eligible_is_no_comparison(tmp_path):
    """Forty on the free plan, ten of whom do it; sixty on another plan neither do it nor upgrade."""
    path = tmp_path / "free.yml"
    path.write_text(SHAPE.format(name="free", event="e", least=1) + "eligible: [{trait: plan, equals: free}]\n")
    people = [
        {"id": f"u{n:03}", "anchor": n, "converted": 20 * DAY if n in {0, 1, 2, 11} else None} for n in range(100)
    ]
    events = [(f"u{n:03}", "e" if n < 10 else "other", DAY) for n in range(100)]
    fixed = {"plan": ["free" if n < 40 else "team" for n in range(100)]}
    made = in_memory(people, events, as_of=90 * DAY, fixed=fixed, project=Project(definitions=tmp_path))
    found = hypotheses(observe(made, Settings(snapshots="once:14d")))
    assert [one.table.cells for one in found.tested] == [(3, 7, 1, 29)]


def test_another_outcome_is_not_tested_on_these_snapshots(analysis, folder):
    other = write(folder, "retained").read_text().replace("within: 30d}", "within: 30d, retained_for: 90d}", 1)
    path = folder / "definitions" / "retained.yml"
    path.write_text(other)
    found = hypotheses(analysis.observed)
    assert found.tested == ()
    assert found.left_out == (("retained", "has an outcome of its own: pqlkit report -d reads it"),)
    path.unlink()


def test_with_few_upgrades_nothing_is_searched(analysis):
    found = analysis
    assert found.tier is Tier.HYPOTHESES
    opens = found.search_opens
    assert opens > found.observed.population.as_of
    proposal = propose(found.observed.population)
    assert proposal.candidates == ()
    assert proposal.search is None
    assert any("22" in text for text in proposal.warnings)


def test_at_most_five_are_asked(analysis, folder):
    written = [write(folder, f"q{i}", "note_written", i + 1) for i in range(7)]
    found = hypotheses(analysis.observed)
    assert [one.definition.name for one in found.tested] == [f"q{i}" for i in range(5)]
    assert [name for name, _ in found.left_out] == ["q5", "q6"]
    for path in written:
        path.unlink()


def test_what_is_no_hypothesis_is_named_with_the_reason(analysis, folder):
    written = [
        write(folder, "chosen", more="evidence: {chosen_by: propose}\n"),
        write(folder, "faulty", more="surprise: 1\n"),
        write(folder, "old", more="status: retired\n"),
        write(folder, "by-plan", more="eligible: [{trait: nothing_such, equals: 1}]\n"),
    ]
    written.append(folder / "definitions" / "accounts.yml")
    written[-1].write_text(SHAPE.format(name="accounts", event="x", least=1).replace("entity: user", "entity: account"))
    found = hypotheses(analysis.observed)
    assert found.tested == ()
    reasons = {Path(name).stem: reason for name, reason in found.left_out}
    assert set(reasons) == {"chosen", "faulty", "old", "by-plan", "accounts"}
    assert "found in data" in reasons["chosen"]
    assert "account" in reasons["accounts"]
    for path in written:
        path.unlink()


def test_the_screen_is_never_empty(folder):
    result = shell(folder, "analyze")
    assert result.returncode == 0, result.stderr
    text = " ".join(result.stdout.split())
    for part in (
        "TOO FEW CONVERSIONS TO SEARCH: 22 usable of 50 needed",
        "only from a relative risk of 3.4",
        "2027",
        "explain --converters",
    ):
        assert part in text
    assert "YOUR DEFINITIONS: none" in text
    proposed = shell(folder, "propose")
    assert proposed.returncode == 0, proposed.stderr
    assert "22 usable conversions" in proposed.stdout
    assert not list((folder / "definitions").iterdir())


def test_the_screen_and_the_json_say_the_same(questions):
    shown = shell(questions, "analyze")
    assert "14 of 210 6.7%" in shown.stdout
    assert "Next        pqlkit score" in shown.stdout
    assert all(len(line.rstrip()) <= 80 for line in shown.stdout.splitlines())
    written = json.loads(shell(questions, "analyze", "--format", "json").stdout)
    first = written["hypotheses"][0]
    assert (first["definition"], first["with"]["converted"], first["with"]["snapshots"]) == ("a-milestones", 14, 210)
    assert first["verdict"] == "more"
    assert written["little"]["usable"] == 22
    assert written["little"]["detectable_relative_risk"] == pytest.approx(3.4, abs=0.05)
    assert written["little"]["search_opens"].startswith("2027")
