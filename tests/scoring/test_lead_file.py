"""Lead files: what a CRM or a spreadsheet reads is what was scored, and nothing in it runs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.errors import DataError, UsageError
from pqlkit.inert import cell
from pqlkit.options.leads import Preset
from pqlkit.scoring.lead_file import LeadFormat, Shape, as_bytes, format_of, read_leads

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@x",
    "'=1",
    "'plain",
    "\t=1",
    'q"u,o"te',
    "l\r\nine",
    "\u202erl",
    "é😀",
    "",
    None,
]
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def frame(texts=HOSTILE):
    size = len(texts)
    return pl.DataFrame(
        {
            "user_id": texts,
            "status": ["pql"] * size,
            "score": list(range(size)),
            "qualified_at": [AT, AT.replace(microsecond=0), *[None] * (size - 2)] if size > 1 else [AT] * size,
            "newly_qualified": [True, None, *[False] * (size - 2)] if size > 1 else [True] * size,
            "amount": [-1.5] * size,
        },
        schema={
            "user_id": pl.String,
            "status": pl.String,
            "score": pl.Int64,
            "qualified_at": pl.Datetime("us", "UTC"),
            "newly_qualified": pl.Boolean,
            "amount": pl.Float64,
        },
    )


def test_csv_is_rfc_4180_utf8_without_a_mark_and_formula_cells_are_text():
    payload = as_bytes(frame(), LeadFormat.CSV)
    assert not payload.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(payload.decode(), newline=""), strict=True))
    assert [row[0] for row in rows[1:]] == ["" if text is None else cell(text) for text in HOSTILE]
    assert all(len(row) == 6 for row in rows)
    outside = payload.replace(b'"l\r\nine"', b"")
    assert outside.count(b"\r\n") == outside.count(b"\n") == len(HOSTILE) + 1
    assert rows[1][3:] == ["2026-01-02T03:04:05.678901Z", "true", "-1.5"]
    assert rows[2][3] == "2026-01-02T03:04:05Z"


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(
        st.text(max_size=12).filter(lambda t: ("\0" not in t and t.isprintable()) or t[:1] in "=+-@'\t"),
        min_size=2,
        max_size=5,
    )
)
def test_reading_back_gives_what_was_written(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("leads")
    for form in LeadFormat:
        path = folder / f"leads.{form.value}"
        path.write_bytes(as_bytes(frame(texts), form))
        assert read_leads(path).get_column("user_id").to_list() == texts


def test_a_mark_that_excel_added_is_skipped(tmp_path):
    path = tmp_path / "leads.csv"
    path.write_bytes(b"\xef\xbb\xbf" + as_bytes(frame(), LeadFormat.CSV))
    assert read_leads(path).columns[0] == "user_id"


def test_a_header_that_a_spreadsheet_would_run_is_text():
    head = as_bytes(frame().rename({"amount": "=HYPERLINK(1)"}), LeadFormat.CSV).splitlines()[0]
    assert b",'=HYPERLINK(1)" in head


def test_json_is_one_document_and_jsonl_one_object_a_line():
    table = frame(["</script>\u2028", "b"])
    document = json.loads(as_bytes(table, LeadFormat.JSON, as_of="2026-01-03T00:00:00Z"))
    assert (document["schema"], document["as_of"]) == ("pqlkit/leads/2", "2026-01-03T00:00:00Z")
    assert [row["user_id"] for row in document["leads"]] == ["</script>\u2028", "b"]
    assert b"</script>" not in as_bytes(table, LeadFormat.JSON)
    lines = as_bytes(table, LeadFormat.JSONL).decode().split("\n")
    assert [json.loads(line) for line in lines[:-1]] == document["leads"]
    assert json.loads(as_bytes(table.clear(), LeadFormat.JSON))["leads"] == []


def test_parquet_keeps_types():
    table = pl.read_parquet(io.BytesIO(as_bytes(frame(), LeadFormat.PARQUET)))
    assert table.schema == frame().schema
    assert table.equals(frame())


@pytest.mark.parametrize("form", list(LeadFormat))
def test_the_same_leads_are_the_same_bytes(form):
    assert as_bytes(frame(), form) == as_bytes(frame(), form)


def test_columns_are_chosen_renamed_and_ordered():
    shape = Shape(columns=("score", "user_id"), rename={"score": "pql_score"})
    assert as_bytes(frame(), LeadFormat.CSV, shape).splitlines()[0] == b"pql_score,user_id"
    with pytest.raises(UsageError, match="'scor' is no column of the leads"):
        Shape(columns=("scor",)).names(frame().columns)
    with pytest.raises(UsageError, match="two columns would be called 'score'"):
        Shape(rename={"status": "score"}).names(frame().columns)


def test_presets_name_columns_as_the_crm_does():
    names = Shape(preset=Preset.SALESFORCE, rename={"user_id": "User_Id__c"}).names(["user_id", "qualified_at"])
    assert names == {"user_id": "User_Id__c", "qualified_at": "PQL_Qualified_At__c"}
    assert Shape(preset=Preset.HUBSPOT).names(["qualified_at", "Owner name"]) == {
        "qualified_at": "pql_qualified_at",
        "Owner name": "pql_owner_name",
    }
    payload = as_bytes(frame(["a", "b"]), LeadFormat.CSV, Shape(preset=Preset.SALESFORCE))
    assert b"\r" not in payload


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_is_undone_on_reading_back(tmp_path, preset):
    path = tmp_path / "leads.csv"
    shape = Shape(preset=preset)
    path.write_bytes(as_bytes(frame(["a", "b"]), LeadFormat.CSV, shape))
    assert read_leads(path, shape).columns[:4] == [
        "user_id",
        "status",
        f"{'pql_score' if preset == 'hubspot' else 'PQL_Score__c'}",
        "qualified_at",
    ]


def test_what_is_no_lead_file_is_a_clear_error(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_leads(tmp_path / "missing.csv")
    for name in ("leads.parquet", "leads.json", "leads.csv"):
        (tmp_path / name).write_bytes(b"" if name.endswith("csv") else b"PAR1 half")
        with pytest.raises(DataError, match="cannot be read as a list of leads"):
            read_leads(tmp_path / name)
    with pytest.raises(UsageError, match=r"cannot tell the format of leads\.xlsx"):
        format_of(tmp_path / "leads.xlsx")


def test_salesforce_reads_milliseconds_and_clears_what_is_empty(tmp_path):
    moment = pl.Series("qualified_at", [1_767_225_600_000_999, None], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    table = pl.DataFrame({"user_id": ["a", "b"], "score": [-1, None]}).with_columns(moment)
    shape = Shape(preset=Preset.SALESFORCE)
    payload = as_bytes(table, LeadFormat.CSV, shape).decode().splitlines()
    assert payload[1:] == ["a,-1,2026-01-01T00:00:00.000Z", "b,#N/A,#N/A"]
    path = tmp_path / "leads.csv"
    path.write_bytes(as_bytes(table, LeadFormat.CSV, shape))
    assert read_leads(path, shape).get_column("qualified_at").to_list() == ["2026-01-01T00:00:00.000Z", None]
