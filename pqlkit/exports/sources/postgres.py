"""The PostgreSQL query: its answer streamed into Parquet in a session that cannot write; Redshift is read alike."""

from __future__ import annotations

import ctypes
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

import polars as pl

from pqlkit.errors import DataError, UsageError
from pqlkit.exports.sources.extra import needed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pqlkit.exports.sources.statement import Statement

_URL: Final = re.compile(
    r"(?:postgres(?:ql)?|redshift)://"
    r"(?:(?P<user>[^:@/?#\s]*)(?::(?P<password>[^:@/?#\s]*))?@)?(?P<place>[^@#?\s]*)(?:\?(?P<options>[^@#\s]*))?"
)
_SECRETS: Final = ("password", "sslpassword")
_BATCH_BYTES: Final = 4 << 20
_GROUP_ROWS: Final = 100_000
_LONGEST: Final = "2h"
"""How long the server works on one statement before it gives up."""
_NUMERIC: Final = '"type_name": "numeric"'
_WHOLE: Final = r"^-?[0-9]+(\.0*)?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database server.

    Parameters
    ----------
    name
        What may be shown: the environment variable.
    url
        With its secrets; never shown.
    secrets
        Texts that no message may hold.
    pooled
        Whether the session takes its settings by statements: Redshift and poolers take none at the connection.
    """

    name: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    pooled: bool

    def words(self, error: Exception) -> str:
        """Give what the server said, without its address's secrets and the driver's own words."""
        text = re.sub(r"^.*?(?:Failed to connect: |ERROR: +|FATAL: +)", "", str(error), count=1, flags=re.DOTALL)
        line = re.sub(r"^.*FATAL: +", "", text.strip().splitlines()[0] if text.strip() else "no reason")
        line = re.sub(r'^connection to server at "(.*?)".*, port (\d+) failed: ', r"\1:\2: ", line)
        for secret in self.secrets:
            line = line.replace(secret, "***")
        return line


def server(variable: str) -> Server:
    """Read the address of a server from the environment.

    Raises
    ------
    UsageError
        The variable is not set, or what it holds is no address; the message shows nothing of it.
    """
    url = os.environ.get(variable, "").strip()
    if not url:
        raise UsageError(f"the environment variable {variable} is not set", hint=_EXAMPLE)
    match = _URL.fullmatch(url)
    if match is None:
        known = url.startswith(("postgres://", "postgresql://", "redshift://"))
        raise UsageError(
            f"${variable} is no address of PostgreSQL or Redshift"
            if not known
            else f"${variable} cannot be taken apart",
            hint="in the user's name and the password write %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #"
            if known
            else f"{_EXAMPLE}; for others `pqlkit init --from NAME --sql` prints an export",
        )
    options = dict(parse_qsl(match["options"] or "", keep_blank_values=True))
    secrets = {match["password"], *(options.get(key) for key in _SECRETS)}
    known_as = {text for secret in secrets if secret for text in (secret, unquote(secret), quote(secret, safe=""))}
    options.setdefault("connect_timeout", "10")
    options.setdefault("fallback_application_name", "pqlkit")
    who = url[: match.start("place")].partition("://")[2]
    return Server(
        name=f"${variable}",
        url=f"postgresql://{who}{match['place']}?{urlencode(options, quote_via=quote)}",
        secrets=tuple(sorted(known_as, key=len, reverse=True)),
        pooled=url.startswith("redshift://") or ".redshift" in match["place"],
    )


_EXAMPLE: Final = "it holds postgresql://USER:PASSWORD@HOST:5432/DATABASE"


def export(server: Server, statement: Statement, target: Path, name: str) -> None:
    """Write what a query gives as Parquet, in bounded memory.

    Types that have no Arrow form become text; ``numeric`` becomes integers where all values are whole, else floats, and
    stays text where an integer would lose digits.

    Parameters
    ----------
    server, statement, target
        What to ask whom, and the file to write.
    name
        How messages call the query.

    Raises
    ------
    DataError
        The server does not answer, or the query fails.
    UsageError
        Two columns have one name.
    """
    raw = target.with_suffix(".raw")
    with _session(server, statement.zone, name) as (cursor, failed):
        try:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)})
            cursor.execute(_readable(cursor, statement.text, name))
            # Marked unstable in Polars: the one call that streams Arrow without pyarrow.
            lazy = pl.scan_arrow_c_stream(cursor.fetch_arrow())
            schema = lazy.collect_schema()
            stored = [pl.col(key).ext.storage() for key, kind in schema.items() if isinstance(kind, pl.BaseExtension)]
            lazy.with_columns(stored).sink_parquet(raw, row_group_size=_GROUP_ROWS, compression="lz4")
        except (failed, pl.exceptions.PolarsError) as error:
            raise DataError(server.words(error), where=name, hint=_hint(str(error))) from None
    numeric = [key for key, kind in schema.items() if isinstance(kind, pl.BaseExtension) and _NUMERIC in str(kind)]
    if not numeric:
        raw.replace(target)
        return
    pl.scan_parquet(raw, glob=False).with_columns(_numbers(raw, numeric)).sink_parquet(
        target, row_group_size=_GROUP_ROWS, compression="lz4"
    )
    raw.unlink()


def _hint(text: str) -> str | None:
    if "read-only transaction" in text:
        return "pqlkit only reads: write a SELECT"
    return f"a statement may take {_LONGEST}: ask for less at a time" if "statement timeout" in text else None


def _numbers(path: Path, names: list[str]) -> list[pl.Expr]:
    """Find the narrowest type of columns of numbers in text that changes none of them."""
    broken: set[str] = set()
    long: set[str] = set()
    for frame in pl.scan_parquet(path, glob=False).select(names).collect_batches(chunk_size=_GROUP_ROWS):
        for name in names:
            if name not in broken and not frame[name].str.contains(_WHOLE).all():
                broken.add(name)
            elif name not in broken and frame.select(_integer(name)).null_count().item() > frame[name].null_count():
                long.add(name)
    floats = [pl.col(name).cast(pl.Float64, strict=False) for name in names if name in broken]
    return [*floats, *(_integer(name) for name in names if name not in broken | long)]


def _integer(name: str) -> pl.Expr:
    return pl.col(name).str.replace(r"\.0*$", "").cast(pl.Int64, strict=False)


@contextmanager
def _session(server: Server, zone: str, name: str) -> Iterator[tuple[Any, type[Exception]]]:
    """Open a session that cannot write; give its cursor, and the class of what goes wrong in it."""
    driver = needed("adbc_driver_postgresql.dbapi", extra="postgres", what="PostgreSQL")
    settings = {"default_transaction_read_only": "on", "statement_timeout": _LONGEST, "timezone": zone}
    connection = None
    if not server.pooled:
        try:
            connection = driver.connect(_with_settings(server.url, settings), autocommit=True)
        except driver.Error as error:
            if "startup parameter" not in str(error):
                raise DataError(f"cannot connect: {server.words(error)}", where=server.name) from None
    try:
        connection = connection or driver.connect(server.url, autocommit=True)
    except driver.Error as error:
        raise DataError(f"cannot connect: {server.words(error)}", where=server.name) from None
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute("BEGIN READ ONLY")
            if server.pooled:
                cursor.execute(f"SET timezone TO '{zone}'")
        except driver.Error as error:
            raise DataError(server.words(error), where=name) from None
        yield cursor, driver.Error


def _with_settings(url: str, settings: dict[str, str]) -> str:
    place, _, query = url.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    ours = " ".join(f"-c {key}={value}" for key, value in settings.items())
    options["options"] = f"{options['options']} {ours}" if "options" in options else ours
    return f"{place}?{urlencode(options, quote_via=quote)}"


class _Field(ctypes.Structure):
    """The head of ``ArrowSchema`` of the Arrow C data interface: a type and its parts."""


_Field._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("length", ctypes.c_int64),
    ("parts", ctypes.POINTER(ctypes.POINTER(_Field))),
]


def _readable(cursor: Any, query: str, name: str) -> str:
    """Wrap a query so that columns of types that Polars cannot take come as text; its last line may be a comment."""
    cursor.adbc_statement.set_sql_query(query)
    # Polars gives up the process over an interval's type before anybody can snapshot at it, hence the C interface.
    handle = cursor.adbc_statement.execute_schema()
    schema = _Field.from_address(handle.address)
    fields = [schema.parts[place].contents for place in range(schema.length)]
    names = [(part.name or b"").decode() for part in fields]
    twice = next((column for column in names if names.count(column) > 1), None)
    if twice is not None:
        raise UsageError(f"the query gives two columns {twice!r}", where=name, hint="name them apart with AS")
    odd = [not _known(part) for part in fields]
    if not any(odd):
        return f"{query}\n"
    quoted = ['"' + column.replace('"', '""') + '"' for column in names]
    columns = ", ".join(
        f"{column}::text AS {column}" if strange else column for column, strange in zip(quoted, odd, strict=True)
    )
    return f"SELECT {columns} FROM (\n{query}\n) AS pqlkit"


def _known(part: _Field) -> bool:
    kind = part.format.decode()
    if kind.startswith("+l"):
        return _known(part.parts[0].contents)
    if kind.startswith(("z", "Z", "w:")):
        return not part.metadata
    return kind[:1] in "nbcCsSiIlLfguU" or kind.startswith(("tdD", "ts"))
