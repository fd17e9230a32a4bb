from __future__ import annotations

import time
from pathlib import Path

import pytest

from pqlkit.definitions.folders import DEEPEST, load_definition, load_definitions
from pqlkit.definitions.model import Ref
from pqlkit.errors import DefinitionError


def write(folder: Path, name: str, *refs: str, extra: str = "") -> Path:
    parts = ", ".join([*(f"{{ref: {ref}}}" for ref in refs), "{event: x, ever: true}"])
    path = folder / f"{name}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"pqlkit: 1\nname: {name}\nentity: user\nkind: milestone\nqualify: {{all: [{parts}]}}\n{extra}")
    return path


def messages(folder: Path) -> dict[str, list[str]]:
    return {
        Path(loaded.document.path).stem: [fault.message for fault in loaded.diagnostics]
        for loaded in load_definitions([folder])
    }


def test_refs_are_found_by_name_beside_the_file(tmp_path) -> None:
    write(tmp_path, "b")
    (tmp_path / "b.yml").rename(tmp_path / "another-name.yaml")
    definition = load_definition(write(tmp_path, "a", "b"))
    first = definition.qualify.parts[0]  # type: ignore[union-attr]
    assert isinstance(first, Ref)
    assert (first.name, first.target.name) == ("b", "b")


def test_a_name_beside_the_file_goes_before_the_same_name_elsewhere(tmp_path) -> None:
    write(tmp_path / "one", "b", extra="version: 1\n")
    write(tmp_path / "two", "b", extra="version: 2\n")
    (tmp_path / "three").mkdir()
    near = load_definition(write(tmp_path / "two", "a", "b"), folders=[tmp_path / "one"])
    far = load_definition(write(tmp_path / "three", "a", "b"), folders=[tmp_path / "one", tmp_path / "two"])
    assert near.qualify.parts[0].target.version == 2  # type: ignore[union-attr]
    assert far.qualify.parts[0].target.version == 1  # type: ignore[union-attr]


def test_what_is_only_looked_up_in_is_not_listed(tmp_path) -> None:
    write(tmp_path, "b")
    path = write(tmp_path, "a", "b")
    (loaded,) = load_definitions([path])
    assert loaded.document.path == str(path)


def test_a_folder_gives_its_files_in_order_without_project_files(tmp_path) -> None:
    for name in ("b", "a"):
        write(tmp_path, name)
    (tmp_path / "pqlkit.yml").write_text("pqlkit: 1\nexports: {}\n")
    (tmp_path / "notes.txt").write_text("no")
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "deeper", "c")
    assert list(messages(tmp_path)) == ["a", "b"]


def test_circles_end_and_say_their_way(tmp_path) -> None:
    write(tmp_path, "a", "b")
    write(tmp_path, "b", "c")
    write(tmp_path, "c", "a")
    write(tmp_path, "alone", "alone")
    found = messages(tmp_path)
    assert found["alone"] == ["'alone' leads back to itself: alone -> alone"]
    assert found["c"] == ["'a' leads back to itself: a -> b -> c -> a"]
    assert found["b"] == ["'c' has faults of its own"]


def test_an_unknown_name_has_a_nearest_one(tmp_path) -> None:
    write(tmp_path, "activated")
    (loaded,) = load_definitions([write(tmp_path, "a", "activatd")])
    assert [(fault.code, fault.message, fault.hint) for fault in loaded.diagnostics] == [
        ("PQL207", "no definition is named 'activatd'", "did you mean activated?")
    ]


def test_chains_are_followed_so_deep_and_no_deeper(tmp_path) -> None:
    for number in range(DEEPEST + 1):
        write(tmp_path, f"n{number:02}", *([f"n{number + 1:02}"] if number < DEEPEST else []))
    found = messages(tmp_path)
    assert found["n00"] == [f"more than {DEEPEST} files hang on one another by refs"]
    assert found["n01"] == []


def test_a_long_chain_costs_neither_the_stack_nor_much_time(tmp_path) -> None:
    for number in range(1200):
        write(tmp_path, f"n{number}", *([f"n{number + 1}"] if number < 1199 else []))
    started = time.process_time()
    assert sum(not faults for faults in messages(tmp_path).values()) == DEEPEST
    assert time.process_time() - started < 10


def test_bad_files_beside_do_not_disturb(tmp_path) -> None:
    (tmp_path / "broken.yml").write_bytes(b"\xff\xfe")
    (tmp_path / "bomb.yml").write_text("[" * 100_000)
    (tmp_path / "compose.yml").write_text("services: {}\n")
    (tmp_path / "dangling.yml").symlink_to(tmp_path / "nowhere.yml")
    write(tmp_path, "b")
    assert load_definition(write(tmp_path, "a", "b")).name == "a"


def test_an_outcome_may_be_another_definition(tmp_path) -> None:
    write(tmp_path, "returning")
    path = tmp_path / "x.yml"
    path.write_text(
        "pqlkit: 1\nname: x\nentity: user\nqualify: {event: a, ever: true}\noutcome: {within: 3d, definition: returning}\n"
    )
    outcome = load_definition(path).outcome
    assert outcome is not None
    assert outcome.definition is not None
    assert outcome.definition.name == "returning"


def test_what_is_not_there_is_an_error(tmp_path) -> None:
    with pytest.raises(DefinitionError, match="does not exist"):
        load_definitions([tmp_path / "gone.yml"])
    with pytest.raises(DefinitionError, match="does not exist"):
        load_definition(tmp_path / "gone.yml")
    path = write(tmp_path, "a", "b")
    with pytest.raises(DefinitionError, match=r"a\.yml:5:23: PQL207 no definition is named 'b'"):
        load_definition(path)
