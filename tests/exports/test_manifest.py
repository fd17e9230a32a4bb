"""The manifest: what it says of the files beside it is checked before anything is concluded from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.loading import load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def written(tmp_path):
    events, users = tmp_path / "e.csv", tmp_path / "u.csv"
    events.write_text("user_id,event,timestamp\na,visit,2025-01-01T00:00:00Z\nb,visit,2025-01-02T00:00:00Z\n")
    users.write_text("user_id,signed_up_at\na,2025-01-01\nb,2025-01-02\n")
    folder = tmp_path / "data"
    load(with_sources(events=str(events), users=str(users)), folder)
    return folder


@pytest.mark.parametrize("table", ["users", "summaries"])
def test_a_small_file_that_reads_but_is_not_what_was_written_is_refused(written: Path, table):
    file = sorted((written / table).glob("*.parquet"))[0]
    pl.read_parquet(file).head(0).write_parquet(file)  # rows are gone, and no reader would notice
    with pytest.raises(DataError, match=rf"the dataset's file {table}/{file.name} is damaged") as refused:
        open_dataset(data=written)
    assert "load again" in str(refused.value.hint)
    assert refused.value.where == str(written)


def test_nothing_is_appended_to_what_is_damaged(written: Path, tmp_path):
    file = next((written / "users").glob("*.parquet"))
    pl.read_parquet(file).head(1).write_parquet(file)
    before = (written / "manifest.json").read_bytes()
    more = with_sources(users=str(tmp_path / "u.csv"))
    with pytest.raises(DataError, match="is damaged"):
        load(more, written, append=True)
    assert (written / "manifest.json").read_bytes() == before


def test_a_dataset_as_it_was_written_is_opened(written: Path):
    assert open_dataset(data=written).tables["users"].rows == 2
