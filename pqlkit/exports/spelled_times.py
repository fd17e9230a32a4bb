"""The spelled time: dates and times as people write them, where no two readings are possible, rewritten as ISO 8601.

``Jan 15, 2026``, ``15-Jan-2026 3:04 PM``, ``2026-1-5 3:04:05``, ``Thu, 15 Jan 2026 15:04:05 +0000``, ``2026-01-05 10:00:00
America/New_York``. Which of two numbers is the month must be stated, so ``1/2/2026`` is none of them.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = rf"(?:{'|'.join(_MONTHS)})"
_WEEKDAY: Final = r"(?:[a-z]{3,9}\.?,?\s+)?"
_DATES: Final = (
    r"(?P<year1>[0-9]{4})[-/.](?P<number>[0-9]{1,2})[-/.](?P<day1>[0-9]{1,2})",
    rf"{_WEEKDAY}(?P<day2>[0-9]{{1,2}})(?:st|nd|rd|th)?[-\s./]+(?P<name2>{_MONTH})[a-z]*\.?,?[-\s./]+(?P<year2>[0-9]{{4}}|[0-9]{{2}})",
    rf"{_WEEKDAY}(?P<name3>{_MONTH})[a-z]*\.?\s+(?P<day3>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year3>[0-9]{{4}})",
)
_CLOCK: Final = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\b\.?)?"
)
_ZONE: Final = (
    r"\s*(?:(?:utc|gmt)?(?P<offset>[+-][0-9]{2}(?::?[0-9]{2})?)|(?P<utc>z|utc|gmt)|\(?(?P<zone>[a-z]+(?:/[a-z_+\-]+)+)\)?)?"
    r"(?:\s*\(?(?:utc|gmt|[a-z]{3,4}|[a-z]+(?: [a-z]+)+)\)?)?"
)
_SPELLED: Final = rf"(?i)^\s*(?:{'|'.join(_DATES)})(?:(?:,?\s+(?:at\s+)?|t){_CLOCK}{_ZONE})?\s*$"


def rewritten(text: pl.Series) -> pl.DataFrame:
    """Rewrite times as ISO 8601: `iso` (null where there is none) and `zone` (the name that stands behind it, or null).

    Examples
    --------
    >>> rewritten(pl.Series(["Jan 5, 2026 3:04 PM", "2026-1-5 10:00 Europe/Berlin", "1/5/2026"])).rows()
    [('2026-01-05T15:04:00', None), ('2026-01-05T10:00:00', 'Europe/Berlin'), (None, None)]
    """
    parts = text.alias("v").to_frame().select(pl.col("v").str.extract_groups(_SPELLED).struct.unnest())
    year = pl.coalesce("year1", "year2", "year3")
    year = pl.when(year.str.len_bytes() == 2).then("20" + year).otherwise(year)
    name = pl.coalesce("name2", "name3").str.to_lowercase()
    numbers = [f"{number:02}" for number in range(1, 13)]
    named = name.replace_strict(list(_MONTHS), numbers, default=None, return_dtype=pl.String)
    month = pl.coalesce(named, pl.col("number").str.zfill(2))
    day = pl.coalesce("day1", "day2", "day3").str.zfill(2)
    date = pl.concat_str([year, month, day], separator="-")
    hour = pl.col("hour").cast(pl.Int64)
    half = pl.col("half").str.to_lowercase()
    twelve = pl.when(hour.is_between(1, 12)).then(hour % 12 + pl.when(half == "p").then(12).otherwise(0)).otherwise(99)
    clock = pl.concat_str(
        [
            pl.lit("T"),
            pl.when(half.is_null()).then(hour).otherwise(twelve).cast(pl.String).str.zfill(2),
            pl.lit(":"),
            pl.col("minute"),
            pl.lit(":"),
            pl.col("second").fill_null("00"),
            pl.when(pl.col("fraction").is_not_null()).then("." + pl.col("fraction")).otherwise(pl.lit("")),
            pl.coalesce("offset", pl.when(pl.col("utc").is_not_null()).then(pl.lit("Z")), pl.lit("")),
        ]
    )
    whole = pl.when(hour.is_null()).then(date).otherwise(date + clock)
    return parts.select(iso=whole, zone="zone")
