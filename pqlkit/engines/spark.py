"""The Spark engine: the same plans on a cluster, through Spark Connect."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import polars as pl
import pyarrow as pa

from pqlkit.engines.base import TABLE
from pqlkit.engines.relational import Relational
from pqlkit.engines.spark_client import DefaultChannelBuilder, PySparkException, SparkSession, functions
from pqlkit.engines.spark_errors import missing, refused, secret_in, unreadable, without_secrets
from pqlkit.engines.spark_frames import narwhals
from pqlkit.errors import DataError, EngineError, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pqlkit.typing import LazyFrame

REMOTE: Final = "SPARK_REMOTE"
"""The variable of the environment that names the server where no option does; with a token, if there is one."""

_WAIT: Final = 10
"""Seconds until a server that does not answer is not there."""

_LESSER: Final = ("tinyint", "smallint", "int")
_KINDS: Final = {
    "string": "text",
    "varchar": "text",
    "char": "text",
    **dict.fromkeys((*_LESSER, "bigint"), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    "boolean": "boolean",
    "timestamp": "instant",
    "timestamp_ntz": "instant",
    "date": "date",
}
_SESSIONS: Final[dict[str, Any]] = {}
"""Address -> session: a run has one of each server, and in it what it has brought there."""


@dataclass(slots=True, kw_only=True, eq=False)
class SparkEngine(Relational):
    """Plans run on the server of a session of their own, whose zone is UTC."""

    session: Any = field(repr=False)
    name: str = "spark"
    _lifted: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, remote: str | None) -> SparkEngine:
        """Begin a session.

        Parameters
        ----------
        remote
            ``sc://host:15002``, with no token in it; None = what the environment says.

        Raises
        ------
        EngineError
            No server is named, it does not answer, or it refuses the session.
        """
        return cls(session=_session(remote))

    def scan(self, paths: Sequence[str], columns: Sequence[str] | Mapping[str, str]) -> LazyFrame:
        """Read canonical Parquet or a table lazily; see `Engine.scan`."""
        aliases = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
        if not paths:
            message = "there is no file to read"
            raise DataError(message)
        frame, types = self.read(paths)
        _check(paths[0], aliases, types)
        native = frame.select(*(_column(name, types[name]).alias(alias) for name, alias in aliases.items()))
        return narwhals(native, list(aliases.values()))

    def read(self, paths: Sequence[str]) -> tuple[Any, dict[str, str]]:
        """Give Spark's own frame of the files or the table, and its columns' types as Spark spells them.

        Raises
        ------
        DataError
            There is no such table, or it may not be read; or no such file, or it is not Parquet.
        """
        try:
            if paths[0].startswith(TABLE):
                frame = self.session.table(paths[0].removeprefix(TABLE))
            else:
                frame = self.session.read.option("mergeSchema", "true").parquet(*map(_place, paths))
            types = dict(frame.dtypes)
        except PySparkException as error:
            raise unreadable(error, paths) from None
        if not types:  # Sail finds no columns where there is no file
            raise missing(paths)
        return frame, types

    def look(self, place: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Look at a table; see `Cluster.look`."""
        frame, types = self.read([place])
        _check(place, headers.values(), types)
        kinds = {name: _KINDS.get(kind.partition("(")[0], kind) for name, kind in types.items()}
        if all(name == header for name, header in headers.items()):
            return place, kinds
        others = [name for name in types if name not in {*headers, *headers.values()}]
        named = {name: name for name in others} | dict(headers)
        view = "pqlkit_" + hashlib.sha256(repr((place, sorted(named.items()))).encode()).hexdigest()[:32]
        frame.select(
            *(functions.col(_quoted(there)).alias(name) for name, there in named.items())
        ).createOrReplaceTempView(view)
        return TABLE + view, {name: kinds[there] for name, there in named.items()}

    def lift(self, frame: pl.DataFrame) -> LazyFrame:
        """Bring a small table to the server, where it stays: what was lifted once is not sent again."""
        table = _plain(frame)
        held = _fingerprint(table)
        if held not in self._lifted:
            self._lifted[held] = self._sent(table, f"pqlkit_{held}")
        return narwhals(self._lifted[held], frame.columns)

    def _sent(self, table: pa.Table, name: str) -> Any:
        # A plan names the view: what it holds is sent once, however often the plan reads it.
        try:
            if table.num_rows:
                frame = self.session.createDataFrame(table)
            else:
                columns = ", ".join(f"`{column.name}` {_sql(column.type)}" for column in table.schema)
                frame = self.session.createDataFrame([], columns)
            frame.createOrReplaceTempView(name)
            return self.session.table(name)
        except PySparkException as error:
            raise refused(error) from None

    def keep(self, frame: LazyFrame) -> LazyFrame:
        """Hold what the plan gives on the cluster."""
        return narwhals(_native(frame).persist())

    def collect(self, frame: LazyFrame) -> pl.DataFrame:
        """Run the plan; whole numbers that Spark widened come back as Int64."""
        try:
            table = cast("pl.DataFrame", pl.from_arrow(_native(frame).toArrow()))
        except PySparkException as error:
            raise refused(error) from None
        return table.with_columns(pl.col(pl.Decimal).cast(pl.Int64))


def _session(remote: str | None) -> Any:
    if remote is not None and secret_in(remote):
        raise EngineError(
            "the address of the Spark server has a secret in it, which other users of this machine can see",
            where="--spark-remote",
            hint=f"put the address with its token into the variable {REMOTE} of the environment",
        )
    address = remote or os.environ.get(REMOTE)
    where = "--spark-remote" if remote else REMOTE
    if not address:
        raise EngineError(
            "the engine spark needs the address of a Spark Connect server",
            where="--engine",
            hint=f"write --spark-remote sc://host:15002, or {REMOTE} in the environment",
        )
    if address not in _SESSIONS:
        _SESSIONS[address] = _begun(address, where)
    return _SESSIONS[address]


def _begun(address: str, where: str) -> Any:
    import grpc

    try:
        channel = DefaultChannelBuilder(address)
    except PySparkException:
        raise EngineError(
            "that is no address of a Spark Connect server", where=where, hint="write it like sc://host:15002"
        ) from None
    try:
        with channel.toChannel() as trial:
            grpc.channel_ready_future(trial).result(timeout=_WAIT)
    except grpc.FutureTimeoutError:
        raise EngineError(
            f"no Spark Connect server answers at {channel.endpoint}",
            where=where,
            hint="start one there, or say where it is: sc://host:15002",
        ) from None
    try:
        session = SparkSession.builder.remote(address).create()
        session.conf.set("spark.sql.session.timeZone", "UTC")
        session.conf.set("spark.sql.ansi.enabled", "true")
    except (PySparkException, grpc.RpcError) as error:
        raise refused(error, where=where) from None
    return session


def _native(frame: LazyFrame) -> Any:
    return frame.to_native()


def _place(path: str) -> str:
    return path if "://" in path else str(Path(path).absolute())


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _check(place: str, names: Iterable[str], types: Mapping[str, str]) -> None:
    for name in names:
        if name not in types:
            there = without_secrets(place.removeprefix(TABLE))
            raise DataError(f"there is no column {name!r}", where=there, hint=suggestion(name, types, quoted=True))


def _column(name: str, kind: str) -> Any:
    column = functions.col(_quoted(name))
    if kind.startswith("timestamp") or kind == "date":
        return functions.unix_micros(column.cast("timestamp"))
    if kind in _LESSER:
        return column.cast("bigint")
    return column.cast("double") if kind.startswith("decimal") else column


def _plain(frame: pl.DataFrame) -> pa.Table:
    """Give a table in the types that Spark has: no unsigned numbers, no categories, no nameless type of nothing."""
    texts = pl.selectors.by_dtype(pl.Enum, pl.Categorical, pl.Null)
    plain = frame.with_columns(pl.selectors.unsigned_integer().cast(pl.Int64), texts.cast(pl.String))
    table = plain.to_arrow(compat_level=pl.CompatLevel.oldest())
    kinds = [pa.string() if pa.types.is_large_string(kind) else kind for kind in table.schema.types]
    return table.cast(pa.schema(zip(table.schema.names, kinds, strict=True)))


def _fingerprint(table: pa.Table) -> str:
    """Tell a table by what it holds."""
    digest = hashlib.sha256(str(table.schema).encode())
    for batch in table.combine_chunks().to_batches():
        digest.update(batch.serialize())
    return digest.hexdigest()[:32]


def _sql(kind: pa.DataType) -> str:
    names = {"string": "string", "double": "double", "float": "float", "bool": "boolean", "int64": "bigint"}
    return names.get(str(kind)) or {"int32": "int", "int16": "smallint", "int8": "tinyint"}[str(kind)]
