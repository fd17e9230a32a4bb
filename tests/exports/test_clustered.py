"""Tables of a cluster, by name and by address: what is asked of them, what is refused, and the same answers as from files here."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest

from pqlkit.cli.app import run
from pqlkit.engines.factory import cluster
from pqlkit.engines.spark_client import PySparkException
from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import read_project
from tests.cli.sample import SOURCES, write_sample
from tests.engines.servers import spark_remote, started

if TYPE_CHECKING:
    from pqlkit.engines.spark import SparkEngine

AT = datetime(2026, 1, 2, tzinfo=UTC)
EVENTS = pl.DataFrame({"user_id": ["a", "b"], "event": ["x", "y"], "timestamp": [AT, AT]})
PROJECT = """\
pqlkit: 1
exports:
  events: {table: sample_events, columns: {user_id: who, timestamp: "happened at"}}
  users: {table: sample_users}
  conversions: {table: sample_conversions}
"""


@pytest.fixture
def view():
    """Register a table under a name."""
    session = cast("SparkEngine", started("spark")).session

    def registered(frame: pl.DataFrame, name: str = "the_events") -> str:
        session.createDataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest())).createOrReplaceTempView(name)
        return f"table:{name}"

    return registered


def opened(place: str, project: object = None, **others: str):
    return open_dataset(project, events=place, cluster=cluster("spark", spark_remote()), **others)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clustered")
    write_sample(folder, users=150)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["load", *SOURCES, "--out", "data", "--quiet"]) == 0
    return folder


@pytest.mark.usefixtures("spark_server")
def test_commands_print_the_same_from_tables_by_name(sample, view, monkeypatch, capsys):
    monkeypatch.chdir(sample)
    show_tables(sample, view)
    (sample / "there.yml").write_text(PROJECT)
    for line in (
        ["score", "-d", "inviters.yml", "--format", "csv"],
        ["report", "-d", "inviters.yml", "--format", "json"],
        ["validate", "inviters.yml", "--describe"],
    ):
        assert run([*line, "--data", "data"]) == 0
        expected = capsys.readouterr().out
        assert run([*line, "-p", "there.yml", "--engine", "spark"]) == 0
        assert capsys.readouterr().out == expected


def show_tables(sample, view):
    for name, table in open_dataset(data=sample / "data").tables.items():
        frame = table.scan().collect()
        if name == "events":
            frame = frame.rename({"user_id": "who", "timestamp": "happened at"})
        view(frame, f"sample_{name}")


THERE = [part for name in ("events", "users", "conversions") for part in (f"--{name}", f"table:sample_{name}")]
MAPPED = [*THERE, "--map", "events.user_id=who", "--map", "events.timestamp=happened at", "--engine", "spark"]


@pytest.fixture
def contacted(sample, view, monkeypatch, spark_server):
    """The sample's tables on the cluster, with contacts there and here."""
    monkeypatch.chdir(sample)
    show_tables(sample, view)
    at = [datetime(2026, 1, 10 + number % 15, tzinfo=UTC) for number in range(40)]
    contacts = pl.DataFrame({"user_id": [f"u{number:03}" for number in range(40)], "at": at})
    contacts.write_csv("contacts.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    return view(contacts, "sample_contacts")


def test_columns_and_contacts_of_a_cluster_can_be_named_on_the_command_line(contacted, capsys):
    line = ["report", "-d", "inviters.yml", "--format", "json"]
    assert run([*line, "--data", "data", "--contacts", "contacts.csv"]) == 0
    expected = capsys.readouterr().out
    assert run([*line, *MAPPED, "--contacts", contacted]) == 0
    assert capsys.readouterr().out == expected
    assert '"contacted": {}' not in expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            [*MAPPED, "--contacts", "contacts.csv"],
            "contacts.csv: the contacts are not on the cluster, and the events are",
        ),
        ([*MAPPED, "--contacts", "table:nowhere"], "nowhere: there is no such table"),
        ([*MAPPED, "--contacts", "table:sample_users"], "sample_users: the contacts have no column at"),
        (["--data", "data", "--contacts", "table:sample_contacts"], "the contacts are a table of a cluster"),
        ([*MAPPED, "--map", "users.user_id=whose"], "sample_users: there is no column 'whose'"),
        ([*THERE, "--map", "events.user_id=who"], "table:sample_events: the events are a table of a cluster"),
    ],
)
@pytest.mark.usefixtures("contacted")
def test_columns_and_contacts_that_cannot_be_had_are_refused(line, said, capsys):
    assert run(["report", "-d", "inviters.yml", *line]) == 2
    assert said in capsys.readouterr().err


def test_facts_are_asked_on_the_cluster(view):
    table = opened(
        view(EVENTS.with_columns(n=pl.Series([1, 2], dtype=pl.Int32), w=1.5, ok=True, day=date(2026, 1, 1)))
    ).tables["events"]
    assert (table.rows, table.first, table.last) == (2, 1_767_312_000_000_000, 1_767_312_000_000_000)
    assert {name: str(kind) for name, kind in table.columns.items()} == {
        "user_id": "text",
        "event": "text",
        "timestamp": "instant",
        "n": "integer",
        "w": "number",
        "ok": "boolean",
        "day": "date",
    }


def test_files_are_read_by_their_address(tmp_path):
    EVENTS.write_parquet(tmp_path / "e.parquet")
    assert opened(f"file://{tmp_path}/e.parquet").tables["events"].rows == 2


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (EVENTS.drop("timestamp"), "the_events: the events have no column timestamp\n  say which column it is"),
        (EVENTS.drop("user_id"), "the_events: the events have no column user_id or account_id or anonymous_id"),
        (EVENTS.with_columns(pl.col("timestamp").cast(pl.String)), "timestamp is text, not instant or date\n  cast it"),
        (EVENTS.with_columns(user_id=1.5), "user_id is number, not text or integer"),
        (EVENTS.with_columns(event=pl.Series([1, 2])), "event is integer, not text"),
        (EVENTS.with_columns(user_id=pl.Series([b"a", b"b"])), "user_id is binary, not text or integer"),
        (EVENTS.with_columns(event=pl.Series(["x", None])), "1 rows have no event\n  make a view"),
        (EVENTS.with_columns(timestamp=AT.replace(year=1971)), "timestamp reaches beyond what can be"),
    ],
)
def test_a_table_with_faults_is_refused(view, frame, said):
    with pytest.raises(DataError, match=said):
        opened(view(frame))


def test_what_is_not_there_is_said():
    with pytest.raises(DataError, match=r"^nowhere: there is no such table"):
        opened("table:nowhere")


def test_all_tables_are_in_one_place(view, tmp_path):
    (tmp_path / "u.csv").write_text("user_id,signed_up_at\na,2026-01-01\n")
    with pytest.raises(DataError, match="the users are not on the cluster, and the events are"):
        opened(view(EVENTS), users=str(tmp_path / "u.csv"))
    people = pl.DataFrame({"user_id": [1, 2], "signed_up_at": [AT, AT]})
    with pytest.raises(DataError, match="user_id is integer in users and text in events"):
        opened(view(EVENTS), users=view(people, "the_users"))


def test_other_engines_have_no_such_tables():
    with pytest.raises(
        DataError, match="table:some: the events are a table of a cluster\n  read it there: --engine spark"
    ):
        open_dataset(events="table:some")


def test_dates_are_those_of_utc(view, tmp_path):
    place = view(EVENTS.with_columns(timestamp=date(2026, 1, 2)))
    assert opened(place).tables["events"].dates_only
    (tmp_path / "pqlkit.yml").write_text("pqlkit: 1\ntimezone: America/New_York\n")
    with pytest.raises(
        DataError, match="timestamp is dates without times, whose midnights on a cluster are those of UTC"
    ):
        opened(place, read_project(tmp_path / "pqlkit.yml"))


def test_keys_that_change_rows_are_refused(view, tmp_path):
    view(EVENTS)
    (tmp_path / "pqlkit.yml").write_text("pqlkit: 1\nexports: {events: {table: the_events, format: segment}}\n")
    with pytest.raises(DataError, match="the_events: a table of a cluster is used as it is"):
        open_dataset(read_project(tmp_path / "pqlkit.yml"), cluster=cluster("spark", spark_remote()))


BY_NAME = ["validate", "inviters.yml", "--events", "table:the_events", "--engine", "spark"]


@pytest.mark.usefixtures("spark_server")
@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            EVENTS.with_columns(pl.col("timestamp").cast(pl.String)),
            "the_events: timestamp is text, not instant or date",
        ),
        (EVENTS.drop("event"), "the_events: the events have no column event"),
        (EVENTS.with_columns(user_id=1.5), "the_events: user_id is number, not text or integer"),
    ],
)
def test_a_command_says_what_is_wrong_with_a_table(sample, view, monkeypatch, capsys, frame, said):
    monkeypatch.chdir(sample)
    view(frame)
    assert run(BY_NAME) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"error: {said}" in told.err
    assert "Traceback" not in told.err


@pytest.mark.usefixtures("spark_server")
def test_a_table_that_may_not_be_read_is_said_without_the_secret(sample, monkeypatch, capsys):
    def forbidden(self, name):
        raise PySparkException(f"[INSUFFICIENT_PERMISSIONS] no SELECT on {name}; token=hidden\nJVM stacktrace: ...")

    monkeypatch.chdir(sample)
    monkeypatch.setattr(type(cast("SparkEngine", started("spark")).session), "table", forbidden)
    assert run(BY_NAME) == 2
    told = capsys.readouterr().err
    assert (
        "error: the_events: Spark may not read it: [INSUFFICIENT_PERMISSIONS] no SELECT on the_events; token=***"
        in told
    )
    assert "ask for the right to read it" in told
    assert "hidden" not in told
    assert "stacktrace" not in told


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        (None, "--engine: the engine spark needs the address of a Spark Connect server"),
        ("http://host", "--spark-remote: that is no address of a Spark Connect server"),
        ("sc://host/;token=hidden", "--spark-remote: the address of the Spark server has a secret in it"),
        ("sc://127.0.0.1:9", "--spark-remote: no Spark Connect server answers at 127.0.0.1:9"),
    ],
)
def test_a_server_that_cannot_be_had_is_said(sample, monkeypatch, capsys, remote, said):
    monkeypatch.chdir(sample)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    monkeypatch.setattr("pqlkit.engines.spark._WAIT", 0.2)
    assert run([*BY_NAME, *([] if remote is None else ["--spark-remote", remote])]) == 2
    told = capsys.readouterr().err
    assert f"error: {said}" in told
    assert "hidden" not in told
