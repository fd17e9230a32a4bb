"""Which tables and columns there are is known from the project's exports or from a dataset: the query runs on them without further options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from pqlkit.cli.app import run
from tests.warehouse.products import DAY, START

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """\
pqlkit: 1
timezone: Europe/Berlin
exports:
  events:
    path: events.csv
    columns: {user_id: userId, account_id: orgId, timestamp: sentAt, event_id: messageId}
  users: {path: users.csv, columns: {user_id: id, account_id: org, signed_up_at: created}}
  accounts: {path: accounts.csv, columns: {account_id: id, signed_up_at: created}}
  conversions: {path: upgrades.csv, columns: {account_id: org, converted_at: paid}}
traits: {fixed: [country, seats], history: {plan: plans.csv}}
population: [{trait: email, not_matching: "@own[.]com$"}, {trait: country, exists: true}]
"""
DEFINITION = """\
pqlkit: 1
name: inviters
entity: account
eligible: [{trait: plan, equals: free}, {trait: seats, at_most: 50}]
qualify: {event: invite, where: {kind: "3"}, at_least: 2, trailing: 7d}
outcome: {within: 14d}
lead: {cooldown: 1d}
"""


def at(day: float) -> str:
    moment = pl.Series([START + int(day * DAY)], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    return str(moment.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")[0])


def exports() -> dict[str, list[dict[str, object]]]:
    """Twelve teams of two: invitations by day, some delivered twice, one by a clock of 2031."""
    teams = range(12)
    events: list[dict[str, object]] = [
        {"messageId": f"m{team}-{number}", "userId": f"u{team}-{number % 2}", "orgId": f"t{team}" if number % 3 else None,
         "event": "invite", "sentAt": at(team + number * 3.5), "kind": 3 if number % 4 else 4}
        for team in teams for number in range(team + 1)
    ]  # fmt: skip
    wrong: dict[str, object] = {**events[0], "messageId": "late", "sentAt": at(5 * 365)}
    return {
        "events": [*events, *events[::3], wrong],
        "users": [
            {"id": f"u{team}-{number}", "org": f"t{team}", "created": at(team), "email": "a@own.com" if team == 2 else "a@x.com"}
            for team in teams for number in range(2)
        ],
        "accounts": [
            {"id": f"t{team}", "created": at(team), "country": None if team == 3 else "de", "seats": 10 * team,
             "deleted_at": at(50) if team == 4 else None}
            for team in teams
        ],
        "upgrades": [{"org": f"t{team}", "paid": at(team + 20)} for team in (5, 9)],
        "plans": [
            {"account_id": f"t{team}", "valid_from": at(team + day), "plan": plan}
            for team in teams for day, plan in ((0, "free"), (12 + team, "trial" if team % 4 == 2 else "free"))
        ],
    }  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pqlkit.yml").write_text(PROJECT)
    (tmp_path / "inviters.yml").write_text(DEFINITION)
    for name, rows in exports().items():
        pl.DataFrame(rows, infer_schema_length=None).write_csv(tmp_path / f"{name}.csv")
    return tmp_path


def listed(query: str, tables: dict[str, pl.DataFrame]) -> list[tuple[object, ...]]:
    with duckdb.connect() as warehouse:
        warehouse.execute("SET TimeZone = 'America/New_York'; CREATE SCHEMA history")
        for name, table in tables.items():
            arrow = table.to_arrow()
            warehouse.execute(f"CREATE TABLE {name} AS SELECT * FROM arrow")
            del arrow
        leads = warehouse.sql(query).project("account_id, lead_id, status, score, epoch_us(qualified_at), invite")
        return sorted(leads.fetchall())


def scored(place: Path) -> list[tuple[object, ...]]:
    assert run(["score", "-d", "inviters.yml", "--out", "leads.csv", "--quiet"]) == 0
    leads = pl.read_csv(place / "leads.csv", try_parse_dates=True, infer_schema_length=None)
    moment = pl.col("qualified_at").cast(pl.Datetime("us", "UTC")).to_physical()
    return sorted(leads.select("account_id", "lead_id", "status", "score", moment, "invite").rows())


def test_the_tables_that_the_exports_came_from_need_no_further_options(place, capsys):
    wanted = scored(place)
    assert {status for _, _, status, *_ in wanted} >= {"customer", "ineligible", "lapsed"}
    assert len(wanted) == 10
    capsys.readouterr()
    assert run(["sql", "-d", "inviters.yml", "--since", "7d"]) == 0
    files = {"conversions": "upgrades", "history.plan": "plans"}
    tables = {
        name: pl.read_csv(place / f"{files.get(name, name)}.csv", try_parse_dates=True, infer_schema_length=None)
        for name in ("events", "users", "accounts", "conversions", "history.plan")
    }
    assert listed(capsys.readouterr().out, tables) == wanted


def test_the_tables_that_load_wrote_need_none_either(place, capsys):
    from pqlkit.exports.dataset import open_dataset

    wanted = scored(place)
    assert run(["load", "--out", "data", "--quiet"]) == 0
    capsys.readouterr()
    assert run(["sql", "-d", "inviters.yml", "--data", "data", "--since", "7d"]) == 0
    tables = {name: table.scan().collect() for name, table in open_dataset(data="data").tables.items()}
    assert listed(capsys.readouterr().out, tables) == wanted


def test_an_export_that_is_a_table_gives_its_name_and_one_that_is_made_over_its_canonical_columns(place, capsys):
    project = PROJECT.replace("path: events.csv", "connection: {env: WAREHOUSE}\n    table: raw.tracks")
    project = project.replace("columns: {account_id: org, converted_at: paid}", "format: stripe")
    (place / "pqlkit.yml").write_text(project)
    assert run(["sql", "-d", "inviters.yml", "--since", "7d", "--type", "kind=number"]) == 0
    query = capsys.readouterr().out
    assert "FROM raw.tracks AS e" in query
    assert 'e."sentAt"' in query
    assert "c.converted_at" in query


def test_a_folder_that_is_no_dataset_is_refused(place, capsys):
    assert run(["sql", "-d", "inviters.yml", "--data", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
