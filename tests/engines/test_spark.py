"""The Spark engine: its session, its errors, and what its frames know without asking."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import narwhals as nw
import polars as pl
import pytest

from pqlkit.engines import engine
from pqlkit.engines.base import TABLE
from pqlkit.engines.spark import REMOTE
from pqlkit.engines.spark_errors import refused, unreadable, without_secrets
from pqlkit.errors import DataError, EngineError
from tests.engines.servers import spark_remote, started

FRAME = pl.DataFrame({"id": [1, 1, 2], "at": [5, 6, 7]})


@pytest.fixture
def run():
    return started("spark")


def calls_of(monkeypatch, owner, name):
    """Give a list that grows with each call of a method."""
    calls = []
    own = getattr(owner, name)

    def counted(*arguments, **named):
        calls.append((arguments, named))
        return own(*arguments, **named)

    monkeypatch.setattr(owner, name, counted)
    return calls


def test_no_address_says_how_to_give_one(monkeypatch):
    monkeypatch.delenv(REMOTE, raising=False)
    with pytest.raises(
        EngineError, match="needs the address of a Spark Connect server\n  write --spark-remote sc://host"
    ):
        engine("spark")


def test_the_environment_names_the_server(monkeypatch):
    monkeypatch.setenv(REMOTE, spark_remote())
    assert engine("spark").name == "spark"


def test_a_server_that_is_not_there_is_named_and_its_secret_is_not(monkeypatch):
    monkeypatch.setattr("pqlkit.engines.spark._WAIT", 0.2)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv(REMOTE, f"sc://localhost:{port}/;x-key=hidden")
    with pytest.raises(EngineError) as caught:
        engine("spark")
    assert f"{REMOTE}: no Spark Connect server answers at localhost:{port}" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["sc://host:15002/;token=abc", "sc://host/;use_ssl=true;x-api-key=abc", "sc://me:abc@host"]
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(address):
    with pytest.raises(EngineError, match="--spark-remote: the address of the Spark server has a secret") as caught:
        engine("spark", address)
    assert "abc" not in str(caught.value)


def test_what_is_no_address_is_said_so():
    with pytest.raises(
        EngineError, match="--spark-remote: that is no address of a Spark Connect server\n  write it like sc://host"
    ):
        engine("spark", "http://host:15002")


def test_a_table_can_be_read_by_its_name(run):
    run.session.createDataFrame(FRAME.to_arrow()).createOrReplaceTempView("by_its_name")
    found = run.collect(run.scan([f"{TABLE}by_its_name"], {"id": "n"}))
    assert sorted(found["n"].to_list()) == [1, 1, 2]
    with pytest.raises(DataError, match=r"^by_nobodys_name: there is no such table\n  name it as the cluster does"):
        run.scan([f"{TABLE}by_nobodys_name"], ["id"])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("[INSUFFICIENT_PERMISSIONS] User lacks SELECT on events", "events: Spark may not read it"),
        ("[TABLE_OR_VIEW_NOT_FOUND] no", "events: there is no such table"),
        ("something else; token=abc", r"events: Spark cannot read the table: something else; token=\*\*\*"),
    ],
)
def test_what_a_catalogue_refuses_is_told(told, said):
    with pytest.raises(DataError, match=said):
        raise unreadable(RuntimeError(told), [f"{TABLE}events"])


def test_what_a_server_refuses_is_told():
    assert "ask whoever runs the server" in str(refused(RuntimeError("PERMISSION_DENIED: Bearer abc")))
    assert "abc" not in str(refused(RuntimeError("PERMISSION_DENIED: Bearer abc")))
    assert "start it again" in str(refused(RuntimeError("UNAVAILABLE: failed to connect")))
    assert without_secrets("AWS_SECRET_ACCESS_KEY=abc x") == "AWS_SECRET_ACCESS_KEY=*** x"


def test_a_table_is_sent_once(run, monkeypatch):
    sent = calls_of(monkeypatch, type(run), "_sent")
    fresh = FRAME.with_columns(pl.lit(os.getpid()).alias("own"))
    for _ in range(3):
        assert run.collect(run.lift(fresh.clone())).height == 3
    assert len(sent) == 1


def test_the_server_is_not_asked_for_the_names_of_columns(run, monkeypatch):
    frame = run.lift(FRAME)
    other = run.lift(FRAME.rename({"at": "then"}))
    asked = calls_of(monkeypatch, run.session.client, "_analyze")
    counted = frame.group_by("id").agg(nw.col("at").max().alias("last"), nw.len().alias("rows"))
    plan = counted.join(other, on="id", how="inner").with_columns((nw.col("rows") + 1).alias("more"), nw.col("last"))
    plan = nw.concat([plan, plan.filter(nw.col("rows") > 1)], how="vertical").unique(["id", "then"]).sort("id")
    names = plan.columns
    assert asked == []
    assert names == run.collect(plan).columns == ["id", "last", "rows", "then", "more"]


def test_a_session_counts_in_utc_whatever_its_server_does(run):
    assert run.session.conf.get("spark.sql.session.timeZone") == "UTC"


def test_the_client_can_be_imported_without_a_main_module():
    code = "import pqlkit.engines.spark, os; print(os.environ.get('SPARK_HOME'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")
