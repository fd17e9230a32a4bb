"""Files that are no export are named as what they are, with what to do, and none of their bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sqlite3
import tarfile
import zipfile

import pytest

from pqlkit.cli.app import run
from pqlkit.errors import DataError
from pqlkit.exports.foreign import check_foreign, foreign

ROWS = b"user_id,event,timestamp\nu1,login,2026-01-01\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>\n Sign in\x1b[31m </title></head><body>token=s3cret</body></html>"
XML = b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code><Message>s3cret</Message></Error>'


def tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        entry = tarfile.TarInfo("events.csv")
        entry.size = len(ROWS)
        archive.addfile(entry, io.BytesIO(ROWS))
    return target.getvalue()


def noise() -> bytes:
    return random.Random(3).randbytes(5000)


FILES = {
    "a login page": (HTML, "an HTML page (Sign in", "logged in"),
    "a page without a title": (b"\xef\xbb\xbf \n<html><body>x</body></html>", "an HTML page", "logged in"),
    "a store's refusal": (XML, "an error that a server answered (AccessDenied)", "link"),
    "an XML document": (b"<rows><row id='1'/></rows>", "an XML document", "export CSV"),
    "a workbook in XML": (
        b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?><Workbook/>', "an Excel workbook in XML", "save it",
    ),
    "a refusal in JSON": (
        b'{"error": {"code": 429}, "message": "too many requests"}\n', "an error that a server answered (too many requests)", "again",
    ),
    "a page of results": (b'{"results": [{"user_id": 1}], "next": null}', "one object around a list ('results')", "jq -c '.results[]'"),
    "a git-lfs pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 1\n", "a git-lfs pointer", "git lfs pull",
    ),
    "a git-annex pointer": (b"/annex/objects/SHA256E-s1--aa.csv\n", "a git-annex pointer", "git annex get"),
    "a tar archive": (tar(), "a tar archive", "tar -xf"),
    "a tar archive, gzipped": (gzip.compress(tar()), "a tar archive", "tar -xf"),
    "bzip2": (bz2.compress(ROWS), "a bzip2 file", "bunzip2"),
    "xz": (lzma.compress(ROWS), "an xz file", "unxz"),
    "an image": (b"\x89PNG\r\n\x1a\n" + noise(), "an image (PNG)", "export CSV"),
    "a photograph": (b"\xff\xd8\xff\xe0" + noise(), "an image (JPEG)", "export CSV"),
    "a PDF document": (b"%PDF-1.7\n" + noise(), "a PDF document", "export CSV"),
    "Avro": (b"Obj\x01" + noise(), "an Avro file", "export CSV"),
    "Arrow": (b"ARROW1\0\0" + noise(), "an Arrow (Feather) file", "Parquet"),
    "an SQL dump": (b"-- PostgreSQL database dump\nCREATE TABLE users (id int);\n", "an SQL dump", "\\copy"),
    "noise": (noise(), "binary data", "export CSV"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "what", "hint"), FILES.values(), ids=FILES)
@pytest.mark.parametrize("command", ["load", "init"])
def test_a_file_that_is_no_export(command, content, what, hint, exports, capsys, monkeypatch):
    monkeypatch.chdir(exports.folder)
    exports.write("events.csv", content)
    line = ["load", "--events", "events.csv", "--out", "data"] if command == "load" else ["init", "events.csv"]
    assert run(line) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"events.csv: this is {what}" in said.err
    assert ", not an export\n" in said.err
    assert hint in said.err
    assert "s3cret" not in said.err
    assert said.err.isprintable() or all(letter.isprintable() or letter == "\n" for letter in said.err)
    assert len(said.err) < 300


def test_members_of_an_archive_are_named_too(exports, capsys):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("events.html", HTML)
    path = exports.write("events.zip", target.getvalue())
    with pytest.raises(DataError, match=r"events.zip!events.html.*an HTML page"):
        exports.load(events=path)


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        ROWS.decode().encode("utf-16"),
        ROWS.decode().encode("utf-16-le"),
        "user_id,event\nü,<b>\n".encode("latin-1"),
        b"user_id\x01event\nu\x01e\n",
        b'{"error": "disk full", "user_id": "u"}',
        b'{"error": "x"}\n{"error": "y"}\n',
        b"PAR1" + b"\x02" * 100,
        b"<b>,event\n1,2\n",
        b"insert,into\n1,2\n",
        b"",
    ],
)  # fmt: skip
def test_what_may_be_an_export_is_let_pass(content):
    assert foreign(content) is None


def test_a_database_is_named_where_it_is_not_read(exports):
    path = exports.folder / "app.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("create table events (user_id text)")
    connection.close()
    with pytest.raises(DataError, match=r"an SQLite database, not an export\n.*table: NAME"):
        check_foreign(path.read_bytes(), "app.sqlite")
    with pytest.raises(DataError, match="a DuckDB database"):
        check_foreign(b"\0" * 8 + b"DUCK" + b"\0" * 100, "app.duckdb")
