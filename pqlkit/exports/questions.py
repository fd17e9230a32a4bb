"""The open question: what a look at an export cannot tell, and the columns that may be the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANONYMOUS_ID, AT, CONVERTED_AT, EVENT, SIGNED_UP_AT, TIMESTAMP, USER_ID
from pqlkit.exports.guessing import guess_format
from pqlkit.exports.picked_column import text_of
from pqlkit.exports.tables import layout
from pqlkit.exports.time_formats import EXCEL
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

TIMEZONE: Final = "timezone"
"""Asked for where a vendor's times are in the zone of whoever exported; there are no options then."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which of an export's columns a canonical column is. `options` are headers with some of their values."""

    table: str
    column: str
    options: Mapping[str, tuple[str, ...]]

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
    headers = [name for name in headers if _reads_as_time(rows[name]) is is_time] or headers
    return Question(table=table, column=column, options={name: _some(rows[name]) for name in headers[:_OPTIONS]})


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
