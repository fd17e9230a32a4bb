from __future__ import annotations

import http.server
import threading
import time
from typing import ClassVar

import pytest

from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.loading import load
from pqlkit.exports.sources import web

CSV = b"user_id,event,timestamp\n" + b"".join(b"u%d,login,2026-01-01T00:00:00Z\n" % number for number in range(50))


class Files(http.server.BaseHTTPRequestHandler):
    """A server of one file that breaks off as often as it is told to."""

    breaks: ClassVar[int] = 0
    asked: ClassVar[list[str | None]] = []
    tag: ClassVar[str | None] = '"one"'

    def do_GET(self):
        if not self.path.startswith("/e.csv?sig=hunter2"):
            self.send_error(404 if "none" in self.path else 403)
            return
        span = self.headers.get("Range")
        self.asked.append(span)
        start = int(span.removeprefix("bytes=").rstrip("-")) if span else 0
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(CSV) - start))
        if self.tag:
            self.send_header("ETag", self.tag)
        self.end_headers()
        broken = type(self).breaks > 0
        if broken:
            type(self).breaks -= 1
        self.wfile.write(CSV[start : start + 500] if broken else CSV[start:])

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(Files, "asked", [])
    monkeypatch.setattr(Files, "breaks", 0)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_signed_address_is_read_and_shown_without_its_signature(site, tmp_path):
    dataset = open_dataset(with_sources(events=f"{site}/e.csv?sig=hunter2"))
    assert dataset.tables["events"].rows == 50
    with pytest.raises(DataError) as error:
        open_dataset(with_sources(events=f"{site}/none.csv?sig=hunter2"))
    assert str(error.value) == f"{site}/none.csv: the server answers 404 Not Found\n  is the address right?"
    with pytest.raises(DataError, match="403 Forbidden\n  a signed address may have run out"):
        open_dataset(with_sources(events=f"{site}/e.csv?sig=old"))


def test_a_broken_connection_goes_on_where_it_broke(site, monkeypatch, tmp_path):
    monkeypatch.setattr(Files, "breaks", 2)
    web.fetch(f"{site}/e.csv?sig=hunter2", tmp_path / "e.csv")
    assert (tmp_path / "e.csv").read_bytes() == CSV
    assert Files.asked == [None, "bytes=500-", "bytes=1000-"]


@pytest.mark.parametrize("tag", ['"one"', None])
def test_append_knows_a_file_by_its_tag_else_by_its_content(site, monkeypatch, tmp_path, tag):
    monkeypatch.setattr(Files, "tag", tag)
    project = with_sources(events=f"{site}/e.csv?sig=hunter2")
    load(project, tmp_path / "out")
    before = len(Files.asked)
    intake = load(project, tmp_path / "out", append=True)
    assert intake.tables["events"].skipped == (f"{site}/e.csv",)
    assert len(Files.asked) - before == (1 if tag else 2)


def test_a_server_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(
        DataError, match=r"http://127\.0\.0\.1:1/e\.csv: the server does not answer: connection refused"
    ):
        open_dataset(with_sources(events="http://127.0.0.1:1/e.csv"))
