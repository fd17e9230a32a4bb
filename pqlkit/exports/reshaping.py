"""The reshaped batch: rows left out or multiplied as a source asks, and columns looked up in a second export."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.exports.instants import instants
from pqlkit.exports.json_lines import read_objects
from pqlkit.exports.mapping import Column, Spelling
from pqlkit.exports.money import numbers
from pqlkit.exports.nulls import NULL_VALUES, without_nulls
from pqlkit.exports.picked_column import id_text, none_if_empty, text_of, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pqlkit.exports.mapping import Explode, Lookup, Newest, RowRule, RowTest

LOOKED_UP: Final = "pqlkit:looked up:"
"""Before the canonical names of columns that a lookup adds."""
OLDER: Final = "an older version of a row"

_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How times without an offset are read, where a date is a day, and the last moment that the export can know."""

    zone: str
    dates_in: str
    as_of: int

    def times(self, raw: pl.DataFrame, names: tuple[str, ...]) -> pl.Series:
        """Read times of columns: the first that has a value."""
        return instants(values_of(raw, Column(names=names)), form=None, zone=self.zone, dates_in=self.dates_in)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What makes rows of an export rows of its table."""

    rows: tuple[RowRule, ...] = ()
    explode: Explode | None = None
    lookup: Lookup | None = None
    newest: Newest | None = None


@dataclass(slots=True, eq=False)
class Reshaped:
    """The rows of a batch that are the table's.

    `places` are their positions in the batch, one of them several times where a cell was split. `left_out` counts the
    others by the words of the rule that they failed; `unasked` are the words of rules whose columns the file lacks. `added` rows exist because a cell held several values.
    """

    raw: pl.DataFrame
    places: pl.Series
    left_out: dict[str, int] = field(default_factory=dict)
    added: int = 0
    unasked: list[str] = field(default_factory=list)

    def keep(self, holds: pl.Series, words: str) -> None:
        """Leave out the rows that do not hold."""
        failed = len(holds) - int(holds.sum() or 0)
        if failed:
            self.left_out[words] = self.left_out.get(words, 0) + failed
            self.raw, self.places = self.raw.filter(holds), self.places.filter(holds)


def reshaped(
    raw: pl.DataFrame,
    shape: Shape,
    clock: Clock,
    *,
    newest: pl.Series | None = None,
    looked_up: Callable[[Lookup], pl.DataFrame | None] | None = None,
) -> Reshaped:
    """Leave out rows, split cells and look up what lies in a second export, in this order.

    Parameters
    ----------
    raw
        Rows as the file has them, nested columns flattened.
    shape, clock
        What is asked, and how times are read.
    newest
        Whether each row is the newest version of itself; None = all are.
    looked_up
        Gives a lookup's table (text, as the file has it), or None where nobody has named it.
    """
    batch = Reshaped(raw=raw, places=pl.int_range(raw.height, eager=True))
    if newest is not None:
        batch.keep(newest, OLDER)
    for rule in shape.rows:
        if rule.test.askable(set(raw.columns)):
            batch.keep(holds(batch.raw, rule.test, clock), rule.words)
        else:
            batch.unasked.append(rule.words)
    if shape.explode is not None:
        _split(batch, shape.explode)
    if shape.lookup is not None and looked_up is not None:
        by, table = _first(raw, shape.lookup.by), looked_up(shape.lookup)
        if by is not None and table is not None:
            batch.raw = _joined(batch.raw, by, shape.lookup, table)
    return batch


def holds(raw: pl.DataFrame, test: RowTest, clock: Clock) -> pl.Series:
    """Tell of each row whether a test holds; never null."""
    if test.any_of:
        values = reduce(or_, [holds(raw, part, clock) for part in test.any_of])
    elif not test.askable(set(raw.columns)):
        values = pl.Series([False]).new_from_index(0, raw.height)
    else:
        values = _asked(raw, test, clock).fill_null(value=False)
    return values if test.when is None else values | ~holds(raw, test.when, clock)


def _asked(raw: pl.DataFrame, test: RowTest, clock: Clock) -> pl.Series:
    values = values_of(raw, Column(names=test.column))
    if test.above is not None:
        read = numbers(values)
        return (read > test.above) | (none_if_empty(text_of(values)).is_null() & test.empty_kept)
    if test.after is not None:
        own, other = clock.times(raw, test.column), clock.times(raw, test.after)
        return own.is_null() | other.is_null() | (own > other)
    if test.by_then:
        own = clock.times(raw, test.column).dt.timestamp("us")
        return own.is_null() | (own <= clock.as_of)
    texts = folded_texts(without_nulls(text_of(values), NULL_VALUES) if test.filled is not None else values)
    if test.filled is not None:
        return texts.is_not_null() if test.filled else texts.is_null()
    if test.without is not None:
        return texts.is_null() | ~texts.is_in([value.lower() for value in test.without])
    if test.like is not None:
        return texts.str.contains(_any_glob(test.like))
    return texts.is_in([value.lower() for value in test.within or ()])


def folded_texts(values: pl.Series) -> pl.Series:
    """Write values as text without regard to case and surrounding blanks; blank ones are null."""
    return none_if_empty(text_of(values).str.strip_chars().str.to_lowercase())


def _any_glob(globs: Sequence[str]) -> str:
    escaped = (pl.Series([glob.lower()]).str.escape_regex()[0].replace(r"\*", ".*") for glob in globs)
    return f"^(?:{'|'.join(escaped)})$"


def _split(batch: Reshaped, explode: Explode) -> None:
    name = _first(batch.raw, explode.column)
    if name is None or batch.raw[name].dtype != pl.String:
        return
    parts = pl.col(name).str.split(explode.separator).list.eval(pl.element().str.strip_chars())
    filled = parts.list.eval(pl.element().filter(pl.element() != ""))
    # A cell without a value keeps its row.
    kept = pl.when(filled.list.len() > 0).then(filled).otherwise(pl.concat_list(pl.lit(None, dtype=pl.String)))
    numbered = batch.raw.with_columns(kept.alias(name), batch.places.alias("pqlkit:place")).explode(name)
    batch.added = numbered.height - batch.raw.height
    batch.places = numbered["pqlkit:place"]
    batch.raw = numbered.drop("pqlkit:place")


def _first(raw: pl.DataFrame, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in raw.columns), None)


def _joined(raw: pl.DataFrame, by: str, lookup: Lookup, table: pl.DataFrame) -> pl.DataFrame:
    key = _spelled(id_text(table[lookup.key]), lookup.same).alias("pqlkit:key")
    columns = {name: _inside(table, paths) for name, paths in lookup.columns.items()}
    other = pl.DataFrame(
        [key, *(text_of(values).alias(LOOKED_UP + name) for name, values in columns.items() if values is not None)]
    )
    other = other.drop_nulls("pqlkit:key").unique("pqlkit:key", keep="last", maintain_order=True)
    owners = _spelled(id_text(raw[by]), lookup.same).alias("pqlkit:key")
    joined = raw.with_columns(owners).join(other, on="pqlkit:key", how="left", maintain_order="left")
    return joined.drop("pqlkit:key")


def _inside(table: pl.DataFrame, paths: Sequence[str]) -> pl.Series | None:
    """Find the first of columns that is there, or a key of the JSON text in one; None without any."""
    for path in paths:
        column, dot, key = path.partition(".")
        if path in table.columns:
            return table[path]
        if dot and column in table.columns and table[column].dtype == pl.String:
            opened = read_objects(table[column])
            if key in opened.columns:
                return opened[key]
    return None


def _spelled(ids: pl.Series, same: Spelling | None) -> pl.Series:
    if same is not Spelling.SALESFORCE:
        return ids
    return pl.Series(ids.name, [eighteen(text) for text in ids.to_list()], dtype=pl.String)


def eighteen(text: str | None) -> str | None:
    """Write a Salesforce id of 15 letters as the one of 18, which tells capitals from small letters by three more.

    Examples
    --------
    >>> eighteen("001Hn00001aBcD5")
    '001Hn00001aBcD5IAK'
    """
    if text is None or len(text) != 15:
        return text
    blocks = (text[start : start + 5] for start in (0, 5, 10))
    return text + "".join(_CAPITALS[sum(1 << at for at, sign in enumerate(part) if sign.isupper())] for part in blocks)


@dataclass(slots=True, eq=False)
class Versions:
    """The versions of rows over a table's files, as they are read: which file and line holds the newest of each."""

    newest: Newest
    seen: list[pl.DataFrame] = field(default_factory=list)

    def add(self, raw: pl.DataFrame, lines: pl.Series, place: int, clock: Clock) -> None:
        """Take some rows of a file."""
        keys = {f"k{at}": text_of(values_of(raw, Column(names=(name,)))) for at, name in enumerate(self.newest.key)}
        at = clock.times(raw, (self.newest.by,))
        self.seen.append(pl.DataFrame({**keys, "at": at, "place": [place] * raw.height, "line": lines}))

    def winners(self) -> Mapping[int, pl.Series]:
        """Give the lines of the newest versions by file; of two of one moment the later row is the newer."""
        if not self.seen:
            return {}
        frame = pl.concat(self.seen)
        keys = [name for name in frame.columns if name.startswith("k")]
        keyed = pl.any_horizontal(pl.col(keys).is_not_null())
        last = frame.filter(keyed).sort("at", "place", "line", nulls_last=False).unique(keys, keep="last")
        rows = pl.concat([last, frame.filter(~keyed)])
        return {int(place): lines["line"] for (place,), lines in rows.group_by("place")}
