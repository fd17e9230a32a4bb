"""The sample product's files: complete, the same bytes again, and read back by the project file beside them."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from pqlkit.demo.exporting import write_exports
from pqlkit.demo.product import make_product
from pqlkit.errors import OutputError, UsageError

EVENTS = Path("exports") / "events"


@pytest.fixture(scope="module")
def product():
    return make_product(60, 6)


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_the_same_product_writes_the_same_bytes(product, tmp_path, form):
    written = write_exports(product, tmp_path / "a", form=form)
    write_exports(make_product(60, 6), tmp_path / "b", form=form)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert [path.relative_to(tmp_path / "a") for path in written] == [
        Path(name) for name in sorted(digest(tmp_path / "a"))
    ]


def test_json_lines_hold_what_happened(product, tmp_path):
    write_exports(product, tmp_path)
    nights = sorted((tmp_path / EVENTS).iterdir())
    assert len(nights) > 300
    rows = [json.loads(line) for night in nights for line in gzip.decompress(night.read_bytes()).splitlines()]
    assert len(rows) == product.events.height
    assert all(set(row) == {"messageId", "userId", "orgId", "event", "timestamp", "properties"} for row in rows)
    read = pl.DataFrame({"event_id": [row["messageId"] for row in rows], "event": [row["event"] for row in rows]})
    assert_frame_equal(read, product.events.select("event_id", "event"))
    exported = next(row for row in rows if row["event"] == "file_exported")
    assert list(exported["properties"]) == ["format"]
    warned = next(row for row in rows if row["event"] == "limit_warning")
    assert warned["properties"]["allowed"] == 5
    assert warned["properties"]["used"] in {4, 5}
    assert next(row for row in rows if row["event"] == "task_created")["properties"] == {}


def test_a_night_holds_what_arrived_that_day(product, tmp_path):
    write_exports(product, tmp_path, form="parquet")
    for night in sorted((tmp_path / EVENTS).iterdir())[:40]:
        ids = pl.read_parquet(night)["event_id"]
        there = product.events.filter(pl.col("received").dt.date().cast(pl.String) == night.stem)
        assert ids.to_list() == there["event_id"].to_list()


def test_parquet_and_csv_hold_the_same_events(product, tmp_path):
    write_exports(product, tmp_path / "p", form="parquet")
    write_exports(product, tmp_path / "c", form="csv")
    wide = pl.read_parquet(tmp_path / "p" / EVENTS / "*.parquet")
    flat = pl.concat(
        [
            pl.read_csv(path, schema_overrides=dict.fromkeys(wide.columns, pl.String))
            for path in sorted((tmp_path / "c" / EVENTS).iterdir())
        ]
    )
    times = flat.with_columns(
        pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
    )
    assert_frame_equal(
        times.with_columns(pl.col("megabytes").cast(pl.Float64), pl.col("used", "allowed").cast(pl.Int64)), wide
    )


def test_another_product_takes_the_place_of_the_old(product, tmp_path):
    write_exports(product, tmp_path, form="csv")
    smaller = make_product(12, 1)
    written = write_exports(smaller, tmp_path)
    assert set(tmp_path.rglob("*.*")) >= set(written)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(written)


def test_the_project_file_names_files_and_columns_that_exist(product, tmp_path):
    write_exports(product, tmp_path)
    project = yaml.safe_load((tmp_path / "pqlkit.yml").read_text())
    assert project["entity"] == "account"
    for export in project["exports"].values():
        found = sorted(tmp_path.glob(export["path"]))
        assert found
        for wanted in export.get("columns", {}).values():
            if found[0].suffix == ".csv":
                assert wanted in found[0].read_text().splitlines()[0].split(",")
    names = set(product.events["event"])
    assert set(project["events"]) <= names
    columns = set(product.users.columns) | set(product.accounts.columns)
    assert {*project["traits"]["fixed"], *project["traits"]["current"]} <= columns
    assert project["population"] == [{"trait": "email", "not_matching": r"@ourcompany\.com$"}]


def test_a_wrong_form_and_an_unwritable_folder_are_said(product, tmp_path):
    with pytest.raises(UsageError, match="xlsx"):
        write_exports(product, tmp_path, form="xlsx")
    (tmp_path / "exports").write_text("in the way")
    with pytest.raises(OutputError):
        write_exports(product, tmp_path)
