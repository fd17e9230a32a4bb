"""The condition: one test on a property or a trait, as an expression that is true or false and never null."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, assert_never

import narwhals as nw

from pqlkit.definitions.model import Operator
from pqlkit.measures.numbers import number
from pqlkit.measures.patterns import portable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from narwhals.dtypes import DType

    from pqlkit.definitions.model import Condition

_NEGATED = {Operator.NOT_IN: Operator.IN, Operator.NOT_MATCHING: Operator.MATCHING}


def holds(condition: Condition, column: str, dtype: DType) -> nw.Expr:
    """Say whether a condition holds in each row.

    Parameters
    ----------
    condition
        The test.
    column
        The column it reads (the frame's name, not the export's).
    dtype
        The column's type. Text that is compared with a number is parsed; a number that is compared with text is too, the
        other way round: ``"3"`` equals 3. ``true`` and ``false`` equal their texts in any case.

    Returns
    -------
    Expr
        Boolean. Null fails a positive condition; `NOT_IN`, `NOT_MATCHING` and ``exists: false`` are exact complements.
    """
    operator = condition.operator
    if operator is Operator.EXISTS:
        missing = nw.col(column).is_null()
        return ~missing if condition.values[0] else missing
    if operator in _NEGATED:
        return ~_positive(_NEGATED[operator], condition.values, column, dtype)
    return _positive(operator, condition.values, column, dtype)


def all_hold(conditions: tuple[Condition, ...], columns: Mapping[str, str], dtypes: Mapping[str, DType]) -> nw.Expr:
    """Say whether every condition holds; true where there is none.

    Parameters
    ----------
    conditions
        The tests.
    columns
        Property or trait name -> column of the frame.
    dtypes
        Column -> type.
    """
    result = nw.lit(True)  # a literal of the plan
    for condition in conditions:
        column = columns[condition.name]
        result = result & holds(condition, column, dtypes[column])
    return result


def _positive(operator: Operator, values: tuple[str | int | float | bool, ...], column: str, dtype: DType) -> nw.Expr:
    match operator:
        case Operator.EQUALS | Operator.IN:
            return _among(values, column, dtype)
        case Operator.AT_LEAST | Operator.AT_MOST:
            return _compared(operator, as_number(str(values[0])), number(column, dtype))
        case Operator.MATCHING:
            return _text(column, dtype).str.contains(portable(str(values[0]))).fill_null(False)
        case Operator.STARTS_WITH:
            return _text(column, dtype).str.starts_with(str(values[0])).fill_null(False)
        case Operator.ENDS_WITH:
            return _text(column, dtype).str.ends_with(str(values[0])).fill_null(False)
        case Operator.CONTAINS:
            return _text(column, dtype).str.contains(str(values[0]), literal=True).fill_null(False)
        case Operator.EXISTS | Operator.NOT_IN | Operator.NOT_MATCHING:
            raise AssertionError(f"{operator} is no positive condition")
        case _:
            assert_never(operator)


def _among(values: tuple[str | int | float | bool, ...], column: str, dtype: DType) -> nw.Expr:
    truths = [value for value in values if isinstance(value, bool)]
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    texts = [value for value in values if isinstance(value, str)]
    parts = []
    if dtype == nw.Boolean:
        named = [word for word in map(str.lower, texts) if word in {"true", "false"}]
        wanted = {*truths, *(word == "true" for word in named)}
        parts += [nw.col(column) if truth else ~nw.col(column) for truth in sorted(wanted)]
    elif dtype == nw.String:
        if texts:
            parts.append(nw.col(column).is_in(texts))
        if truths:
            parts.append(nw.col(column).str.to_lowercase().is_in([str(truth).lower() for truth in truths]))
    else:
        numbers += [value for value in map(as_number, texts) if value is not None]
    if numbers and dtype != nw.Boolean:
        parts.append(number(column, dtype).is_in(numbers))
    if not parts:
        return nw.col(column).is_null() & ~nw.col(column).is_null()
    return nw.any_horizontal(*(part.fill_null(False) for part in parts), ignore_nulls=True)


def _compared(operator: Operator, bound: float | None, value: nw.Expr) -> nw.Expr:
    if bound is None:
        return value.is_null() & ~value.is_null()
    return (value >= bound if operator is Operator.AT_LEAST else value <= bound).fill_null(False)


def as_number(text: str) -> float | None:
    """Read a bound or value of a definition as a finite number; None where it is none."""
    try:
        parsed = float(text)
    except ValueError:
        return None
    return parsed if isfinite(parsed) else None


def _text(column: str, dtype: DType) -> nw.Expr:
    if dtype == nw.Boolean:
        false = nw.when(~nw.col(column)).then(nw.lit("false")).otherwise(nw.lit(None, nw.String))
        return nw.when(nw.col(column)).then(nw.lit("true")).otherwise(false)
    return nw.col(column) if dtype == nw.String else nw.col(column).cast(nw.String)
