"""The canonical row: one table's raw rows under the canonical names, or the reason why a row cannot be one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, AMOUNT, ANONYMOUS_ID, EVENT, EVENT_ID, USER_ID
from pqlkit.errors import DataError, nearest
from pqlkit.exports.column_types import ColumnType, of_dtype, of_text
from pqlkit.exports.domains import address_of, domain_of
from pqlkit.exports.guessing import candidates, swapped
from pqlkit.exports.headers import zone_in
from pqlkit.exports.instants import instants
from pqlkit.exports.json_lines import flatten
from pqlkit.exports.mapping import Column, Match
from pqlkit.exports.money import amounts
from pqlkit.exports.nested import root_of, unpacked, with_paths
from pqlkit.exports.notation import ENGLISH
from pqlkit.exports.nulls import counted_nulls, without_nulls
from pqlkit.exports.numerals import as_written_by_programs, is_written_in
from pqlkit.exports.picked_column import id_text, lost_digits, none_if_empty, plain, several_ids, text_of, values_of
from pqlkit.exports.preset import Preset, Variant, preset, recognised
from pqlkit.exports.quarantine import SCHEMA, rejected_frame, row_text
from pqlkit.exports.reshaping import LOOKED_UP, Clock, Reshaped, Shape, folded_texts, holds, reshaped
from pqlkit.exports.synonyms import SYNONYMS
from pqlkit.exports.tables import ADDRESSES, CONVERSIONS, DOMAIN, EMAIL, EVENTS, FILE, LINE, LONGEST_NAME
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Set

    from pqlkit.exports.batch import Batch, Files
    from pqlkit.exports.mapping import Lookup, Source
    from pqlkit.exports.preset import Identity
    from pqlkit.exports.tables import Layout

_TEXTS: Final = (EVENT, EVENT_ID, "kind", "plan", "from_plan", "by", EMAIL)
_WORDS: Final = (EVENT, "kind", "plan", "from_plan", "by")
_NULLABLE: Final = (EVENT_ID, EMAIL)
"""Texts in which null values are none: taken as values they would match each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Canonical:
    """Some rows of a table under canonical names, with `FILE` and `LINE`.

    `types` says what each column's values are (None: all null). `bad` has by a file's place its rows that cannot be used (`quarantine.SCHEMA`). `pairs` are
    the anonymous ids (`anonymous_id`, `user_id`, text) that these rows identify, or None. `dates` and `times` count the
    values of the table's own time that were dates alone, and those that were not. `skipped` rows are not of this table.
    `nulls` counts the texts that were taken as no value: column -> text -> rows. In a column whose type is not known yet
    they are no values only if it turns out to hold no text.
    `left_out` counts rows by the words of the rule that left them out, `added` those that exist because a cell held several
    values; `unasked` are the words of rules about columns that are not there. `logged` is the newest time at which a row was written (UTC microseconds). `unread` counts amounts that are no
    numbers.
    """

    frame: pl.DataFrame
    types: dict[str, ColumnType | None]
    bad: dict[int, pl.DataFrame]
    pairs: pl.DataFrame | None
    dates: int = 0
    times: int = 0
    skipped: int = 0
    nulls: dict[str, dict[str, int]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    unasked: tuple[str, ...] = ()
    added: int = 0
    logged: int | None = None
    unread: int = 0


@dataclass(slots=True, eq=False)
class Canonicaliser:
    """Brings raw batches of one table under canonical names.

    Parameters
    ----------
    layout
        The table.
    source
        Its mapping.
    dates_in
        The zone in which a date is a day.
    derived
        The table is taken from another table's files (users from the events, accounts from the users): only mapped columns count, and rows without an id are not its rows.
    as_of
        The last moment that the export can know, UTC microseconds.
    newest
        File's place -> the lines of rows that are the newest version of themselves; None = all are.
    looked_up
        Gives a lookup's table, or None where the source does not name it.
    """

    layout: Layout
    source: Source
    dates_in: str
    derived: bool = False
    as_of: int = 0
    newest: Mapping[int, pl.Series] | None = None
    looked_up: Callable[[Lookup], pl.DataFrame | None] | None = None
    seen: set[str] = field(default_factory=set)
    variant: Variant | None = None
    unread_times: dict[str, list[int]] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """How times are read."""
        return Clock(zone=self.source.timezone, dates_in=self.dates_in, as_of=self.as_of)

    @property
    def shape(self) -> Shape:
        """Which rows are the table's: what the source says replaces what the vendor's export needs."""
        own, vendors = self.source, self.variant
        if vendors is None:
            return Shape(rows=own.rows, explode=own.explode, lookup=own.lookup, newest=own.newest)
        return Shape(
            rows=own.rows or vendors.rows,
            explode=own.explode or vendors.explode,
            lookup=own.lookup or vendors.lookup,
            newest=own.newest or vendors.newest,
        )

    def take(self, batch: Batch, files: Files) -> Canonical:
        """Bring one batch under canonical names.

        Parameters
        ----------
        batch
            Rows of one file; or of several with the same columns, if no row is an older version and no line was rejected.
        files
            Whose the rows are.
        """
        whole = self.prepared(batch.frame)
        untyped = batch.untyped
        if self.variant is not None and self.variant.records:
            untyped += tuple(set(whole.columns) - set(flatten(batch.frame).columns))
        self.seen.update(whole.columns)
        rows = self._reshaped(whole, batch.lines, files)
        raw, lines, places, read = rows.raw, batch.lines, files.places, batch.frame
        if rows.left_out or rows.added:
            lines, places, read = lines.gather(rows.places), places.gather(rows.places), read[rows.places]
        chosen = {name: self._column(name, raw.columns) for name in self._wanted(raw.columns)}
        picked, times = self._picked(raw, chosen)
        properties = self._properties(raw, chosen)
        nulls = self._nulls(raw, chosen, properties, set(untyped))
        frame = pl.DataFrame([*picked.values(), *properties]) if raw.width else pl.DataFrame()
        reasons = self._reasons(raw, picked, chosen)
        good = reasons["reason"].is_null()
        skip = self._skipped(picked, raw.height)
        rejected = rejected_frame(batch.rejected)
        bad = {place: rejected for place in files.columns if batch.rejected}
        if not (good | skip).all():
            for place, columns in files.columns.items():
                own = _bad(read.select(columns), lines, reasons, ~good & ~skip & (places == place))
                bad[place] = pl.concat([rejected, own]).sort("line")
        kept = good & ~skip
        frame = frame.with_columns(places.alias(FILE), lines.alias(LINE)).filter(kept)
        return Canonical(
            frame=frame,
            types=self._types(frame, raw, chosen, untyped),
            bad=bad,
            pairs=self._pairs(raw),
            dates=int(times.filter(kept).sum() or 0),
            times=int((~times).filter(kept).sum() or 0),
            skipped=int(skip.sum()),
            nulls={name: count for name, count in nulls.items() if count},
            left_out=rows.left_out,
            unasked=tuple(rows.unasked),
            added=rows.added,
            logged=self.logged(whole),
            unread=_unread(raw, picked, chosen),
        )

    def _reshaped(self, whole: pl.DataFrame, lines: pl.Series, files: Files) -> Reshaped:
        newest = None
        if self.newest is not None:
            (place,) = files.columns
            winners = self.newest.get(place, pl.Series(dtype=pl.Int64))
            newest = lines.is_in(winners.implode())
        return reshaped(whole, self.shape, self.clock, newest=newest, looked_up=self.looked_up)

    def logged(self, raw: pl.DataFrame) -> int | None:
        """Give the newest time at which a row was written, left-out rows included."""
        times = [name for name in (self.variant.logged if self.variant is not None else ()) if name in raw.columns]
        newest = [self._times(raw, Column(names=(name,)))[0].dt.timestamp("us").max() for name in times]
        return max((int(at) for at in newest if at is not None), default=None)  # type: ignore[arg-type]

    def check(self, columns: Iterable[str], file: str) -> None:
        """Check that what the mapping names, and what the table needs, is among a file's columns.

        Raises
        ------
        DataError
            A column is missing; the nearest is suggested.
        """
        columns = list(columns)
        if self.source.format is not None:
            self._choose(columns, file)
        there = set(columns) | _roots(columns)
        there |= {path for path in self._paths() if root_of(path, columns) is not None}
        for name, column in self.source.columns.items():
            missing = [] if column.constant is not None else [part for part in column.parts if part not in there]
            if missing and len(missing) == len(column.parts):
                raise self._missing(missing[0], columns, file, f"the mapping of {name} names it", name)
        for rule in self.source.rows:
            if not rule.test.askable(there):
                asked = sorted(rule.test.columns - there)
                raise self._missing(asked[0], columns, file, f"a rule of rows ({rule.words}) names it", None)
        for name in self._doubled(columns):
            raise self._missing(name, columns, file, "it stands several times", name)
        for name in self.layout.required:
            if not self._column_in(name, there):
                raise self._missing(name, columns, file, f"{self.layout.name} need it", name)
        for group in self.layout.one_of:
            if EMAIL in group and self.source.match is not Match.EMAIL:
                self._check_owner(group, there, columns, file)
            elif not any(self._column_in(name, there) for name in group):
                raise self._missing(
                    group[0], columns, file, f"{self.layout.name} need one of {', '.join(group)}", group[0]
                )

    def _check_owner(self, group: tuple[str, ...], there: set[str], columns: list[str], file: str) -> None:
        owners = [name for name in group if name not in ADDRESSES]
        if any(self._column_in(name, there) for name in owners) or self._owned_elsewhere(there, file):
            return
        if self._column_in(EMAIL, there):
            raise DataError(
                f"there is no column {' or '.join(map(repr, owners))}, only an e-mail address",
                where=file,
                hint="match: email finds users by their address",
            )
        raise self._missing(owners[0], columns, file, f"{self.layout.name} need one of {', '.join(owners)}", owners[0])

    def _missing(self, name: str, columns: list[str], file: str, why: str, canonical: str | None) -> DataError:
        """Say that a column is not there; a vendor's raw file is called by its name."""
        vendor = recognised(columns, self.layout.name) if self.source.format is None else None
        if vendor is not None:
            return DataError(
                f"there is no column {name!r}: this looks like {vendor.title}",
                where=file,
                hint="run `pqlkit init` on it: it writes a pqlkit.yml that knows the format",
            )
        places = [column for column in columns if column.startswith(f"{name} (column ")]
        if places:
            said = ", ".join(column.removeprefix(f"{name} ") for column in places)
            return DataError(
                f"the column {visible(name)!r} stands {len(places)} times in the header: {said}",
                where=file,
                hint=f"say which: --map {self.layout.name}.{canonical or name}={places[0]!r}, or rename one",
            )
        likely = candidates(self.layout.name, canonical or name, columns) if self.layout.name in SYNONYMS else []
        if likely:
            named = visible(likely[0], 80)
            return DataError(
                f"there is no column {name!r}: {why}",
                where=file,
                hint=f"map it: --map {self.layout.name}.{canonical or name}={named!r}, or"
                f" columns: {{{canonical or name}: {named}}} in pqlkit.yml",
            )
        stated = f"--map {self.layout.name}.{canonical}=HEADER" if canonical is not None else None
        return _missing(name, columns, file, why, stated)

    def _doubled(self, columns: list[str]) -> list[str]:
        """List the table's columns whose header stands several times, if nothing says which is meant."""
        unmapped = (name for name in self.layout.columns if name not in self.source.columns and name not in columns)
        return [name for name in unmapped if any(column.startswith(f"{name} (column ") for column in columns)]

    def _owned_elsewhere(self, there: set[str], file: str) -> bool:
        """Tell whether a second export or a domain says whose the rows are."""
        lookup = self.shape.lookup
        if (
            lookup is not None
            and not there.isdisjoint(lookup.by)
            and {USER_ID, ACCOUNT_ID, *ADDRESSES} & set(lookup.columns)
        ):
            if lookup.table in self.source.lookups:
                return True
            raise DataError(
                f"whose the rows are lies in a second export: the one of {lookup.table}",
                where=file,
                hint=f"name it in pqlkit.yml: lookups: {{{lookup.table}: {lookup.table}.csv}}",
            )
        return self.source.match is Match.DOMAIN and self._column_in(DOMAIN, there)

    def _choose(self, columns: Iterable[str], file: str) -> None:
        if self.variant is None and self.source.format is not None:
            chosen = preset(self.source.format)
            self.variant = chosen.variant(columns, self.layout.name) or self._derived_variant(chosen, columns)
            if self.variant is None:
                wanted = " or ".join("+".join(variant.recognise) for variant in chosen.variants)
                raise DataError(
                    f"the file does not look like {chosen.title}: it would have {wanted}",
                    where=file,
                    hint="drop `format:` and name the columns, or let `pqlkit init` look",
                )

    def _derived_variant(self, chosen: Preset, columns: Iterable[str]) -> Variant | None:
        """Find the variant of events, for a table that is taken from the events' files."""
        return chosen.variant(columns, EVENTS) if self.derived else None

    def _wanted(self, columns: Iterable[str]) -> list[str]:
        vendors = self.variant.columns if self.variant is not None and not self.derived else {}
        looked_up = [name.removeprefix(LOOKED_UP) for name in columns if name.startswith(LOOKED_UP)]
        names = dict.fromkeys((*self.layout.columns, *self.source.columns, *vendors, *looked_up))
        names.pop(self.layout.either or "", None)
        there = self.seen | _roots(self.seen) | set(columns)
        return [name for name in names if self._column_in(name, there)]

    def _column(self, name: str, there: Iterable[str] = ()) -> Column:
        mapped = self.source.columns.get(name)
        if mapped is not None:
            if mapped.parts or mapped.constant is not None or mapped.absent:
                return mapped
            return replace(mapped, names=(name,))
        if LOOKED_UP + name in there:
            return Column(names=(LOOKED_UP + name,))
        if self.variant is not None and name in self.variant.columns:
            return self.variant.columns[name]
        if self.variant is not None and self.variant.table == CONVERSIONS and name in self.layout.ids:
            # The vendor's own ids bear our names; its customers' are named by the format.
            return Column(absent=True)
        if self.layout.either is not None and name in self.layout.one_of[0]:
            return self.source.columns.get(self.layout.either, Column(names=(name, self.layout.either)))
        return Column(names=(name,))

    def _column_in(self, name: str, there: set[str]) -> bool:
        column = self._column(name, there)
        return column.constant is not None or any(part in there for part in column.parts)

    def prepared(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Open nested columns, and find out which shape of the vendor's the file has."""
        raw = flatten(raw)
        if self.variant is None and self.source.format is not None:
            self._choose(raw.columns, "the export")
        raw = raw if self.variant is None else unpacked(raw, self.variant)
        return with_paths(raw, self._paths())

    def _paths(self) -> list[str]:
        """Name what the mapping asks for inside other columns."""
        return [part for column in self.source.columns.values() for part in column.parts if "." in part]

    def _picked(self, raw: pl.DataFrame, chosen: Mapping[str, Column]) -> tuple[dict[str, pl.Series], pl.Series]:
        picked: dict[str, pl.Series] = {}
        own = pl.Series([None] * raw.height, dtype=pl.Boolean)
        for name, column in chosen.items():
            if name in self.layout.times or (column.format is not None and name not in self.layout.columns):
                values, flags = self._times(raw, column)
                self._compare(name, column, raw, values)
                own = flags if name == self.layout.time else own
            else:
                values = self._value(name, column, raw)
            picked[name] = values.alias(name)
        self._anonymised(raw, picked)
        return picked, own

    def _compare(self, name: str, column: Column, raw: pl.DataFrame, read: pl.Series) -> None:
        """Count the times that a stated format does not read, and those that it would not with day and month swapped."""
        other = swapped(column.format) if column.format is not None and not column.latest else None
        if other is None:
            return
        given = self._present(text_of(self._given(raw, column)))
        swapped_read, _ = self._times(raw, replace(column, format=other))
        times = self.unread_times.setdefault(name, [0, 0, 0])
        for place, some in enumerate((given, given.filter(read.is_null()), given.filter(swapped_read.is_null()))):
            times[place] += len(some) - some.null_count()

    def misread(self) -> list[str]:
        """Say of which column another format would have read all times, where the stated one did not."""
        return [
            f"{self.layout.name}: {unread:,} of {times:,} times of {name} are not {form!r}; {swapped(form)!r} reads all of them"
            for name, (times, unread, otherwise) in self.unread_times.items()
            if unread and not otherwise and (form := self._column(name).format) is not None
        ]

    def _value(self, name: str, column: Column, raw: pl.DataFrame) -> pl.Series:
        """Give the values of a column that is no time, in its canonical form."""
        values = self._given(raw, column)
        of_conversions = self.layout.name == CONVERSIONS
        if name in self.layout.ids:
            return id_text(values, self.source.null_values)
        if name in _TEXTS:
            text = text_of(values)
            text = self._present(text) if name in _NULLABLE else none_if_empty(text)
            return address_of(text) if name == EMAIL and of_conversions else text
        if name == AMOUNT and (column.unit is not None or self.variant is not None):
            notation = column.notation or self.source.notation or ENGLISH
            return amounts(values, column.unit, values_of(raw, Column(names=column.currency)), notation)
        if name == DOMAIN and of_conversions:
            return domain_of(values)
        return self._number(name, values, column)

    def _present(self, text: pl.Series) -> pl.Series:
        return without_nulls(text, self.source.null_values)

    def _number(self, name: str, values: pl.Series, column: Column) -> pl.Series:
        """Rewrite the numbers of a text column whose notation is stated: the column's own, or the source's."""
        notation = column.notation or (self.source.notation if name == AMOUNT else None)
        if notation is not None and values.dtype == pl.String:
            return as_written_by_programs(values, notation)
        return self._property(values, name)

    def _property(self, values: pl.Series, name: str) -> pl.Series:
        if values.dtype != pl.String:
            return plain(values)
        if name == EMAIL:
            return self._present(values)
        notation = self.source.notation
        if notation is None or not is_written_in(values, notation, self.source.null_values):
            return values
        return as_written_by_programs(values, notation)

    def _nulls(
        self, raw: pl.DataFrame, chosen: Mapping[str, Column], properties: list[pl.Series], untyped: set[str]
    ) -> dict[str, dict[str, int]]:
        """Count null values: those of ids, times and the like, and those that are none if their column holds no text."""
        nulls = self.source.null_values
        texts = {name: values_of(raw, column) for name, column in chosen.items() if name not in _WORDS}
        texts |= {values.name: values for values in properties if values.name == EMAIL or values.name in untyped}
        return {name: counted_nulls(values, nulls) for name, values in texts.items() if values.dtype == pl.String}

    def _given(self, raw: pl.DataFrame, column: Column) -> pl.Series:
        """Give what a mapping asks for: under our words, and only in the rows of its condition."""
        values = values_of(raw, column)
        if column.values is not None:
            ours = {theirs.lower(): our for theirs, our in column.values.items()}
            values = folded_texts(values).replace_strict(ours, default=column.others, return_dtype=pl.String)
        if column.when is not None:
            empty = pl.Series([None], dtype=values.dtype).new_from_index(0, raw.height)
            values = values.zip_with(holds(raw, column.when, self.clock), empty)
        return values

    def _times(self, raw: pl.DataFrame, column: Column) -> tuple[pl.Series, pl.Series]:
        """Read times; of `latest` the latest, which is a date without a time where all of them are."""
        if not column.latest:
            zone = next((zone for name in column.names if (zone := zone_in(name))), self.source.timezone)
            given = self._given(raw, column)
            given = text_of(given) if given.dtype.is_nested() else given
            given = self._present(given) if given.dtype == pl.String else given
            return instants(given, form=column.format, zone=zone, dates_in=self.dates_in)
        read = [self._times(raw, replace(column, latest=(), names=(name,))) for name in column.latest]
        times = pl.DataFrame([part.alias(f"t{place}") for place, (part, _) in enumerate(read)])
        flags = pl.DataFrame([part.alias(f"f{place}") for place, (_, part) in enumerate(read)])
        return (
            times.select(pl.max_horizontal(pl.all())).to_series(),
            flags.select(pl.all_horizontal(pl.all().fill_null(value=True))).to_series(),
        )

    def _properties(self, raw: pl.DataFrame, chosen: Mapping[str, Column]) -> list[pl.Series]:
        if self.derived:
            return []
        used = {part for column in chosen.values() for part in column.parts}
        dropped = set(self.variant.drop) if self.variant is not None else set()
        left = [
            name for name in raw.columns if name not in used and name not in dropped and not name.startswith(LOOKED_UP)
        ]
        names = self._property_names(left, {*chosen, *self.layout.columns})
        return [
            self._property(raw[name], names[name]).alias(names[name]) for name in left if raw[name].dtype != pl.Null
        ]

    def _property_names(self, left: list[str], taken: set[str]) -> dict[str, str]:
        """Take the containers' prefixes off, where that name is free; a name of a canonical column gets ``export.``."""
        containers = self.variant.containers if self.variant is not None else ()
        taken = taken | set(left)
        names: dict[str, str] = {}
        for name in left:
            short = next((name[len(c) + 1 :] for c in containers if name.startswith(c + ".")), name)
            if short != name and short not in taken:
                taken.add(short)
                names[name] = short
            elif name in self.layout.columns or name in (FILE, LINE):
                names[name] = f"export.{name}"
            else:
                names[name] = name
        return names

    def _reasons(
        self, raw: pl.DataFrame, picked: Mapping[str, pl.Series], chosen: Mapping[str, Column]
    ) -> pl.DataFrame:
        """Give `column`, `value`, `reason` for each row: of several faults the first; null where there is none."""
        checks: list[tuple[pl.Series, str, str]] = []
        for name in self.layout.times:
            if name in picked:
                given = self._present(text_of(self._given(raw, chosen[name])))
                checks.append((picked[name].is_null() & given.is_not_null(), name, "not a time"))
        for name in self.layout.needed:
            values = picked.get(name)
            empty = values.is_null() if values is not None else pl.Series([True] * raw.height, dtype=pl.Boolean)
            checks.append((empty, name, "the event name is missing" if name == EVENT else f"{name} is missing"))
        for name in (*self.layout.ids, EVENT):
            if name in picked:
                checks.append((picked[name].str.len_bytes().fill_null(0) > LONGEST_NAME, name, _TOO_LONG))
                if name != EVENT and name in chosen:
                    checks.append((lost_digits(values_of(raw, chosen[name])), name, _LOST_DIGITS))
                    checks.append((several_ids(picked[name]), name, _SEVERAL))
        if self.layout.key is not None and self.layout.key in picked:
            checks.append((self._totals(picked), self.layout.key, "a row of totals"))
        if self.layout.owned and self.variant is None:
            # A vendor's row without an owner is an upgrade of somebody: it stays and is counted as unmatched.
            owners = [picked[name].is_null() for group in self.layout.one_of for name in group if name in picked]
            nobody = owners[0]
            for owner in owners[1:]:
                nobody = nobody & owner
            checks.append((nobody, self.layout.one_of[0][0], "no user or account"))
        return _first_fault(checks, raw, chosen)

    def _totals(self, picked: Mapping[str, pl.Series]) -> pl.Series:
        """Mark the last line of reports: a word for a sum where the id stands, and no time."""
        key, time = picked[self.layout.key or ""], picked.get(self.layout.time or "")
        word = key.str.strip_chars(" :").str.to_lowercase().is_in(_TOTALS).fill_null(value=False)
        return word & time.is_null() if time is not None else word

    def _skipped(self, picked: Mapping[str, pl.Series], rows: int) -> pl.Series:
        key = self.layout.key
        if self.derived and key is not None and key in picked:
            return picked[key].is_null()
        return pl.Series([False]).new_from_index(0, rows)

    def _types(
        self, frame: pl.DataFrame, raw: pl.DataFrame, chosen: Mapping[str, Column], untyped: tuple[str, ...]
    ) -> dict[str, ColumnType | None]:
        types: dict[str, ColumnType | None] = {}
        unsure = set(untyped)
        for name, dtype in frame.schema.items():
            if name in (FILE, LINE):
                continue
            values = frame[name]
            if values.null_count() == len(values):
                types[name] = None
            elif name in self.layout.ids:
                types[name] = self._id_type(values, raw, chosen.get(name, Column()), unsure)
            elif dtype == pl.String and name not in _TEXTS and self._unsure(name, chosen, unsure):
                types[name] = of_text(values, self.source.null_values)
            else:
                types[name] = of_dtype(dtype)
        return types

    def _unsure(self, name: str, chosen: Mapping[str, Column], unsure: set[str]) -> bool:
        if name in chosen:
            if chosen[name].notation is not None or (name == AMOUNT and self.source.notation is not None):
                return True
            return chosen[name].constant is None and any(part in unsure for part in chosen[name].parts)
        return name in unsure

    def _id_type(self, values: pl.Series, raw: pl.DataFrame, column: Column, unsure: set[str]) -> ColumnType | None:
        parts = [part for part in column.parts if part in raw.columns]
        numeric = all(raw[part].dtype.is_numeric() or part in unsure or raw[part].dtype == pl.Null for part in parts)
        return of_text(values) if numeric and of_text(values) is ColumnType.INTEGER else ColumnType.TEXT

    def _pairs(self, raw: pl.DataFrame) -> pl.DataFrame | None:
        if self.layout.name != EVENTS or self.variant is None or not self.variant.identities:
            return None
        event = text_of(values_of(raw, self._column(EVENT)))
        nulls = self.source.null_values
        return pl.concat([_pairs(raw, event, identity, nulls) for identity in self.variant.identities]).unique()

    def _anonymised(self, raw: pl.DataFrame, picked: dict[str, pl.Series]) -> None:
        """Move ids that are nobody's yet out of the users' column."""
        rule = self.variant.anonymous if self.variant is not None else None
        if rule is None or USER_ID not in picked:
            return
        user = picked[USER_ID]
        nobody = user.str.starts_with(rule.prefix) if rule.prefix is not None else user.is_null() & False
        if rule.equals is not None and rule.equals in raw.columns:
            nobody = nobody | (user == id_text(raw[rule.equals], self.source.null_values))
        nobody = nobody.fill_null(value=False)
        empty = pl.Series([None], dtype=pl.String).new_from_index(0, raw.height)
        device = picked.get(ANONYMOUS_ID, empty)
        picked[ANONYMOUS_ID] = device.zip_with(~(nobody & device.is_null()), user).alias(ANONYMOUS_ID)
        picked[USER_ID] = empty.zip_with(nobody, user).alias(USER_ID)


def _unread(raw: pl.DataFrame, picked: Mapping[str, pl.Series], chosen: Mapping[str, Column]) -> int:
    """Count amounts that are not empty and yet no number."""
    amount = picked.get(AMOUNT)
    if amount is None or not amount.dtype.is_float():
        return 0
    return int((amount.is_null() & none_if_empty(text_of(values_of(raw, chosen[AMOUNT]))).is_not_null()).sum())


def _pairs(raw: pl.DataFrame, event: pl.Series, identity: Identity, nulls: Set[str]) -> pl.DataFrame:
    pairs = pl.DataFrame(
        [
            id_text(values_of(raw, Column(names=identity.anonymous)), nulls).alias(ANONYMOUS_ID),
            id_text(values_of(raw, Column(names=identity.user)), nulls).alias(USER_ID),
            event.alias(EVENT),
        ]
    )
    if identity.events:
        pairs = pairs.filter(pl.col(EVENT).is_in(identity.events))
    return pairs.drop_nulls([ANONYMOUS_ID, USER_ID]).filter(pl.col(ANONYMOUS_ID) != pl.col(USER_ID)).drop(EVENT)


_TOTALS: Final = (
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "total general",
)
_TOO_LONG: Final = f"longer than {LONGEST_NAME // 1024} KB"
_LOST_DIGITS: Final = "an id that has lost its last digits in a column of decimal numbers: export it as text"
_SEVERAL: Final = "several ids in one cell"


def _roots(columns: Iterable[str]) -> set[str]:
    return {".".join(name.split(".")[:depth]) for name in columns for depth in range(1, name.count(".") + 1)}


def _missing(name: str, columns: list[str], file: str, why: str, stated: str | None) -> DataError:
    guess = nearest(name, columns)
    listed = ", ".join(visible(column, 40) for column in columns[:12]) + (" ..." if len(columns) > 12 else "")
    if guess is not None:
        hint = f"did you mean {visible(guess, 80)!r}? Map it: columns: {{{name}: {visible(guess, 80)}}}"
    elif len(columns) == 1:
        hint = f"its only column is {visible(columns[0], 80)!r}: is the separator another? State it: separator: ';'"
    else:
        ways = "map one in pqlkit.yml, or let `pqlkit init` look"
        hint = f"of {listed} {ways}" if stated is None else f"of {listed} name one with {stated}, or {ways}"
    return DataError(f"there is no column {name!r}: {why}", where=file, hint=hint)


def _first_fault(
    checks: list[tuple[pl.Series, str, str]], raw: pl.DataFrame, chosen: Mapping[str, Column]
) -> pl.DataFrame:
    which = pl.Series([0], dtype=pl.Int32).new_from_index(0, raw.height)
    for number in range(len(checks), 0, -1):
        mask = checks[number - 1][0]
        if mask.any():
            which = which.set(mask, number)
    columns: list[str | None] = [None]
    reasons: list[str | None] = [None]
    values = pl.Series([None], dtype=pl.String).new_from_index(0, raw.height)
    for number, (_, name, reason) in enumerate(checks, start=1):
        columns.append(_export_name(name, chosen, raw))
        reasons.append(reason)
        hit = which == number
        if name in chosen and hit.any():
            values = values.zip_with(~hit, text_of(values_of(raw, chosen[name])).cast(pl.String))
    return pl.DataFrame(
        {
            "column": pl.Series(columns, dtype=pl.String).gather(which),
            "value": values,
            "reason": pl.Series(reasons, dtype=pl.String).gather(which),
        }
    )


def _export_name(name: str, chosen: Mapping[str, Column], raw: pl.DataFrame) -> str:
    column = chosen.get(name)
    return next((part for part in column.parts if part in raw.columns), name) if column is not None else name


def _bad(raw: pl.DataFrame, lines: pl.Series, reasons: pl.DataFrame, which: pl.Series) -> pl.DataFrame:
    return pl.DataFrame(
        [
            lines.filter(which).alias("line"),
            *reasons.filter(which).select("column", "value", "reason").get_columns(),
            row_text(raw.filter(which)),
        ]
    ).cast(SCHEMA)  # type: ignore[arg-type]
