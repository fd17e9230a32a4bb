"""Twenty kills, a full disk, a folder that cannot be written, an input that was cut off: nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scoring.crash import kills
from tests.scoring.nights import definition, drawn, new_in, product, score

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_twenty_kills_lose_nothing():
    found = kills(20, seed=20)
    assert sum(found.values()) == 20


@pytest.fixture
def folder(tmp_path):
    product(tmp_path, drawn(5))
    definition(tmp_path)
    assert score(tmp_path, "--ledger", tmp_path / "l", "--out", tmp_path / "leads.csv", day=20).code == 0
    return tmp_path


def limited(folder, most, *options):
    """Run with a limit on file size, which fails as a full disk does."""
    code = (
        "import resource, signal, sys\n"
        "from pqlkit.cli.app import run\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))\n"
        "sys.exit(run(sys.argv[2:]))\n"
    )
    command = [
        sys.executable,
        "-c",
        code,
        most,
        "score",
        "-p",
        folder / "pqlkit.yml",
        "-d",
        folder / "team.yml",
        *options,
    ]
    return subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize("most", [1_000, 6_000])
def test_a_full_disk_is_a_clear_error_and_the_next_night_has_it_all(folder, most):
    """The first limit stops the list, the second lets the list pass (it is shorter) and stops the ledger."""
    old, ledger = (folder / "leads.csv").read_bytes(), (folder / "l").read_bytes()
    done = limited(folder, most, "--ledger", folder / "l", "--out", folder / "leads.csv", "--as-of", "2026-01-28")
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write")
    assert "Traceback" not in done.stderr
    assert not list(folder.glob("*.part"))
    assert (folder / "leads.csv").read_bytes() == old
    shutil.copytree(folder, folder / "other")
    (folder / "other" / "l").write_bytes(ledger)
    for journal in (folder / "other").glob("l-*"):
        journal.unlink()
    day = 27.999999
    assert score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=day).code == 0
    other = folder / "other"
    assert score(other, "--ledger", other / "l", "--out", other / "leads.csv", day=day).code == 0
    assert (folder / "leads.csv").read_bytes() == (other / "leads.csv").read_bytes()
    assert new_in(folder / "leads.csv")


@pytest.fixture
def broken(monkeypatch):
    """Have a method of the ledger fail as on a broken disk, before or after it did its work."""
    from pqlkit.errors import OutputError
    from pqlkit.scoring.ledger import Ledger

    def breaks(name, *, after=False):
        whole = getattr(Ledger, name)

        def failing(self, *given, **named):
            if after:
                whole(self, *given, **named)
            raise OutputError(f"cannot write the ledger {self.path}: disk I/O error")

        monkeypatch.setattr(Ledger, name, failing)

    yield breaks
    monkeypatch.undo()


def alerted(folder, url=None):
    notify = [] if url is None else ["--notify", url]
    return score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", *notify, day=27)


@pytest.mark.parametrize("method", ["record", "commit"])
def test_where_the_ledger_fails_the_list_is_taken_back(folder, broken, method, monkeypatch):
    old = (folder / "leads.csv").read_bytes()
    broken(method)
    done = alerted(folder)
    assert (done.code, "disk I/O error" in done.err) == (2, True)
    assert (folder / "leads.csv").read_bytes() == old
    assert not list(folder.glob(".leads*"))
    monkeypatch.undo()
    assert alerted(folder).code == 0
    assert new_in(folder / "leads.csv")


def test_a_first_list_is_taken_away_where_the_ledger_fails(folder, broken):
    broken("commit")
    done = score(folder, "--ledger", folder / "other", "--out", folder / "first.csv", day=27)
    assert done.code == 2
    assert not (folder / "first.csv").exists()


def test_a_commit_that_fails_after_it_took_hold_counts(folder, broken):
    broken("commit", after=True)
    assert alerted(folder).code == 0
    assert new_in(folder / "leads.csv")


def test_where_nobody_can_tell_whether_the_night_is_in_the_ledger_the_list_stays_and_that_is_said(
    folder, broken, monkeypatch
):
    from pqlkit.scoring.ledger import Ledger

    broken("commit")
    monkeypatch.setattr(Ledger, "has_recorded", lambda _: None)
    done = alerted(folder)
    assert done.code == 1
    assert "the disk does not say whether the ledger has the night" in done.err
    assert f"written: {folder / 'leads.csv'}" in done.err
    assert new_in(folder / "leads.csv")


@pytest.mark.parametrize("method", ["acknowledged", "finish"])
def test_what_fails_once_the_night_stands_says_what_stands(folder, broken, method, monkeypatch):
    from tests.scoring.nights import Receiver

    with Receiver() as receiver:
        broken(method)
        done = alerted(folder, receiver.url())
        assert done.code == 1
        assert f"the night is in {folder / 'l'}" in done.err
        assert f"written: {folder / 'leads.csv'}" in done.err
        first = new_in(folder / "leads.csv")
        monkeypatch.undo()
        assert alerted(folder, receiver.url()).code == 0
        assert {lead["user_id"] for _, body, _ in receiver.seen for lead in body["leads"]} == first
        assert len({body["key"] for _, body, _ in receiver.seen}) == 1


def test_a_summary_that_cannot_be_written_does_not_undo_the_night(folder):
    (folder / "run.json").mkdir()
    options = ["--ledger", folder / "l", "--out", folder / "leads.csv", "--summary", folder / "run.json"]
    done = score(folder, *options, day=27)
    assert (done.code, "run.json is a directory" in done.err, "the night is in" in done.err) == (1, True, True)
    assert new_in(folder / "leads.csv")
    assert not new_in_second_night(folder)


def new_in_second_night(folder):
    assert alerted(folder).code == 0
    return new_in(folder / "leads.csv")


POWERLESS = """\
import ctypes, os, sys
# Root obeys file permissions like everybody, from the next exec on.
if os.geteuid() == 0:
    drop_from_bounding_set, override_permissions = 24, 1
    ctypes.CDLL(None, use_errno=True).prctl(drop_from_bounding_set, override_permissions, 0, 0, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_a_folder_that_cannot_be_written_is_a_clear_error(folder):
    shut = folder / "shut"
    shut.mkdir(mode=0o500)

    def night(*options):
        # In a process of its own: between fork and exec nothing of this one may run, for servers of other tests live in it.
        command = [
            sys.executable,
            "-c",
            POWERLESS,
            "-m",
            "pqlkit",
            "score",
            "-p",
            folder / "pqlkit.yml",
            "-d",
            folder / "team.yml",
        ]
        command += ["--as-of", "2026-01-28", *options]
        return subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False, cwd=ROOT)

    done = night("--ledger", folder / "l", "--out", shut / "leads.csv")
    assert (done.returncode, "cannot write" in done.stderr) == (2, True), done.stderr
    done = night("--ledger", shut / "l", "--out", folder / "leads.csv")
    assert (done.returncode, f"cannot write {shut / 'l'}:" in done.stderr) == (2, True), done.stderr


def test_a_place_that_is_no_folder_is_a_clear_error(folder):
    ledger = (folder / "l").read_bytes()
    done = score(folder, "--ledger", folder / "l", "--out", folder / "team.yml" / "leads.csv", day=27)
    assert (done.code, "cannot write" in done.err) == (2, True)
    done = score(folder, "--ledger", folder / "team.yml" / "l", "--out", folder / "leads.csv", day=27)
    assert (done.code, "cannot write" in done.err) == (2, True)
    assert (folder / "l").read_bytes() == ledger


@pytest.mark.parametrize("name", ["events.parquet", "users.parquet", "conversions.parquet"])
def test_a_truncated_input_is_a_clear_error_and_changes_nothing(folder, name):
    old, ledger = (folder / "leads.csv").read_bytes(), (folder / "l").read_bytes()
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    done = score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=27)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert (folder / "leads.csv").read_bytes() == old
    assert (folder / "l").read_bytes() == ledger


def test_a_damaged_or_foreign_ledger_is_refused(folder):
    (folder / "l").write_text("not a ledger\n" * 100)
    done = score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=27)
    assert (done.code, "is not a ledger" in done.err) == (2, True)
    assert (folder / "l").read_text().startswith("not a ledger")
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "other.db")) as other, other:
        other.execute("CREATE TABLE mine (a)")
    done = score(folder, "--ledger", folder / "other.db", "--out", folder / "leads.csv", day=27)
    assert (done.code, "not a ledger of pqlkit" in done.err) == (2, True)


@pytest.mark.parametrize("names", [["t01", "t01"], ["t01", None]], ids=["twice", "nobody"])
def test_a_memory_that_names_someone_twice_or_nobody_is_damaged(folder, names):
    import io
    import sqlite3
    from contextlib import closing

    import polars as pl

    with closing(sqlite3.connect(folder / "l")) as ledger, ledger:
        ((blob,),) = ledger.execute("SELECT known FROM memories").fetchall()
        known = pl.read_parquet(io.BytesIO(blob)).head(2)
        changed = io.BytesIO()
        known.with_columns(pl.Series("id", names, dtype=pl.String)).write_parquet(changed)
        ledger.execute("UPDATE memories SET known = ?", [changed.getvalue()])
    old = (folder / "leads.csv").read_bytes()
    done = score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=27)
    assert done.code == 2
    assert "it names someone twice, or nobody" in done.err
    assert (folder / "leads.csv").read_bytes() == old


def test_the_second_of_two_runs_at_once_is_refused(folder):
    from pqlkit.scoring.ledger import open_ledger

    old = (folder / "leads.csv").read_bytes()
    code = "import sys\nfrom pqlkit.cli.app import run\nsys.exit(run(sys.argv[1:]))\n"
    with open_ledger(folder / "l"):
        command = [sys.executable, "-c", code, "score", "-p", folder / "pqlkit.yml", "-d", folder / "team.yml"]
        command += ["--ledger", folder / "l", "--out", folder / "leads.csv"]
        done = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert "another run is using" in done.stderr
    assert (folder / "leads.csv").read_bytes() == old


def test_an_interrupt_leaves_everything_as_it_was(folder, monkeypatch):
    import pqlkit.scoring.night as module

    old, ledger = (folder / "leads.csv").read_bytes(), (folder / "l").read_bytes()

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "as_bytes", stop)
    done = score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=27)
    assert done.code == 130
    assert (folder / "leads.csv").read_bytes() == old
    assert (folder / "l").read_bytes() == ledger
