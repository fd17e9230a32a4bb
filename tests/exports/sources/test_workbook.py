from __future__ import annotations

import datetime as dt
import sys

import openpyxl
import polars as pl
import pytest

from pqlkit.errors import DataError, UsageError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.mapping import Column, Source
from pqlkit.exports.project import Project

EVENTS = "user_id,event,timestamp\n1001,login,2026-01-01T00:00:00Z\n0042,login,2026-01-02T00:00:00Z\n"
NINE = dt.datetime.fromisoformat("2026-01-01T09:30")
ROWS = [
    ["user_id", "signed_up_at", "plan", "seats"],
    [1001, NINE, "free", 2.5],
    ["0042", dt.date(2026, 1, 2), None, 3],
    [None, None, None, None],
    [9007199254740992, "2026-01-03", "a, b", True],
]


@pytest.fixture
def book(tmp_path):
    def write(name="users.xlsx", **sheets):
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for title, rows in sheets.items():
            sheet = workbook.create_sheet(title)
            for row in rows:
                sheet.append(row)
        path = tmp_path / name
        workbook.save(path)
        return str(path)

    return write


def users(tmp_path, path, **keys):
    (tmp_path / "events.csv").write_text(EVENTS)
    sources = {"events": Source(path=(str(tmp_path / "events.csv"),)), "users": Source(path=(path,), **keys)}
    dataset = open_dataset(Project(exports=sources))
    return pl.read_parquet(list(dataset.tables["users"].paths), glob=False).sort("user_id"), dataset


def test_cells_read_as_they_show(tmp_path, book):
    found, dataset = users(tmp_path, book(Users=ROWS))
    assert found["user_id"].to_list() == ["0042", "1001", "9007199254740992"]
    assert found["signed_up_at"].dt.strftime("%F %R").to_list() == [
        "2026-01-02 00:00",
        "2026-01-01 09:30",
        "2026-01-03 00:00",
    ]
    assert found["plan"].to_list() == [None, "free", "a, b"]
    assert dataset.intake.tables["users"].read == 3


def test_one_sheet_of_several_is_stated(tmp_path, book):
    path = book(Notes=[["nothing"]], Users=ROWS)
    assert users(tmp_path, path, sheet="Users")[0].height == 3
    with pytest.raises(UsageError, match=r"users.xlsx: 2 sheets \(Notes, Users\)\n  state sheet: NAME"):
        users(tmp_path, path)
    with pytest.raises(UsageError, match=r"there is no sheet 'users'\n  did you mean Users\?"):
        users(tmp_path, path, sheet="users")


def test_faults_are_named_by_the_workbook(tmp_path, book):
    path = book(Users=[["user_id", "signed_up_at"], ["u1", "2026-01-01"], ["u2", "yesterday"]])
    offender = users(tmp_path, path, sheet="Users")[1].intake.tables["users"].offenders[0]
    assert (offender.file, offender.line, offender.value) == (f"{path}!Users", 3, "yesterday")


def test_an_open_document_is_a_workbook_too(tmp_path):
    import zipfile

    rows = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in (["user_id", "signed_up_at"], ["u1", "2026-01-01"])
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="One">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    path = tmp_path / "users.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    assert users(tmp_path, str(path))[0]["user_id"].to_list() == ["u1"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), "the workbook cannot be read"),
        (b"a,b\n1,2\n", "this is not a workbook, and sheet: is for one"),
    ],
)
def test_what_is_no_workbook_is_said(tmp_path, content, message):
    path = tmp_path / "users.xls"
    path.write_bytes(content)
    with pytest.raises((DataError, UsageError), match=message):
        users(tmp_path, str(path), sheet="Users" if content[:1] == b"a" else None)


def test_an_empty_sheet_is_said(tmp_path, book):
    with pytest.raises(DataError, match="the sheet is empty"):
        users(tmp_path, book(Users=[]))


def test_without_the_package_the_line_that_installs_it_is_told(tmp_path, book, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(UsageError, match=r"a workbook needs the package fastexcel.*\n  pip install 'pqlkit\[excel\]'"):
        users(tmp_path, book(Users=ROWS))


def test_columns_of_a_sheet_are_mapped_like_those_of_a_file(tmp_path, book):
    path = book(Users=[["Id", "Since"], ["u1", dt.date(2026, 1, 1)]])
    columns = {"user_id": Column(names=("Id",)), "signed_up_at": Column(names=("Since",))}
    assert users(tmp_path, path, columns=columns)[0]["user_id"].to_list() == ["u1"]
