"""One writer, whole states: what is published is the old state or the new one, and the next writer clears up."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from pqlkit.errors import OutputError, UsageError
from pqlkit.exports import publishing
from pqlkit.exports.manifest import PLACE
from pqlkit.exports.publishing import writing

if TYPE_CHECKING:
    from pathlib import Path

NAME = "manifest.json"


def publish(folder: Path, *texts: str, note: str | None = None) -> list[str]:
    """Publish files of these contents, as a load does."""
    with writing(folder, NAME) as writer:
        names = []
        for place, text in enumerate(texts):
            path = writer.work / f"{place}.txt"
            path.write_text(text)
            names.append(writer.stage(path, f"table/{place:05}"))
        beside = None
        if note is not None:
            beside = writer.work / "note"
            beside.write_text(note)
        writer.publish("\n".join(names), names, beside={"note.txt": beside})
    return names


def state(folder: Path) -> dict[str, str]:
    """The files that the manifest names and their contents, and the note."""
    names = (folder / NAME).read_text().split("\n")
    note = {"note.txt": (folder / "note.txt").read_text()} if (folder / "note.txt").exists() else {}
    return {name: (folder / name).read_text() for name in names} | note


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def victim(folder: Path, call: str) -> None:
    """Publish something new, and die when a function of the module is called."""
    setattr(publishing, call, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    publish(folder, "new", "newer", note="new")


def killed_at(folder: Path, call: str) -> None:
    """Have `victim` run in a process of its own."""
    process = multiprocessing.get_context("forkserver").Process(target=victim, args=(folder, call))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_what_is_published_is_there_and_nothing_else(tmp_path):
    folder = tmp_path / "ds"
    names = publish(folder, "a", "b", note="hello")
    assert list(state(folder).values()) == ["a", "b", "hello"]
    assert files(folder) == {*names, NAME, "note.txt", f"{PLACE}/lock", f"{PLACE}/state.json"}
    publish(folder, "a", "b")
    assert "note.txt" not in state(folder)


def test_the_second_writer_is_told_who_holds_the_folder_and_changes_nothing(tmp_path):
    folder = tmp_path / "ds"
    publish(folder, "a")
    before = state(folder)
    holder = rf"another run is writing .*ds: process {os.getpid()} on \S+ since 20.*UTC"
    with writing(folder, NAME), pytest.raises(UsageError, match=holder), writing(folder, NAME):
        pass
    assert state(folder) == before
    publish(folder, "b")


def test_a_killed_writer_holds_no_lock(tmp_path):
    killed_at(tmp_path / "ds", "write_text")
    publish(tmp_path / "ds", "a")
    assert list(state(tmp_path / "ds").values()) == ["a"]


@pytest.mark.parametrize("call", ["sync", "_write", "write_text"])
@pytest.mark.parametrize("first", [True, False])
def test_killed_before_the_manifest_the_old_state_is_whole_and_the_next_writer_leaves_nothing(tmp_path, call, first):
    folder = tmp_path / "ds"
    publish(tmp_path / "never harmed", "a", note="old")
    if not first:
        publish(folder, "a", note="old")
        before = state(folder)
    killed_at(folder, call)
    assert first or state(folder) == before
    publish(folder, "a", note="old")
    assert state(folder) == state(tmp_path / "never harmed")
    assert files(folder) == files(tmp_path / "never harmed")


def test_after_the_manifest_the_next_writer_ends_what_was_begun(tmp_path):
    folder = tmp_path / "ds"
    publish(folder, "a", note="old")
    killed_at(folder, "_settle")
    assert (folder / "note.txt").read_text() == "old"
    with writing(folder, NAME):
        assert list(state(folder).values()) == ["new", "newer", "new"]
    assert not [name for name in files(folder) if "later" in name]


def test_an_error_leaves_the_old_state_and_a_first_one_leaves_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "ds"

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "sync", full)
        with pytest.raises(OSError, match="No space"):
            publish(folder, "a")
        assert not folder.exists()
    publish(folder, "a")
    before, there = state(folder), files(folder)
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "sync", full)
        with pytest.raises(OSError, match="No space"):
            publish(folder, "b")
    assert (state(folder), files(folder)) == (before, there)


def test_an_error_after_the_manifest_says_that_the_new_state_stands(tmp_path, monkeypatch):
    folder = tmp_path / "ds"
    publish(folder, "a")

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_settle", broken)
        with pytest.raises(OutputError, match=r"ds is the new dataset, whole, but clearing up failed"):
            publish(folder, "b", note="new")
    assert list(state(folder).values()) == ["b"]
    with writing(folder, NAME):
        assert list(state(folder).values()) == ["b", "new"]


def test_old_files_stay_for_their_readers_and_go_with_a_later_writer(tmp_path, monkeypatch):
    folder = tmp_path / "ds"
    (old,) = publish(folder, "a")
    publish(folder, "b")
    assert (folder / old).read_text() == "a"
    publish(folder, "c")
    assert (folder / old).exists()
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + publishing.GRACE * 1000 + 10**10)
    names = publish(folder, "d")
    assert {name for name in files(folder) if name.startswith("table")} == {*names, *_retired(folder)}
    assert not (folder / old).exists()


def _retired(folder: Path) -> set[str]:
    known = json.loads((folder / PLACE / "state.json").read_text())["files"]
    return {name for name, since in known.items() if since is not None}


def test_a_file_that_comes_back_is_in_force_again(tmp_path, monkeypatch):
    folder = tmp_path / "ds"
    (old,) = publish(folder, "a")
    publish(folder, "b")
    assert _retired(folder) == {old}
    assert publish(folder, "a") == [old]
    monkeypatch.setattr(publishing, "GRACE", 0)
    publish(folder, "a")
    assert state(folder) == {old: "a"}


def test_files_that_no_writer_put_there_are_never_removed(tmp_path, monkeypatch):
    folder = tmp_path / "ds"
    publish(folder, "a")
    (folder / "table" / "mine.parquet").write_text("mine")
    (folder / "thesis.txt").write_text("mine")
    monkeypatch.setattr(publishing, "GRACE", 0)
    publish(folder, "b")
    (folder / PLACE / "state.json").write_text("damaged")
    publish(folder, "c")
    assert (folder / "table" / "mine.parquet").read_text() == "mine"
    assert (folder / "thesis.txt").read_text() == "mine"
    assert list(state(folder).values()) == ["c"]


@pytest.mark.parametrize(
    "damaged",
    [
        "[]",
        '{"files": [], "coming": null}',
        '{"files": {"a": "yesterday"}, "coming": null}',
        '{"files": {}, "coming": "x"}',
        '{"files": {}, "coming": {}}',
        '{"files": {}, "coming": {"manifest": 1, "place": [], "files": [], "beside": {}}}',
        '{"files": {}, "coming": {"manifest": "", "place": ["x", 1], "files": [], "beside": {}}}',
        '{"files": {}, "coming": {"manifest": "", "place": [], "files": null, "beside": {}}}',
        '{"files": {}, "coming": {"manifest": "", "place": [], "files": [], "beside": ["note.txt"]}}',
    ],
)
def test_a_damaged_state_knows_of_no_file(tmp_path, damaged):
    folder = tmp_path / "ds"
    publish(folder, "a")
    (folder / PLACE / "state.json").write_text(damaged)
    publish(folder, "b")
    assert list(state(folder).values()) == ["b"]


@pytest.mark.parametrize("named", ["../thesis.txt", "table/../../thesis.txt", "{folder}/thesis.txt", "", "a\u0000"])
def test_a_state_that_names_files_outside_removes_none(tmp_path, monkeypatch, named):
    monkeypatch.setattr(publishing, "GRACE", 0)
    (tmp_path / "thesis.txt").write_text("mine")
    name = named.format(folder=tmp_path)
    coming = {"manifest": "", "place": [name], "files": [], "beside": {}}
    for known in ({"files": {}, "coming": coming}, {"files": {name: 0}, "coming": None}):
        folder = tmp_path / "ds"
        publish(folder, "a")
        (folder / PLACE / "state.json").write_text(json.dumps(known))
        publish(folder, "b")
        assert list(state(folder).values()) == ["b"]
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_what_the_manifest_named_before_there_was_a_state_can_be_adopted(tmp_path, monkeypatch):
    folder = tmp_path / "ds"
    (old,) = publish(folder, "a")
    (folder / PLACE / "state.json").unlink()
    monkeypatch.setattr(publishing, "GRACE", 0)
    with writing(folder, NAME) as writer:
        writer.adopt([old])
        path = writer.work / "b.txt"
        path.write_text("b")
        name = writer.stage(path, "table/00000")
        writer.publish(name, [name], beside={})
    assert not (folder / old).exists()


def test_a_folder_of_other_files_is_refused_and_stays(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds other files \(thesis.txt\)"):
        publish(tmp_path, "a")
    assert files(tmp_path) == {"thesis.txt"}


@pytest.mark.parametrize(("mode", "of_files"), [(0o700, 0o600), (0o750, 0o640)])
def test_who_may_read_the_folder_may_read_what_is_in_it(tmp_path, mode, of_files):
    folder = tmp_path / "ds"
    if mode != 0o700:
        folder.mkdir()
        folder.chmod(mode)
    (name,) = publish(folder, "a", note="n")
    assert folder.stat().st_mode & 0o777 == mode
    assert (folder / "table").stat().st_mode & 0o777 == mode
    assert {(folder / each).stat().st_mode & 0o777 for each in (name, NAME, "note.txt")} == {of_files}
    assert (folder / PLACE).stat().st_mode & 0o777 == 0o700
