"""The written value: one scalar of a definition file, checked and typed.

Each type is an `Annotated` alias: a check that says what is wrong in pqlkit's words, and the type of what a person may
write, for the JSON Schema. A check that fails raises a `FaultError`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, TypeAdapter, WithJsonSchema
from pydantic_core.core_schema import no_info_plain_validator_function

from pqlkit.definitions.codes import (
    INVALID_DURATION,
    INVALID_RATE,
    INVALID_REGEX,
    INVALID_VALUE,
    UNSUPPORTED_FORMAT,
    WRONG_TYPE,
    YAML_SURPRISE,
    Code,
)
from pqlkit.definitions.model import LARGEST_VALUE
from pqlkit.definitions.old_words import VALUES, meant
from pqlkit.definitions.yaml_scalars import Surprise
from pqlkit.durations import Duration
from pqlkit.inert import visible

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

FORMAT: Final = 1
"""The format number of files that this version reads."""

_RATE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,20})?) ?%", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)
_DURATION: Final = "^[0-9]{1,9}[mhdw]$"


class FaultError(ValueError):
    """Why a value is refused.

    Parameters
    ----------
    code
        The rule.
    message
        What is wrong.
    context
        May hold a ``hint``, a ``fix`` with ``safe``, and ``at``, the key below that is at fault.
    """

    def __init__(self, code: Code, message: str, context: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.context = context


def fault(code: Code, message: str, **context: Any) -> FaultError:
    """Make the error of a check."""
    return FaultError(code, message, context)


class Check:
    """How a scalar is checked, and `as_type`, what a person may write.

    It makes its own part of the form's validator: a plain validator of pydantic's would make that of `as_type`, too, which
    only the JSON Schema asks for, and takes twice the time at each start.
    """

    def __init__(self, check: Callable[[Any], Any], as_type: Any) -> None:
        self.check = check
        self.as_type = as_type

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        return no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: "CoreSchema", handler: "GetJsonSchemaHandler") -> "JsonSchemaValue":
        return handler(TypeAdapter(self.as_type).core_schema)


Null = Annotated[None, WithJsonSchema({"const": None})]
"""Nothing, where it may be written; a key's None only says that it may be left out."""


class Blank:
    """What stands after a key that was left empty: not the None of a key that was left out."""


def kind_of(value: Any) -> str:
    """Name the YAML type of a value for messages.

    Examples
    --------
    >>> kind_of([1]), kind_of(True), kind_of(None)
    ('a list', 'true or false', 'nothing')
    """
    match value:
        case None | Blank():
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case date():
            return "a date"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def shown(value: Any) -> str:
    """Show a value as it stands in YAML, inert and short."""
    match value:
        case None | Blank():
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return repr(visible(value, 60))
        case dict() | list():
            return kind_of(value)
        case _:
            return str(value)


def _text(value: Any) -> str:
    """Accept text; bare words that YAML tools read as something else must be quoted."""
    if isinstance(value, Surprise):
        message = f"{shown(value)} is text here, but YAML 1.1 tools read it as {value.meaning}: quote it"
        raise fault(YAML_SURPRISE, message, fix=quoted(str(value)), safe=True)
    if isinstance(value, str):
        if not value.strip():
            raise fault(INVALID_VALUE, "this text is empty")
        return str(value)
    if not isinstance(value, list | dict | Blank | None):
        message = f"text belongs here; bare {shown(value)} is {kind_of(value)}: quote it"
        raise fault(YAML_SURPRISE, message, hint=f'write "{shown(value)}"')
    raise fault(WRONG_TYPE, f"text belongs here, not {kind_of(value)}")


def quoted(text: str) -> str:
    """Write one line of text in YAML's double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(value: Any) -> int | float:
    """Accept a number whose scaled form every engine holds exactly."""
    if isinstance(value, Surprise):
        message = f"{shown(value)} is not a plain number (YAML 1.1 tools read {value.meaning})"
        raise fault(YAML_SURPRISE, message, hint="write it in plain digits, without leading zeros or _")
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "remove the quotes" if isinstance(value, str) and re.fullmatch(r"[0-9.]{1,20}", value) else None
        raise fault(WRONG_TYPE, f"a number belongs here, not {shown(value)}", hint=hint)
    return value


def _threshold(value: Any) -> int | float:
    number = _number(value)
    if abs(number) > LARGEST_VALUE:
        raise fault(INVALID_VALUE, f"{number} is larger than a measured value can be ({LARGEST_VALUE:,})")
    if isinstance(number, float) and Decimal(repr(number)).normalize().as_tuple().exponent < -6:  # type: ignore[operator]
        raise fault(INVALID_VALUE, f"{number} has more than 6 decimals; values are kept with 6")
    return number


def _positive(value: Any) -> int | float:
    number = _threshold(value)
    if number <= 0:
        raise fault(INVALID_VALUE, f"{number} must be above 0")
    return number


def whole_number(low: int, *, high: int = 10**9) -> Callable[[Any], int]:
    """Make a validator that accepts whole numbers from `low` to `high`."""

    def check(value: Any) -> int:
        number = _number(value)
        if not isinstance(number, int):
            raise fault(WRONG_TYPE, f"a whole number belongs here, not {shown(value)}")
        if not low <= number <= high:
            raise fault(INVALID_VALUE, f"{number} must lie between {low} and {high:,}")
        return number

    return check


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Surprise) and value.meaning in {"true", "false"}:
        message = f"bare {value} is text to YAML 1.2 and {value.meaning} to YAML 1.1: write {value.meaning}"
        raise fault(YAML_SURPRISE, message, fix=value.meaning, safe=True)
    raise fault(WRONG_TYPE, f"true or false belongs here, not {shown(value)}")


def _duration(value: Any) -> Duration:
    if isinstance(value, str):
        try:
            return Duration.parse(value)
        except ValueError as error:
            raise fault(INVALID_DURATION, str(error).replace(repr(value), shown(value))) from None
    hint = f"write {value}d for days" if isinstance(value, int) and not isinstance(value, bool) else None
    message = f"a duration such as 14d belongs here, not {shown(value)}"
    raise fault(INVALID_DURATION, message, hint=hint)


def _span(value: Any) -> Duration:
    duration = _duration(value)
    if duration.amount == 0:
        raise fault(INVALID_DURATION, f"{duration} is no time at all")
    return duration


def _rate(value: Any) -> float:
    """Read ``15%`` or ``0.15`` as a fraction."""
    if isinstance(value, str) and (match := _RATE.fullmatch(value.strip())):
        percent = Decimal(match[1])
        if percent <= 100:
            return float(percent / 100)
    if not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value < 1:
        return float(value)
    hint = f"write {value}%" if not isinstance(value, bool) and isinstance(value, int | float) else None
    raise fault(INVALID_RATE, f"{shown(value)} is not a rate: write 15% or 0.15", hint=hint)


def _date(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else _no_date(value)
    except ValueError:
        return _no_date(value)


def _no_date(value: Any) -> date:
    raise fault(WRONG_TYPE, f"a date such as 2027-01-31 belongs here, not {shown(value)}")


def _pattern(value: Any) -> str:
    from pqlkit.definitions import pattern

    text = _text(value)
    try:
        pattern.check(text)
    except pattern.PatternError as error:
        message = f"in the pattern {shown(text)}, character {error.position + 1}: {visible(str(error))}"
        raise fault(INVALID_REGEX, message) from None
    return text


def _scalar(value: Any) -> str | int | float | bool:
    """Accept what a property can equal."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value
    if isinstance(value, Blank | None):
        raise fault(INVALID_VALUE, "nothing equals null", hint="write {exists: false}")
    if isinstance(value, str) and not isinstance(value, Surprise):
        return str(value)  # the empty text is a value too
    return _text(value)


def optional(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a validator that takes a key that was left empty for one that was left out."""
    return lambda value: None if isinstance(value, Blank) else check(value)


def _fraction(value: Any) -> float:
    """Accept a share as a number from 0 to 1."""
    number = _number(value)
    if not 0 <= number <= 1:
        raise fault(INVALID_VALUE, f"{number} must lie between 0 and 1")
    return float(number)


def check_format(value: Any) -> int:
    """Accept the one format number."""
    if isinstance(value, bool) or value != FORMAT:
        message = f"this pqlkit reads files of format {FORMAT}, not {shown(value)}"
        raise fault(UNSUPPORTED_FORMAT, message, hint=f"write pqlkit: {FORMAT}, or install a newer pqlkit")
    return FORMAT


def one_of(words: Iterable[str]) -> Callable[[Any], str]:
    """Make a validator that accepts these words alone (members of a `StrEnum` come back as such)."""
    known = {str(word): word for word in words}

    def check(value: Any) -> str:
        if isinstance(value, str) and value in known:
            return known[str(value)]
        near = meant(value, known, VALUES) if isinstance(value, str) else None
        message = f"{shown(value)} is none of {', '.join(known)}"
        renamed = near is not None and near == VALUES.get(value)
        hint = f"it is now {near}" if renamed else f"did you mean {near}?" if near else None
        raise fault(INVALID_VALUE, message, hint=hint, fix=near, safe=renamed)

    return check


def definition_name(value: Any) -> str:
    """Read the name of a definition: up to 100 letters, digits, ``-``, ``_`` and ``.``, without spaces.

    Raises
    ------
    FaultError
        It is something else.
    """
    text = _text(value)
    if not _NAME.fullmatch(text):
        message = f"{shown(text)} is not a name: up to 100 letters, digits, '-', '_' and '.', without spaces"
        raise fault(INVALID_VALUE, message)
    return text


def _id(value: Any) -> str:
    text = _text(value)
    if not _ID.fullmatch(text):
        message = f"{shown(text)} is not an id: lower-case letters, digits and '_', beginning with a letter"
        raise fault(INVALID_VALUE, message)
    return text


Text = Annotated[str, Check(_text, as_type=Annotated[str, Field(min_length=1)])]
Name = Annotated[str, Check(definition_name, as_type=Annotated[str, Field(pattern=f"^{_NAME.pattern}$")])]
Id = Annotated[str, Check(_id, as_type=Annotated[str, Field(pattern=f"^{_ID.pattern}$")])]
Threshold = Annotated[int | float, Check(_threshold, as_type=int | float)]
Percent = Annotated[int | float, Check(_positive, as_type=Annotated[float, Field(gt=0)])]
Points = Annotated[int | float, Check(_positive, as_type=Annotated[float, Field(gt=0)])]
Truth = Annotated[bool, Check(_truth, as_type=bool)]
Span = Annotated[Duration, Check(_span, as_type=Annotated[str, Field(pattern=_DURATION)])]
SpanOrNone = Annotated[Duration, Check(_duration, as_type=Annotated[str, Field(pattern=_DURATION)])]
Rate = Annotated[
    float,
    Check(
        _rate,
        as_type=Annotated[str, Field(pattern="^[0-9]{1,3}([.][0-9]{1,20})? ?%$")] | Annotated[float, Field(ge=0, lt=1)],
    ),
]
Date = Annotated[date, Check(_date, as_type=date)]
DateOrNone = Annotated[date | None, Check(optional(_date), as_type=date | Null)]
Fraction = Annotated[float | None, Check(optional(_fraction), as_type=Annotated[float, Field(ge=0)] | Null)]
Tally = Annotated[int | None, Check(optional(whole_number(0, high=10**12)), as_type=Annotated[int, Field(ge=0)] | Null)]
TruthOrNone = Annotated[bool | None, Check(optional(_truth), as_type=bool | Null)]
TextOrNone = Annotated[str | None, Check(optional(_text), as_type=Annotated[str, Field(min_length=1)] | Null)]
Pattern = Annotated[str, Check(_pattern, as_type=Annotated[str, Field(min_length=1)])]
Scalar = Annotated[str | int | float | bool, Check(_scalar, as_type=str | int | float | bool)]
Scalars = Annotated[list[Scalar], Field(min_length=1)]
