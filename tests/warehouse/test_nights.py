"""Night after night: with `since` = when the run before knew everything, the query lists as new whom `score` with a ledger tells anew.

A ledger knows more: whoever qualified and lapsed between two nights, and is back within the cooldown, was told to nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from pqlkit.scoring.lead_file import read_leads
from tests.scoring.nights import date, definition, drawn, new_in, pqlkit, product, score

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    product(tmp_path, drawn(7, users=40), conversions=[("u003", 1_768_000_000_000_000)])
    definition(tmp_path)
    return tmp_path


def new_by_query(folder: Path, day: float, before: float) -> set[str]:
    asked = ("--as-of", date(day), "--since", date(before))
    query = pqlkit("sql", "-p", folder / "pqlkit.yml", "-d", folder / "team.yml", *asked)
    assert query.code == 0, query.err
    with duckdb.connect() as warehouse:
        warehouse.execute("SET TimeZone = 'America/New_York'")
        for name in ("events", "users", "conversions"):
            warehouse.execute(f"CREATE TABLE {name} AS SELECT * FROM '{folder / name}.parquet'")
        leads = warehouse.sql(query.out)
        return {user for (user,) in leads.filter("newly_qualified").project("user_id").fetchall()}


def test_each_night_lists_as_new_whom_score_tells(folder):
    nights = (8, 12, 16, 20, 24, 28, 36)
    told, lapsed = 0, set[str]()
    for before, day in zip((None, *nights), nights, strict=False):
        assert score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=day).code == 0
        if before is not None:
            wanted, asked = new_in(folder / "leads.csv"), new_by_query(folder, day, before)
            assert asked <= wanted
            assert wanted - asked <= lapsed
            told += len(asked)
        leads = read_leads(folder / "leads.csv")
        lapsed = set(leads.filter(pl.col("status") == "lapsed").get_column("user_id"))
    assert told > 10
