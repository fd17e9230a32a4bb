"""Alerts against a real server that fails, hangs, redirects and recovers."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pqlkit.errors import UsageError
from pqlkit.scoring import delivery
from pqlkit.scoring.alert import text
from pqlkit.scoring.delivery import AUTHORIZATION, LONGEST_WAIT, deliver, hook
from pqlkit.scoring.ledger import Alert, Entry, Run, open_ledger, read_starts
from pqlkit.scoring.memory import Memory
from tests.scoring.nights import Receiver, at, date, definition, drawn, new_in, product, score

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "s3cr3t-path"


def filled(path, count=3):
    """Open a ledger whose outbox holds some messages."""
    ledger = open_ledger(path)
    opened = ledger.__enter__()
    run = Run(
        definition="d",
        entity="user",
        version=1,
        hash="h",
        accepted="h",
        as_of=1,
        baseline=False,
        leads=1,
        new=1,
        alerted=1,
        withheld=0,
        file=None,
        file_hash=None,
        finished=False,
    )
    starts = pl.DataFrame(
        schema={
            "id": pl.String,
            "on": pl.Int64,
            "known_at": pl.Int64,
            "reason": pl.String,
            "arm": pl.String,
            "queued": pl.Boolean,
            "lead_id": pl.String,
        }
    )
    alerts = [
        Alert(key=f"k{i}", leads=1, body=json.dumps({"key": f"k{i}", "leads": []}).encode()) for i in range(count)
    ]
    opened.record([Entry(run=run, memory=Memory().known, starts=starts, alerts=alerts)])
    opened.commit()
    return ledger, opened


@pytest.fixture
def outbox(tmp_path):
    ledger, opened = filled(tmp_path / "l")
    yield opened
    ledger.__exit__(None, None, None)


def sent(outbox, receiver, **more):
    waits: list[float] = []
    found = deliver(outbox, hook(receiver.url(f"/{SECRET}")), sleep=waits.append, **more)
    return found, waits


def test_each_message_is_posted_once_in_order_with_its_key(outbox):
    with Receiver() as receiver:
        found, _ = sent(outbox, receiver)
    assert (found.messages, found.leads, found.waiting, found.problem) == (3, 3, 0, None)
    assert [headers["Idempotency-Key"] for _, _, headers in receiver.seen] == ["k0", "k1", "k2"]
    assert receiver.seen[0][2]["Content-Type"].startswith("application/json")
    assert outbox.outbox() == []


def test_a_server_that_fails_and_recovers_gets_each_message_in_the_end(outbox):
    with Receiver(lambda n: 503 if n <= 2 else "ok") as receiver:
        found, waits = sent(outbox, receiver)
    assert (found.messages, found.waiting) == (3, 0)
    assert waits == [1.0, 4.0]
    assert receiver.acknowledged == ["k0", "k1", "k2"]


def test_a_server_that_is_down_keeps_everything_for_the_next_run(outbox):
    with Receiver(lambda _: 500) as receiver:
        found, _ = sent(outbox, receiver)
        assert len(receiver.seen) == 3
    assert (found.messages, found.waiting) == (0, 3)
    assert found.problem == "the server answered 500 Internal Server Error"
    assert [alert.tries for alert in outbox.outbox()] == [3, 0, 0]
    with Receiver() as receiver:
        assert sent(outbox, receiver)[0].messages == 3
        assert sent(outbox, receiver)[0].messages == 0
        assert receiver.acknowledged == ["k0", "k1", "k2"]


@pytest.mark.parametrize(("wait", "waits"), [(LONGEST_WAIT, [LONGEST_WAIT, LONGEST_WAIT]), (LONGEST_WAIT + 1, [])])
def test_a_server_may_ask_for_the_longest_wait_but_not_for_more(outbox, monkeypatch, wait, waits):
    monkeypatch.setattr(delivery, "_post", lambda *_: delivery._Answer(again=True, what="busy", wait=wait))
    slept: list[float] = []
    assert deliver(outbox, hook("http://127.0.0.1:9/"), sleep=slept.append).waiting == 3
    assert slept == waits


def test_silence_is_a_failure_after_the_timeout(outbox):
    with Receiver(lambda n: "hang" if n <= 3 else "ok") as receiver:
        found, _ = sent(outbox, receiver, timeout=0.1)
    assert found.problem == "no answer within 0.1 s"
    assert found.waiting == 3


@pytest.mark.parametrize("what", ["drop", "hang"])
def test_a_broken_answer_is_tried_again(outbox, what):
    with Receiver(lambda n: what if n == 1 else "ok") as receiver:
        found, _ = sent(outbox, receiver, timeout=0.2)
    assert (found.messages, found.waiting) == (3, 0)
    assert len(receiver.seen) == 4


def test_a_refused_connection_waits(outbox):
    with Receiver() as receiver:
        url = receiver.url()
    found = deliver(outbox, hook(url), sleep=lambda _: None)
    assert found.waiting == 3
    assert "no connection" in (found.problem or "")


def test_a_message_that_is_refused_does_not_hold_up_the_others(outbox):
    with Receiver(lambda n: 400 if n == 1 else "ok") as receiver:
        found, waits = sent(outbox, receiver)
    assert (found.messages, found.waiting, waits) == (2, 1, [])
    assert [alert.key for alert in outbox.outbox()] == ["k0"]


def test_a_redirect_is_not_followed(outbox):
    with Receiver(lambda _: "redirect") as receiver:
        found, _ = sent(outbox, receiver)
    assert {path for path, _, _ in receiver.seen} == {f"/{SECRET}"}
    assert found.problem == "the server answered 302 Found"


def test_a_server_that_asks_for_patience_gets_it_up_to_a_bound(outbox):
    from pqlkit.scoring import delivery

    assert delivery._retry_after("7") == 7.0
    assert delivery._retry_after("Wed, 21 Oct") == 0.0
    assert delivery._retry_after("-5") == 0.0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "host/x",
        "file:///etc/passwd",
        "http://",
        f"https://user:{SECRET}@host/",
        f"http://h/{SECRET} x",
        f"http://h:99999/{SECRET}",
        f"http://h\n/{SECRET}",
    ],
)
def test_what_is_no_url_is_refused_without_being_repeated(url):
    with pytest.raises(UsageError) as caught:
        hook(url, {})
    assert SECRET not in str(caught.value)


def test_secrets_come_from_the_environment_and_show_nowhere():
    environment = {"HOOK": SECRET, AUTHORIZATION: f"Bearer {SECRET}"}
    where = hook("https://hooks.example.com:8443/${HOOK}", environment)
    assert where.url.endswith(SECRET)
    assert where.headers == {"Authorization": f"Bearer {SECRET}"}
    assert where.name == "https://hooks.example.com:8443"
    assert SECRET not in repr(where)
    with pytest.raises(UsageError, match="the environment variable OTHER is not set"):
        hook("https://h/${OTHER}", {})


def test_no_name_in_the_data_can_mention_a_channel():
    assert "<!channel>" not in text("T", [["<!channel> <https://evil|click>"]])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("pqlkit.scoring.delivery.WAITS", (0.0, 0.0))
    product(tmp_path, drawn(5, users=60))
    definition(tmp_path)
    return tmp_path


def night(folder, url, day, *more):
    return score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", "--notify", url, *more, day=day)


def test_over_nights_each_lead_is_acknowledged_once_whatever_the_server_does(folder):
    """Down on the second night, failing at random on the third: the fourth has brought everything, once."""
    moods: Iterator[str | int] = iter([])
    with Receiver(lambda _: next(moods, "ok")) as receiver:
        assert night(folder, receiver.url(), 10).code == 0
        moods = iter([500] * 3)
        down = night(folder, receiver.url(), 14)
        assert down.code == 1
        assert "wait in the ledger for the next run" in down.err
        moods = iter([503, "ok", "drop", 429])
        night(folder, receiver.url(), 18)
        last = night(folder, receiver.url(), 18)
        assert last.code == 0
        expected = set()
        for path in (folder / "l",):
            starts = read_starts(path)
            expected = {(row["id"], row["on"]) for row in starts.to_dicts() if row["reason"] == "world"}
        assert expected
        acknowledged = receiver.acknowledged
        assert len(set(acknowledged)) == len(acknowledged)
        told = [
            lead["user_id"]
            for _, body, _ in {b["key"]: (p, b, h) for p, b, h in receiver.seen}.values()
            for lead in body["leads"]
        ]
        assert sorted(told) == sorted(name for name, _ in expected)


def test_a_run_that_starts_while_another_posts_tells_each_lead_once(folder):
    """The server answers the first only when the second has ended; both end well, and the third finds nobody new."""
    seconds: list[subprocess.CompletedProcess[str]] = []
    with Receiver(lambda _: second() if waits and not seconds else "ok") as receiver:
        waits = False

        def second() -> str:
            files = ("-p", folder / "pqlkit.yml", "-d", folder / "team.yml", "--ledger", folder / "l")
            line = [sys.executable, "-m", "pqlkit", "score", *files, "--as-of", date(14), "--out", folder / "other.csv"]
            seconds.append(subprocess.run(line, capture_output=True, text=True, timeout=60, check=False))
            return "ok"

        assert night(folder, receiver.url(), 10).code == 0
        waits = True
        assert night(folder, receiver.url(), 14).code == 0
        assert [each.returncode for each in seconds] == [0], seconds
        third = night(folder, receiver.url(), 14)
        assert third.code == 0
        assert new_in(folder / "leads.csv") == set()
        bodies = {body["key"]: body for _, body, _ in receiver.seen}
        told = [lead["user_id"] for body in bodies.values() for lead in body["leads"]]
        starts = read_starts(folder / "l").filter(pl.col("reason") == "world")
        assert sorted(told) == sorted(starts["id"].to_list()) != []
        with open_ledger(folder / "l") as ledger:
            assert ledger.outbox() == []


def test_secrets_are_in_no_output_and_no_file(folder, monkeypatch):
    monkeypatch.setenv("HOOK", SECRET)
    monkeypatch.setenv(AUTHORIZATION, f"Bearer {SECRET}")
    with Receiver(lambda _: 404) as receiver:
        base = receiver.url("/")
        night(folder, base + "${HOOK}", 10)
        done = night(folder, base + "${HOOK}", 20, "--verbose", "--summary", folder / "run.json")
        assert receiver.seen[0][0] == f"/{SECRET}"
        assert receiver.seen[0][2]["Authorization"] == f"Bearer {SECRET}"
    assert done.code == 1
    assert SECRET not in done.out + done.err
    assert all(SECRET.encode() not in path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_alerts_hold_batches_of_twenty_with_text_and_rows(tmp_path):
    days = [("invite", 8.0), ("invite", 8.1), ("invite", 9.0), ("login", 8.0), ("login", 9.0)]
    burst = [(f"u{i:03d}", name, at(day) + i) for i in range(45) for name, day in days] + [("early", "login", at(0))]
    product(tmp_path, burst)
    definition(tmp_path)
    with Receiver() as receiver:
        night(tmp_path, receiver.url(), 3)
        assert night(tmp_path, receiver.url(), 10, "--quiet").err == ""
    assert [len(body["leads"]) for _, body, _ in receiver.seen] == [20, 20, 5]
    first = receiver.seen[0][1]
    assert first["schema"] == "pqlkit/alert/2"
    assert (first["batch"], first["batches"]) == (1, 3)
    assert first["text"].startswith("20 new leads: team\n\nu044   PQL")
    assert first["leads"][0]["status"] == "pql"
    assert first["leads"][0]["new_because"] == "world"
    assert any("3 invites this week (3 needed in 10 days)" in line for line in first["leads"][0]["card"])


@contextmanager
def dripping() -> Iterator[str]:
    """Serve an answer of which a header comes now and then, and that never ends."""
    over = threading.Event()

    class Dripping(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.02):
                    self.wfile.write(b"X-Drip: 1\r\n")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_an_answer_that_never_ends_is_given_up(outbox):
    with dripping() as url:
        start = time.monotonic()
        found = deliver(outbox, hook(url), sleep=lambda _: None, attempt=0.3, in_all=60)
    assert time.monotonic() - start < 20
    assert found.problem == "no whole answer within 0.3 s"
    assert (found.messages, found.waiting) == (0, len(outbox.outbox()))


def test_a_run_posts_no_longer_than_its_time(outbox):
    with dripping() as url:
        start = time.monotonic()
        found = deliver(outbox, hook(url), sleep=lambda _: None, attempt=30, in_all=0.5)
    assert time.monotonic() - start < 20
    assert found.problem is not None
    assert found.waiting == len(outbox.outbox()) > 0


def test_another_run_has_the_ledger_while_one_posts(tmp_path):
    ledger, opened = filled(tmp_path / "l")
    with pytest.raises(UsageError, match="another run is using"), open_ledger(tmp_path / "l"):
        pass
    with dripping() as url, opened.released():
        with open_ledger(tmp_path / "l") as other:
            assert len(other.outbox()) == 3
        found = deliver(opened, hook(url), sleep=lambda _: None, attempt=0.2, in_all=0.3)
        with open_ledger(tmp_path / "l") as other:
            waiting = other.outbox()
        assert found.waiting == len(waiting) == 3
        opened.acknowledged(waiting[0])
        with open_ledger(tmp_path / "l") as other:
            assert len(other.outbox()) == 2
    ledger.__exit__(None, None, None)
