"""The option: a field of a record that says its type, its default, its help, and how a written value is read."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pqlkit.errors import UsageError, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Record = TypeVar("Record")

_KEY: Final = "option"
_WRITTEN: Final[Mapping[type[Any], tuple[tuple[type[Any], ...], str]]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str, int, float), "text"),
    Path: ((str, int, float), "one path"),
}
"""What YAML gives for a type that is written, and how it is called."""


class Role(StrEnum):
    """What a run does with the path that an option names."""

    READS = "reads"
    """A file, a folder or a glob that is read."""

    WRITES = "writes"
    """A file that is made or replaced."""

    MAKES = "makes"
    """A file that is made, and left as it is where it is there."""

    KEEPS = "keeps"
    """A file that is read and changed: made if missing, never replaced."""

    FILLS = "fills"
    """A folder that files are put into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a command.

    Parameters
    ----------
    name
        The library's keyword and the project file's key.
    default
        The value where nothing is written.
    says
        One sentence.
    told
        The default as help spells it; None = there is none to tell.
    takes
        What is written: bool, int, float, str, `Path` or a `StrEnum`.
    many
        Whether it can be written several times.
    reads
        Reads what is written into the value; None = it is the value. It is given the name to blame, too.
    short
        A second spelling, like ``-d``.
    metavar, panel
        How help shows its value, and where help lists it.
    in_project
        Whether it can stand in the project file.
    rare
        Whether ``--help`` leaves it to ``--help-all``.
    role
        What is done with the path that it names; None = it names none.
    """

    name: str
    default: Any
    says: str
    told: str | None
    takes: type[Any]
    many: bool
    reads: Callable[[Any, str], Any] | None
    short: str | None
    metavar: str | None
    panel: str | None
    in_project: bool
    rare: bool
    role: Role | None

    @property
    def help(self) -> str:
        """Say what it is for and, if there is one to tell, its default."""
        return self.says if self.told is None else f"{self.says.removesuffix('.')} [default: {self.told}]."

    @property
    def flag(self) -> str:
        """Spell it as the command line does; a name that Python keeps for itself has an underscore more.

        Examples
        --------
        >>> from pqlkit.options.data import DataOptions
        >>> [option.flag for option in options_of(DataOptions)][-2:]
        ['--engine', '--spark-remote']
        """
        return f"--{self.name.rstrip('_').replace('_', '-')}"

    def taken(self, value: Any, name: str) -> Any:
        """Turn a value of the project file into what the command line would have given.

        Parameters
        ----------
        value
            A text, number, truth value, or a list of these.
        name
            What to call the option in messages.

        Raises
        ------
        UsageError
            The value has another type than the option.
        """
        if self.many:
            return [self._one(part, name) for part in (value if isinstance(value, list) else [value])]
        if isinstance(value, list) and self.takes is str:
            return ",".join(self._one(part, name) for part in value)
        return self._one(value, name)

    def read(self, value: Any, name: str) -> Any:
        """Read what was written.

        Parameters
        ----------
        value
            Of the type that the option takes, or a list of these.
        name
            What to call the option in messages.

        Raises
        ------
        UsageError
            The value cannot be read.
        """
        if self.reads is not None:
            return self.reads(value, name)
        return tuple(value) if self.many else value

    def check(self, value: Any, name: str) -> None:
        """Refuse a value of the project file that the command would refuse; files that it names are not opened.

        Raises
        ------
        UsageError
            The value has another type than the option, or cannot be read.
        """
        taken = self.taken(value, name)
        if self.takes is not Path:
            self.read(taken, name)

    def _one(self, value: Any, name: str) -> Any:
        if issubclass(self.takes, StrEnum):
            known = [member.value for member in self.takes]
            if value in known:
                return self.takes(value)
            raise UsageError(f"{name}: {value!r} is not one of {', '.join(known)}", hint="write one of them")
        types, word = _WRITTEN[self.takes]
        if not isinstance(value, types) or (isinstance(value, bool) and self.takes is not bool):
            raise UsageError(f"{name}: {value!r} is not {word}", hint=f"write {word}")
        return self.takes(str(value)) if self.takes in {str, Path} else self.takes(value)


def option(
    default: Any,
    help: str,  # noqa: A002 - the command line's word
    *,
    reads: Callable[[Any, str], Any] | None = None,
    takes: type[Any] = str,
    unset: str | None = None,
    shown: Callable[[Any], str] = str,
    short: str | None = None,
    metavar: str | None = None,
    panel: str | None = None,
    in_project: bool = True,
    rare: bool = False,
    role: Role | None = None,
) -> Any:
    """Declare an option as a field of a frozen dataclass; help tells its default.

    Parameters
    ----------
    default
        The value where nothing is written.
    help
        One sentence, without the default.
    reads, takes
        How a written value of the type `takes` is read. Without `reads` the field's own type is what is written.
    unset
        What None, or an empty default, stands for.
    shown
        How the default is spelled in help.
    short, metavar, panel, in_project, rare, role
        As in `Option`.
    """
    told = unset if default is None or default == () else None if isinstance(default, bool) else shown(default)
    said = {"says": help, "told": told, "reads": reads, "takes": takes if reads is not None else None}
    shape = {"short": short, "metavar": metavar, "panel": panel}
    use = {"in_project": in_project, "rare": rare, "role": role}
    return dataclasses.field(default=default, metadata={_KEY: {**said, **shape, **use}})


def options_of(record: type[Any]) -> tuple[Option, ...]:
    """Give the options of a record, in the order of its fields."""
    hints = typing.get_type_hints(record)
    return tuple(_option(field, hints[field.name]) for field in dataclasses.fields(record) if _KEY in field.metadata)


def read_written(record: Any) -> None:
    """Read the fields of an option record that were given as the command line spells them; called once it is made.

    Raises
    ------
    UsageError
        A value cannot be read, or a duration lacks its unit.

    Examples
    --------
    >>> from pqlkit.options.settings import Settings
    >>> made = Settings(conversion_window="14d", windows=["3d", "7d"])
    >>> made.conversion_window.in_words, len(made.windows)
    ('14 days', 2)
    """
    hints = typing.get_type_hints(type(record))
    for entry in options_of(type(record)):
        value = getattr(record, entry.name)
        if entry.reads is None or value is entry.default:
            continue
        if isinstance(value, list | tuple) and value and all(isinstance(part, str) for part in value):
            value = ",".join(value) if entry.takes is str and not entry.many else value
        if "Duration" in str(hints[entry.name]) and isinstance(value, int | float):
            raise UsageError(f"{entry.name}: {value} has no unit", hint=f'write "{value}d"')
        if isinstance(value, str | Path):
            object.__setattr__(record, entry.name, entry.read(value, entry.name))


def settled(record: type[Record], made: Record | None, options: Mapping[str, Any]) -> Record:
    """Give a record, or the defaults, with what was given by keyword in its place.

    Raises
    ------
    UsageError
        There is no such option, or its value cannot be read.
    """
    known = [entry.name for entry in options_of(record)]
    for name in options:
        if name not in known:
            raise UsageError(
                f"there is no option {name!r}", hint=suggestion(name, known, f"write one of {', '.join(known)}")
            )
    return dataclasses.replace(made if made is not None else record(), **options)  # type: ignore[type-var]


def filled(
    record: type[Record],
    given: Mapping[str, Any],
    block: Mapping[str, Any] | None = None,
    *,
    command: str = "",
    place: str = "",
) -> Record:
    """Make a record of what the command line gave, then of the project file's section, then of the defaults.

    Parameters
    ----------
    record
        The record's class.
    given
        Option -> what the command line gave; None = nothing.
    block
        The command's section of the project file.
    command, place
        The command and the project file, for messages.

    Raises
    ------
    UsageError
        A value cannot be read.

    Examples
    --------
    >>> from pqlkit.options.settings import Settings
    >>> made = filled(Settings, {"conversion_window": "14d"}, {"conversion_window": "7d", "windows": ["3d", "7d"]})
    >>> str(made.conversion_window), [str(window) for window in made.windows]
    ('14d', ['3d', '7d'])
    """
    values: dict[str, Any] = {}
    for entry in options_of(record):
        written = (block or {}).get(entry.name)
        if given.get(entry.name) is not None:
            values[entry.name] = entry.read(given[entry.name], entry.flag)
        elif written is not None:
            name = f"{command}.{entry.name}"
            try:
                values[entry.name] = entry.read(entry.taken(written, name), name)
            except UsageError as error:
                raise UsageError(error.message, where=error.where or place, hint=error.hint) from None
    return record(**values)


def _option(field: dataclasses.Field[Any], hint: Any) -> Option:
    said = dict(field.metadata[_KEY])
    kind = next((part for part in typing.get_args(hint) if part not in {type(None), Ellipsis}), hint)
    if typing.get_origin(hint) is not tuple and typing.get_origin(kind) is not tuple:
        many, takes = False, kind
    else:
        many, takes = said["reads"] is None, next(iter(typing.get_args(kind)), kind)
    return Option(name=field.name, default=field.default, many=many, **{**said, "takes": said["takes"] or takes})
