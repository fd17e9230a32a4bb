"""SQLite and DuckDB files, and a real PostgreSQL server on loopback."""

from __future__ import annotations

import re
import sqlite3

import duckdb
import polars as pl
import pytest

from pqlkit.definitions.yaml_source import parse
from pqlkit.errors import DataError, UsageError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.loading import load
from pqlkit.exports.mapping import Source
from pqlkit.exports.project import Project, check_project, read_project, sources_of
from pqlkit.exports.sources import postgres as postgres_module
from pqlkit.exports.sources.landing import Landing

EVENTS = """
    CREATE TABLE events (user_id text, event text, ts timestamp, amount numeric(10, 2));
    INSERT INTO events VALUES ('u1', 'login', '2026-01-01 10:00:00', 12.50), ('u2', 'paid', '2026-01-02 11:00:00', 144)
"""
QUERY = "select user_id, event, ts as timestamp, amount from events"


def table(dataset, name="events"):
    return dataset.tables[name].scan().collect()


def project(**sources):
    return Project(exports={name: Source(**{"path": (), **keys}) for name, keys in sources.items()})


def landed(tmp_path, **keys):
    """The rows that a source of a database gives, as they stand in the file."""
    landing = Landing(tmp_path / "landing")
    (piece,) = landing.pieces("events", Source(**{"path": (), **keys}))
    path = landing.file(piece)
    return pl.read_parquet(path) if path.read_bytes()[:4] == b"PAR1" else pl.read_csv(path, infer_schema=False)


@pytest.fixture
def sqlite(tmp_path):
    path = tmp_path / "app.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(EVENTS + "; CREATE TABLE users (user_id, signed_up_at);")
        connection.execute("INSERT INTO users VALUES ('u1', '2026-01-01'), ('u2', '2026-01-01')")
    connection.close()
    return str(path)


@pytest.fixture
def duck(tmp_path):
    path = tmp_path / "app.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(EVENTS)
    return str(path)


@pytest.fixture
def warehouse(postgres, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_URL", postgres.url)
    postgres.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *EVENTS.split(";"))
    return postgres


def test_every_database_gives_the_same_events(sqlite, duck, warehouse):
    found = [
        table(open_dataset(project(events=keys)))
        for keys in (
            {"path": (sqlite,), "query": QUERY},
            {"path": (duck,), "query": QUERY + "; "},
            {"connection": "WAREHOUSE_URL", "query": QUERY + " -- all of them"},
        )
    ]
    assert found[0].rows()[1][3] == 144.0
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


def test_a_table_is_named_or_is_the_only_one(sqlite, duck, warehouse, tmp_path):
    for keys in ({"path": (duck,)}, {"path": (duck,), "table": "main.events"}, {"path": (sqlite,), "table": "events"}):
        assert landed(tmp_path, **keys).height == 2
    assert landed(tmp_path, connection="WAREHOUSE_URL", table="public.events").height == 2
    with pytest.raises(UsageError, match=r"app.db: 2 tables \(events, users\)\n  state table: NAME or query: SQL"):
        landed(tmp_path, path=(sqlite,))


def test_types_without_an_equal_become_text(warehouse, duck, tmp_path):
    row = landed(
        tmp_path,
        connection="WAREHOUSE_URL",
        query="""select '01234567-89ab-4cde-8f01-23456789abcd'::uuid u, '{"a": 1}'::jsonb j, interval '1 day' i,
            '10.0.0.1'::inet ip, array[interval '2 days'] odd, array[1, 2] l, 12345678901234567890::numeric big,
            7::numeric whole, 1.5::numeric n, null::numeric none, date '2026-01-02' d, true b, row(1, 'a') r""",
    ).row(0, named=True)
    assert (row["j"], row["i"], row["ip"], row["odd"]) == ('{"a": 1}', "1 day", "10.0.0.1/32", '{"2 days"}')
    assert (row["l"], row["big"], row["whole"], row["n"], row["none"]) == ([1, 2], "12345678901234567890", 7, 1.5, None)
    assert (str(row["d"]), row["b"], row["r"]) == ("2026-01-02", True, "(1,a)")
    with duckdb.connect(duck) as connection:
        connection.execute(
            """CREATE TABLE odd AS SELECT '01234567-89ab-4cde-8f01-23456789abcd'::uuid u, '{"a": 1}'::json j, 7::hugeint h,
            INTERVAL 1 DAY i, 'x'::ENUM('x', 'y') e, {'a': 1} s, [1, 2] l, 1.50::decimal(5, 2) n"""
        )
    row = landed(tmp_path, path=(duck,), table="odd").row(0, named=True)
    assert (row["u"], row["j"], row["h"], row["i"], row["e"]) == (
        "01234567-89ab-4cde-8f01-23456789abcd", '{"a": 1}', "7", "1 day", "x",
    )  # fmt: skip
    assert (row["s"], row["l"], float(row["n"])) == ({"a": 1}, [1, 2], 1.5)


def test_uuids_are_ids_with_dashes(warehouse, tmp_path):
    query = (
        "select '01234567-89ab-4cde-8f01-23456789abcd'::uuid user_id, 'e' event, timestamp '2026-01-01' as timestamp"
    )
    found = table(open_dataset(project(events={"connection": "WAREHOUSE_URL", "query": query})))
    assert found["user_id"].to_list() == ["01234567-89ab-4cde-8f01-23456789abcd"]


def test_infinity_is_no_time(warehouse):
    dataset = open_dataset(
        project(
            events={"connection": "WAREHOUSE_URL", "query": QUERY},
            conversions={
                "connection": "WAREHOUSE_URL",
                "query": "select 'u1' user_id, timestamptz '2026-01-03' converted_at, timestamptz 'infinity' ended_at",
            },
        )
    )
    assert table(dataset, "conversions")["ended_at"].to_list() == [None]


@pytest.mark.parametrize(
    "query",
    [
        "delete from events returning *",
        "with gone as (delete from events returning *) select * from gone",
        "create table other (a int)",
        "select * from events; delete from events",
        "select set_config('transaction_read_only', 'off', false)",
    ],
)
def test_a_session_cannot_write(warehouse, sqlite, duck, tmp_path, query):
    with pytest.raises(DataError):
        landed(tmp_path, connection="WAREHOUSE_URL", query=query)
    assert warehouse.value("select count(*) from events") == 2
    assert warehouse.value("select count(*) from information_schema.tables where table_name = 'other'") == 0
    for path, opened in ((sqlite, sqlite3.connect), (duck, duckdb.connect)):
        with pytest.raises(DataError):
            landed(tmp_path, path=(path,), query=query)
        connection = opened(path)
        assert connection.execute("select count(*) from events").fetchone() == (2,)
        connection.close()


def test_where_settings_are_refused_at_the_connection_the_session_cannot_write_either(warehouse, monkeypatch, tmp_path):
    monkeypatch.setenv("WAREHOUSE_URL", warehouse.url.replace("postgresql://", "redshift://"))
    zone = landed(tmp_path, connection="WAREHOUSE_URL", query="select current_setting('timezone') z")["z"].to_list()
    assert zone == ["UTC"]
    with pytest.raises(DataError, match="cannot execute DELETE in a read-only transaction"):
        landed(tmp_path, connection="WAREHOUSE_URL", query="delete from events returning *")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select nope from events", '$WAREHOUSE_URL!query: column "nope" does not exist'),
        ("select * from nope", '$WAREHOUSE_URL!query: relation "nope" does not exist'),
        ("selec 1", '$WAREHOUSE_URL!query: syntax error at or near "selec"'),
        ("select 1/0", "$WAREHOUSE_URL!query: division by zero"),
        ("select a.*, b.* from events a, events b", "$WAREHOUSE_URL!query: the query gives two columns 'user_id'"),
    ],
)
def test_what_a_server_refuses_is_said_in_its_words(warehouse, tmp_path, query, message):
    with pytest.raises((DataError, UsageError)) as error:
        landed(tmp_path, connection="WAREHOUSE_URL", query=query)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter2@127.0.0.1:1/db",
        "postgresql://ann:hunter2@127.0.0.1:{port}/nodb",
        "postgresql://ann:hunter2@{{host}}/db",
        "postgresql://ann:hun@ter2@127.0.0.1/db",
        "postgresql://ann:hun/ter2@127.0.0.1/db",
        "postgresql://ann:hun?ter2@127.0.0.1/db",
        "postgresql://ann:hun#ter2@127.0.0.1/db",
        "postgresql://ann:hunter2@hunter2/db",
        "postgresql://127.0.0.1:{port}/db?user=hunter2x&password=hunter2",
        "host=127.0.0.1 password=hunter2",
        "snowflake://ann:hunter2@acme/db",
        "hunter2",
        "",
    ],
)
def test_no_message_holds_a_secret(url, monkeypatch, postgres, tmp_path):
    port = postgres.url.rsplit(":", 1)[1].split("/")[0]
    monkeypatch.setenv("SECRET_URL", url.replace("{port}", port))
    with pytest.raises((DataError, UsageError)) as error:
        landed(tmp_path, connection="SECRET_URL", query="select 1")
    text = str(error.value)
    assert not re.search("hunter2|hun[@/?#]ter2|ter2", text.replace("SECRET_URL", "")), text
    assert "SECRET_URL" in text


def test_a_connection_refused_is_said_plainly(monkeypatch, tmp_path):
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://ann:hunter2@127.0.0.1:1/db")
    with pytest.raises(DataError) as error:
        landed(tmp_path, connection="WAREHOUSE_URL", query="select 1")
    assert str(error.value) == "$WAREHOUSE_URL: cannot connect: 127.0.0.1:1: Connection refused"


def test_append_asks_for_what_is_newer(warehouse, sqlite, tmp_path):
    query = QUERY + " where ts > {since}"
    for place in ({"connection": "WAREHOUSE_URL"}, {"path": (sqlite,)}):
        known = project(events={**place, "query": query})
        out = tmp_path / "-".join(place)
        load(known, out)
        assert load(known, out, append=True).tables["events"].read == 0
        row = "INSERT INTO events VALUES ('u3', 'login', '2026-01-03 09:00:00', null)"
        if "connection" in place:
            warehouse.run(row)
        else:
            with sqlite3.connect(sqlite) as connection:
                connection.execute(row)
            connection.close()
        assert load(known, out, append=True).tables["events"].read == 1
        assert sorted(table(open_dataset(data=out))["user_id"]) == ["u1", "u2", "u3"]


def test_append_refuses_to_read_all_events_again_but_users_are_read_anew(sqlite, tmp_path):
    users = {"path": (sqlite,), "table": "users"}
    once = project(events={"path": (sqlite,), "query": QUERY}, users=users)
    load(once, tmp_path / "out")
    with pytest.raises(UsageError, match=r"--append would read all events of the database again\n.*\{since\}"):
        load(once, tmp_path / "out", append=True)
    load(
        project(events={"path": (sqlite,), "query": QUERY + " where ts > {since}"}, users=users),
        tmp_path / "out",
        append=True,
    )
    assert open_dataset(data=tmp_path / "out").tables["users"].rows == 2


def test_a_column_of_sqlite_may_hold_texts_and_numbers(tmp_path):
    path = tmp_path / "mixed.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE e (user_id, event, timestamp)")
        rows = [
            (1001, "login", "2026-01-01 10:00:00"),
            ('ann, "b"\nc', b"caf\xc3\xa9", 1767312000),
            (9007199254740993, b"\xff", None),
        ]
        connection.executemany("INSERT INTO e VALUES (?, ?, ?)", rows)
    connection.close()
    assert landed(tmp_path, path=(str(path),)).rows() == [
        ("1001", "login", "2026-01-01 10:00:00"),
        ('ann, "b"\nc', "café", "1767312000"),
        ("9007199254740993", "ff", None),
    ]


def test_the_project_file_names_a_connection_by_its_variable_alone(tmp_path):
    path = tmp_path / "pqlkit.yml"
    path.write_text(
        "pqlkit: 1\nexports:\n  events: {connection: {env: WAREHOUSE_URL}, query: 'select 1'}\n  users: {path: s3://acme/users/*.csv}\n"
    )
    sources = sources_of(read_project(path))
    assert (sources["events"].connection, sources["events"].query) == ("WAREHOUSE_URL", "select 1")
    assert sources["users"].path == ("s3://acme/users/*.csv",)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{connection: postgresql://ann:hunter2@h/db, query: q}", "a connection is a mapping with keys such as env"),
        (
            "{connection: {env: 'postgresql://ann:hunter2@h/db'}, query: q}",
            "the name of an environment variable belongs here",
        ),
        (
            "{path: 'postgresql://ann:hunter2@h/db', query: q}",
            "a database's address is a secret, and does not belong here",
        ),
        ("{path: 'mysql://h/db'}", "addresses of mysql:// are not read"),
        ("{query: q}", "an export needs a path or a connection"),
        ("{path: a, connection: {env: A}, query: q}", "an export has a path or a connection, not both"),
        ("{path: a, table: t, query: q}", "a database is asked by a query or for a table, not both"),
        ("{connection: {env: A}}", "a connection needs a query or a table"),
    ],
)
def test_a_source_that_says_too_little_or_too_much_is_a_fault_with_its_place(tmp_path, source, message):
    document = parse(f"pqlkit: 1\nexports:\n  events: {source}\n", "pqlkit.yml")
    found, faults = check_project(document)
    assert found is None
    assert [fault.line for fault in faults] == [3]
    assert message in faults[0].message
    assert "hunter2" not in repr(faults)


def test_a_password_is_in_no_repr():
    server = postgres_module.Server(name="$A", url="postgresql://a:hunter2@b", secrets=("hunter2",), pooled=False)
    assert "hunter2" not in repr(server)
