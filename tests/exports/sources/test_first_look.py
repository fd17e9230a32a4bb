"""`pqlkit init` on exports that live elsewhere, and the options that name them."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest

from pqlkit.cli.init import looked_at, statements
from pqlkit.errors import UsageError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.mapping import Source
from pqlkit.exports.project import read_project
from pqlkit.exports.project_draft import project_text
from pqlkit.exports.sniffing import sniff
from pqlkit.options.commands import InitOptions
from pqlkit.options.data import BesideEventsOptions

TABLES = """
    CREATE TABLE events (account_id text, name text, ts timestamp);
    INSERT INTO events VALUES ('a1', 'login', '2026-01-01 10:00:00'), ('a2', 'login', '2026-01-02 11:00:00');
    CREATE TABLE upgrades (account_id text, paid_at timestamp);
    INSERT INTO upgrades VALUES ('a1', '2026-01-03 10:00:00')
"""


def drafted(tmp_path, **sources):
    """The project that a first look drafts, read back and used."""
    seen = sniff(sources.pop("events"), **sources)
    (tmp_path / "pqlkit.yml").write_text(project_text(seen, tmp_path))
    project = read_project(tmp_path / "pqlkit.yml")
    return seen, project, open_dataset(project)


@pytest.fixture
def duck(tmp_path):
    path = tmp_path / "app.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)
    return path


def test_tables_of_a_database_are_drafted_as_such(duck, tmp_path):
    options = BesideEventsOptions(conversions="upgrades")
    seen, project, dataset = drafted(tmp_path, **looked_at(str(duck), options, InitOptions(table="events")))
    assert project.exports["conversions"].table == "upgrades"
    assert project.exports["events"].path == (str(duck),)
    assert dataset.tables["conversions"].rows == 1
    assert f"of {duck}!events the first 10,000 rows at most were looked at" in seen.notes
    assert "2 events of 2 accounts, no user column" in seen.notes
    assert not any("of nobody" in note for note in seen.notes)


def test_a_server_is_drafted_by_its_variable(postgres, monkeypatch, tmp_path):
    monkeypatch.setenv("WAREHOUSE_URL", postgres.url)
    postgres.run("DROP SCHEMA IF EXISTS public CASCADE", "CREATE SCHEMA public", *TABLES.split(";"))
    options = InitOptions(connection="WAREHOUSE_URL", table="events")
    _, project, dataset = drafted(tmp_path, **looked_at(None, BesideEventsOptions(conversions="upgrades"), options))
    assert (project.exports["events"].connection, project.exports["conversions"].table) == ("WAREHOUSE_URL", "upgrades")
    assert dataset.tables["events"].rows == 2
    assert "s3cret" not in (tmp_path / "pqlkit.yml").read_text()


def test_an_address_is_drafted_as_it_is(bucket, tmp_path):
    bucket.put("e/1.csv", "user_id,action,ts\nu1,login,2026-01-01\n")
    bucket.put("e/2.csv", "user_id,action,ts\nu2,login,2026-01-02\n")
    _, project, dataset = drafted(tmp_path, events=f"{bucket.address}/e/*.csv")
    assert project.exports["events"].path == (f"{bucket.address}/e/*.csv",)
    assert dataset.tables["events"].rows == 2


def test_a_table_is_also_named_behind_its_file(duck, tmp_path):
    sources = looked_at(f"{duck}!events", BesideEventsOptions(conversions=f"{duck}!upgrades"), InitOptions())
    assert (sources["events"].table, sources["conversions"].table) == ("events", "upgrades")
    other = tmp_path / "users.csv"
    other.write_text("user_id\n")
    sources = looked_at(str(duck), BesideEventsOptions(users=str(other), accounts="orgs"), InitOptions(table="events"))
    assert sources["users"] == Source(path=(str(other),))
    assert sources["accounts"] == Source(path=(str(duck),), table="orgs")


@pytest.mark.parametrize(
    ("events", "options", "message"),
    [
        (None, {}, "init looks at EVENTS or at a --connection"),
        ("a.csv", {"connection": "A", "table": "t"}, "init looks at EVENTS or at a --connection, not both"),
        (None, {"connection": "A"}, "--connection needs the table of the events"),
    ],
)
def test_what_init_looks_at_is_named_once(events, options, message):
    with pytest.raises(UsageError) as error:
        looked_at(events, BesideEventsOptions(), InitOptions(**options))
    assert error.value.message == message


def test_statements_need_both_options():
    assert "EXPORT DATA" in statements(InitOptions(from_="bigquery-ga4", sql=True))
    for options in ({"from_": "posthog"}, {"sql": True}):
        with pytest.raises(UsageError, match="--from and --sql go together"):
            statements(InitOptions(**options))


@pytest.mark.parametrize("header", ["anonymous_id,user_id", "previous_id,new_id", "previousId,userId"])
def test_identities_are_guessed_drafted_and_used(tmp_path, header):
    (tmp_path / "events.csv").write_text(
        "user_id,anonymous_id,event,timestamp\n,d1,viewed,2026-01-01\nu1,d1,login,2026-01-02\n"
    )
    (tmp_path / "ids.csv").write_text(f"{header}\nd1,u1\n")
    seen, project, dataset = drafted(
        tmp_path, events=str(tmp_path / "events.csv"), identities=str(tmp_path / "ids.csv")
    )
    assert "identities" in project.exports
    assert seen.matching.events_anonymous == 0
    assert dataset.tables["identities"].rows == 1


def test_identities_are_an_option_of_every_command_that_reads(tmp_path):
    (tmp_path / "events.csv").write_text("user_id,anonymous_id,event,timestamp\n,d1,viewed,2026-01-01\n")
    (tmp_path / "ids.csv").write_text("anonymous_id,user_id\nd1,u1\n")
    dataset = open_dataset(events=str(tmp_path / "events.csv"), identities=str(tmp_path / "ids.csv"))
    assert dataset.tables["identities"].rows == 1
    with pytest.raises(UsageError, match="--data and --identities name the identities twice"):
        open_dataset(data=tmp_path, identities="ids.csv")


def test_an_sqlite_file_with_several_tables_says_which(tmp_path):
    path = tmp_path / "app.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES)
    connection.close()
    with pytest.raises(UsageError, match=r"2 tables \(events, upgrades\)\n.*app.sqlite!NAME"):
        sniff(str(path))
    assert sniff(f"{path}!events").matching.event_accounts == 2
