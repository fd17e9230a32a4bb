"""The dialect: how each warehouse spells what SQL leaves open, as sqlglot expressions.

Times are whole microseconds since 1970 in UTC from the first step on: no session's time zone, no daylight saving and no arithmetic of
intervals can move them. Whatever a dialect reads differently (dates in a zone, patterns, hashes) is spelled here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from sqlglot import exp

from pqlkit.durations import DAY
from pqlkit.options.warehouse import SqlDialect

if TYPE_CHECKING:
    from collections.abc import Sequence

FINITE = "1e300"
"""Numbers beyond this are infinite for all that a product measures."""


def text(value: str) -> exp.Expr:
    """Write a text as a literal."""
    return exp.Literal.string(value)


def whole(value: int) -> exp.Expr:
    """Write a whole number."""
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def microseconds(dialect: SqlDialect, column: exp.Expr) -> exp.Expr:
    """Give the microseconds since 1970 of a column of instants; one without a zone is in UTC."""
    match dialect:
        case SqlDialect.DUCKDB:
            return exp.func("EPOCH_US", column, dialect=dialect)
        case SqlDialect.POSTGRES:
            epoch = exp.Extract(this=exp.var("EPOCH"), expression=column)
            return exp.cast(exp.Mul(this=epoch, expression=whole(1_000_000)), "bigint", dialect=dialect)
        case SqlDialect.BIGQUERY:
            return exp.Anonymous(this="UNIX_MICROS", expressions=[exp.cast(column, exp.DataType.Type.TIMESTAMPTZ)])
        case SqlDialect.SNOWFLAKE:
            return exp.Anonymous(this="DATE_PART", expressions=[exp.var("EPOCH_MICROSECOND"), column])
        case SqlDialect.DATABRICKS:
            return exp.Anonymous(this="UNIX_MICROS", expressions=[column])
        case SqlDialect.REDSHIFT:
            zero = exp.cast(text("1970-01-01"), exp.DataType.Type.TIMESTAMP)
            return exp.Anonymous(this="DATEDIFF", expressions=[exp.var("MICROSECOND"), zero, column])
        case _:
            assert_never(dialect)


def midnight(dialect: SqlDialect, column: exp.Expr, zone: str) -> exp.Expr:
    """Give the microseconds since 1970 of the first moment of a date in a zone, whatever the session's zone is."""
    day = exp.cast(column, "date")
    start: exp.Expr = exp.cast(day, exp.DataType.Type.TIMESTAMPNTZ)
    match dialect:
        case SqlDialect.DUCKDB | SqlDialect.POSTGRES:
            return microseconds(dialect, exp.AtTimeZone(this=start, zone=text(zone)))
        case SqlDialect.BIGQUERY:
            moment: exp.Expr = exp.Anonymous(this="TIMESTAMP", expressions=[day, text(zone)])
            return exp.Anonymous(this="UNIX_MICROS", expressions=[moment])
        case SqlDialect.SNOWFLAKE | SqlDialect.REDSHIFT:
            moment = exp.Anonymous(this="CONVERT_TIMEZONE", expressions=[text(zone), text("UTC"), start])
            return microseconds(dialect, moment)
        case SqlDialect.DATABRICKS:
            # A cast of a date to a timestamp would ask for the session's zone.
            days = exp.Anonymous(this="UNIX_DATE", expressions=[day])
            local = exp.Anonymous(this="TIMESTAMP_MICROS", expressions=[exp.Mul(this=days, expression=whole(DAY))])
            return microseconds(dialect, exp.Anonymous(this="TO_UTC_TIMESTAMP", expressions=[local, text(zone)]))
        case _:
            assert_never(dialect)


def clock(dialect: SqlDialect) -> exp.Expr:
    """Give the microseconds since 1970 at which the query runs."""
    if dialect is SqlDialect.REDSHIFT:
        return microseconds(dialect, exp.Anonymous(this="GETDATE"))
    return microseconds(dialect, exp.CurrentTimestamp())


def instant(dialect: SqlDialect, at: exp.Expr) -> exp.Expr:
    """Give the instant of microseconds since 1970: with a zone where the warehouse has such a type, else in UTC."""
    match dialect:
        case SqlDialect.DUCKDB:
            return exp.Anonymous(this="MAKE_TIMESTAMPTZ", expressions=[at])
        case SqlDialect.POSTGRES:
            step = exp.Interval(this=text("1"), unit=exp.var("MICROSECOND"))
            start = exp.Anonymous(this="TO_TIMESTAMP", expressions=[whole(0)])
            return exp.Add(
                this=start, expression=exp.Mul(this=exp.paren(at) if at.find(exp.Binary) else at, expression=step)
            )
        case SqlDialect.BIGQUERY | SqlDialect.DATABRICKS:
            return exp.Anonymous(this="TIMESTAMP_MICROS", expressions=[at])
        case SqlDialect.SNOWFLAKE:
            return exp.Anonymous(this="TO_TIMESTAMP_NTZ", expressions=[at, whole(6)])
        case SqlDialect.REDSHIFT:
            # DATEADD takes no more than 32 bits at once.
            zero = exp.cast(text("1970-01-01"), exp.DataType.Type.TIMESTAMP)
            million = whole(1_000_000)
            seconds = exp.cast(exp.Div(this=at.copy(), expression=million.copy(), typed=True), "int")
            rest = exp.cast(exp.Mod(this=at.copy(), expression=million.copy()), "int")
            inner = exp.Anonymous(this="DATEADD", expressions=[exp.var("SECOND"), seconds, zero])
            return exp.Anonymous(this="DATEADD", expressions=[exp.var("MICROSECOND"), rest, inner])
        case _:
            assert_never(dialect)


def date(dialect: SqlDialect, at: exp.Expr, zone: str) -> exp.Expr:
    """Give the calendar date of microseconds since 1970 in a zone, whatever the session's zone is (a number of days on Databricks)."""
    moment = instant(dialect, at)
    match dialect:
        case SqlDialect.DUCKDB | SqlDialect.POSTGRES:
            return exp.cast(exp.AtTimeZone(this=exp.paren(moment), zone=text(zone)), "date")
        case SqlDialect.BIGQUERY:
            return exp.Anonymous(this="DATE", expressions=[moment, text(zone)])
        case SqlDialect.SNOWFLAKE | SqlDialect.REDSHIFT:
            local = exp.Anonymous(this="CONVERT_TIMEZONE", expressions=[text("UTC"), text(zone), moment])
            return exp.cast(local, "date")
        case SqlDialect.DATABRICKS:
            # A cast to a date would ask for the session's zone.
            local = exp.Anonymous(this="FROM_UTC_TIMESTAMP", expressions=[moment, text(zone)])
            clock = exp.Anonymous(this="UNIX_MICROS", expressions=[local])
            return exp.IntDiv(this=clock, expression=whole(DAY))
        case _:
            assert_never(dialect)


def real(dialect: SqlDialect, value: exp.Expr) -> exp.Expr:
    """Read a value as a floating-point number."""
    return exp.cast(value, exp.DataType.Type.DOUBLE, dialect=dialect)


def decimal(dialect: SqlDialect, value: exp.Expr, places: int = 0) -> exp.Expr:
    """Read a value as a decimal number wide enough for a product of two values in millionths."""
    if dialect is SqlDialect.BIGQUERY:
        return exp.cast(value, exp.DataType.Type.DECIMAL)
    return exp.cast(value, f"decimal(38, {places})", dialect="duckdb")


def finite(dialect: SqlDialect, value: exp.Expr) -> exp.Expr:
    """Keep finite numbers: what is none is null."""
    number = real(dialect, value)
    low, high = (real(dialect, text(sign + FINITE)) for sign in ("-", ""))
    return exp.case().when(exp.Between(this=number, low=low, high=high), number.copy())


def parsed(dialect: SqlDialect, value: exp.Expr, pattern: str) -> exp.Expr:
    """Read texts of a pattern as numbers; other texts are null."""
    trimmed = exp.Trim(this=value.copy())
    safe = dialect not in {SqlDialect.POSTGRES, SqlDialect.REDSHIFT}
    kind = exp.DataType.build(exp.DataType.Type.DOUBLE)
    number = exp.TryCast(this=trimmed, to=kind) if safe else exp.Cast(this=trimmed, to=kind)
    return exp.case().when(matches(dialect, value, pattern), number)


def as_text(dialect: SqlDialect, value: exp.Expr) -> exp.Expr:
    """Read a value as text."""
    return exp.cast(value, exp.DataType.Type.TEXT, dialect=dialect)


def matches(dialect: SqlDialect, value: exp.Expr, pattern: str) -> exp.Expr:
    """Say whether a pattern occurs in a text, at any place."""
    match dialect:
        case SqlDialect.SNOWFLAKE:
            # REGEXP_LIKE asks for the whole text there.
            place = exp.Anonymous(this="REGEXP_INSTR", expressions=[value, text(pattern)])
            return exp.GT(this=place, expression=whole(0))
        case (
            SqlDialect.DUCKDB | SqlDialect.POSTGRES | SqlDialect.BIGQUERY | SqlDialect.DATABRICKS | SqlDialect.REDSHIFT
        ):
            return exp.RegexpLike(this=value, expression=text(pattern))
        case _:
            assert_never(dialect)


def reads_patterns_as_re2(dialect: SqlDialect) -> bool:
    """Whether the whole of RE2 means the same there; the others read POSIX classes, repeats and alternatives alike, no more."""
    return dialect in {SqlDialect.DUCKDB, SqlDialect.BIGQUERY}


def digest(dialect: SqlDialect, parts: Sequence[exp.Expr]) -> exp.Expr:
    """Give the first 16 hexadecimal digits of the SHA-256 of texts joined."""
    joined = exp.Concat(expressions=list(parts), coalesce=False, safe=False)
    match dialect:
        case SqlDialect.DUCKDB:
            whole_digest: exp.Expr = exp.Anonymous(this="SHA256", expressions=[joined])
        case SqlDialect.POSTGRES:
            encoded = exp.Anonymous(this="CONVERT_TO", expressions=[joined, text("UTF8")])
            hashed = exp.Anonymous(this="SHA256", expressions=[encoded])
            whole_digest = exp.Anonymous(this="ENCODE", expressions=[hashed, text("hex")])
        case SqlDialect.BIGQUERY:
            hashed = exp.Anonymous(this="SHA256", expressions=[joined])
            whole_digest = exp.Anonymous(this="TO_HEX", expressions=[hashed])
        case SqlDialect.SNOWFLAKE | SqlDialect.DATABRICKS | SqlDialect.REDSHIFT:
            whole_digest = exp.Anonymous(this="SHA2", expressions=[joined, whole(256)])
        case _:
            assert_never(dialect)
    return exp.Left(this=whole_digest, expression=whole(16))
