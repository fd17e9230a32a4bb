"""The shape: what may be written in a place of a file, as pydantic's models; read without guessing.

A `Form` is a mapping with known keys. Its annotations say what stands under each: a checked scalar (``Annotated[str,
Check(...)]``), a list, a mapping, another form, or a `Choice` between these. Every fault of a file is found in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Tag,
    ValidationError,
    create_model,
    model_validator,
)

from pqlkit.definitions.codes import WRONG_TYPE
from pqlkit.definitions.values import Blank, FaultError, fault, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from pydantic.fields import FieldInfo

__all__ = ["KEY", "Before", "Choice", "Form", "FormError", "Slip", "Tag", "made"]

Place: TypeAlias = "tuple[str | int, ...]"

Before = BeforeValidator
"""Looks at a value before it is read, and may refuse it by `fault`."""

Choice = Discriminator
"""Tells the members of a union apart: gives the tag of the one that was meant."""

KEY: Final = "[key]"
"""The last step to what is wrong with a key, not with its value."""

_KINDS: Final = {"missing": "missing", "too_short": "empty", "list_type": "no list", "dict_type": "no mapping"}


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


@dataclass(frozen=True, slots=True)
class _Stray:
    """What stands under a key that a form does not know; carries what the form knows."""

    known: tuple[str, ...]
    what: str


class Form(BaseModel):
    """A mapping with known keys."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", strict=True, frozen=True, validate_by_alias=True, validate_by_name=False, defer_build=True
    )

    @property
    def given(self) -> set[str]:
        """Names of the fields that were written."""
        return self.model_fields_set

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """Give the fields by name, those of the base first."""
        return cls.model_fields

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """List the keys as they are written."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @classmethod
    def written(cls, names: set[str]) -> set[str]:
        """Spell field names as keys."""
        return {field.alias or name for name, field in cls.model_fields.items() if name in names}

    def plain(self) -> dict[str, Any]:
        """Give the keys that were written, with their values."""
        return {key.alias or name: getattr(self, name) for name, key in self.fields().items() if name in self.given}

    @classmethod
    def what(cls) -> str:
        """Name the mapping in messages."""
        return (cls.__doc__ or "").split(":")[0].split(".")[0].strip().lower()

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read a mapping.

        Raises
        ------
        FormError
            It does not fit.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise FormError([_slip(part, data) for part in error.errors(include_url=False)]) from None

    def _judge(self) -> None:
        """Judge what concerns more than one key, by raising a `fault`; called when each key alone is right."""

    @model_validator(mode="before")
    @classmethod
    def _mapped(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            keys = ", ".join(cls.keys()[:6])
            raise fault(WRONG_TYPE, f"{cls.what()} is a mapping with keys such as {keys}, not {kind_of(data)}")
        known = cls.keys()
        return {
            key: (Blank() if value is None else value) if key in known else _Stray(known, cls.what())
            for key, value in data.items()
        }

    @model_validator(mode="after")
    def _judged(self) -> Self:
        self._judge()
        return self


def made(name: str, base: type[Form], doc: str, keys: Mapping[str, tuple[Any, Any]]) -> type[Form]:
    """Make a form from its keys: name -> (annotation, `Field`)."""
    make: Any = create_model  # its overloads do not know field definitions by keyword
    form: type[Form] = make(name, __base__=base, __doc__=doc, **keys)
    return form


def _slip(error: Any, data: Any) -> Slip:
    place, kind = _place(error["loc"], data), error["type"]
    own = error.get("ctx", {}).get("error")
    if isinstance(own, FaultError):
        return Slip(own.code.code, place, {"message": own.message, **own.context})
    if isinstance(error["input"], _Stray):
        return Slip("unknown", place, {"known": error["input"].known, "what": error["input"].what})
    if kind == "missing":
        return Slip("missing", (*place, error["loc"][-1]), {})
    return Slip(_KINDS[kind], place, {})


def _place(location: Place, data: Any) -> Place:
    """Leave out of pydantic's location what is no step into the data: the tags of a choice, and a missing key."""
    steps: list[str | int] = []
    for step in location:
        if step == KEY:
            return (*steps, KEY)
        if (isinstance(data, dict) and step in data) or (isinstance(data, list) and isinstance(step, int)):
            steps.append(step)
            data = data[step]  # type: ignore[index]
    return tuple(steps)
