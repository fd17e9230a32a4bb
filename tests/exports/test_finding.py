from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.finding import find

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HEADER = "user_id,event,timestamp\n"
FRAME = pl.DataFrame({"user_id": ["p1", "p2"], "event": ["a", "b"], "timestamp": ["2026-01-01", "2026-01-02"]})


def line(user: str, day: int = 1) -> str:
    return f"{user},login,2026-01-{day:02}\n"


def parquet(frame: pl.DataFrame = FRAME) -> bytes:
    target = io.BytesIO()
    frame.write_parquet(target)
    return target.getvalue()


def not_read(dataset, table: str = "events") -> dict[str, str]:
    return {Path(one.file).name: one.reason for one in dataset.intake.tables[table].not_read}


def users(table_rows, dataset) -> list[str]:
    return sorted(user for (user,) in table_rows(dataset, "events", "user_id"))


def test_a_folders_exports_are_told_by_content_and_the_rest_is_listed(exports, table_rows):
    exports.write("ev/a.csv", HEADER + line("csv"))
    exports.write("ev/b.parquet.zst", zstd.compress(parquet()))
    exports.write("ev/c.gz", gzip.compress((HEADER + line("gz")).encode()))
    exports.write("ev/part-00000", HEADER + line("spark"))
    exports.write("ev/sub/e.json.zst", zstd.compress(b'{"user_id": "json", "event": "a", "timestamp": "2026-01-01"}\n'))
    exports.write("ev/d.jsonl.br", b"\x8b\x02\x80\x00")
    exports.write("ev/notes.md", "# these are exports\n")
    exports.write("ev/LICENSE", "All rights reserved\n")
    exports.write("ev/_SUCCESS", "")
    exports.write("ev/.DS_Store", b"\0\0\0\1Bud1")
    exports.write("ev/empty.csv", "")
    dataset = open_dataset(events=str(exports.folder / "ev"))
    assert users(table_rows, dataset) == ["csv", "gz", "json", "p1", "p2", "spark"]
    assert not_read(dataset) == {
        "d.jsonl.br": "no export, by its name and by its content",
        "notes.md": "no export, by its name and by its content",
        "LICENSE": "no export, by its name and by its content",
        "_SUCCESS": "hidden",
        ".DS_Store": "hidden",
        "empty.csv": "empty",
    }


@pytest.mark.parametrize("packed", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("text", [HEADER + line("ü"), '{"user_id": "ü", "event": "a", "timestamp": "2026-01-01"}\n'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_compressed_text_is_read_in_any_encoding(exports, table_rows, packed, text, encoding):
    path = exports.write("export.bin", packed(text.encode(encoding)))
    assert users(table_rows, open_dataset(events=path)) == ["ü"]


def test_parquet_in_an_archive_is_read(exports, table_rows):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("export/events.parquet", parquet())
        archive.writestr("__MACOSX/export/._events.parquet", b"\0\5\x16\7")
        archive.writestr(".DS_Store", b"\0")
    dataset = open_dataset(events=exports.write("e.zip", target.getvalue()))
    assert users(table_rows, dataset) == ["p1", "p2"]
    assert not_read(dataset) == {"e.zip!.DS_Store": "hidden", "._events.parquet": "hidden"}


def test_an_archive_of_hidden_files_holds_no_export(exports):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(".DS_Store", b"\0")
    with pytest.raises(DataError, match="holds no export"):
        open_dataset(events=exports.write("e.zip", target.getvalue()))


def test_an_archive_whose_file_has_no_name_is_damaged(exports):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("e.csv", HEADER + line("u1"))
    nameless = target.getvalue().replace(b"e.csv", b"\0.csv")
    with pytest.raises(DataError, match="damaged: a file in it has no name"):
        open_dataset(events=exports.write("e.zip", nameless))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_of_one_name_none_is_lost_in_silence(exports):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("e.csv", HEADER + line("u1"))
        archive.writestr("e.csv", HEADER + line("u2"))
    with pytest.raises(DataError, match="two files in it are called"):
        open_dataset(events=exports.write("e.zip", target.getvalue()))


def test_the_same_bytes_under_two_names_count_once_and_are_named(exports, kind):
    path = exports.written(kind, "ev/a", **FRAME.to_dict(as_series=False))
    Path(path).with_name(f"a (1).{kind}").write_bytes(Path(path).read_bytes())
    dataset = open_dataset(events=str(exports.folder / "ev"))
    assert dataset.tables["events"].rows == 2
    assert not_read(dataset) == {f"a (1).{kind}": f"the same bytes as {path}"}
    report = exports.load(events=str(exports.folder / "ev"))
    assert report.tables["events"].kept == 2
    assert [Path(one.file).name for one in report.tables["events"].not_read] == [f"a (1).{kind}"]


def test_every_file_empty_is_an_error_that_says_so(exports):
    exports.write("ev/a.csv", "")
    exports.write("ev/b.csv", "\n")
    with pytest.raises(DataError, match="all 2 files are empty"):
        open_dataset(events=str(exports.folder / "ev"))


def test_a_folder_without_an_export_names_what_lies_there(exports):
    exports.write("ev/photo.png", b"\x89PNG\r\n\0")
    with pytest.raises(DataError, match="holds no export") as caught:
        open_dataset(events=str(exports.folder / "ev"))
    assert "photo.png" in caught.value.message


def test_a_glob_reads_files_and_names_folders(exports):
    exports.write("ev/a.csv", HEADER + line("u"))
    exports.write("ev/old/b.csv", HEADER + line("v"))
    found = find([str(exports.folder / "ev/*")])
    assert [path.name for path in found.files] == ["a.csv"]
    assert [Path(one.file).name for one in found.not_read] == ["old"]


@pytest.mark.parametrize("place", ["ev", "ev/*", "ev/*/*"])
def test_keys_in_the_path_are_columns(exports, kind, table_rows, place):
    frame = FRAME.with_columns(user_id=pl.Series(["1", "2"]))
    for day, account in (("2026-01-01", "a%201"), ("2026-01-02", "__HIVE_DEFAULT_PARTITION__")):
        exports.folder.joinpath(f"ev/day={day}/account_id={account}").mkdir(parents=True)
        exports.written(kind, f"ev/day={day}/account_id={account}/part", **frame.to_dict(as_series=False))
    dataset = open_dataset(events=str(exports.folder / place))
    assert sorted(table_rows(dataset, "events", "account_id", "day"), key=str) == [
        ("a 1", "2026-01-01"),
        ("a 1", "2026-01-01"),
        (None, "2026-01-02"),
        (None, "2026-01-02"),
    ]
    report = exports.load(events=str(exports.folder / place))
    assert report.tables["events"].kept == 4


def test_a_column_of_the_file_wins_over_the_path(exports, table_rows):
    path = exports.write("user_id=x/e.csv", HEADER + line("u"))
    assert users(table_rows, open_dataset(events=path)) == ["u"]


def delta(exports, *commits: list[dict[str, object]]) -> str:
    for number, actions in enumerate(commits):
        text = "".join(json.dumps(action) + "\n" for action in actions)
        exports.write(f"table/_delta_log/{number:020}.json", text)
    return str(exports.folder / "table")


def added(path: str, **more: object) -> dict[str, object]:
    return {"add": {"path": path, "partitionValues": {}, "size": 1, **more}}


def test_a_delta_table_is_read_by_its_log(exports, table_rows):
    exports.write("table/old.parquet", parquet())
    exports.write("table/new one.parquet", parquet(FRAME.with_columns(user_id=pl.Series(["n1", "n2"]))))
    exports.write("table/day=1/kept.parquet", parquet(FRAME.with_columns(user_id=pl.Series(["k1", "k2"]))))
    kept = added("day=1/kept.parquet", partitionValues={"day": "1"})
    path = delta(
        exports,
        [{"metaData": {"configuration": {}}}, added("old.parquet"), kept],
        [{"remove": {"path": "old.parquet"}}, added("new%20one.parquet")],
    )
    assert users(table_rows, open_dataset(events=path)) == ["k1", "k2", "n1", "n2"]


def test_a_delta_table_is_read_from_its_checkpoint_on(exports, table_rows):
    exports.write("table/a.parquet", parquet())
    exports.write("table/gone.parquet", parquet(FRAME.with_columns(user_id=pl.Series(["g1", "g2"]))))
    path = delta(exports, [added("gone.parquet")], [added("a.parquet"), {"remove": {"path": "gone.parquet"}}])
    rows = pl.DataFrame({"add": [{"path": "a.parquet", "size": 1}], "metaData": [{"id": "x"}]})
    rows.write_parquet(exports.folder / "table/_delta_log" / f"{1:020}.checkpoint.parquet")
    (exports.folder / "table/_delta_log" / f"{0:020}.json").unlink()
    assert users(table_rows, open_dataset(events=path)) == ["p1", "p2"]


@pytest.mark.parametrize(
    ("action", "feature"),
    [
        (added("a.parquet", deletionVector={"storageType": "u"}), "deletion vectors"),
        ({"metaData": {"configuration": {"delta.columnMapping.mode": "name"}}}, "column mapping"),
        (added("a.parquet", partitionValues={"day": "1"}), "partitions that stand in its log alone"),
        ({"sidecar": {"path": "x"}}, "checkpoints in several files"),
    ],
)
def test_delta_features_in_which_files_are_not_their_rows_are_refused(exports, action, feature):
    exports.write("table/a.parquet", parquet())
    with pytest.raises(DataError, match=feature):
        open_dataset(events=delta(exports, [action]))


@pytest.mark.parametrize(("file", "name"), [("metadata/v1.metadata.json", "Iceberg"), (".hoodie/x", "Hudi")])
def test_tables_whose_log_is_not_read_are_refused_by_name(exports, file, name):
    exports.write("table/data/a.parquet", parquet())
    exports.write(f"table/{file}", "{}")
    with pytest.raises(DataError, match=f"{name} table") as caught:
        open_dataset(events=str(exports.folder / "table"))
    assert "export it as Parquet" in (caught.value.hint or "")
