"""Nights: a small product in a folder, scored night after night through the command line."""

from __future__ import annotations

import io
import json
import random
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import polars as pl

from pqlkit.cli.app import run
from pqlkit.durations import DAY
from pqlkit.scoring.lead_file import read_leads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
HEAD = "pqlkit: 1\nname: {name}\nversion: {version}\nentity: user\n"
TEAM = """qualify:
  all:
    - {id: invites, event: invite, at_least: 3, trailing: 10d, say: Ask who is next.}
    - {id: logins, event: login, measure: days, at_least: 2, trailing: 10d}
outcome: {within: 10d}
lead: {fresh_for: 8d, cooldown: 5d}
"""


def definition(folder: Path, body: str = TEAM, *, name: str = "team", version: int = 1) -> Path:
    path = folder / f"{name}.yml"
    path.write_text(HEAD.format(name=name, version=version) + body)
    return path


def at(day: float) -> int:
    return START + round(day * DAY)


def date(day: float) -> str:
    """The last microsecond before midnight after `day` whole days, as ``--as-of`` takes it."""
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)).isoformat().replace("+00:00", "Z")


def drawn(seed: int, users: int = 30, days: int = 40) -> list[tuple[str, str, int]]:
    """Draw events in bursts, so that users qualify, lapse and qualify again."""
    rng = random.Random(seed)
    rows = []
    for number in range(users):
        for _ in range(rng.choice([0, 1, 2, 3])):
            middle = rng.uniform(0, days)
            for _ in range(rng.randrange(2, 9)):
                moment = min(days, max(0.0, middle + rng.gauss(0, 2.5)))
                rows.append(
                    (f"u{number:03d}", rng.choice(["invite", "login", "login"]), at(moment) + rng.randrange(9999))
                )
    return rows


def product(
    folder: Path,
    events: Sequence[tuple[str, str, int]],
    *,
    users: Sequence[dict[str, Any]] | None = None,
    conversions: Sequence[tuple[str, int]] = (),
) -> Path:
    """Write canonical exports into a folder."""
    folder.mkdir(exist_ok=True)
    instant = pl.Datetime("us", "UTC")
    table = pl.DataFrame(
        list(events), schema={"user_id": pl.String, "event": pl.String, "timestamp": pl.Int64}, orient="row"
    )
    table.cast({"timestamp": instant}).write_parquet(folder / "events.parquet")
    known = sorted({user for user, _, _ in events})
    people = list(users) if users is not None else [{"user_id": user, "signed_up_at": START} for user in known]
    pl.DataFrame(people, infer_schema_length=None).cast({"signed_up_at": instant}).write_parquet(
        folder / "users.parquet"
    )
    bought = pl.DataFrame(list(conversions), schema={"user_id": pl.String, "converted_at": pl.Int64}, orient="row")
    bought.cast({"converted_at": instant}).write_parquet(folder / "conversions.parquet")
    (folder / "pqlkit.yml").write_text(
        "pqlkit: 1\nentity: user\nexports:\n  events: {path: events.parquet}\n  users: {path: users.parquet}\n"
        "  conversions: {path: conversions.parquet}\noutcome: {within: 10d}\n"
    )
    return folder


@dataclass
class Ran:
    code: int
    out: str
    err: str


def pqlkit(*arguments: object) -> Ran:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(one) for one in arguments])
    return Ran(int(code), out.getvalue(), err.getvalue())


def score(folder: Path, *options: object, day: float | None = None, name: str = "team") -> Ran:
    """Run one night."""
    as_of = ["--as-of", date(day)] if day is not None else []
    return pqlkit("score", "-p", folder / "pqlkit.yml", "-d", folder / f"{name}.yml", *as_of, *options)


def new_in(path: Path) -> set[str]:
    """Whom a list marks as newly qualified."""
    table = read_leads(path)
    return set(table.filter(pl.col("newly_qualified") == "true").get_column("user_id").to_list())


class Receiver:
    """A real server on 127.0.0.1 that does what it is told: ``ok``, a status, ``hang``, ``drop`` or ``redirect``."""

    def __init__(self, behave: Callable[[int], str | int] | None = None) -> None:
        self.seen: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.acknowledged: list[str] = []
        self.behave = behave or (lambda _: "ok")
        self.count = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.count += 1
                what = receiver.behave(receiver.count)
                receiver.seen.append((self.path, body, dict(self.headers.items())))
                if what == "hang":
                    time.sleep(1.0)
                    return
                if what == "drop":
                    self.close_connection = True
                    return
                status = 200 if what == "ok" else 302 if what == "redirect" else int(what)
                if status == 200:
                    receiver.acknowledged.append(body["key"])
                self.send_response(status, "here is your path again: " + self.path)
                if what == "redirect":
                    self.send_header("Location", receiver.url("/elsewhere"))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def __enter__(self) -> Receiver:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
