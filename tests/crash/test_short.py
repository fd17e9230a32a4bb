"""Crashes in the short form: some file calls of each command, and two writers at once. The long one: `make crash`."""

from __future__ import annotations

import pytest

from tests.crash import scenarios
from tests.crash.__main__ import every_call
from tests.crash.layer import Fault
from tests.crash.scenarios import writers


@pytest.mark.parametrize(
    ("name", "every", "start"),
    [("a first load", 120, 43), ("an appending load", 90, 47), ("a night", 50, 11), ("a proposal", 40, 21)],
)
def test_what_a_fault_leaves_is_old_or_new_and_the_next_run_repairs_it(name: str, every: int, start: int) -> None:
    (told,) = every_call(every, start, only=name)
    assert "2 faults, all repaired" in told


def test_two_writers_and_a_reader(tmp_path) -> None:
    found = writers(tmp_path, count=2, delay=0.4, at=60)
    assert found["loaded"] + found["refused"] == 2
    assert found["read whole"] > 0


def test_the_layer_finds_a_load_that_is_not_whole(tmp_path, monkeypatch) -> None:
    """Should a dataset be neither old nor new, the scenario says so."""
    (scenario,) = (each for each in scenarios.scenarios() if each.name == "an appending load")
    scenario.begin(tmp_path)
    monkeypatch.setattr(scenario, "look", lambda _: "torn")
    with pytest.raises(AssertionError, match="neither old nor new"):
        scenario.hit(Fault.KILL, 40)
