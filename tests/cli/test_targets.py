"""What a run is about to write is held against all that it reads, for every command and every option that names a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pqlkit.cli.app import run
from pqlkit.options.commands import RECORDS, command_options
from pqlkit.options.option import Role
from tests.cli.sample import LINES, SOURCES, write_sample
from tests.scoring.nights import pqlkit

COMMANDS = {
    **LINES,
    "load": ("load", *SOURCES, "--out", "dataset"),
    "validate": ("validate", "inviters.yml"),
    "score": ("score", "-d", "inviters.yml", *SOURCES),
    "explain": ("explain", "u001", "-d", "inviters.yml", *SOURCES),
    "sql": ("sql", "-d", "inviters.yml"),
    "schema": ("schema",),
}
WRITES = [
    (command, option.flag)
    for command in RECORDS
    for option in command_options(command).values()
    if option.role is Role.WRITES
]
PRECIOUS = ["pqlkit.yml", "inviters.yml", "other.yml", "other.ledger", "dataset/manifest.json", "dataset/events"]
PROJECT = "pqlkit: 1\nexports: {events: {path: events.csv}, users: {path: users.csv}}\n"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports, a project file, definitions, a dataset and a ledger."""
    folder = tmp_path_factory.mktemp("sample") / "sample"
    folder.mkdir()
    write_sample(folder)
    (folder / "pqlkit.yml").write_text(PROJECT)
    shutil.copy(folder / "inviters.yml", folder / "other.yml")
    with contextlib.chdir(folder):
        assert pqlkit(*COMMANDS["load"], "--quiet").code == 0
        assert pqlkit(*COMMANDS["score"], "--ledger", "other.ledger", "--quiet").code == 0
    return folder


@pytest.fixture
def place(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(sample, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_option_that_names_a_path_says_what_is_done_with_it() -> None:
    paths = [(command, option) for command in RECORDS for option in command_options(command).values()]
    named = [(command, option.name) for command, option in paths if option.takes is Path and option.role is None]
    assert named == []
    assert len(WRITES) > 10


def refused(command: str, *options: str, says: str) -> None:
    """Run it, and hold that it refused before it read or wrote anything."""
    before = content(Path())
    done = pqlkit(*COMMANDS[command], *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {says}"), done.err
    assert content(Path()) == before


@pytest.mark.parametrize(("command", "flag"), WRITES)
def test_no_output_replaces_what_is_precious(command: str, flag: str, place: Path) -> None:
    for target in PRECIOUS:
        path = str(next(Path(target).iterdir())) if Path(target).is_dir() else target
        refused(command, flag, path, says=f"{flag} {path} is ")
    for address in ("s3://bucket/x.csv", "https://example.com/x.csv", "gs:/x"):
        refused(command, flag, address, says=f"{flag} {Path(address)} is no place on this machine")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind("socket")
        refused(command, flag, "socket", says=f"{flag} socket is a socket")


@pytest.mark.parametrize(("command", "flag"), [(command, flag) for command, flag in WRITES if command != "schema"])
def test_no_output_replaces_an_input_by_whatever_name(command: str, flag: str, place: Path) -> None:
    read = "events.csv"  # the project file names it for the commands that do not
    for target in (read, "./" + read, f"../{place.name}/{read}", str(place / read)):
        refused(command, flag, target, says=f"{flag} {Path(target)} is what ")
    os.link(read, "hard.csv")
    Path("soft.csv").symlink_to(read)
    for target in ("hard.csv", "soft.csv"):
        refused(command, flag, target, says=f"{flag} {target} is what ")


@pytest.mark.parametrize("command", ["analyze", "try", "propose", "report", "score"])
def test_two_outputs_of_one_run_are_two_files(command: str, place: Path) -> None:
    other = "--summary" if command == "score" else "--html"
    refused(command, other, "./x.csv", "--out", "x.csv", says=f"--out x.csv is what {other} x.csv is")
    Path("soft.csv").symlink_to("x.csv")
    refused(command, other, "soft.csv", "--out", "x.csv", says=f"--out x.csv is what {other} soft.csv is")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--ledger", "n.csv", "--out", "n.csv"], "--out n.csv is what --ledger n.csv is"),
        (["--ledger", "l", "--summary", "l"], "--summary l is what --ledger l is"),
        (["--ledger", "events.csv"], "--ledger events.csv is what --events events.csv is"),
        (["--ledger", "inviters.yml"], "--ledger inviters.yml is what --definition inviters.yml is"),
        (["--ledger", ":memory:"], "--ledger :memory: is no file that stays"),
        (["--ledger", "s3://b/l"], "--ledger s3:/b/l is no place on this machine"),
        (["--ledger", "/dev/null"], "--ledger /dev/null is no file that stays"),
        (["--ledger", "dataset"], "--ledger dataset is no file that stays"),
        (["--previous", "leads.csv", "--out", "leads.csv"], "--out leads.csv is what --previous leads.csv is"),
        (["--suppress", "leads.held.csv", "--out", "leads.csv"], "--out leads.held.csv is what --suppress"),
        (["--suppress", "leads.part2.csv", "--out", "leads.csv"], "--out leads.part2.csv is what --suppress"),
        (["-d", "other.yml", "--out", "lists", "--summary", "lists/overlap.json"], "--out lists/overlap.json is what"),
        (["-d", "other.yml", "--out", "lists", "--suppress", "lists/second.csv"], "--out lists/second.csv is what"),
    ],
)
def test_what_score_writes_beside_the_list_counts_too(options: list[str], says: str, place: Path) -> None:
    for name in ("leads.csv", "leads.held.csv", "leads.part2.csv", "lists/second.csv"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("user_id\n")
    Path("other.yml").write_text(Path("inviters.yml").read_text().replace("name: inviters", "name: second"))
    refused("score", *options, says=says)


def test_an_empty_ledger_is_refused(place: Path) -> None:
    Path("l").write_text("")
    refused("score", "--ledger", "l", says="l is empty, and no ledger")


def test_a_load_does_not_read_its_own_dataset_or_write_elsewhere(place: Path) -> None:
    own = ["load", "--events", "dataset/events", "--out", "dataset"]
    done = pqlkit(*own)
    assert done.code == 2
    assert done.err.startswith("error: --out dataset is the dataset that --events "), done.err
    refused("load", "--out", "s3://bucket/ds", says="--out s3:/bucket/ds is no place on this machine")
    assert pqlkit("load", *SOURCES, "--out", "dataset", "--append", "--catalogue", "catalogue.yml").code == 0
    assert pqlkit("load", *SOURCES, "--out", "dataset", "--append", "--catalogue", "catalogue.yml").code == 0


def test_a_page_is_not_written_among_the_definitions(place: Path) -> None:
    says = "--html definitions/new.yml is among the definitions of --out-dir definitions"
    refused("propose", "--html", "definitions/new.yml", says=says)
    done = pqlkit("try", *COMMANDS["try"][1:], "--save", "d/a.yml", "--html", "d/a.yml")
    assert (done.code, "--html d/a.yml is what --save d/a.yml is" in done.err) == (2, True)


@pytest.mark.parametrize("command", ["demo", "init"])
def test_nothing_is_made_of_an_address(command: str, place: Path) -> None:
    words = {"demo": ["demo", "s3://bucket/x"], "init": ["init", "events.csv", "--out", "s3://bucket/pqlkit.yml"]}
    done = pqlkit(*words[command])
    assert (done.code, "is no place on this machine" in done.err) == (2, True)
    assert not Path("s3:").exists()


def test_what_the_project_file_says_counts_as_what_the_command_line_says(place: Path) -> None:
    Path("pqlkit.yml").write_text(PROJECT + "score: {summary: l.csv, ledger: l.csv}\n")
    refused("score", says="--summary l.csv is what --ledger l.csv is")


@pytest.mark.parametrize("target", ["/dev/null", "/dev/full", "pipe"])
def test_devices_and_pipes_are_written_through_and_stay(target: str, place: Path) -> None:
    """As root a rename over the device would succeed, and break the machine."""
    if target == "pipe":
        os.mkfifo(target)
        reader = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    before = Path(target).stat()
    done = pqlkit("schema", "--out", target)
    assert done.code == (2 if target == "/dev/full" else 0)
    assert (Path(target).stat().st_mode, Path(target).stat().st_ino) == (before.st_mode, before.st_ino)
    if target == "pipe":
        assert os.read(reader, 10) == b'{\n  "$sche'
        os.close(reader)
    assert not list(place.glob(".*part"))


def test_a_link_is_written_through_and_new_files_of_people_are_private(place: Path) -> None:
    Path("elsewhere").mkdir()
    Path("leads.csv").symlink_to("elsewhere/real.csv")
    assert pqlkit(*COMMANDS["score"], "--out", "leads.csv", "--ledger", "l").code == 0
    assert Path("leads.csv").is_symlink()
    assert Path("elsewhere/real.csv").read_text().startswith("user_id,")
    for name in ("elsewhere/real.csv", "l", "dataset/manifest.json", *map(str, Path("dataset").rglob("*.parquet"))):
        assert Path(name).stat().st_mode & 0o777 == 0o600, name
    assert Path("dataset").stat().st_mode & 0o777 == 0o700
    Path("elsewhere/real.csv").chmod(0o644)
    assert pqlkit(*COMMANDS["score"], "--out", "leads.csv", "--ledger", "l").code == 0
    assert Path("elsewhere/real.csv").stat().st_mode & 0o777 == 0o644


def test_the_file_behind_stdout_is_not_taken_from_under_the_shell(place: Path) -> None:
    command = f"{sys.executable} -m pqlkit schema --out /dev/stdout > through.json"
    before = subprocess.run(["bash", "-c", f"{command}; echo after >> through.json"], check=True).returncode
    assert before == 0
    assert Path("through.json").read_text().startswith('{\n  "$schema"')
    assert Path("through.json").read_text().endswith("}\nafter\n")


@pytest.mark.parametrize("out", ["", "."])
def test_an_out_that_names_no_file_is_refused_in_words(out, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yml").write_text(
        "pqlkit: 1\nname: x\nentity: user\nqualify: {event: act, within: 14d}\noutcome: {within: 30d}\n"
    )
    (tmp_path / "events.csv").write_text("user_id,event,timestamp\nu1,act,2026-01-01\n")
    assert run(["score", "-d", "x.yml", "--events", "events.csv", "--out", out]) == 2
    said = capsys.readouterr().err
    assert "did not foresee" not in said
    assert "--out" in said
