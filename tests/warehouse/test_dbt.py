"""The dbt model: what its files say, and that dbt builds it, tests it and runs it again the next night on DuckDB."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest
import yaml

from pqlkit.cli.app import run
from pqlkit.definitions.folders import load_definition
from pqlkit.exports.project import Project
from pqlkit.options.warehouse import SqlOptions
from pqlkit.scoring.lead import LeadStatus
from pqlkit.shipped import shipped
from pqlkit.warehouse.dbt import STATUSES, dbt_files
from tests.tools import needs
from tests.warehouse.products import DAY, START, draw_product

if TYPE_CHECKING:
    from pathlib import Path

ROLLOUT = shipped("definitions") / "team-rollout.yml"
TABLES = tuple(f"{name}=raw.{name}" for name in ("events", "users", "accounts", "conversions"))


def test_a_model_has_its_sources_tests_and_docs():
    options = SqlOptions(table=(*TABLES[:3], "conversions=billing.upgrades"))
    files = dbt_files(load_definition(ROLLOUT), Project(), options)
    assert list(files) == [f"leads_team_rollout.{suffix}" for suffix in ("sql", "yml", "md")]
    query = files["leads_team_rollout.sql"]
    assert "{{ source('pqlkit_raw', 'events') }} AS e" in query
    assert "{{ source('pqlkit_billing', 'conversions') }} AS c" in query
    assert """'{{ var('since', '1970-01-01T00:00:00Z') }}'""" in query
    told = yaml.safe_load(files["leads_team_rollout.yml"])
    assert [(item["name"], item["schema"]) for item in told["sources"]] == [
        ("pqlkit_raw", "raw"),
        ("pqlkit_billing", "billing"),
    ]
    assert told["sources"][1]["tables"] == [{"name": "conversions", "identifier": "upgrades"}]
    (model,) = told["models"]
    tests = {item["name"]: item.get("data_tests") for item in model["columns"]}
    assert tests["account_id"] == ["unique", "not_null"]
    assert tests["lead_id"] == ["unique"]
    assert all(item["description"] for item in model["columns"])
    assert "Free teams that are rolling the product out" in files["leads_team_rollout.md"]


def test_it_knows_every_status():
    assert set(STATUSES) == {status.value for status in LeadStatus} - {LeadStatus.WITHDRAWN.value}


def test_nothing_of_a_definition_is_read_as_jinja():
    named = replace(load_definition(ROLLOUT), title="{{ env_var('HOME') }} {% raw %} {# x", rationale="{{ 1 }}")
    for text in dbt_files(named, Project(), SqlOptions(table=TABLES)).values():
        for sign in ("{{ env_var", "{% raw", "{# x", "{{ 1"):
            assert sign not in text


def test_a_nightly_model_needs_a_place(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["sql", "-d", str(ROLLOUT), "--incremental"]) == 2
    assert "it belongs to a dbt model, and none is written\n  Fix: add --dbt DIR" in capsys.readouterr().err


def built(folder: Path) -> list[tuple[str, bool, int | None, str]]:
    """Run dbt; give each lead with whether it is new, when it was told first, and where it stands."""
    done = subprocess.run(
        [needs("dbt"), "build", "--no-use-colors", "--profiles-dir", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert "ERROR=0" in done.stdout
    with duckdb.connect(str(folder / "leads.duckdb")) as connection:
        return connection.sql(
            "SELECT lead_id, newly_qualified, epoch_us(known_at), status FROM main.leads_team_rollout ORDER BY 1"
        ).fetchall()


@pytest.mark.slow
def test_dbt_builds_it_and_the_next_night_adds_what_is_new(tmp_path):
    needs("dbt")
    project = "name: leads\nversion: '1.0.0'\nprofile: leads\nflags: {send_anonymous_usage_stats: false}\n"
    (tmp_path / "dbt_project.yml").write_text(project)
    (tmp_path / "profiles.yml").write_text("leads: {target: dev, outputs: {dev: {type: duckdb, path: leads.duckdb}}}\n")
    line = ["sql", "-d", str(ROLLOUT), "--dbt", str(tmp_path / "models"), "--incremental", "--quiet"]
    named = [part for table in TABLES for part in ("--table", table)]
    assert run([*line, *named, "--without", "conversions.user_id"]) == 0
    tables = draw_product(load_definition(ROLLOUT), 4)
    tonight = pl.lit(START + 20 * DAY).cast(pl.Datetime("us", "UTC"))
    early = {
        "events": tables["events"].filter(pl.col("timestamp") <= tonight),
        "conversions": tables["conversions"].filter(pl.col("converted_at") <= tonight),
    }
    for night in (early, {}):
        with duckdb.connect(str(tmp_path / "leads.duckdb")) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS raw")
            for name, table in (tables | night).items():
                arrow = table.to_arrow()
                connection.execute(f"CREATE OR REPLACE TABLE raw.{name} AS SELECT * FROM arrow")
                del arrow
        rows = built(tmp_path)
        if night:
            first = rows
    assert not any(new for _, new, _, _ in first)
    known = {lead: at for lead, _, at, _ in first}
    assert len(known) > 0
    assert len(rows) > len(first)
    assert {lead: at for lead, _, at, _ in rows if lead in known} == known
    assert not any(new for lead, new, _, _ in rows if lead in known)
    fresh = [row for row in rows if row[0] not in known]
    assert all(new == (status == "pql") for _, new, _, status in fresh)
    assert all((at is not None) == (status in {"pql", "expired"}) for _, _, at, status in fresh)
    again = built(tmp_path)
    assert [(lead, at) for lead, _, at, _ in again] == [(lead, at) for lead, _, at, _ in rows]
    assert not any(new for _, new, _, _ in again)
