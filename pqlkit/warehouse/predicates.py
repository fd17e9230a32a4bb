"""The predicate: a condition on a property or trait as SQL, with the meaning of `pqlkit.measures.conditions`."""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING, Final, assert_never

from sqlglot import exp

from pqlkit.definitions.model import Operator
from pqlkit.errors import DefinitionError
from pqlkit.inert import visible
from pqlkit.measures.conditions import as_number
from pqlkit.measures.numbers import NUMBER
from pqlkit.measures.patterns import portable
from pqlkit.options.warehouse import ColumnType
from pqlkit.warehouse import dialect as sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pqlkit.definitions.model import Condition
    from pqlkit.options.warehouse import SqlDialect

_NEGATED: Final = {Operator.NOT_IN: Operator.IN, Operator.NOT_MATCHING: Operator.MATCHING}
_TRUTHS: Final = ("false", "true")
_BEYOND_POSIX: Final = re.compile(r"\(\?|\\[0-9A-Za-z]|[*+?}]\?")


def uncovered(place: str, what: str, hint: str = "pqlkit score evaluates it") -> DefinitionError:
    """Make the error for what the query cannot say.

    Parameters
    ----------
    place
        ``criterion contacts``, ``eligible``.
    what
        What it is that is not covered.
    hint
        What to do instead.
    """
    return DefinitionError(f"{place}: {what} is not covered by pqlkit sql", hint=hint)


def passing(query: exp.Select, tests: Iterable[exp.Expr]) -> exp.Select:
    """Keep the rows of a query that pass all tests."""
    for test in tests:
        query = query.where(_closed(test))
    return query


def _closed(test: exp.Expr) -> exp.Expr:
    return exp.paren(test, copy=False) if isinstance(test, exp.Or) else test


def both(parts: Iterable[exp.Expr]) -> exp.Expr:
    """Join tests of which all must hold."""
    wrapped = [_closed(part) for part in parts]
    return reduce(lambda left, right: exp.And(this=left, expression=right), wrapped) if wrapped else exp.true()


def either(parts: Iterable[exp.Expr]) -> exp.Expr:
    """Join tests of which one must hold."""
    tests = list(parts)
    return reduce(lambda left, right: exp.Or(this=left, expression=right), tests) if tests else exp.false()


def added(parts: Sequence[exp.Expr]) -> exp.Expr:
    """Add up."""
    total = parts[0]
    for part in parts[1:]:
        total = exp.Add(this=total, expression=part)
    return total


def truth(test: exp.Expr) -> exp.Expr:
    """Say 1 or 0 for a test; unknown is 0."""
    return exp.case().when(test, sql.whole(1)).else_(sql.whole(0))


def number(dialect: SqlDialect, value: exp.Expr, kind: ColumnType | None) -> exp.Expr:
    """Read a property or trait as a number; what is no finite number is null.

    Parameters
    ----------
    dialect
        Whose SQL.
    value
        The column.
    kind
        What it holds; None = a number, since it is used as such.
    """
    match kind:
        case ColumnType.NUMBER | ColumnType.DATE | None:
            return sql.finite(dialect, value)
        case ColumnType.TEXT:
            return sql.parsed(dialect, value, NUMBER)
        case ColumnType.BOOLEAN:
            return (
                exp.case()
                .when(value, sql.real(dialect, sql.whole(1)))
                .when(exp.Not(this=value.copy()), sql.real(dialect, sql.whole(0)))
            )
        case _:
            assert_never(kind)


def predicate(
    dialect: SqlDialect, condition: Condition, value: exp.Expr, kind: ColumnType | None, place: str
) -> exp.Expr:
    """Write a condition: true where it holds, false or unknown where it does not.

    Parameters
    ----------
    dialect
        Whose SQL.
    condition
        The test.
    value
        The column it reads.
    kind
        What the column holds; None = what the condition compares it with.
    place
        Named in an error.

    Raises
    ------
    DefinitionError
        It cannot be said in this dialect, or what the column holds has to be stated.
    """
    operator = condition.operator
    if operator is Operator.EXISTS:
        missing = exp.Is(this=value, expression=exp.null())
        return exp.Not(this=missing) if condition.values[0] else missing
    if operator in _NEGATED:
        positive = _positive(dialect, _NEGATED[operator], condition, value, kind, place)
        return exp.Not(this=exp.Coalesce(this=positive, expressions=[exp.false()]))
    return _positive(dialect, operator, condition, value, kind, place)


def _positive(
    dialect: SqlDialect,
    operator: Operator,
    condition: Condition,
    value: exp.Expr,
    kind: ColumnType | None,
    place: str,
) -> exp.Expr:
    values = condition.values
    if operator not in {Operator.EQUALS, Operator.IN, Operator.AT_LEAST, Operator.AT_MOST}:
        if kind is ColumnType.NUMBER:
            raise uncovered(place, f"a condition on the text of the number {visible(condition.name)}")
        return _of_text(dialect, operator, str(values[0]), sql.as_text(dialect, value), place)
    if operator in {Operator.EQUALS, Operator.IN}:
        return _among(dialect, condition, value, kind, place)
    bound = as_number(str(values[0]))
    if bound is None:
        return exp.false()
    compared = exp.GTE if operator is Operator.AT_LEAST else exp.LTE
    return compared(this=number(dialect, value, kind), expression=_real(dialect, bound))


def _of_text(dialect: SqlDialect, operator: Operator, wanted: str, value: exp.Expr, place: str) -> exp.Expr:
    size = sql.whole(len(wanted))
    match operator:
        case Operator.MATCHING:
            return sql.matches(dialect, value, _pattern(dialect, wanted, place))
        case Operator.STARTS_WITH:
            return exp.EQ(this=exp.Left(this=value, expression=size), expression=sql.text(wanted))
        case Operator.ENDS_WITH:
            return exp.EQ(this=exp.Right(this=value, expression=size), expression=sql.text(wanted))
        case Operator.CONTAINS:
            return exp.GT(this=exp.StrPosition(this=value, substr=sql.text(wanted)), expression=sql.whole(0))
        case (
            Operator.EQUALS
            | Operator.IN
            | Operator.NOT_IN
            | Operator.AT_LEAST
            | Operator.AT_MOST
            | Operator.NOT_MATCHING
            | Operator.EXISTS
        ):
            raise AssertionError(f"{operator} is no condition on a text")
        case _:
            assert_never(operator)


def _pattern(dialect: SqlDialect, pattern: str, place: str) -> str:
    spelled = portable(pattern)
    if not sql.reads_patterns_as_re2(dialect) and _BEYOND_POSIX.search(spelled):
        raise uncovered(
            place, f"the pattern {visible(pattern)!r} in {dialect}", "write it without groups of (? and lazy repeats"
        )
    return spelled


def _among(dialect: SqlDialect, condition: Condition, value: exp.Expr, kind: ColumnType | None, place: str) -> exp.Expr:
    values = condition.values
    truths = [item for item in values if isinstance(item, bool)]
    numbers = [float(item) for item in values if isinstance(item, int | float) and not isinstance(item, bool)]
    texts = [item for item in values if isinstance(item, str)]
    kind = kind or _told_by(condition, place)
    parts: list[exp.Expr] = []
    match kind:
        case ColumnType.BOOLEAN:
            named = [word.lower() == "true" for word in texts if word.lower() in _TRUTHS]
            wanted = sorted({*truths, *named})
            parts = [value.copy() if item else exp.Not(this=value.copy()) for item in wanted]
        case ColumnType.TEXT | ColumnType.DATE:
            if texts:
                parts.append(_in(sql.as_text(dialect, value), [sql.text(word) for word in texts]))
            if truths:
                lower = exp.Lower(this=sql.as_text(dialect, value))
                parts.append(_in(lower, [sql.text(_TRUTHS[item]) for item in truths]))
            if numbers:
                parts.append(_in(number(dialect, value, kind), [_real(dialect, item) for item in numbers]))
        case ColumnType.NUMBER:
            wanted_numbers = [*numbers, *(item for item in map(as_number, texts) if item is not None)]
            if wanted_numbers:
                parts.append(_in(number(dialect, value, kind), [_real(dialect, item) for item in wanted_numbers]))
        case _:
            assert_never(kind)
    return either(parts)


def _told_by(condition: Condition, place: str) -> ColumnType:
    """Say what a column holds from what it is compared with."""
    kinds = {
        bool if isinstance(item, bool) else float if isinstance(item, int | float) else str for item in condition.values
    }
    if kinds == {float}:
        return ColumnType.NUMBER
    doubtful = [
        item
        for item in condition.values
        if isinstance(item, str) and (as_number(item) is not None or item.lower() in _TRUTHS)
    ]
    if doubtful or float in kinds:
        raise uncovered(
            place,
            f"{visible(condition.name)} compared with {visible(str(condition.values[0]))} without saying what it holds",
            f"add --type {visible(condition.name)}=text, number or boolean",
        )
    return ColumnType.TEXT


def _in(value: exp.Expr, wanted: Sequence[exp.Expr]) -> exp.Expr:
    return (
        exp.EQ(this=value, expression=wanted[0]) if len(wanted) == 1 else exp.In(this=value, expressions=list(wanted))
    )


def _real(dialect: SqlDialect, value: float) -> exp.Expr:
    """Write a floating-point number so that it is read as exactly that."""
    return (
        sql.whole(int(value))
        if value == int(value) and abs(value) < 2**53
        else sql.real(dialect, sql.text(repr(value)))
    )
