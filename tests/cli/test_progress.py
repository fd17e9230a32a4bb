"""Progress: long steps say how much is done and how long the rest takes, on a terminal alone."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

from pqlkit.exports.dataset import with_sources
from pqlkit.exports.loading import load
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.proposing import propose
from pqlkit.typing import Share
from tests.cli.sample import SOURCES, write_sample
from tests.reporting import worlds

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

STEPS = """
import time
from pqlkit.cli.output import Output
from pqlkit.typing import Share
with Output().working("finding exports") as progress:
    progress("reading [events]")
    for part in range(1, 11):
        progress(Share("reading [events]", part, 10))
        time.sleep(0.15)
    progress("writing events")
    time.sleep(0.3)
"""


def on_a_terminal(line: list[str], folder: Path) -> str:
    """Give what a terminal is sent as stderr."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        line,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while part := os.read(ours, 65536):
            shown += part
    process.communicate(timeout=120)
    os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode()


def test_a_terminal_shows_the_share_done_and_the_time_left(tmp_path: Path) -> None:
    shown = on_a_terminal([sys.executable, "-c", STEPS], tmp_path)
    shares = [int(share) for share in re.findall(r"reading \[events\].*?(\d+)%", shown)]
    assert len(set(shares)) > 3
    assert shares == sorted(shares)
    assert re.search(r"\d\d:\d\d", shown), "the time left"
    assert not re.search(r"writing events[^\r\n]*%", shown), "a step of which nothing is known shows no share"


def test_a_pipe_is_told_nothing(tmp_path: Path) -> None:
    write_sample(tmp_path, users=40)
    line = [sys.executable, "-m", "pqlkit", "load", *SOURCES, "--out", "data"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def rising(told: list[str], step: str) -> list[float]:
    shares = [each.done for each in told if isinstance(each, Share) and each == step]
    assert all(before <= after for before, after in pairwise(shares)), shares
    return shares


def test_load_says_which_share_of_the_bytes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events").mkdir()
    for day in range(1, 6):
        rows = f"u1,login,2026-01-0{day}T00:00:00Z\n" * day
        (tmp_path / "events" / f"{day}.csv").write_text(f"user_id,event,timestamp\n{rows}")
    told: list[str] = []
    load(with_sources(events="events"), tmp_path / "data", progress=told.append)
    shares = rising(told, "reading events")
    assert len(shares) == 5
    assert shares[-1] == 1.0


def test_a_search_says_how_far_it_is(tmp_path: Path) -> None:
    told: list[str] = []
    settings = Settings(snapshots="once:14d")
    propose(
        worlds.population(worlds.PLAIN),
        settings,
        ProposeOptions(permutations=3, out_dir=tmp_path),
        progress=told.append,
    )
    assert rising(told, "searching shuffled outcomes")[-1] == 1.0
    assert rising(told, "searching rules")
