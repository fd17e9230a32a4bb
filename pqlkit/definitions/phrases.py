"""The phrase: a criterion, formula, condition or window in English, with the export's own names.

Who checks a definition must find its names in the data, so they are shown as they are, made inert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from pqlkit.definitions.model import (
    All,
    Any,
    Criterion,
    Limit,
    MeasureKind,
    NOf,
    Not,
    Operator,
    Ref,
    WindowKind,
)
from pqlkit.definitions.wording import figure, named

if TYPE_CHECKING:
    from pqlkit.definitions.model import Anchor, Bound, Condition, Node, Window

SEVERAL: Final = 3
"""Names that are listed before "and so many more"."""

ANY_EVENT: Final = "any event"
"""What a criterion over every event is about."""

_ONE: Final = "at least one "


def phrase(part: Node, anchor: Anchor | None = None) -> str:
    """Say one criterion or formula as what must be there, each criterion with its window.

    Parameters
    ----------
    part
        A criterion, ref or formula.
    anchor
        What ``within`` counts from; None: signup.

    Examples
    --------
    >>> from pqlkit.definitions.expression import parse_expression
    >>> phrase(parse_expression("teammate_invited >= 4 trailing 28d and days(any) >= 10 rolling 7d"))
    '4 or more teammate_invited events in the last 28 days and 10 or more active days in any 7 days'
    """
    return formula(part, anchor, with_windows=True, inner=False)


def window_phrase(window: Window, anchor: Anchor | None = None) -> str:
    """Say a window: ``within 14 days of signup``, ``in any 7 days``, ``in the last 28 days``, ``at any time``."""
    if window.length is None:
        return "at any time"
    match window.kind:
        case WindowKind.WITHIN:
            return f"within {window.length.in_words} of {_anchor(anchor)}"
        case WindowKind.ROLLING:
            return f"in any {window.length.in_words}"
        case WindowKind.TRAILING | WindowKind.EVER:
            return f"in the last {window.length.in_words}"
        case _:
            assert_never(window.kind)


def formula(node: Node, anchor: Anchor | None, *, with_windows: bool, inner: bool) -> str:
    """Say a formula; `inner` puts several parts in parentheses."""
    match node:
        case Criterion():
            what = _criterion(node)
            return f"{what} {window_phrase(node.window, anchor)}" if with_windows else what
        case Ref():
            return _ref(node)
        case Not(part=part):
            return _without(part, anchor, with_windows)
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            said = [formula(part, anchor, with_windows=with_windows, inner=True) for part in parts]
    if isinstance(node, NOf):
        text = f"at least {node.n} of: {'; '.join(said)}"
    else:
        text = listed(said, "and" if isinstance(node, All) else "or")
    return f"({text})" if inner and len(said) > 1 else text


def _without(part: Node, anchor: Anchor | None, with_windows: bool) -> str:
    """Say a negation: of a bare "at least one" it is "no"."""
    said = formula(part, anchor, with_windows=with_windows, inner=True)
    return f"no {said.removeprefix(_ONE)}" if said.startswith(_ONE) else f"not {said}"


def _ref(ref: Ref) -> str:
    if ref.users_at_least is None:
        return f"qualification as {named(ref.name)}"
    users = f"{_ONE}user" if ref.users_at_least == 1 else f"{figure(ref.users_at_least)} or more users"
    return f"{users} qualified as {named(ref.name)}"


def _criterion(criterion: Criterion) -> str:
    what = _measured(criterion)
    if criterion.where:
        what += f" where {listed([condition_phrase(condition) for condition in criterion.where], 'and')}"
    return what


def _measured(criterion: Criterion) -> str:
    names, measure = _events(criterion.events), criterion.measure
    prop = named(measure.property or "")
    match measure.kind:
        case MeasureKind.COUNT:
            return _counted(criterion, "event" if criterion.events is None else f"{names} event")
        case MeasureKind.DAYS | MeasureKind.USERS as kind:
            noun = kind.value.removesuffix("s")
            if criterion.events is None:
                return _counted(criterion, f"active {noun}")
            return f"{_counted(criterion, noun)} with {names}"
        case MeasureKind.DISTINCT:
            return f"{_counted(criterion, f'different {prop} value')} in {_rows(names)}"
        case MeasureKind.DISTINCT_EVENTS:
            different = _counted(criterion, "different event")
            return different if criterion.events is None else f"{different} of {names}"
        case MeasureKind.SUM:
            return f"{prop} adding up to {_range(criterion)} in {_rows(names)}"
        case MeasureKind.MAX:
            return f"a largest {prop} value of {_range(criterion)} in {_rows(names)}"
        case MeasureKind.LAST:
            return f"a latest {prop} value of {_range(criterion)} in {_rows(names)}"
        case _:
            assert_never(measure.kind)


def _rows(names: str) -> str:
    return names if names == ANY_EVENT else f"{names} events"


def _counted(criterion: Criterion, noun: str) -> str:
    """Say how many: ``at least one login event``, ``4 or more login events``, ``at most one active day``."""
    least, most = criterion.at_least, criterion.at_most
    if most is None and least == 1:
        return f"{_ONE}{noun}"
    if least is None and most == 1:
        return f"at most one {noun}"
    if least is None and most == 0:
        return f"no {noun}s"
    amount = f"{_bound(least)} or more" if least is not None and most is None else _range(criterion)
    return f"{amount} {noun}s"


def _range(criterion: Criterion) -> str:
    least, most = criterion.at_least, criterion.at_most
    if least is None:
        return f"at most {_bound(most)}"
    return f"at least {_bound(least)}" if most is None else f"{_bound(least)} to {_bound(most)}"


def _bound(bound: Bound | None) -> str:
    if isinstance(bound, Limit):
        whole = figure(bound.number) if bound.number is not None else named(bound.property or bound.trait or "")
        return f"{figure(bound.percent)} % of {whole}"
    return figure(bound) if bound is not None else "any"


def _events(events: tuple[str, ...] | None) -> str:
    if events is None:
        return ANY_EVENT
    return either(events)


def either(names: tuple[str, ...]) -> str:
    """Say one of several names, at most three of them."""
    shown = [named(name) for name in names[:SEVERAL]]
    if len(names) > SEVERAL:
        shown.append(f"{len(names) - SEVERAL} more")
    return listed(shown, "or")


def _anchor(anchor: Anchor | None) -> str:
    if anchor is None or anchor.kind == "signup":
        return "signup"
    return f"the first {named(anchor.event)}" if anchor.event is not None else "the first event"


_TESTS: Final = {
    Operator.EQUALS: "is",
    Operator.IN: "is",
    Operator.NOT_IN: "is not",
    Operator.AT_LEAST: "is at least",
    Operator.AT_MOST: "is at most",
    Operator.MATCHING: "matches",
    Operator.NOT_MATCHING: "does not match",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.CONTAINS: "contains",
}


def condition_phrase(condition: Condition) -> str:
    """Say a condition: ``signup_plan is free or trial``."""
    name = named(condition.name)
    if condition.operator is Operator.EXISTS:
        return f"{name} has {'a' if condition.values[0] else 'no'} value"
    values = [_literal(value) for value in condition.values[:SEVERAL]]
    if len(condition.values) > SEVERAL:
        values.append(f"{len(condition.values) - SEVERAL} more")
    return f"{name} {_TESTS[condition.operator]} {listed(values, 'or')}"


def _literal(value: str | int | float | bool) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return named(value) if value else '""'
        case _:
            return figure(value)


def listed(items: list[str], word: str) -> str:
    """Join as English does: a, b and c."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"
