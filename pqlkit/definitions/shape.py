"""The shape: what may be written in a place of a file, declared by a type annotation and read without guessing.

A `Form` is a mapping with known keys. Its annotations say what stands under each: a checked scalar (``Annotated[str,
Check(...)]``), a list, a mapping, another form, or a `Choice` between these. Every fault of a file is found in one pass.
Nothing here imports pydantic: building its models alone takes longer than checking a file.
"""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, Union, get_args, get_origin

from pqlkit.definitions.codes import WRONG_TYPE
from pqlkit.definitions.values import Blank, Check, FaultError, Key, Limits, fault, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

Place: TypeAlias = "tuple[str | int, ...]"
Reader: TypeAlias = "Callable[[Any, Place, list[Slip]], Any]"
"""Reads a value at a place; what is wrong goes to the list."""

KEY: Final = "[key]"
"""The last step to what is wrong with a key, not with its value."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One fault of a form.

    `kind` is a rule's code, or ``missing``, ``unknown``, ``empty``, ``no list``, ``no mapping``; `context` has the message
    and more of a rule's fault, and what an unknown key's form knows.
    """

    kind: str
    place: Place
    context: Mapping[str, Any]


class FormError(Exception):
    """A value does not fit a form; `slips` are all the reasons."""

    def __init__(self, slips: list[Slip]) -> None:
        super().__init__(slips[0].context.get("message", slips[0].kind))
        self.slips = slips


class Tag:
    """Names a member of a choice."""

    def __init__(self, name: str) -> None:
        self.name = name


class Choice:
    """Tells the members of a union apart: gives the tag of the one that was meant."""

    def __init__(self, tag_of: Callable[[Any], str | None]) -> None:
        self.tag_of = tag_of


class Before:
    """Looks at a value before it is read, and may refuse it by `fault`."""

    def __init__(self, snapshot: Callable[[Any], Any]) -> None:
        self.snapshot = snapshot


class Form:
    """A mapping with known keys."""

    _fields: ClassVar[dict[str, Key]]
    _readers: ClassVar[dict[str, Any]]

    def __init__(self, values: Mapping[str, Any], given: frozenset[str]) -> None:
        self.__dict__.update(values)
        self.__dict__["given"] = given

    given: frozenset[str]
    """Names of the fields that were written."""

    @classmethod
    def fields(cls) -> dict[str, Key]:
        """Give the fields by name, those of the base first."""
        if "_fields" not in cls.__dict__:
            names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in inspect.get_annotations(base))
            cls._fields = {name: found for name in names if isinstance(found := getattr(cls, name, None), Key)}
        return cls._fields

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """List the keys as they are written."""
        return tuple(field.alias or name for name, field in cls.fields().items())

    @classmethod
    def written(cls, names: frozenset[str]) -> set[str]:
        """Spell field names as keys."""
        return {field.alias or name for name, field in cls.fields().items() if name in names}

    def plain(self) -> dict[str, Any]:
        """Give the keys that were written, with their values."""
        return {key.alias or name: getattr(self, name) for name, key in self.fields().items() if name in self.given}

    @classmethod
    def what(cls) -> str:
        """Name the mapping in messages."""
        return (cls.__doc__ or "").split(":")[0].split(".")[0].strip().lower()

    @classmethod
    def types(cls) -> dict[str, Any]:
        """Give the annotations of the fields."""
        hints = typing.get_type_hints(cls, include_extras=True)
        return {name: hints[name] for name in cls.fields()}

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read a mapping.

        Raises
        ------
        FormError
            It does not fit.
        """
        slips: list[Slip] = []
        form = cls.at(data, (), slips)
        if form is None:
            raise FormError(slips)
        return form

    @classmethod
    def at(cls, data: Any, place: Place, slips: list[Slip]) -> Self | None:
        """Read a mapping at a place; None if it does not fit."""
        if not isinstance(data, dict):
            keys = ", ".join(cls.keys()[:6])
            message = f"{cls.what()} is a mapping with keys such as {keys}, not {kind_of(data)}"
            slips.append(_slip(fault(WRONG_TYPE, message), place))
            return None
        before, readers = len(slips), cls._compiled()
        values: dict[str, Any] = {}
        for key, (name, field, reader) in readers.items():
            if key in data:
                value = data[key]
                values[name] = reader(Blank() if value is None else value, (*place, key), slips)
            elif field.required:
                slips.append(Slip("missing", (*place, key), {}))
            else:
                values[name] = field.default
        strays = [key for key in data if key not in readers]
        slips += [Slip("unknown", (*place, key), {"known": cls.keys(), "what": cls.what()}) for key in strays]
        if len(slips) > before:
            return None
        form = cls(values, frozenset(name for key, (name, _, _) in readers.items() if key in data))
        try:
            form._judge()
        except FaultError as error:
            slips.append(_slip(error, place))
            return None
        return form

    def _judge(self) -> None:
        """Judge what concerns more than one key, by raising a `fault`; called when each key alone is right."""

    @classmethod
    def _compiled(cls) -> dict[str, tuple[str, Key, Reader]]:
        if "_readers" not in cls.__dict__:
            kinds = cls.types()
            fields = cls.fields()
            cls._readers = {f.alias or name: (name, f, _reader(kinds[name])) for name, f in fields.items()}
        return cls._readers


def made(name: str, base: type[Form], doc: str, keys: Mapping[str, tuple[Any, Any]]) -> type[Form]:
    """Make a form from its keys: name -> (annotation, `Field`)."""
    kinds = {key: kind for key, (kind, _) in keys.items()}
    return type(
        name, (base,), {"__doc__": doc, "__annotations__": kinds, **{key: field for key, (_, field) in keys.items()}}
    )


def _slip(error: FaultError, place: Place) -> Slip:
    return Slip(error.code.code, place, {"message": error.message, **error.context})


def parts(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Take an annotation apart: the type without None as an alternative, and what is said about it."""
    if get_origin(annotation) is typing.Annotated:
        return annotation.__origin__, annotation.__metadata__
    if get_origin(annotation) in {Union, types.UnionType}:
        left = [part for part in get_args(annotation) if part is not type(None)]
        if len(left) == 1:
            return parts(left[0])
    return annotation, ()


def one(metadata: tuple[Any, ...], kind: type[Any]) -> Any:
    """Find what is said of one kind, the last if there are several."""
    return next((entry for entry in reversed(metadata) if isinstance(entry, kind)), None)


def members(annotation: Any) -> dict[str, Any]:
    """Give the members of a choice by their tags."""
    return {one(parts(part)[1], Tag).name: part for part in get_args(annotation)}


def _reader(annotation: Any) -> Reader:
    kind, metadata = parts(annotation)
    if (check := one(metadata, Check)) is not None:
        return _scalar(check)
    if (choice := one(metadata, Choice)) is not None:
        return _chosen(choice, {tag: _reader(part) for tag, part in members(kind).items()}, one(metadata, Before))
    limits = one(metadata, Limits)
    least = limits.min_length if limits is not None else 0
    if get_origin(kind) is list:
        return _list(_reader(get_args(kind)[0]), least or 0)
    if get_origin(kind) is dict:
        key, value = get_args(kind)
        return _mapping(_reader(key), _reader(value), least or 0)
    if isinstance(kind, type) and issubclass(kind, Form):
        return kind.at
    return _as_it_is


def _as_it_is(value: Any, place: Place, slips: list[Slip]) -> Any:
    return value


def _scalar(check: Check) -> Reader:
    def read(value: Any, place: Place, slips: list[Slip]) -> Any:
        try:
            return check.check(value)
        except FaultError as error:
            slips.append(_slip(error, place))
            return None

    return read


def _chosen(choice: Choice, readers: Mapping[str, Reader], before: Before | None) -> Reader:
    def read(value: Any, place: Place, slips: list[Slip]) -> Any:
        try:
            seen = value if before is None else before.snapshot(value)
        except FaultError as error:
            slips.append(_slip(error, place))
            return None
        return readers[choice.tag_of(seen) or ""](seen, place, slips)

    return read


def _list(item: Reader, least: int) -> Reader:
    def read(value: Any, place: Place, slips: list[Slip]) -> Any:
        if not isinstance(value, list):
            slips.append(Slip("no list", place, {}))
            return None
        if len(value) < least:
            slips.append(Slip("empty", place, {}))
        return [item(part, (*place, index), slips) for index, part in enumerate(value)]

    return read


def _mapping(key: Reader, item: Reader, least: int) -> Reader:
    def read(value: Any, place: Place, slips: list[Slip]) -> Any:
        if not isinstance(value, dict):
            slips.append(Slip("no mapping", place, {}))
            return None
        if len(value) < least:
            slips.append(Slip("empty", place, {}))
        return {
            key(name, (*place, name, KEY), slips): item(part, (*place, name), slips) for name, part in value.items()
        }

    return read
