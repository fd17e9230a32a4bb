"""Options: each declared once, as a field of a small record; a command lists the records it takes.

`command` turns the records into one typer signature. What the command line leaves out comes from the command's block in
the project file, then from the field's default.
"""

from __future__ import annotations

import inspect
import typing
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from pqlkit.errors import UsageError, nearest

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Record = TypeVar("Record")


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class EngineName(StrEnum):
    """Which engine evaluates the tables."""

    POLARS = "polars"
    DUCKDB = "duckdb"
    SPARK = "spark"


def option(*names: str, help: str, metavar: str | None = None, panel: str | None = None) -> Any:  # noqa: A002 - typer's word
    """Declare one option: names, help, placeholder and the panel of ``--help`` it stands in."""
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=panel, show_default=False)


_DATA = "Data"
_OUTPUT = "Output"
_SNAPSHOTS = "Snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Where the exports are."""

    project: Annotated[
        Path | None,
        option(
            "--project",
            "-p",
            help="The project file [default: pqlkit.yml here, if there].",
            metavar="FILE",
            panel=_DATA,
        ),
    ] = None
    events: Annotated[
        str | None,
        option(
            "--events",
            help="Events: a file, folder or glob (.csv, .parquet, .jsonl; .gz, .zst).",
            metavar="PATH",
            panel=_DATA,
        ),
    ] = None
    users: Annotated[str | None, option("--users", help="Users.", metavar="PATH", panel=_DATA)] = None
    accounts: Annotated[str | None, option("--accounts", help="Accounts.", metavar="PATH", panel=_DATA)] = None
    conversions: Annotated[
        str | None, option("--conversions", help="Conversions (upgrades).", metavar="PATH", panel=_DATA)
    ] = None
    map: Annotated[
        list[str] | None,
        option(
            "--map",
            help='Which column of an export is which: conversions.converted_at="Close Date". Repeatable.',
            metavar="TABLE.COLUMN=HEADER",
            panel=_DATA,
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOptions(SourceOptions):
    """Where the data is, and what of it counts."""

    data: Annotated[
        Path | None, option("--data", help="A folder that `pqlkit load` wrote.", metavar="DIR", panel=_DATA)
    ] = None
    as_of: Annotated[
        str | None,
        option(
            "--as-of",
            help="The last moment that exists [default: the newest plausible row].",
            metavar="DATE",
            panel=_DATA,
        ),
    ] = None
    trust_current: Annotated[
        list[str] | None,
        option(
            "--trust-current",
            help="Use today's value of TRAIT for the past all the same. Repeatable.",
            metavar="TRAIT",
            panel=_DATA,
        ),
    ] = None
    engine: Annotated[
        EngineName | None, option("--engine", help="What evaluates the tables [default: polars].", panel=_DATA)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Where results go, and how much is said."""

    format: Annotated[
        Format | None, option("--format", help="How the result is written [default: table].", panel=_OUTPUT)
    ] = None
    out: Annotated[
        Path | None,
        option("--out", help="Write the result to this file instead of stdout.", metavar="PATH", panel=_OUTPUT),
    ] = None
    quiet: Annotated[bool | None, option("--quiet", help="Errors alone on stderr.", panel=_OUTPUT)] = None
    verbose: Annotated[bool | None, option("--verbose", help="Details on stderr.", panel=_OUTPUT)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotOptions:
    """When behaviour is measured, and when the outcome is."""

    snapshots: Annotated[
        str | None,
        option(
            "--snapshots",
            help="auto, once:14d, age:1d,3d,7d or every:28d [default: auto].",
            metavar="DESIGN",
            panel=_SNAPSHOTS,
        ),
    ] = None
    windows: Annotated[
        str | None,
        option("--windows", help="Windows of the behaviours, like 3d,7d,14d.", metavar="LIST", panel=_SNAPSHOTS),
    ] = None
    conversion_window: Annotated[
        str | None,
        option(
            "--conversion-window",
            help="How long after a snapshot a conversion counts [default: 30d].",
            metavar="DURATION",
            panel=_SNAPSHOTS,
        ),
    ] = None
    gap: Annotated[
        str | None,
        option(
            "--gap",
            help="Conversions this soon after a snapshot do not count [default: 0d].",
            metavar="DURATION",
            panel=_SNAPSHOTS,
        ),
    ] = None
    active_within: Annotated[
        str | None,
        option(
            "--active-within",
            help="With `every`: entities are looked at if active this recently [default: 28d].",
            metavar="DURATION",
            panel=_SNAPSHOTS,
        ),
    ] = None
    events_from: Annotated[
        str | None,
        option(
            "--events-from",
            help="The first day of the events export, if it begins before its first row.",
            metavar="DATE",
            panel=_SNAPSHOTS,
        ),
    ] = None
    measures: Annotated[
        str | None,
        option(
            "--measures",
            help="Measures to look at, like count,days,users,sum(amount) [default: count,days; for accounts also users].",
            metavar="LIST",
            panel=_SNAPSHOTS,
        ),
    ] = None
    entity: Annotated[
        str | None, option("--entity", help="auto, user or account [default: auto].", metavar="KIND", panel=_SNAPSHOTS)
    ] = None
    exposure: Annotated[
        str | None,
        option(
            "--exposure",
            help="landmark (equal exposure) or until-conversion [default: landmark].",
            metavar="KIND",
            panel=_SNAPSHOTS,
        ),
    ] = None
    exclude_event: Annotated[
        list[str] | None,
        option("--exclude-event", help="Leave this event out (a glob). Repeatable.", metavar="NAME", panel=_SNAPSHOTS),
    ] = None
    keep_event: Annotated[
        list[str] | None,
        option(
            "--keep-event",
            help="Keep this event though it looks like a leak (a glob). Repeatable.",
            metavar="NAME",
            panel=_SNAPSHOTS,
        ),
    ] = None
    by: Annotated[
        list[str] | None,
        option(
            "--by",
            help='Cohorts: signup_week, signup_month, signup_quarter, a trait, or (analyze) a behaviour like "login >= 3 in 7d". Repeatable.',
            metavar="COHORT",
            panel=_SNAPSHOTS,
        ),
    ] = None
    given: Annotated[
        Path | None,
        option("--given", help="Only those who meet this definition.", metavar="DEFINITION", panel=_SNAPSHOTS),
    ] = None
    sample: Annotated[
        str | None,
        option("--sample", help="Look at this share of the entities, like 5%.", metavar="SHARE", panel=_SNAPSHOTS),
    ] = None
    top: Annotated[int | None, option("--top", help="How many rows to show.", metavar="N", panel=_SNAPSHOTS)] = None
    compare: Annotated[
        list[str] | None,
        option(
            "--compare", help="Compare these events as value metrics. Repeatable.", metavar="EVENT", panel=_SNAPSHOTS
        ),
    ] = None
    html: Annotated[
        Path | None, option("--html", help="Also write one self-contained page.", metavar="FILE", panel=_OUTPUT)
    ] = None


def records(*types: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command function one keyword per field of `types`, for typer; it is called with one record per type.

    Parameters
    ----------
    types
        Frozen dataclasses whose fields are ``Annotated[type | None, typer.Option(...)]``. The function's own parameters
        named ``data``, ``output`` ... are recognised by their annotation.

    Examples
    --------
    >>> @records(OutputOptions)
    ... def show(name: str, output: OutputOptions) -> None: ...
    >>> list(inspect.signature(show).parameters)
    ['name', 'format', 'out', 'quiet', 'verbose']
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        hints = typing.get_type_hints(function, include_extras=True)
        own = [
            parameter.replace(annotation=hints[name])
            for name, parameter in inspect.signature(function).parameters.items()
            if hints[name] not in types
        ]
        names = {hints[name]: name for name in inspect.signature(function).parameters}
        added = [parameter for kind in types for parameter in _parameters(kind)]

        def run(**values: Any) -> None:
            filled = {names[kind]: kind(**{f.name: values.pop(f.name) for f in fields(kind)}) for kind in types}
            function(**values, **filled)

        run.__name__, run.__doc__, run.__module__ = function.__name__, function.__doc__, function.__module__
        run.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*own, *added]}
        return run

    return decorate


def _parameters(kind: type[Any]) -> tuple[inspect.Parameter, ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(kind)
    )


def settle(options: Record, block: Mapping[str, Any], *, command: str, place: str) -> Record:
    """Fill what the command line left out from the project file's block of this command.

    Parameters
    ----------
    options
        A record as the command line gave it: None = not given.
    block
        The command's block of the project file, ``_`` for ``-``.
    command
        The command's name, for messages.
    place
        The project file's path, for messages.

    Raises
    ------
    UsageError
        A value has the wrong type for its option.
    """
    import dataclasses

    changes: dict[str, Any] = {}
    for field in fields(options):  # type: ignore[arg-type]
        if getattr(options, field.name) is None and block.get(field.name) is not None:
            hint = typing.get_type_hints(type(options), include_extras=False)[field.name]
            changes[field.name] = _converted(block[field.name], hint, f"{command}.{field.name}", place)
    return dataclasses.replace(options, **changes)  # type: ignore[type-var]


def unknown_options(block: Mapping[str, Any], known: set[str], *, command: str, place: str) -> None:
    """Refuse names in a command's block that are no option of it.

    Raises
    ------
    UsageError
        Naming the key and the nearest option.
    """
    for name in block:
        if name not in known:
            close = nearest(name, known)
            raise UsageError(
                f"{command}.{name} is not an option of `pqlkit {command}`",
                where=place,
                hint=f"did you mean {close}?" if close else f"see `pqlkit {command} --help`",
            )


def _converted(value: Any, hint: Any, name: str, place: str) -> Any:
    kind = next((one for one in typing.get_args(hint) if one is not type(None)), hint)
    if typing.get_origin(kind) is list:
        (item,) = typing.get_args(kind)
        return [_one(part, item, name, place) for part in (value if isinstance(value, list) else [value])]
    if isinstance(value, list) and kind is str:
        return ",".join(_one(part, str, name, place) for part in value)
    return _one(value, kind, name, place)


def _one(value: Any, kind: type[Any], name: str, place: str) -> Any:
    if issubclass(kind, StrEnum):
        known = [member.value for member in kind]
        if value in known:
            return kind(value)
        raise UsageError(f"{name}: {value!r} is not one of {', '.join(known)}", where=place)
    types, word = _KINDS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind is not bool):
        raise UsageError(f"{name}: {value!r} is not {word}", where=place)
    return kind(str(value)) if kind in {str, Path} else kind(value)


_KINDS: Final[dict[type[Any], tuple[tuple[type[Any], ...], str]]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str, int, float), "text"),
    Path: ((str, int, float), "one path"),
}
"""What YAML gives for a type of option, and how it is called."""
