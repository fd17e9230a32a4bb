"""The manifest: the one file that says what a dataset's folder holds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pqlkit.errors import DataError
from pqlkit.exports.column_types import ColumnType
from pqlkit.exports.dataset_folder import NAME as NAME
from pqlkit.exports.dataset_folder import PLACE as PLACE
from pqlkit.exports.dataset_folder import QUARANTINE as QUARANTINE
from pqlkit.exports.instants import FIRST, LAST
from pqlkit.exports.numbering import HOME
from pqlkit.exports.parquet import schema
from pqlkit.exports.tables import EVENTS
from pqlkit.exports.zones import zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.typing import Json

SCHEMA: Final = "pqlkit/dataset/2"

_EARLIER: Final = ("pqlkit/dataset/1",)
_AGAIN: Final = "load again, without --append, from the exports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Two small tables that sum up some files of events, all relative to the folder; see `pqlkit.exports.summaries`."""

    of: tuple[str, ...]
    who: str
    names: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A file of events that holds the rows of the homes [low, high) as one load knew them."""

    file: str
    low: int
    high: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A file of events that a later load added, of any homes."""

    file: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventParts:
    """The files of events; see `pqlkit.exports.event_files`.

    Parameters
    ----------
    users, accounts
        Who has which number; see `pqlkit.exports.numbering`.
    blocks, deltas
        Rows of somebody.
    anonymous
        Rows without a user, who may become known.
    event_ids
        The ids of events with their names, for the duplicates of later loads.
    """

    users: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    deltas: tuple[Delta, ...] = ()
    anonymous: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All files with rows."""
        return (*(block.file for block in self.blocks), *(delta.file for delta in self.deltas), *self.anonymous)

    def replaced(self, files: Mapping[str, tuple[str, int | None] | None]) -> EventParts:
        """Give the parts with other files in the place of some: their names, and rows if these are others, or None for none."""
        blocks = (_replaced(block, files) for block in self.blocks)
        deltas = (_replaced(delta, files) for delta in self.deltas)
        nobodys = (files.get(file, (file, None)) for file in self.anonymous)
        return replace(
            self,
            blocks=tuple(block for block in blocks if block is not None),
            deltas=tuple(delta for delta in deltas if delta is not None),
            anonymous=tuple(new[0] for new in nobodys if new is not None),
        )


_Part = TypeVar("_Part", Block, Delta)


def _replaced(part: _Part, files: Mapping[str, tuple[str, int | None] | None]) -> _Part | None:
    new = files.get(part.file, (part.file, None))
    return None if new is None else replace(part, file=new[0], rows=part.rows if new[1] is None else new[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """One table: `files` relative to the folder, `inputs` the fingerprints of the files it was read from, sorted.

    Events have `parts`, and `summaries` about all of their `files`, each in one of them.
    """

    files: tuple[str, ...]
    columns: Mapping[str, ColumnType]
    rows: int
    first: int | None = None
    last: int | None = None
    dates_only: bool = False
    complete_through: int | None = None
    inputs: tuple[str, ...] = ()
    days: Mapping[int, int] = field(default_factory=dict)
    summaries: tuple[Summary, ...] = ()
    parts: EventParts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a folder holds; dates stand for days of `zone`."""

    zone: str
    tables: Mapping[str, TableEntry]

    @property
    def files(self) -> set[str]:
        """All files of all tables."""
        summaries = [summary for table in self.tables.values() for summary in table.summaries]
        own = {name for table in self.tables.values() for name in table.files}
        parts = [table.parts for table in self.tables.values() if table.parts is not None]
        own |= {name for part in parts for name in (*part.users, *part.accounts, *part.event_ids)}
        return own | {name for summary in summaries for name in (summary.who, summary.names)}

    @property
    def small_files(self) -> set[str]:
        """The files but those that grow with the events."""
        parts = self.tables[EVENTS].parts
        return self.files - set(self.tables[EVENTS].files) - set(parts.event_ids if parts is not None else ())


def manifest_text(manifest: Manifest) -> str:
    """Write a manifest as JSON."""
    data: dict[str, Json] = {
        "schema": SCHEMA,
        "zone": manifest.zone,
        "tables": {name: _entry(table) for name, table in sorted(manifest.tables.items())},
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _entry(table: TableEntry) -> dict[str, Json]:
    return {
        "files": list(table.files),
        "columns": {name: str(kind) for name, kind in table.columns.items()},
        "rows": table.rows,
        "first": table.first,
        "last": table.last,
        "dates_only": table.dates_only,
        "complete_through": table.complete_through,
        "inputs": list(table.inputs),
        "days": {str(day): rows for day, rows in sorted(table.days.items())},
        **({"summaries": [_summary(summary) for summary in table.summaries]} if table.summaries else {}),
        **({} if table.parts is None else _parts(table.parts)),
    }


def _parts(parts: EventParts) -> dict[str, Json]:
    return {
        "numbering": {"users": list(parts.users), "accounts": list(parts.accounts)},
        "blocks": [asdict(block) for block in parts.blocks],
        "deltas": [asdict(delta) for delta in parts.deltas],
        "anonymous": list(parts.anonymous),
        "event_ids": list(parts.event_ids),
    }


def _summary(summary: Summary) -> Json:
    return {"of": list(summary.of), "who": summary.who, "names": summary.names}


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest.

    Raises
    ------
    DataError
        The folder or its manifest is missing or damaged, or a file that it names is gone.
    """
    path = folder / NAME
    if not folder.is_dir():
        raise DataError(f"--data: the folder {folder} does not exist", hint=f"pqlkit load --out {folder}")
    try:
        data = json.loads(path.read_text("utf-8"))
        if data.get("schema") in _EARLIER:
            raise DataError(
                "the dataset was written by an earlier pqlkit, in another layout", where=str(path), hint=_AGAIN
            )
        if data.get("schema") != SCHEMA:
            raise DataError(f"the manifest's schema is {data.get('schema')!r}, not {SCHEMA!r}", where=str(path))
        tables = {name: _read(name, entry) for name, entry in data["tables"].items()}
        manifest = Manifest(zone=_of(str, data["zone"]), tables=tables)
        if EVENTS not in tables:
            raise KeyError(EVENTS)
    except FileNotFoundError as error:
        hint = "make one with `pqlkit load --out DIR`, or name exports with --events, --users, --conversions"
        raise DataError(f"{folder} is not a dataset: it has no {NAME}", hint=hint) from error
    except OSError as error:
        raise DataError(f"cannot read the manifest: {error.strerror}", where=str(path)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError("the manifest is damaged", where=str(path), hint="load the exports again") from error
    zone_of(manifest.zone, where=str(path))
    missing = sorted(name for name in manifest.files if not (folder / name).is_file())
    if missing:
        raise DataError(f"the dataset's file {missing[0]} is gone", where=str(folder), hint="load the exports again")
    return manifest


def altered(folder: Path) -> str | None:
    """Find a file of a dataset that is not what was written, or that cannot be read.

    Parameters
    ----------
    folder
        The dataset.

    Returns
    -------
    str or None
        The first file whose content is not what its name says, relative to the folder; the manifest where it describes other
        columns than the files have; None where all are as they were written, or the manifest cannot be read.
    """
    try:
        manifest = read_manifest(folder)
    except DataError:
        return None
    changed = next((file for file in sorted(manifest.files) if not _as_written(folder / file)), None)
    if changed is not None:
        return changed
    described = all(
        _described(set(schema(folder / file)), table) for table in manifest.tables.values() for file in table.files
    )
    return None if described else NAME


def _described(columns: set[str], table: TableEntry) -> bool:
    """Whether a file has the columns that the manifest says; a file of events lacks those that it has no value of."""
    return columns == set(table.columns) if table.parts is None else columns - {HOME} <= set(table.columns)


def check_as_written(folder: Path, manifest: Manifest) -> None:
    """Refuse a dataset of which a table besides the events, or a summary, is not what was written.

    A file that is damaged within a page can often still be read, as fewer people or as others, and what is then concluded is
    told as a fact about the product. These files are small; those of the events are not, and are checked where an error asks
    for it (`altered`).

    Raises
    ------
    DataError
        A file's content is not what its name says.
    """
    changed = next((file for file in sorted(manifest.small_files) if not _as_written(folder / file)), None)
    if changed is not None:
        raise damaged(folder, changed)


def damaged(folder: Path, file: str) -> DataError:
    """Say that a file of a dataset is not what was written."""
    return DataError(
        f"the dataset's file {file} is damaged: it is not what was written",
        where=str(folder),
        hint="load again, or bring the folder back from a backup",
    )


def _as_written(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest().startswith(path.stem.rpartition("-")[2])
    except OSError:
        return False


def _read(name: str, entry: dict[str, Any]) -> TableEntry:
    files = tuple(_inside(file) for file in _of(list, entry["files"]))
    if not files:  # a table without a row has a file, too: without one nobody knows its columns
        raise ValueError
    return TableEntry(
        files=files,
        columns={name: ColumnType(kind) for name, kind in entry["columns"].items()},
        rows=_of(int, entry["rows"]),
        first=_moment(entry["first"]),
        last=_moment(entry["last"]),
        dates_only=_of(bool, entry["dates_only"]),
        complete_through=_moment(entry["complete_through"]),
        inputs=tuple(_of(str, digest) for digest in _of(list, entry["inputs"])),
        days={int(day): _of(int, rows) for day, rows in entry["days"].items()},
        summaries=_summaries(entry, files),
        parts=_read_parts(entry, files) if name == EVENTS else None,
    )


def _read_parts(entry: dict[str, Any], files: tuple[str, ...]) -> EventParts:
    def named(names: object) -> tuple[str, ...]:
        return tuple(_inside(file) for file in _of(list, names))

    parts = EventParts(
        users=named(entry["numbering"]["users"]),
        accounts=named(entry["numbering"]["accounts"]),
        blocks=tuple(
            Block(
                file=_inside(block["file"]),
                low=_of(int, block["low"]),
                high=_of(int, block["high"]),
                rows=_of(int, block["rows"]),
            )
            for block in _of(list, entry["blocks"])
        ),
        deltas=tuple(
            Delta(file=_inside(delta["file"]), rows=_of(int, delta["rows"])) for delta in _of(list, entry["deltas"])
        ),
        anonymous=named(entry["anonymous"]),
        event_ids=named(entry["event_ids"]),
    )
    if sorted(parts.files) != sorted(files) or not parts.users or not parts.accounts:
        raise ValueError
    return parts


def _summaries(entry: dict[str, Any], files: tuple[str, ...]) -> tuple[Summary, ...]:
    summaries = tuple(
        Summary(
            of=tuple(_inside(file) for file in _of(list, summary["of"])),
            who=_inside(summary["who"]),
            names=_inside(summary["names"]),
        )
        for summary in _of(list, entry.get("summaries", []))
    )
    if summaries and sorted(file for summary in summaries for file in summary.of) != sorted(files):
        raise ValueError
    return summaries


Kind = TypeVar("Kind")


def _of(kind: type[Kind], value: object) -> Kind:
    """Give a value of exactly that type: True is no number here."""
    if type(value) is not kind:
        raise TypeError
    return value


def _moment(value: object) -> int | None:
    if value is None:
        return None
    if not FIRST <= _of(int, value) <= LAST:
        raise ValueError
    return _of(int, value)


def _inside(file: object) -> str:
    """Give the name of a file of the folder, and of no other."""
    name = _of(str, file)
    if "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError
    return name
