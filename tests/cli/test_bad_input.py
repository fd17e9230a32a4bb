"""Bad input: a clear error or a counted quarantine, the documented exit code, no traceback, nothing half-written."""

from __future__ import annotations

import gzip
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pqlkit.cli.app import run
from tests.cli.sample import LINES, SOURCES, write_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from _pytest.capture import CaptureResult

    Said = CaptureResult[str]

READERS: Final = tuple(LINES)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(autouse=True)
def place(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in sample.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replaced(file: str, old: str, new: str, count: int = 1) -> None:
    path = Path(file)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()


def missing() -> None:
    Path("events.csv").unlink()


def empty() -> None:
    Path("events.csv").write_bytes(b"")


def directory() -> None:
    Path("users.csv").unlink()
    Path("users.csv").mkdir()


def one_column() -> None:
    Path("events.csv").write_text("\n".join(line.replace(",", "~") for line in lines("events.csv")) + "\n")


def misspelt() -> None:
    replaced("events.csv", "timestamp", "timestmp")


def without_event() -> None:
    replaced("events.csv", "user_id,event,", "user_id,evnt,")


def doubled() -> None:
    replaced("events.csv", "user_id,event,timestamp", "user_id,event,event")


def truncated_gzip() -> None:
    packed = gzip.compress(Path("events.csv").read_bytes())
    Path("events.csv").unlink()
    Path("events.csv.gz").write_bytes(packed[: len(packed) // 2])
    Path("events.csv").symlink_to("events.csv.gz")


def no_gzip() -> None:
    Path("events.csv.gz").write_bytes(b"\x1f\x8b, but not really")


def no_parquet() -> None:
    Path("events.parquet").write_bytes(b"PAR1 and then nothing")


REFUSED: Final[dict[str, tuple[Callable[[], None], str, list[str]]]] = {
    "a missing file": (missing, "events.csv", ["did you mean conversions.csv?"]),
    "an empty file": (empty, "events.csv", ["empty"]),
    "a directory where a file is meant": (directory, "users.csv", []),
    "the wrong separator": (one_column, "events.csv", ["column"]),
    "a misspelt column": (misspelt, "events.csv", ["timestmp", "timestamp"]),
    "a misspelt event column": (without_event, "events.csv", ["evnt", "event"]),
    "a doubled column": (doubled, "events.csv", ["event"]),
    "a gzip file that is none": (no_gzip, "events.csv.gz", []),
    "a Parquet file that is none": (no_parquet, "events.parquet", []),
    "half a gzip file": (truncated_gzip, "events.csv.gz", []),
}
"""What is wrong, the file that the message names, and words of the message."""


def said(code: int, captured: Said, expected: int) -> None:
    assert "Traceback" not in captured.err
    assert code == expected, captured.err
    if expected == 2:
        assert captured.out == ""
        assert re.search(r"^error: ", captured.err, re.M), captured.err


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_refused(what: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, file, words = REFUSED[what]
    spoil()
    before = {path.name for path in Path().iterdir()}
    code = run([file if one == "events.csv" and file.startswith("events") else one for one in LINES[command]])
    captured = capsys.readouterr()
    said(code, captured, 2)
    assert file in captured.err
    for word in words:
        assert word in captured.err
    left = {path.name for path in Path().iterdir()} - before
    assert not left or (command == "load" and not list(Path("data").rglob("*.parquet")))


def with_bad_line(file: str, line: str) -> Callable[[], None]:
    def spoil() -> None:
        with Path(file).open("a", encoding="utf-8") as text:
            text.write(line + "\n")

    return spoil


def latin_1_line() -> None:
    with Path("events.csv").open("ab") as bytes_:
        bytes_.write("u001,caf\xe9,2026-02-01T00:00:00Z\n".encode("latin-1"))


def nul_bytes() -> None:
    with Path("events.csv").open("ab") as bytes_:
        bytes_.write(b"u001,log\0in,2026-02-01T00:00:00Z\n")


def huge_cell() -> None:
    with_bad_line("events.csv", f"u001,{'x' * 10_000_000},2026-02-01T00:00:00Z")()


TOLERATED: Final[dict[str, tuple[Callable[[], None], str, int | None]]] = {
    "a time that is none": (with_bad_line("events.csv", "u001,login,yesterday"), "events", 1),
    "a time in 1970": (with_bad_line("events.csv", "u001,login,1970-01-01T00:00:00Z"), "events", 1),
    "a time in 2262": (with_bad_line("events.csv", "u001,login,2262-04-11T00:00:00Z"), "events", 1),
    "an event before signup": (with_bad_line("events.csv", "u100,login,2026-01-01T00:00:00Z"), "events", 0),
    "a user twice": (with_bad_line("users.csv", "u001,2026-01-20T00:00:00Z,pro"), "users", None),
    "a conversion of nobody": (with_bad_line("conversions.csv", "nobody,2026-02-20T00:00:00Z"), "conversions", 0),
    "an event of nobody": (with_bad_line("events.csv", "nobody,login,2026-02-20T00:00:00Z"), "events", 0),
    "another encoding in one line": (latin_1_line, "events", None),
    "NUL bytes": (nul_bytes, "events", None),
    "a cell of 10 MB": (huge_cell, "events", None),
    "an event of no user": (with_bad_line("events.csv", ",login,2026-02-20T00:00:00Z"), "events", 0),
    "a short line": (with_bad_line("events.csv", "u001,login"), "events", 1),
    "a long line": (with_bad_line("events.csv", "u001,login,2026-02-20T00:00:00Z,what,is,this"), "events", None),
}
"""What is odd, the table it is in, and how many rows are quarantined (None: at least it is counted somewhere)."""


@pytest.mark.parametrize("what", TOLERATED)
def test_what_is_odd_is_counted_and_the_rest_is_loaded(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, table, quarantined = TOLERATED[what]
    spoil()
    code = run([*LINES["load"], "--format", "json"])
    captured = capsys.readouterr()
    said(code, captured, 0)
    found = next(one for one in json.loads(captured.out)["tables"] if one["name"] == table)
    assert found["read"] == found["kept"] + found["duplicate"] + found["quarantined"]
    if quarantined is not None:
        assert found["quarantined"] == quarantined
    else:
        assert found["kept"] >= len(lines_of(table)) - 3


def lines_of(table: str) -> list[bytes]:
    return Path(f"{table}.csv").read_bytes().splitlines()


@pytest.mark.parametrize("command", ["analyze", "score"])
@pytest.mark.parametrize("what", TOLERATED)
def test_what_is_odd_stops_no_command(what: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    TOLERATED[what][0]()
    code = run(list(LINES[command]))
    captured = capsys.readouterr()
    said(code, captured, 0)
    json.loads(captured.out)


THIN: Final[dict[str, dict[str, str]]] = {
    "no conversions at all": {"conversions.csv": "user_id,converted_at\n"},
    "events without a row": {"events.csv": "user_id,event,timestamp\n"},
    "users without a row": {"users.csv": "user_id,signed_up_at\n"},
    "one of each": {
        "events.csv": "user_id,event,timestamp\nu1,invite,2026-01-02\n",
        "users.csv": "user_id,signed_up_at\nu1,2026-01-01\n",
        "conversions.csv": "user_id,converted_at\nu1,2026-01-05\n",
    },
}


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("what", THIN)
def test_too_little_is_a_result_or_a_clear_error(what: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for file, text in THIN[what].items():
        Path(file).write_text(text)
    code = run(list(LINES[command]))
    captured = capsys.readouterr()
    assert code in {0, 2}, captured.err
    said(code, captured, code)
    if code == 0 and command != "load":
        json.loads(captured.out)


@pytest.mark.parametrize("command", [one for one in READERS if one != "load"])
def test_nobody_is_mature_yet(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run([*LINES[command], "--as-of", "2026-01-10"])
    captured = capsys.readouterr()
    said(code, captured, 0)
    json.loads(captured.out)


@pytest.mark.parametrize("command", READERS)
def test_half_a_json_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, *rows = lines("events.csv")
    records = [dict(zip(("user_id", "event", "timestamp"), row.split(","), strict=True)) for row in rows]
    text = "".join(json.dumps(one) + "\n" for one in records)
    Path("events.jsonl").write_text(text + '{"user_id": "u001", "event": "lo')
    code = run(["events.jsonl" if one == "events.csv" else one for one in LINES[command]])
    captured = capsys.readouterr()
    said(code, captured, 0)
    if command == "load":
        assert "events.jsonl" in captured.out


def test_all_lines_bad_names_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    Path("events.csv").write_text("user_id,event,timestamp\n" + "u001,login,soon\n" * 50)
    code = run([*LINES["load"], "--max-bad", "1%"])
    captured = capsys.readouterr()
    said(code, captured, 2)
    assert "events.csv:2" in captured.err
    assert "soon" in captured.err
    assert not list(Path().rglob("*.parquet"))


@pytest.mark.parametrize("command", ["analyze", "try", "propose", "score", "report"])
def test_an_output_folder_that_is_a_file(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("not a folder")
    code = run([*LINES[command], "--out", "file/result.json"])
    captured = capsys.readouterr()
    said(code, captured, 2)
    assert "file" in captured.err
    assert Path("file").read_text() == "not a folder"


def test_a_dataset_folder_that_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("data").write_text("not a folder")
    said(run(list(LINES["load"])), capsys.readouterr(), 2)
    assert Path("data").read_text() == "not a folder"


def test_a_definitions_folder_that_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("not a folder")
    code = run([*LINES["propose"], "--out-dir", "file", "--min-share", "0%"])
    captured = capsys.readouterr()
    assert code in {0, 2}
    assert "Traceback" not in captured.err
    assert Path("file").read_text() == "not a folder"


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze"],
        ["analyze", "--data", "nowhere"],
        ["analyze", "--data", "."],
        ["analyze", "--project", "nowhere.yml"],
        ["analyze", *SOURCES, "--as-of", "soon"],
        ["analyze", *SOURCES, "--conversion-window", "thirty"],
        ["analyze", *SOURCES, "--windows", ","],
        ["analyze", *SOURCES, "--snapshots", "sometimes"],
        ["analyze", *SOURCES, "--measures", "sum"],
        ["analyze", *SOURCES, "--entity", "usr"],
        ["analyze", *SOURCES, "--entity", "account"],
        ["analyze", *SOURCES, "--exposure", "none"],
        ["analyze", *SOURCES, "--by", "colour"],
        ["analyze", *SOURCES, "--given", "nowhere.yml"],
        ["analyze", *SOURCES, "--given", "events.csv"],
        ["analyze", *SOURCES, "--sample", "200%"],
        ["analyze", *SOURCES, "--top", "-1"],
        ["analyze", *SOURCES, "--top", "many"],
        ["analyze", *SOURCES, "--format", "yaml"],
        ["analyze", *SOURCES, "--engine", "abacus"],
        ["analyze", *SOURCES, "--engine", "spark"],
        ["analyze", *SOURCES, "--trust-current", "nothing"],
        ["analyze", *SOURCES, "--compare", "nothing"],
        ["analyze", *SOURCES, "--data", "data"],
        ["try", "invite >=", *SOURCES],
        ["try", "", *SOURCES],
        ["try", "invite >= 2", *SOURCES, "--save", "events.csv"],
        ["try"],
        ["propose", *SOURCES, "--max-criteria", "9"],
        ["propose", *SOURCES, "--objective", "luck"],
        ["propose", *SOURCES, "--capacity", "50"],
        ["propose", *SOURCES, "--holdout", "0"],
        ["propose", *SOURCES, "--holdout", "100%"],
        ["propose", *SOURCES, "--name", "../../etc/passwd"],
        ["propose", *SOURCES, "--permutations", "-1"],
        ["propose", *SOURCES, "--max-rules", "-1"],
        ["propose", *SOURCES, "--value", "-1", "--cost", "nan"],
        ["propose", *SOURCES, "--against", "nowhere.yml"],
        ["load", *SOURCES],
        ["load", *SOURCES, "--out", "data", "--max-bad", "15"],
        ["load", *SOURCES, "--out", "data", "--max-bad", "lots"],
        ["load", *SOURCES, "--out", "data", "--plausible", "2026"],
        ["load", *SOURCES, "--out", "data", "--plausible", "2026-02-01..2026-01-01"],
        ["load", *SOURCES, "--out", "data", "--catalogue", "events.csv/catalogue.json"],
        ["score", *SOURCES],
        ["score", "-d", "nowhere.yml", *SOURCES],
        ["score", "-d", "inviters.yml", *SOURCES, "--since", "soon"],
        ["score", "-d", "inviters.yml", *SOURCES, "--only-new"],
        ["score", "-d", "inviters.yml", *SOURCES, "--previous", "nowhere.csv"],
        ["score", "-d", "inviters.yml", *SOURCES, "--ledger", "events.csv"],
        ["score", "-d", "inviters.yml", *SOURCES, "--columns", "colour", "--out", "leads.csv"],
        ["report", *SOURCES],
        ["report", "-d", "nowhere.yml", *SOURCES],
        ["report", "-d", ".", *SOURCES],
        ["report", "-d", "inviters.yml", *SOURCES, "--fail-under", "15"],
        ["report", "-d", "inviters.yml", *SOURCES, "--by", "colour"],
        ["report", "-d", "inviters.yml", *SOURCES, "--contacts", "nowhere.csv"],
        ["explain", "u001", *SOURCES],
        ["explain", "nobody", "-d", "inviters.yml", *SOURCES],
        ["init", "nowhere.csv"],
        ["init", "events.csv", "--out", "events.csv/pqlkit.yml"],
        ["schema", "colour"],
        ["validate", "nowhere.yml"],
        ["demo", "."],
    ],
    ids=" ".join,
)
def test_what_cannot_be_obeyed_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    code = run(arguments)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert (code, captured.out) == (2, ""), captured.err
    assert "rror: " in captured.err
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("text", "under"),
    [
        ("invite  >=", ""),
        ("invite and   invte >= 2", "invte"),
        ("not invite  ever", "ever"),
        ("a; b", ";"),
        ("   invite in", ""),
    ],
)
def test_the_caret_stands_under_its_character(text: str, under: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["try", text, *SOURCES]) == 2
    shown, caret = next(pair for pair in pairwise(capsys.readouterr().err.splitlines()) if pair[1].strip() == "^")
    at = caret.index("^")
    assert shown[at : at + len(under)] == under
    assert under or at >= len(shown)
