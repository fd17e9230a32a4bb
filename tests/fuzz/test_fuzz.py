"""The short form of `make fuzz`; the fuzzer itself finds what it looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pqlkit.cli.commands import loaded
from tests.crash.scenarios import LOAD, PROPOSE, SCORE
from tests.fuzz.__main__ import faults
from tests.fuzz.attempt import Attempt
from tests.fuzz.options import LINES
from tests.fuzz.stores import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("part", "first", "count"), [("options", 0, 20), ("archive", 0, 20), ("ledger", 0, 12), ("dataset", 0, 16)]
)
def test_senseless_options_and_damaged_files_end_well(part: str, first: int, count: int) -> None:
    assert list(faults(part, first, count)) == []


@pytest.mark.parametrize(
    "words", [*LINES.values(), *COMMANDS.values(), LOAD, SCORE, PROPOSE], ids=lambda words: words[0]
)
def test_what_is_to_be_harmed_is_a_command_line_that_pqlkit_takes(words: Sequence[str]) -> None:
    taken = {name for param in loaded(words[0]).params for name in param.opts}
    assert {word for word in words if word.startswith("--")} <= taken


def test_a_part_of_all_parquet_types_and_columns_ends_well() -> None:
    assert list(faults("parquet", 5, 36, step=37)) == []


@pytest.mark.parametrize(
    ("code", "said", "seconds"),
    [
        (1, "", 0),
        (2, "Traceback (most recent call last):\n  x\nerror: y", 0),
        (2, "", 0),
        (0, "", 99),
        (2, "error: did not foresee", 0),
    ],
)
def test_what_a_command_may_not_do_is_a_fault(code: int, said: str, seconds: float) -> None:
    assert Attempt(code=code, said=said, shown="", seconds=seconds).fault() is not None


def test_what_it_may_do_is_none() -> None:
    assert Attempt(code=2, said="error: no events given", shown="", seconds=0).fault() is None
    assert Attempt(code=1, said="1 error", shown="", seconds=0).fault(findings=True) is None
    assert Attempt(code=1, said="error: x", shown="", seconds=0).fault(findings=True) is not None
