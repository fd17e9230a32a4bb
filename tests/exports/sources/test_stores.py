from __future__ import annotations

import gzip
import io
import time

import polars as pl
import pytest

from pqlkit.errors import DataError, UsageError
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.loading import load
from pqlkit.exports.mapping import Lookup, Source
from pqlkit.exports.project import Project
from pqlkit.exports.sources import stores
from pqlkit.exports.sources.stores import Store

CSV = "user_id,event,timestamp\nu1,login,2026-01-01T00:00:00Z\nu2,login,2026-01-02T00:00:00Z\n"
MORE = "user_id,event,timestamp\nu3,login,2026-01-03T00:00:00Z\n"
LINE = '{"user_id": "u4", "event": "login", "timestamp": "2026-01-04T00:00:00Z"}\n'


def read(events, **others):
    return open_dataset(with_sources(events=events, **others))


@pytest.fixture
def fetched(monkeypatch):
    """The keys of objects that were fetched, in this order."""
    keys: list[str] = []
    fetch = Store.fetch

    def noted(self, one, target):
        keys.append(one.key)
        fetch(self, one, target)

    monkeypatch.setattr(Store, "fetch", noted)
    return keys


def users(dataset):
    return sorted(dataset.tables["events"].scan().collect()["user_id"])


@pytest.fixture
def filled(bucket):
    parquet = io.BytesIO()
    pl.read_csv(io.StringIO(MORE), try_parse_dates=True).write_parquet(parquet)
    bucket.put("events/2026-01/a.csv", CSV)
    bucket.put("events/2026-01/b.csv.gz", gzip.compress(MORE.replace("u3", "u5").encode()))
    bucket.put("events/2026-02/c d+%25.parquet", parquet.getvalue())
    bucket.put("events/2026-02/e.jsonl", LINE)
    bucket.put("events/2026-02/_SUCCESS", "")
    bucket.put("events/notes.md", "nothing")
    bucket.put("eventsmore/x.csv", MORE)
    return bucket


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("events/2026-01/a.csv", ["u1", "u2"]),
        ("events/2026-02/[!_]*", ["u3", "u4"]),
        ("events/*/*.csv*", ["u1", "u2", "u5"]),
        ("events/**/*.jsonl", ["u4"]),
        ("events", ["u1", "u2", "u3", "u4", "u5"]),
        ("events/", ["u1", "u2", "u3", "u4", "u5"]),
        ("events/2026-0[1]/?.csv", ["u1", "u2"]),
    ],
)
def test_an_object_a_folder_or_a_glob_of_any_kind_is_read(filled, pattern, found):
    assert users(read(f"{filled.address}/{pattern}")) == found


def test_rows_and_faults_are_named_by_their_address(bucket, tmp_path):
    address = bucket.put("e/a.csv", CSV + "u9,login,yesterday\n")
    intake = load(with_sources(events=address), tmp_path / "out")
    offender = intake.tables["events"].offenders[0]
    assert (offender.file, offender.line, offender.value) == (address, 4, "yesterday")
    assert address in (tmp_path / "out" / "quarantine.jsonl").read_text()
    bad = bucket.put("bad.parquet", b"PAR1 and nothing more")
    with pytest.raises(DataError, match="damaged") as error:
        read(bad)
    assert error.value.where == bad
    assert "landed" not in str(error.value)


def test_append_fetches_what_is_new_and_nothing_else(bucket, tmp_path, fetched):
    bucket.put("e/1.csv", CSV)
    project = with_sources(events=f"{bucket.address}/e/*.csv")
    load(project, tmp_path / "out")
    bucket.put("e/2.csv", MORE)
    intake = load(project, tmp_path / "out", append=True)
    assert fetched == ["e/1.csv", "e/2.csv"]
    assert intake.tables["events"].skipped == (f"{bucket.address}/e/1.csv",)
    assert users(open_dataset(data=tmp_path / "out")) == ["u1", "u2", "u3"]
    load(project, tmp_path / "out", append=True)
    assert fetched == ["e/1.csv", "e/2.csv"]
    bucket.put("e/2.csv", MORE.replace("u3", "u7"))
    load(project, tmp_path / "out", append=True)
    assert fetched == ["e/1.csv", "e/2.csv", "e/2.csv"]


def test_users_taken_from_the_events_export_are_not_fetched_twice(bucket, fetched):
    address = bucket.put("e.csv", "user_id,event,timestamp,signed_up_at\nu1,login,2026-01-02,2026-01-01\n" * 2)
    dataset = read(address, users=address)
    assert fetched == ["e.csv"]
    assert dataset.tables["users"].rows == 1


def test_an_object_comes_in_slices_and_goes_on_where_it_broke(bucket, tmp_path, monkeypatch):
    bucket.put("big.csv", "x" * 1000)
    monkeypatch.setattr(stores, "SLICE", 300)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    store = Store(bucket.address)
    slices: list[int] = []
    broken: list[int] = []
    get = Store._slice

    def flaky(self, found, start):
        slices.append(start)
        if start == 300 and len(broken) < 3:
            broken.append(start)
            raise ConnectionResetError
        return get(self, found, start)

    monkeypatch.setattr(Store, "_slice", flaky)
    store.fetch(store.found(f"{bucket.address}/big.csv")[0], tmp_path / "big")
    assert (tmp_path / "big").read_text() == "x" * 1000
    assert slices == [0, 300, 300, 300, 300, 600, 900]


def test_an_object_that_changes_while_it_is_read_is_no_mix_of_both(bucket, tmp_path):
    bucket.put("a.csv", CSV)
    store = Store(bucket.address)
    known = store.found(f"{bucket.address}/a.csv")[0]
    bucket.put("a.csv", MORE)
    with pytest.raises(DataError, match="the object changed while it was read"):
        store.fetch(known, tmp_path / "a")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://nosuchbucket/x.csv", "s3://nosuchbucket/x.csv: no such bucket"),
        ("{bucket}/nothing.csv", "{bucket}/nothing.csv: there is no such object"),
        ("{bucket}/none/*.csv", "{bucket}/none/*.csv: there is no such object"),
        ("az://container/x.csv", "az://container/x.csv: no credentials\n  set AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_what_a_store_refuses_is_said_in_words(bucket, address, message, monkeypatch):
    with pytest.raises(DataError) as error:
        read(address.format(bucket=bucket.address))
    assert str(error.value).startswith(message.format(bucket=bucket.address))
    assert "secret-of-s3" not in str(error.value)


def test_without_credentials_the_variables_are_named_and_nobody_waits(bucket, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path))
    begun = time.monotonic()
    with pytest.raises(DataError, match="no credentials\n  set AWS_ACCESS_KEY_ID"):
        read(f"{bucket.address}/x.csv")
    assert time.monotonic() - begun < 6


def test_keys_of_the_aws_command_lines_profile_are_used(bucket, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    keys = tmp_path / "credentials"
    keys.write_text("[default]\n[work]\naws_access_key_id = k\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert users(read(bucket.put("a.csv", CSV))) == ["u1", "u2"]
    monkeypatch.setenv("AWS_PROFILE", "sso")
    with pytest.raises(DataError, match=r"the profile 'sso' of AWS_PROFILE has no keys\n  `aws configure export"):
        read(f"{bucket.address}/a.csv")


@pytest.mark.parametrize(
    "address",
    [
        "https://ann:hunter2@acme.test/x.csv",
        "s3://KEY:hunter2@bucket/x.csv",
        "postgresql://ann:hunter2@host/db",
        "mysql://ann:hunter2@h/d",
        "file:///hunter2",
    ],
)
def test_an_address_with_a_password_is_refused_without_showing_it(address):
    with pytest.raises(UsageError) as error:
        read(address)
    assert "hunter2" not in str(error.value)


def test_a_store_without_its_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    with pytest.raises(UsageError, match=r"s3:// needs the package obstore.*\n  pip install 'pqlkit\[cloud\]'"):
        read("s3://acme/x.csv")


def test_a_lookups_table_may_lie_in_a_store_too(bucket):
    bucket.put("companies.csv", "id,owner\nc1,u1\n")
    conversions = Source(
        path=(bucket.put("deals.csv", "company,converted_at\nc1,2026-01-05\n"),),
        lookup=Lookup(table="companies", key="id", by=("company",), columns={"user_id": ("owner",)}),
        lookups={"companies": (f"{bucket.address}/companies.csv",)},
    )
    events = Source(path=(bucket.put("e.csv", CSV),))
    dataset = open_dataset(Project(exports={"events": events, "conversions": conversions}))
    assert pl.read_parquet(list(dataset.tables["conversions"].paths), glob=False)["user_id"].to_list() == ["u1"]
