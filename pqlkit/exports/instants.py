"""The instant: times as exports write them, read as UTC microseconds with their precision.

Rules. A time without an offset is in the source's zone. A local time that happens twice (clocks set back) is the first of
the two; one that never happens (clocks set forward) is read with the offset in force before. A date stands for its first
moment in the zone in which dates are counted. Anything finer than a microsecond is cut off. What cannot be read is null.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from pqlkit.durations import DAY, HOUR, MINUTE
from pqlkit.errors import DataError
from pqlkit.exports.spelled_times import rewritten
from pqlkit.exports.time_formats import EPOCHS, EXCEL, NANOSECONDS
from pqlkit.exports.zones import zone_of

UTC: Final = pl.Datetime("us", "UTC")
_EXCEL_1970: Final = 25_569
_EXCEL_LAST: Final = 2_958_465
_NAIVE: Final = pl.Datetime("us")
LAST: Final = 253_402_300_799_999_999  # the end of year 9999
FIRST: Final = -62_135_596_800_000_000  # the start of year 1

_ISO: Final = (
    r"^\s*(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"\s?(?P<offset>[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?)?\s*$"
)
_FAST: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z?$"  # what most exports write
)


def has_time(pattern: str) -> bool:
    """Tell whether a strptime pattern reads a time of day, or dates alone.

    Examples
    --------
    >>> has_time("%d-%m-%Y %H:%M"), has_time("%Y-%m-%d")
    (True, False)
    """
    return re.search(r"%[-#]?[HIkMSTRrXcs+lf]|%\.f", pattern) is not None


def instants(values: pl.Series, *, form: str | None, zone: str, dates_in: str) -> tuple[pl.Series, pl.Series]:
    """Read times.

    Parameters
    ----------
    values
        Text, numbers, dates or datetimes as the export has them.
    form
        None (ISO 8601 and what `spelled_times` rewrites so, or the type itself), a name of `time_formats`, or a strptime pattern.
    zone
        Of times without an offset.
    dates_in
        The zone in which a date is a day.

    Returns
    -------
    tuple
        Instants (``Datetime[us, UTC]``; null where nothing can be read), and a Boolean series: the value is a date
        without a time (null where the instant is).
    """
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        read = _utc(values.cast(pl.Datetime("us", dtype.time_zone)), zone)
        return read, _flags(read, is_date=False)
    if dtype == pl.Date:
        read = _local(values.cast(_NAIVE), dates_in)
        return read, _flags(read, is_date=True)
    if form in EPOCHS:
        read = _epoch(values, EPOCHS[form])
        return read, _flags(read, is_date=False)
    if form == NANOSECONDS:
        read = _nanoseconds(values)
        return read, _flags(read, is_date=False)
    if form == EXCEL:
        return _excel(values, zone, dates_in)
    text = (
        values.cast(pl.Int64, strict=False).cast(pl.String)
        if dtype.is_float()
        else values.cast(pl.String, strict=False)
    )
    if form is not None:
        return _patterned(text, form, zone, dates_in)
    return _iso(text, zone, dates_in)


def _flags(read: pl.Series, *, is_date: bool) -> pl.Series:
    return pl.select(pl.when(read.is_not_null()).then(pl.lit(is_date))).to_series()


def _utc(values: pl.Series, zone: str) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is not None:
        return values.dt.convert_time_zone("UTC")
    return _local(values, zone)


def _local(values: pl.Series, zone: str) -> pl.Series:
    if zone == "UTC":
        return values.dt.replace_time_zone("UTC")
    placed = values.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    missing = placed.is_null() & values.is_not_null()
    if missing.any():
        # The offset of three hours before is the one that the clocks were about to leave.
        before = values.dt.offset_by("-3h")
        jumped = before.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null").dt.convert_time_zone("UTC")
        placed = placed.dt.convert_time_zone("UTC").zip_with(~missing, jumped.dt.offset_by("3h"))
    return placed.dt.convert_time_zone("UTC")


def _epoch(values: pl.Series, factor: int) -> pl.Series:
    name = values.name
    frame = values.alias("v").to_frame()
    whole = pl.col("v").cast(pl.Int64, strict=False)
    if not values.dtype.is_integer():
        number = pl.col("v").cast(pl.Float64, strict=False)
        within = number.is_finite() & (number.abs() * factor < 2.0**62)
        scaled = pl.when(within).then((number * factor).round()).cast(pl.Int64, strict=False)
        exact = pl.col("v").cast(pl.Int64, strict=False) if values.dtype == pl.String else pl.lit(None, dtype=pl.Int64)
        safe = pl.when(exact.abs() < 2**62 // factor).then(exact * factor)
        micros = pl.coalesce(safe, scaled)
    else:
        micros = pl.when(whole.abs() < 2**62 // factor).then(whole * factor)
    return frame.select(_bounded(micros).alias(name)).to_series()


def _nanoseconds(values: pl.Series) -> pl.Series:
    whole = pl.col("v").cast(pl.Int64, strict=False)
    return values.alias("v").to_frame().select(_bounded(whole.floordiv(1000)).alias(values.name)).to_series()


def _excel(values: pl.Series, zone: str, dates_in: str) -> tuple[pl.Series, pl.Series]:
    """Read a spreadsheet's days, to the millisecond; whole ones are dates."""
    days = pl.col("v").cast(pl.Float64, strict=False)
    local = (
        pl.when(days.is_between(1, _EXCEL_LAST)).then((days - _EXCEL_1970) * 86_400_000).round().cast(pl.Int64) * 1000
    )
    frame = values.alias("v").to_frame().select(whole=days.floor() == days, local=local.cast(_NAIVE))
    read = _local(frame["local"], zone).zip_with(
        ~frame["whole"].fill_null(value=False), _local(frame["local"], dates_in)
    )
    flags = pl.select(pl.when(read.is_not_null()).then(frame["whole"])).to_series()
    return read.alias(values.name), flags


def _bounded(micros: pl.Expr) -> pl.Expr:
    return pl.when(micros.is_between(FIRST, LAST)).then(micros).cast(UTC)


def _patterned(text: pl.Series, form: str, zone: str, dates_in: str) -> tuple[pl.Series, pl.Series]:
    frame = text.alias("v").to_frame()
    stripped = pl.col("v").str.strip_chars()
    try:
        if not has_time(form):
            dates = frame.select(stripped.str.to_date(form, strict=False)).to_series()
            read = _local(dates.cast(_NAIVE), dates_in)
            return read.alias(text.name), _flags(read, is_date=True)
        parsed = frame.select(stripped.str.to_datetime(form, strict=False, time_unit="us")).to_series()
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{form!r} is not a format of times: {error}", hint="write one like %d-%m-%Y %H:%M") from error
    read = _utc(parsed, zone)
    return read.alias(text.name), _flags(read, is_date=False)


def _iso(text: pl.Series, zone: str, dates_in: str) -> tuple[pl.Series, pl.Series]:
    frame = text.alias("v").to_frame()
    if zone == "UTC" and frame.select(pl.col("v").str.contains(_FAST).all()).item():
        base = pl.col("v").str.strip_chars_end("Z").str.replace(" ", "T", literal=True)
        quick = frame.select(base.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")).to_series()
        if quick.null_count() == text.null_count():
            read = quick.dt.replace_time_zone("UTC").alias(text.name)
            return read, _flags(read, is_date=False)
    read, flags = _written(text, zone, dates_in)
    unread = read.is_null() & text.is_not_null()
    if unread.any():
        read, flags = _spelled(text, read, flags, unread, zone, dates_in)
    return read, flags


def _spelled(
    text: pl.Series, read: pl.Series, flags: pl.Series, unread: pl.Series, zone: str, dates_in: str
) -> tuple[pl.Series, pl.Series]:
    """Read what people write into the places that are not ISO 8601."""
    rest = rewritten(text.filter(unread))
    if rest["iso"].null_count() == rest.height:
        return read, flags
    rest = rest.with_columns(place=unread.arg_true())
    for (named,), some in rest.drop_nulls("iso").group_by("zone", maintain_order=True):
        if named is not None and not _is_zone(str(named)):
            continue
        values, dates = _written(some["iso"], zone if named is None else str(named), dates_in)
        read, flags = read.scatter(some["place"], values), flags.scatter(some["place"], dates)
    return read, flags


def _is_zone(name: str) -> bool:
    try:
        zone_of(name)
    except DataError:
        return False
    return True


def _written(text: pl.Series, zone: str, dates_in: str) -> tuple[pl.Series, pl.Series]:
    frame = text.alias("v").to_frame()
    groups = frame.select(pl.col("v").str.extract_groups(_ISO).struct.unnest())
    parts = groups.select(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False),
        pl.col("offset"),
        hour=pl.col("hour").cast(pl.Int64),
        minute=pl.col("minute").cast(pl.Int64),
        second=pl.col("second").cast(pl.Int64).fill_null(0),
        micro=pl.col("fraction").str.pad_end(9, "0").cast(pl.Int64).fill_null(0) // 1000,
    )
    clock = pl.col("hour") * HOUR + pl.col("minute") * MINUTE + pl.col("second") * 1_000_000 + pl.col("micro")
    possible = (pl.col("hour") < 24) & (pl.col("minute") < 60) & (pl.col("second") < 60)
    stamped = pl.when(possible).then(pl.col("date").cast(pl.Int64) * DAY + clock)
    is_date = pl.col("date").is_not_null() & pl.col("hour").is_null()
    fields = parts.select(
        offset=_bounded(stamped - _offset()),
        naive=pl.when(pl.col("offset").is_null()).then(stamped).cast(_NAIVE),
        date=pl.when(is_date).then(pl.col("date")).cast(_NAIVE),
    )
    read = fields.select(
        pl.coalesce(
            pl.col("offset"), _local(fields["naive"], zone).alias("n"), _local(fields["date"], dates_in).alias("d")
        )
    ).to_series()
    flags = pl.select(pl.when(read.is_not_null()).then(fields["date"].is_not_null())).to_series()
    return read.alias(text.name), flags


def _offset() -> pl.Expr:
    """Give the offset in microseconds; null without one."""
    offset = pl.col("offset")
    digits = offset.str.replace_all(r"[^0-9]", "")
    hours = digits.str.slice(0, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0)
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    written = sign * (hours * HOUR + minutes * MINUTE)
    return pl.when(offset.is_null()).then(None).when(digits == "").then(0).otherwise(written)
