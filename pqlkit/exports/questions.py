"""The open question: what a look at an export cannot tell, and the columns that may be the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANONYMOUS_ID, AT, CONVERTED_AT, EVENT, SIGNED_UP_AT, TIMESTAMP, USER_ID
from pqlkit.exports.guessing import Guess, guess_format
from pqlkit.exports.nulls import NULL_VALUES, without_nulls
from pqlkit.exports.numerals import is_plain_number, notation_of
from pqlkit.exports.picked_column import text_of
from pqlkit.exports.tables import layout
from pqlkit.exports.time_formats import EXCEL
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

TIMEZONE: Final = "timezone"
"""Asked for where a vendor's times are in the zone of whoever exported; there are no options then."""

ONLY_EVENT: Final = "active"
"""The name given to the events of an export that has no column of names."""

_MEANINGS: Final = {
    USER_ID: "the user's id",
    ACCOUNT_ID: "the account's id",
    ANONYMOUS_ID: "the id before the log-in",
    EVENT: "the name of what was done",
    TIMESTAMP: "the time at which it was done",
    SIGNED_UP_AT: "the time of signing up",
    CONVERTED_AT: "the time of the conversion",
    AT: "the time of the call",
    TIMEZONE: "the zone of whoever exported",
}
_OPTIONS: Final = 12
_VALUES: Final = 3
_NAMES: Final = 500
"""More different values than this are no names of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which of an export's columns a canonical column is.

    `options` are headers with some of their values; `guesses` say how the values of those that are times are written.
    """

    table: str
    column: str
    options: Mapping[str, tuple[str, ...]]
    guesses: Mapping[str, Guess] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """What is asked for."""
        return f"{_MEANINGS[self.column]} ({self.column} of the {self.table})"


if TYPE_CHECKING:
    Ask: TypeAlias = Callable[[Question], str | None]
    """Puts a question to a person; gives the header (or the zone), or None where there is no answer."""


def question(table: str, column: str, rows: pl.DataFrame) -> Question:
    """Ask for a column that no header tells: of times those columns that read as times, if there are any."""
    headers = [name for name in rows.columns if not rows[name].dtype.is_nested()]
    is_time = column in layout(table).times
    headers = ([name for name in headers if _reads_as_time(rows[name]) is is_time] or headers)[:_OPTIONS]
    return Question(
        table=table,
        column=column,
        options={name: _some(rows[name]) for name in headers},
        guesses={name: guess_format(rows[name]) for name in headers} if is_time else {},
    )


def name_question(table: str, rows: pl.DataFrame) -> Question | None:
    """Ask which column names the events: texts of which a few are repeated, the fewest first; None where there are none."""
    counts = {name: _different(rows[name]) for name in rows.columns if rows[name].dtype == pl.String}
    headers = sorted((name for name, count in counts.items() if count), key=lambda name: counts[name])
    options = {name: _some(rows[name]) for name in headers[:_OPTIONS]}
    return Question(table=table, column=EVENT, options=options) if options else None


def _different(values: pl.Series) -> int:
    """Count the different texts of a column that may name events; 0 where it cannot."""
    texts = without_nulls(values, NULL_VALUES).drop_nulls()
    count = texts.n_unique()
    if not 1 < count <= min(_NAMES, len(texts) - 1):
        return 0
    numbers = is_plain_number(texts, NULL_VALUES) or notation_of(texts, NULL_VALUES) is not None
    return 0 if numbers or _reads_as_time(texts) else count


def _reads_as_time(values: pl.Series) -> bool:
    if isinstance(values.dtype, pl.Datetime) or values.dtype == pl.Date:
        return True
    some = values.drop_nulls()
    if some.is_empty():
        return False
    guess = guess_format(some)
    numeric = some.cast(pl.Float64, strict=False).null_count() == 0
    return guess.form not in (None, EXCEL) or (guess.doubt is None and not numeric)


def _some(values: pl.Series) -> tuple[str, ...]:
    texts = text_of(values.drop_nulls()).unique(maintain_order=True)
    return tuple(visible(text, 40) for text in texts.filter(texts != "").head(_VALUES))
