"""Billing and CRM exports become conversions: one case per file under ``billing/``, with invented rows in the vendor's shape."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.mapping import Match, Source
from pqlkit.exports.preset import preset, presets
from pqlkit.exports.project import Project, read_project
from pqlkit.exports.staging import first_rows
from pqlkit.exports.tables import CONVERSIONS

FOLDER = Path(__file__).parent / "billing"
CASES = {
    f"{vendor.parent.name}/{file}": (vendor.parent, file, case)
    for vendor in sorted(FOLDER.glob("*/expected.yml"))
    for file, case in yaml.safe_load(vendor.read_text()).items()
}
USERS = "user_id,signed_up_at,email\nk7,2026-01-01T00:00:00Z,mara@lake.example\n"


def source(folder, file, case):
    lookups = {name: (str(folder / path),) for name, path in case.get("lookups", {}).items()}
    return Source(
        path=(str(folder / file),),
        format=folder.name,
        lookups=lookups,
        timezone=case.get("timezone", "UTC"),
        match=Match(case.get("match", "user_id")),
    )


def conversions(exports, of):
    events = exports.write("events.csv", "user_id,event,timestamp\nk7,login,2026-04-01T00:00:00Z\n")
    users = exports.write("users.csv", USERS)
    project = Project(exports={"events": Source(path=(events,)), "users": Source(path=(users,)), CONVERSIONS: of})
    return open_dataset(project)


def told(value):
    """Times as ISO text, ids as text: as a case writes them."""
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return text.rstrip("0").rstrip(".") + "Z"
    return value


@pytest.mark.parametrize(("folder", "file", "case"), CASES.values(), ids=CASES)
def test_a_vendors_rows_become_conversions_or_are_counted_as_left_out(exports, folder, file, case):
    dataset = conversions(exports, source(folder, file, case))
    intake = dataset.intake.tables[CONVERSIONS]
    assert intake.left_out == case["left_out"]
    assert intake.split == case.get("split", 0)
    assert intake.read + intake.split == intake.kept + intake.quarantined + sum(intake.left_out.values())
    frame = pl.read_parquet(list(dataset.tables[CONVERSIONS].paths), glob=False)
    got = [{name: told(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]
    assert len(got) == len(case["conversions"])
    for wanted in case["conversions"]:
        fitting = [row for row in got if all(row[name] == value for name, value in wanted.items())]
        assert len(fitting) == 1, (wanted, got)


def test_every_vendors_shape_of_conversions_has_a_case():
    shapes = {
        (name, variant.name)
        for name, known in presets().items()
        for variant in known.variants
        if variant.table == CONVERSIONS
    }
    seen = set()
    for folder, file, _ in CASES.values():
        columns = first_rows(folder / file, Source(path=(str(folder / file),))).columns
        variant = preset(folder.name).variant(columns, CONVERSIONS)
        assert variant is not None, file
        seen.add((folder.name, variant.name))
        others = [name for name, known in presets().items() if known.variant(columns, CONVERSIONS) is not None]
        assert others == [folder.name], file
    assert seen == shapes


def test_a_left_out_row_tells_how_far_the_export_goes(exports):
    dataset = conversions(exports, source(FOLDER / "stripe", "subscriptions.csv", {}))
    # The trial that began last is no conversion, but the export knew of it.
    assert told(datetime.fromtimestamp(dataset.tables[CONVERSIONS].last // 1_000_000, tz=UTC)) == "2026-05-20T12:00:00Z"


def test_a_vendors_own_id_is_no_account_because_it_is_called_so(exports):
    folder = FOLDER / "recurly"
    dataset = conversions(
        exports, source(folder, "subscription_history.csv", {"lookups": {"account_history": "account_history.csv"}})
    )
    columns = dataset.tables[CONVERSIONS].columns
    assert "account_id" not in columns
    assert "export.account_id" in columns


def test_rules_of_rows_in_a_project_file(exports, tmp_path):
    exports.write("events.csv", "user_id,event,timestamp\nu1,login,2026-04-01T00:00:00Z\n")
    exports.write(
        "bills.csv",
        "who,when,state,total,cur,began,until,kind_of\n"
        "u1,2026-04-01,Paid ,1250,JPY,2026-04-01,2026-05-01,up\n"
        "u2,2026-04-02,paid,1250,usd,2026-04-02,2026-05-02,other\n"
        "u3,2026-04-03,void,1250,usd,2026-04-03,2026-05-03,up\n"
        "u4,2026-04-04,paid,0,usd,2026-04-04,2026-05-04,up\n"
        "u5,2026-04-05,paid,1250,usd,2026-04-05,2026-04-01,up\n"
        "u6,2026-04-06,test-paid,1250,usd,2026-04-06,2026-05-06,up\n",
    )  # fmt: skip
    path = tmp_path / "pqlkit.yml"
    path.write_text(
        """\
pqlkit: 1
exports:
  events: {path: events.csv}
  conversions:
    path: bills.csv
    rows:
      - {column: state, not_in: [void], else: void}
      - {any: [{column: state, in: [PAID]}, {column: total, above: 9000}], else: not paid}
      - {column: total, above: 0, else: nothing paid}
      - {column: until, after: began, when: {column: cur, like: ["us*"]}, else: ended before it began}
    columns:
      user_id: who
      converted_at: {latest: [when, began]}
      amount: {column: total, unit: minor, currency: cur}
      kind: {column: kind_of, values: {Up: expansion}, others: new}
      ended_at: {column: until, when: {column: cur, in: usd}}
"""
    )
    dataset = open_dataset(read_project(path))
    intake = dataset.intake.tables[CONVERSIONS]
    assert dict(intake.left_out) == {"void": 1, "not paid": 1, "nothing paid": 1, "ended before it began": 1}
    frame = pl.read_parquet(list(dataset.tables[CONVERSIONS].paths), glob=False)
    assert frame.select("user_id", "amount", "kind", pl.col("ended_at").dt.date().cast(pl.String)).rows() == [
        ("u1", 1250.0, "expansion", None),
        ("u2", 12.5, "new", "2026-05-02"),
    ]


def test_a_rule_of_a_column_that_is_not_there_is_refused(exports, tmp_path):
    exports.write("e.csv", "user_id,event,timestamp\nu1,login,2026-04-01T00:00:00Z\n")
    exports.write("c.csv", "user_id,converted_at,status\nu1,2026-04-01,paid\n")
    path = tmp_path / "pqlkit.yml"
    path.write_text(
        "pqlkit: 1\nexports:\n  events: {path: e.csv}\n"
        "  conversions: {path: c.csv, rows: [{column: statis, in: [paid], else: not paid}]}\n"
    )
    with pytest.raises(
        DataError, match=r"no column 'statis': a rule of rows \(not paid\) names it\n  did you mean 'status'"
    ):
        open_dataset(read_project(path))


def test_a_doubled_column_is_refused_only_where_it_is_needed(exports, table_rows):
    events = "user_id,event,timestamp,page,page\nu1,login,2026-04-01,/a,/b\n"
    assert table_rows(exports.read(events), "events", "page (column 4)", "page (column 5)") == [("/a", "/b")]
    # An optional column of the table is needed as much: which of two amounts is meant cannot be told.
    with pytest.raises(
        DataError, match=r"the column 'amount' stands 2 times.*\n.*--map conversions.amount='amount \(column 3\)'"
    ):
        exports.read(conversions="user_id,converted_at,amount,amount\nu1,2026-04-02,1,2\n")
    path = exports.write("twice.csv", "user_id,converted_at,amount,amount\nu1,2026-04-02,1,2\n")
    source = exports.mapped(path, amount="amount (column 4)")
    assert table_rows(conversions(exports, source), CONVERSIONS, "amount") == [(2,)]


def test_what_a_vendors_rules_cannot_ask_is_said_and_so_are_several_currencies(exports):
    path = exports.write(
        "rc.csv",
        "rc_original_app_user_id;start_time;is_trial_period;price_in_usd;currency\nk7;2026-04-16 09:00:00;false;79.99;EUR\n"
        "k8;2026-04-16 09:00:00;false;many;USD\n",
    )
    dataset = conversions(exports, Source(path=(path,), format="revenuecat"))
    assert dataset.intake.tables[CONVERSIONS].left_out == {"amount 0": 1}
    assert "conversions: whether a row is to be left out as 'sandbox' cannot be told: the export lacks the column" in (
        dataset.intake.warnings
    )
    mixed = "user_id,converted_at,amount,currency\nu1,2026-04-02,1,EUR\nu1,2026-04-03,1,usd\nu1,2026-04-04,1,eur\n"
    assert "amounts are in several currencies (EUR, USD): they are not converted" in (
        exports.read(conversions=mixed).intake.warnings
    )


def test_owners_in_a_second_export_are_asked_for(exports):
    with pytest.raises(DataError, match=r"lies in a second export: the one of customer\n .*lookups: \{customer:"):
        conversions(exports, source(FOLDER / "stripe", "invoice.csv", {}))


def test_a_domain_finds_the_account_of_its_users(exports, tmp_path):
    exports.write("e.csv", "user_id,event,timestamp\nu1,login,2026-04-01T00:00:00Z\n")
    exports.write(
        "u.csv",
        "user_id,signed_up_at,email,account_id\nu1,2026-01-01,a@lake.example,w1\nu2,2026-01-01,b@lake.example,w1\n"
        "u3,2026-01-01,c@lake.example,w2\nu4,2026-01-01,d@gmail.com,w3\nu5,2026-01-01,e@fen.example,w4\nu6,2026-01-01,f@fen.example,w5\n",
    )
    exports.write("a.csv", "account_id,domain\nw6,https://www.hill.example\n")
    exports.write(
        "c.csv",
        "converted_at,domain\n2026-04-01,http://Lake.example/\n2026-04-02,gmail.com\n2026-04-03,fen.example\n2026-04-04,hill.example\n",
    )
    path = tmp_path / "pqlkit.yml"
    path.write_text(
        "pqlkit: 1\nexports:\n  events: {path: e.csv}\n  users: {path: u.csv}\n  accounts: {path: a.csv}\n"
        "  conversions: {path: c.csv, match: domain}\n"
    )
    dataset = open_dataset(read_project(path))
    frame = pl.read_parquet(list(dataset.tables[CONVERSIONS].paths), glob=False)
    # w1 has more users at lake than w2; nobody owns a free mailer; w4 and w5 are equal; hill is stated.
    assert frame.sort("converted_at")["account_id"].to_list() == ["w1", None, None, "w6"]
