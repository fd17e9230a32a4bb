"""What is written becomes a value by one way, from the command line and from the project file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from pqlkit.durations import Duration
from pqlkit.errors import UsageError
from pqlkit.options.option import filled, option, options_of
from pqlkit.options.parsing import duration, whole


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One option of every type."""

    often: int = option(3, "How often.", reads=whole(1, 5), takes=int)
    long: Duration | None = option(None, "How long.", reads=duration, unset="as long as it takes")
    colour: Colour = option(Colour.RED, "Which colour.")
    files: tuple[Path, ...] = option((), "Files. Repeatable.", short="-f")
    share: float | None = option(None, "A number.")
    loud: bool = option(False, "Say more.")
    text: str = option("a", "A text.")


def test_an_option_is_told_with_its_default() -> None:
    assert [entry.help for entry in options_of(Sample)] == [
        "How often [default: 3].",
        "How long [default: as long as it takes].",
        "Which colour [default: red].",
        "Files. Repeatable.",
        "A number.",
        "Say more.",
        "A text [default: a].",
    ]


def test_what_is_written_follows_from_the_type() -> None:
    assert [(entry.takes, entry.many) for entry in options_of(Sample)] == [
        (int, False),
        (str, False),
        (Colour, False),
        (Path, True),
        (float, False),
        (bool, False),
        (str, False),
    ]


def test_the_command_line_wins_over_the_file_and_the_file_over_the_default() -> None:
    section = {"often": 2, "long": "7d", "files": "one.yml", "loud": True, "text": [1, 2], "colour": "blue"}
    made = filled(Sample, {"often": 4, "files": [Path("a"), Path("b")]}, section)
    assert made == Sample(
        often=4, long=Duration(7, "d"), colour=Colour.BLUE, files=(Path("a"), Path("b")), loud=True, text="1,2"
    )
    assert filled(Sample, {}, section).files == (Path("one.yml"),)
    assert filled(Sample, {}) == Sample()


def test_false_and_nothing_are_values_of_the_command_line() -> None:
    assert filled(Sample, {"loud": False, "share": 0.0}, {"loud": True, "share": 1}) == Sample(loud=False, share=0.0)


@pytest.mark.parametrize(
    ("given", "section", "message", "where"),
    [
        ({"often": 6}, {}, "--often: 6 is not between 1 and 5", None),
        ({}, {"often": 6}, "try.often: 6 is not between 1 and 5", "pqlkit.yml"),
        ({}, {"often": True}, "try.often: True is not a whole number", "pqlkit.yml"),
        ({}, {"colour": "green"}, "try.colour: 'green' is not one of red, blue", "pqlkit.yml"),
        ({}, {"long": 45}, "try.long: 45 has no unit", "pqlkit.yml"),
        ({}, {"files": ["a", True]}, "try.files: True is not one path", "pqlkit.yml"),
    ],
)
def test_what_cannot_be_read_is_blamed_on_who_wrote_it(
    given: dict[str, object], section: dict[str, object], message: str, where: str | None
) -> None:
    with pytest.raises(UsageError) as raised:
        filled(Sample, given, section, command="try", place="pqlkit.yml")
    assert raised.value.message.startswith(message)
    assert raised.value.where == where


def test_a_check_of_the_file_opens_no_file() -> None:
    from pqlkit.options.settings import Settings

    (given,) = [entry for entry in options_of(Settings) if entry.name == "given"]
    given.check("nowhere.yml", "analyze.given")
    with pytest.raises(UsageError, match="is not one path"):
        given.check(["a.yml", "b.yml"], "analyze.given")
