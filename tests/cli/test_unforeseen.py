"""The net: whatever goes wrong, a command ends in one line and exit code 2, and a damaged dataset is named."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import polars as pl
import pytest

from pqlkit.cli.app import run
from tests.cli.sample import LINES, SOURCES, write_sample

READING = ("analyze", "try", "propose", "score", "report")


def panic() -> BaseException:
    """Let Polars panic: what it raises then is no `Exception`."""
    far = pl.Series([2**63 - 1]).cast(pl.Datetime("us", "UTC"))
    with pytest.raises(BaseException, match="out-of-range") as caught:
        far.cast(pl.String)
    assert not isinstance(caught.value, Exception)
    return caught.value


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def read_all(*_: object) -> None:
        raise error

    monkeypatch.setattr("pqlkit.exports.dataset.read_all", read_all)


@pytest.mark.parametrize(
    "error",
    [ValueError("two\nlines"), KeyError("x"), EOFError(), RecursionError("deep"), UnicodeError("bad"), panic()],
    ids=repr,
)
def test_an_error_nobody_foresaw_is_one_line_and_could_not_run(
    error: BaseException, sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(monkeypatch, error)
    assert run(list(LINES["analyze"])) == 2
    said = capsys.readouterr().err
    first, hint = said.rstrip("\n").split("\n")
    assert first.startswith(
        "error: events.csv, users.csv, conversions.csv: analyze (reading exports) ended in an error that pqlkit did not"
        f" foresee: {'EndsEarlyError' if isinstance(error, EOFError) else type(error).__name__}"
    )
    assert (
        hint == "  please report it, with this line and the command; --verbose shows where in the program it happened"
    )


def test_verbose_shows_where_in_the_program(
    sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(monkeypatch, ValueError("so"))
    assert run([*LINES["analyze"], "--verbose"]) == 2
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert said.endswith("please report it, with this line and the command\n")


def test_the_project_file_asks_for_details_too(
    sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pqlkit.yml").write_text("pqlkit: 1\nanalyze: {verbose: true}\n")
    fail(monkeypatch, ValueError("so"))
    assert run(list(LINES["analyze"])) == 2
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert said.endswith("please report it, with this line and the command\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "full"), "error: cannot write the output: full\n"),
        (OSError(errno.EIO, "broken"), "error: cannot read or write a file: broken\n"),
        (OSError(errno.EIO, "broken", "events.csv"), "error: events.csv: cannot read or write the file: broken\n"),
        (OSError(errno.ENOSPC, "full", "/tmp/x"), "error: /tmp/x: cannot write the file: full\n"),
    ],
    ids=repr,
)
def test_an_error_of_the_system_is_worded_by_what_it_is(
    error: OSError, said: str, sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def observed(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("pqlkit.analysis.analyzing.analyze", observed)
    monkeypatch.setattr("pqlkit.cli.app.abandon", lambda: None)
    assert run(list(LINES["analyze"])) == 2
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("table", ["events", "users", "conversions"])
def test_a_damaged_dataset_is_named(
    name: str, table: str, sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["load", *SOURCES, "--out", "data"]) == 0
    (file,) = Path("data", table).glob("*.parquet")
    content = bytearray(file.read_bytes())
    # The pages, not the footer: opening sees nothing.
    content[4:400] = bytes(len(content[4:400]))
    file.write_bytes(content)
    line = [word for word in LINES[name] if word not in SOURCES]
    capsys.readouterr()
    assert run([*line, "--data", "data"]) == 2
    said = capsys.readouterr().err
    assert f"data: the dataset's file {table}/{file.name} is damaged: it is not what was written" in said
    assert "load again" in said


def test_a_dataset_that_is_whole_is_not_called_damaged(
    sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["load", *SOURCES, "--out", "data"]) == 0
    shutil.copytree("data", "copied")

    def observed(*_: object, **__: object) -> None:
        raise ValueError("so")

    monkeypatch.setattr("pqlkit.analysis.analyzing.analyze", observed)
    assert run(["analyze", "--data", "copied"]) == 2
    assert "damaged" not in capsys.readouterr().err
