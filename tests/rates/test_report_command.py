"""`pqlkit report` at a shell: exit codes, arms of a ledger, contacts, several definitions."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import zlib

import polars as pl
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from pqlkit.definitions.emitting import emit
from pqlkit.scoring.arms import arms_of
from tests.rates.simulated import people, report, rule, shell, world


def run(name, *arguments, code=0):
    found = shell(world(name)[3], *arguments)
    assert found.returncode == code, found.stderr
    return found


def test_the_exit_code_is_the_process_own():
    command = [sys.executable, "-m", "pqlkit", "report"]
    found = subprocess.run(command, cwd=world("recipe")[3], capture_output=True, text=True, check=False, timeout=120)
    assert found.returncode == 2
    assert found.stdout == ""
    assert "definition" in found.stderr


@pytest.fixture
def saved(request):
    name = request.param
    path = world(name)[3] / "rule.yml"
    path.write_text(emit(rule(name)))
    return name


@pytest.mark.parametrize("saved", ["recipe"], indirect=True)
def test_the_floor_is_breached_by_the_whole_interval_alone(saved):
    high = report(people("recipe"), rule("recipe")).funnel.pql_to_customer.high
    below = run(saved, "report", "-d", "rule.yml", "--fail-under", f"{high + 0.001:.4f}", code=1)
    assert re.search(
        r"^failed: .+: [\d.]+% of new PQLs became customers \([\d,]+ of [\d,]+\) \[.+\], below --fail-under",
        below.stderr,
    )
    assert "FUNNEL" in below.stdout
    run(saved, "report", "-d", "rule.yml", "--fail-under", f"{high - 0.001:.4f}", "--fail-on-drift")
    run(saved, "report", "-d", "rule.yml", "--fail-under", "15", code=2)
    run(saved, "report", code=2)


@pytest.mark.parametrize("saved", ["effect"], indirect=True)
def test_drift_fails_where_it_is_asked_to(saved):
    found = run(saved, "report", "-d", "rule.yml", "--fail-on-drift", code=1)
    assert "2025-Q3 against the baseline: rate fell, -" in found.stderr
    assert "rate fell, -" in found.stdout


@pytest.mark.parametrize("saved", ["freemium"], indirect=True)
def test_arms_of_a_ledger_are_compared(saved, tmp_path):
    ledger = tmp_path / "leads.ledger"
    whole = report(people("freemium"), rule("freemium"))
    cut = pl.select(pl.from_epoch(pl.lit(int(whole.starts["on"].quantile(0.8))), time_unit="us").dt.date()).item()
    score = ("score", "-d", "rule.yml", "--as-of", str(cut), "--ledger", str(ledger), "--control", "40%")
    run(saved, *score, "--since", "900d", "--out", str(tmp_path / "leads.csv"))
    given = arms_of(ledger, "planted-freemium")
    assert given.height > 10
    ids = whole.population.entities.select("entity", pl.col("id").cast(pl.String))
    starts = whole.starts.join(ids, on="entity").select("id", "on", "mature", "y")
    known = {(key, on): (mature, y) for key, on, mature, y in starts.iter_rows()}
    hits = {"contact": [0, 0], "control": [0, 0]}
    for key, on, arm in given.iter_rows():
        assert arm == ("control" if zlib.crc32(f"pqlkit:arm:{key}".encode()) % 10_000 < 4_000 else "contact")
        mature, y = known[(key, on)]
        if mature:
            hits[arm][0] += y
            hits[arm][1] += 1
    assert all(n > 1 for _, n in hits.values())
    found = json.loads(run(saved, "report", "-d", "rule.yml", "--ledger", str(ledger), "--format", "json").stdout)[
        "arms"
    ]
    for arm, (converted, entities) in hits.items():
        assert (found[arm]["numerator"], found[arm]["denominator"]) == (converted, entities)
    low, high = confint_proportions_2indep(*hits["contact"], *hits["control"], method="newcomb", compare="diff")
    assert (found["difference"]["low"], found["difference"]["high"]) == pytest.approx((low, high), abs=1e-9)
    assert found["unmatched"] == 0
    shown = run(saved, "report", "-d", "rule.yml", "--ledger", str(ledger)).stdout
    assert "ARMS" in shown
    run(saved, "report", "-d", "rule.yml", "--ledger", "rule.yml", code=2)


@pytest.mark.parametrize("saved", ["freemium"], indirect=True)
def test_contacts_named_on_the_command_line(saved, tmp_path):
    whole = report(people("freemium"), rule("freemium"))
    first = whole.starts.filter("mature").head(5).join(whole.population.entities.select("entity", "id"), on="entity")
    rows = first.select(
        pl.col("id").alias("account_id"),
        at=pl.from_epoch(pl.col("on") + 60_000_000, time_unit="us").dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
    )
    path = tmp_path / "calls.csv"
    rows.write_csv(path)
    found = json.loads(run(saved, "report", "-d", "rule.yml", "--contacts", str(path), "--format", "json").stdout)
    assert found["contacted"]["after_within_1h"]["denominator"] == 5
    assert found["contacted"]["after"]["numerator"] == int(first["y"].sum())
    total = found["funnel"]["pql_to_customer"]["denominator"]
    # Some of the five began again later: by then they had been contacted before.
    again = whole.starts.filter("mature").join(first.select("entity"), on="entity", how="semi").height - 5
    assert found["contacted"]["before"]["denominator"] == again
    assert found["contacted"]["never"]["denominator"] == total - 5 - again
    run(saved, "report", "-d", "rule.yml", "--contacts", "no-such.csv", code=2)


@pytest.mark.parametrize("saved", ["recipe"], indirect=True)
def test_several_definitions_in_one_report(saved):
    folder = world(saved)[3]
    (folder / "login.yml").write_text(
        "pqlkit: 1\nname: wide\nentity: user\nqualify: {event: any, at_least: 60, within: 14d}\noutcome: {within: 30d}\n"
    )
    both = ("report", "-d", "rule.yml", "-d", "login.yml")
    found = json.loads(run(saved, *both, "--format", "json").stdout)
    assert found["schema"] == "pqlkit/reports/2"
    assert [one["definition"] for one in found["reports"]] == ["planted-rule", "wide"]
    assert {tuple(row["definitions"]) for row in found["overlap"]} <= {
        ("planted-rule",),
        ("wide",),
        ("planted-rule", "wide"),
    }
    assert found["side_by_side"][0]["leads"] == found["side_by_side"][0]["definitions"][0]["with"]["snapshots"]
    shown = run(saved, *both)
    assert "SIDE BY SIDE" in shown.stdout
    assert "only wide" in shown.stdout
    assert all(len(line.rstrip()) <= 80 for line in shown.stdout.splitlines())
    alone = json.loads(run(saved, "report", "-d", "rule.yml", "--format", "json").stdout)
    assert found["reports"][0] == alone


@pytest.mark.parametrize("saved", ["recipe"], indirect=True)
def test_definitions_of_the_same_name_are_told_apart_everywhere(saved):
    folder = world(saved)[3]
    text = (folder / "rule.yml").read_text()
    (folder / "copy.yml").write_text(text)
    (folder / "newer.yml").write_text(re.sub("^version: .*$", "version: 9", text, flags=re.M))
    three = ("report", *(part for name in ("rule", "copy", "newer") for part in ("-d", f"{name}.yml")))
    names = ["planted-rule (rule.yml)", "planted-rule (copy.yml)", "planted-rule v9"]
    found = json.loads(run(saved, *three, "--format", "json").stdout)
    assert found["names"] == names
    assert [side["definition"] for side in found["side_by_side"][0]["definitions"]] == names
    assert [row["definitions"] for row in found["overlap"]] == [names]
    shown = run(saved, *three, "--fail-under", "99%", "--html", "page.html", code=1)
    heads = re.findall(r"^REPORT  (\S.*?)  ", shown.stdout, re.M)
    assert heads == [*names[:2], names[2]]
    assert all(f"{name}: " in shown.stderr for name in names), "each that is breached is said"
    page = (folder / "page.html").read_text()
    assert all(f"<bdi>{name}</bdi></span></h2>" in page for name in names)
    rows = list(csv.DictReader(run(saved, *three, "--format", "csv").stdout.splitlines()))
    assert list(dict.fromkeys(row["definition"] for row in rows)) == names
    assert len({row["period"] for row in rows}) * 3 == len(rows), "one header, no line of another in the middle"
    assert any(row["change.value"] for row in rows), "what only later periods have is a column, too"
    written = run(saved, *three, "--format", "markdown").stdout
    assert [line.replace("\\", "") for line in written.splitlines() if line.startswith("## ")] == [
        f"## {name}" for name in names
    ]
