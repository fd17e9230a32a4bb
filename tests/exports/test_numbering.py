"""Numbers: who gets which, and that they stay."""

from __future__ import annotations

import polars as pl

from pqlkit.exports.column_types import ColumnType
from pqlkit.exports.numbering import HOME, Numbering, numbered, with_ids

TEXT = {"user_id": ColumnType.TEXT, "account_id": ColumnType.TEXT}


def pairs(*rows: tuple[str | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"user_id": pl.String, "account_id": pl.String}, orient="row")


def test_users_lie_by_account_and_accounts_and_loners_share_the_homes():
    seen = Numbering.none(TEXT).with_new([pairs(("u2", "b"), ("u9", None), ("u3", "a"), ("u1", "b"), (None, "c"))])
    assert seen.accounts.rows() == [(0, "a"), (1, "b"), (2, "c")]
    assert seen.users.rows() == [(0, "u3", 0), (1, "u1", 1), (2, "u2", 1), (3, "u9", 3)]
    assert seen.homes == 4


def test_what_is_listed_tells_the_home_and_events_where_it_is_silent():
    listed, seen = pairs(("u1", "b"), ("u2", None)), pairs(("u1", "a"), ("u2", "z"), ("u2", "c"), ("u2", None))
    users = Numbering.none(TEXT).with_new([listed, seen]).users
    assert users.select("user_id", HOME).rows() == [("u1", 1), ("u2", 2)]


def test_later_ones_come_behind_and_nobody_changes():
    first = Numbering.none(TEXT).with_new([pairs(("u5", "a"), ("u6", None))])
    later = first.with_new([pairs(("u5", "b"), ("u1", "a"), ("u0", None), ("u7", "c"))])
    assert later.users.rows()[: first.users.height] == first.users.rows()
    assert later.accounts.rows() == [(0, "a"), (2, "b"), (3, "c")]
    assert later.users.rows()[2:] == [(2, "u1", 0), (3, "u7", 3), (4, "u0", 4)]


def test_rows_are_numbered_and_get_their_ids_back(tmp_path):
    known = Numbering.none(TEXT).with_new([pairs(("u1", "a"), ("u2", None))])
    rows = pairs(("u1", None), ("u1", "b"), ("u2", "a"), (None, "a"), (None, None), ("x", None))
    rows = rows.with_columns(own=pl.int_range(pl.len()), number=pl.lit("7"))  # properties may be called anything
    known = known.with_new([pairs((None, "b"))])
    there = numbered(rows.lazy(), known).collect().sort("own")
    assert there[HOME].to_list() == [0, 0, 1, 0, None, None]
    known.users.write_parquet(tmp_path / "u.parquet")
    known.accounts.write_parquet(tmp_path / "a.parquet")
    files = {"user_id": [str(tmp_path / "u.parquet")], "account_id": [str(tmp_path / "a.parquet")]}
    back = with_ids(there.lazy().drop(HOME), files).collect().sort("own")
    assert back.equals(rows.with_columns(pl.col("user_id").replace("x", None)))


def test_ids_that_turn_into_text_keep_their_numbers():
    numbers = {"user_id": ColumnType.INTEGER}
    known = Numbering.none(numbers).with_new([pl.DataFrame({"user_id": [10, 9]})])
    assert known.typed(TEXT).users["user_id"].to_list() == ["9", "10"]
