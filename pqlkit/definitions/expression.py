"""The expression: a formula on one line, ``login >= 10 in 14d and teammate_invited >= 2`` (for ``pqlkit try``).

::

    formula   = part {"or" part}
    part      = piece {"and" piece}
    piece     = "not" piece | "(" formula ")" | term
    term      = behaviour [(">=" | "<=") number] [("in" | "rolling" | "trailing") duration | "ever"]
    behaviour = event | counted "(" event ")" | valued "(" event "." property ")"
    counted   = "count" | "days" | "users" | "distinct_events"
    valued    = "distinct" | "sum" | "max" | "last"
    event     = ("any" | name) ["[" condition {"," condition} "]"]
    condition = name ["." property] ("=" value | (">=" | "<=") number)
    property  = (name | number) {"." (name | number)}
    value     = name | number | "true" | "false"

``any`` is any event. A name is bare or stands in double quotes, in which a backslash takes the next character as it is. A bare
one has letters, digits, ``_``, ``-`` and ``$``, begins with none of the digits and no ``-``, and an event's is none of ``and``,
``or``, ``not``, ``in``, ``rolling``, ``trailing`` and ``ever``. A number may be negative and have six decimals. A duration is a
whole number and ``m``, ``h``, ``d`` or ``w``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NoReturn

from pqlkit.definitions import ids
from pqlkit.definitions.model import (
    LARGEST_VALUE,
    All,
    Any,
    Condition,
    Criterion,
    Limit,
    Measure,
    MeasureKind,
    Not,
    Operator,
    Window,
    WindowKind,
    leaves,
)
from pqlkit.durations import Duration
from pqlkit.errors import UsageError, suggestion
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pqlkit.definitions.model import Node

LONGEST: Final = 10_000
"""Characters of an expression."""

DEEPEST: Final = 40
"""Parentheses and ``not`` inside one another."""

_MEASURES: Final = tuple(kind.value for kind in MeasureKind)
_WITH_PROPERTY: Final = frozenset(kind for kind in MeasureKind if kind.needs_property)
_WINDOWS: Final = {"in": WindowKind.WITHIN, "rolling": WindowKind.ROLLING, "trailing": WindowKind.TRAILING}
_WORDS: Final = frozenset({"and", "or", "not", "ever", "any", *_WINDOWS})
_BARE: Final = re.compile(r"[^\W\d][\w$-]*|\$[\w$-]*")
_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<quoted>"(?:[^"\\]|\\.)*")
  | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
  | (?P<duration>\d+[mhdw](?!\w))
  | (?P<word>[^\W\d][\w$-]*|\$[\w$-]*)
  | (?P<sign>>=|<=|[()\[\].,=])
  | (?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS: Final = {"=": Operator.EQUALS, ">=": Operator.AT_LEAST, "<=": Operator.AT_MOST}
_UNDECIDED: Final = Window(kind=WindowKind.WITHIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Where a term of an expression stands: the characters, from 0, at which its parts begin (None = not written).

    `where` has one for each condition.
    """

    at: int
    event: int
    property: int | None
    window: int | None
    where: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A formula as it was read: terms without a window wait for one, and each knows where it stands.

    Parameters
    ----------
    text
        As written.
    tree
        The formula; see `completed`.
    terms
        One per leaf, in order.
    """

    text: str
    tree: Node
    terms: tuple[Term, ...]

    @property
    def leaves(self) -> tuple[tuple[Criterion, Term], ...]:
        """Each criterion with its place."""
        criterions = [leaf for leaf in leaves(self.tree) if isinstance(leaf, Criterion)]
        return tuple(zip(criterions, self.terms, strict=True))

    @property
    def waits(self) -> bool:
        """Whether a term has no window."""
        return any(leaf.window is _UNDECIDED for leaf, _ in self.leaves)

    @property
    def names_one_window(self) -> bool:
        """Whether its terms name one window, which those without one then have, too."""
        return self._filling(None) is not None

    def completed(self, default: Window | None) -> Node:
        """Give terms without a window the expression's only one, else `default`.

        Raises
        ------
        UsageError
            There is neither, or a term asks over its window what has no answer there; the message points at the character.
        """
        window = self._filling(default)
        waiting = next((term for leaf, term in self.leaves if leaf.window is _UNDECIDED), None)
        if waiting is not None and window is None:
            self.fail("this term has no window", waiting.at, "add in 14d, rolling 7d, trailing 28d or ever")
        return ids.given(self.tree if window is None else _filled(self.tree, window))

    def _filling(self, default: Window | None) -> Window | None:
        named = {leaf.window for leaf, _ in self.leaves if leaf.window is not _UNDECIDED}
        return next(iter(named)) if len(named) == 1 else default

    def refuse_unanswerable(self, default: Window | None = None) -> None:
        """Refuse what no window of that kind can answer; a term without a window is asked over `default`, if there is one.

        Raises
        ------
        UsageError
            ``last`` over ``rolling`` or ``trailing``, ``<=`` or ``not`` over ``rolling`` or ``ever``.
        """
        turned, filling = _turned(self.tree), self._filling(default)
        for (leaf, term), negated in zip(self.leaves, turned, strict=True):
            window = filling if filling is not None and leaf.window is _UNDECIDED else leaf.window
            at, name = term.at if term.window is None else term.window, window.kind.value
            is_state = leaf.measure.kind.facts.state
            if is_state and window.kind in {WindowKind.ROLLING, WindowKind.TRAILING}:
                self.fail(
                    f"{leaf.measure.kind.value} is measured in a window from the anchor, or ever, not {name}",
                    at,
                    "use in 14d, or ever",
                )
            if window.kind in {WindowKind.ROLLING, WindowKind.EVER} and (
                negated or (leaf.at_most is not None and not is_state)
            ):
                asked = "not" if negated else "<="
                self.fail(
                    f"{asked} needs a window that ends, and {name} does not",
                    at,
                    "use in 14d, which is judged at its end, or trailing 28d",
                )

    def fail(self, message: str, at: int, hint: str | None = None) -> NoReturn:
        """Raise what is wrong at a character, from 0."""
        raise UsageError(f"{message} (character {at + 1})", hint=pointed(self.text, at, hint))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def said(self) -> str:
        return "the end" if self.kind == "end" else repr(visible(self.text, 40))


def parse_expression(text: str, *, windows: Sequence[Duration] = ()) -> Node:
    """Read an expression.

    Parameters
    ----------
    text
        Terms ``event`` or ``measure(event.property)``, the event perhaps with conditions (``event[property = "value"]``), then optionally ``>=`` or ``<=`` and a number, then optionally
        ``in``, ``rolling`` or ``trailing`` and a duration, or ``ever``; joined with ``and``, ``or``, ``not``, parentheses.
        No bound means ``>= 1``.
    windows
        The longest of these is the window (``within``) of terms without one, unless the expression names exactly one.

    Raises
    ------
    UsageError
        The text is not an expression; the message points at the character.

    Examples
    --------
    >>> node = parse_expression("login >= 10 in 14d and sum(contacts_imported.contacts) >= 50")
    >>> [(leaf.id, str(leaf.window.length)) for leaf in node.parts]
    [('login', '14d'), ('contacts_imported_sum_contacts', '14d')]
    >>> print(expression(node))
    login >= 10 in 14d and sum(contacts_imported.contacts) >= 50 in 14d
    """
    longest = Window(kind=WindowKind.WITHIN, length=max(windows)) if windows else None
    return read_expression(text).completed(longest)


def read_expression(text: str) -> Expression:
    """Read an expression whose terms without a window get theirs later, as for `parse_expression`.

    Raises
    ------
    UsageError
        The text is not an expression; the message points at the character.
    """
    if len(text) > LONGEST:
        raise UsageError(
            f"the expression has {len(text):,} characters; at most {LONGEST:,} are read",
            hint="write a definition file instead",
        )
    parser = _Parser(text)
    tree = parser.formula()
    return Expression(text=text, tree=tree, terms=tuple(parser.terms))


class _Parser:
    """Reads tokens one ahead; each method reads what its name says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.next = next(self.tokens)
        self.depth = 0
        self.terms: list[Term] = []

    def formula(self) -> Node:
        node = self._either()
        if self._is("="):
            self.fail("= is not supported", hint="for exactly 3 write a definition file")
        if self.next.kind != "end":
            hint = "a name with spaces stands in double quotes" if self.next.kind == "word" else None
            self.fail(f"expected and, or, or the end, found {self.next.said}", hint=hint)
        return node

    def fail(self, message: str, at: int | None = None, hint: str | None = None) -> NoReturn:
        at = self.next.at if at is None else at
        raise UsageError(f"{message} (character {at + 1})", hint=pointed(self.text, at, hint))

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while True:
            match = _TOKEN.match(self.text, at)
            if match is None or match.lastgroup is None:
                self._no_token(at + len(self.text[at:]) - len(self.text[at:].lstrip()))
            yield _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
            if match.lastgroup == "end":
                return
            at = match.end()

    def _no_token(self, at: int) -> NoReturn:
        character = self.text[at]
        if character == '"':
            self.fail("this quote is never closed", at)
        if character in "<>=≥≤":
            self.fail(f"{character} is not supported", at, self._instead_of(at))
        if character.isdigit():
            self.fail(
                "this is neither a number nor a duration such as 14d", at, "names like this stand in double quotes"
            )
        self.fail(f"{visible(character)!r} cannot stand here", at, "names with other characters stand in double quotes")

    def _instead_of(self, at: int) -> str:
        """Write the comparison as the language has it: counts are whole, so that more than 3 is 4 or more."""
        match = re.match(r"([<>])\s*(\d+)", self.text[at:])
        if match is None:
            return "compare with >= or <="
        sign, number = match[1], int(match[2]) + (1 if match[1] == ">" else -1)
        return f"write {(self.text[:at] + f'{sign}= {number}' + self.text[at + match.end() :]).strip()}"

    def _take(self) -> _Token:
        token = self.next
        self.next = next(self.tokens, token)
        return token

    def _is(self, *words: str) -> bool:
        return self.next.kind in {"word", "sign"} and self.next.text.lower() in words

    def _expect(self, sign: str, why: str) -> None:
        if not self._is(sign):
            self.fail(f"expected {sign} {why}, found {self.next.said}")
        self._take()

    def _either(self) -> Node:
        parts = self._joined("or", self._both)
        return parts[0] if len(parts) == 1 else Any(parts=parts)

    def _both(self) -> Node:
        parts = self._joined("and", self._piece)
        return parts[0] if len(parts) == 1 else All(parts=parts)

    def _joined(self, word: str, read: Callable[[], Node]) -> tuple[Node, ...]:
        parts = [read()]
        while self._is(word):
            self._take()
            parts.append(read())
        return tuple(parts)

    def _piece(self) -> Node:
        if self._is("not", "("):
            self.depth += 1
            if self.depth > DEEPEST:
                self.fail(f"more than {DEEPEST} parentheses inside one another")
            node = self._negated() if self._is("not") else self._grouped()
            self.depth -= 1
            return node
        return self._term()

    def _negated(self) -> Node:
        self._take()
        return Not(part=self._piece())

    def _grouped(self) -> Node:
        self._take()
        node = self._either()
        self._expect(")", "after the parts")
        return node

    def _term(self) -> Criterion:
        at = self.next.at
        events, where, measure, event_at, property_at, places = self._behaviour()
        at_least, at_most = self._bound()
        window_at = self.next.at
        window = self._window()
        self.terms.append(
            Term(
                at=at,
                event=event_at,
                property=property_at,
                window=None if window is None else window_at,
                where=places,
            )
        )
        return Criterion(
            id="",
            events=events,
            where=where,
            measure=measure,
            window=window or _UNDECIDED,
            at_least=at_least,
            at_most=at_most,
        )

    def _behaviour(
        self,
    ) -> tuple[tuple[str, ...] | None, tuple[Condition, ...], Measure, int, int | None, tuple[int, ...]]:
        """Read events, conditions and measure, and say where the event, the property and the conditions begin."""
        first = self._take()
        if not self._is("("):
            events = self._event(first)
            where, places = self._conditions()
            return events, where, Measure(), first.at, None, places
        if first.kind != "word" or first.text not in _MEASURES:
            hint = suggestion(first.text[:40], _MEASURES, f"known are {', '.join(_MEASURES)}")
            self.fail(f"{first.said} is not a measure", first.at, hint)
        self._take()
        kind, name = MeasureKind(first.text), self._take()
        events = self._event(name)
        where, places = self._conditions()
        dot = self.next.at
        path = self._property()
        if (kind in _WITH_PROPERTY) != (path is not None):
            needs = f"{kind} needs a property: {kind}(event.property)" if path is None else f"{kind} takes no property"
            self.fail(needs)
        self._expect(")", "after the event")
        return events, where, Measure(kind=kind, property=path), name.at, None if path is None else dot + 1, places

    def _conditions(self) -> tuple[tuple[Condition, ...], tuple[int, ...]]:
        """Read ``[with = "collaborator", seats >= 3]``, and where each condition begins."""
        conditions: list[Condition] = []
        places: list[int] = []
        if not self._is("["):
            return (), ()
        while not conditions or self._is(","):
            self._take()
            places.append(self.next.at)
            conditions.append(self._condition())
        self._expect("]", "after the conditions")
        return tuple(conditions), tuple(places)

    def _condition(self) -> Condition:
        token = self._take()
        if token.kind not in {"word", "quoted"}:
            self.fail(f"expected a property, found {token.said}", token.at)
        rest = self._property()
        name = self._name(token) if rest is None else f"{self._name(token)}.{rest}"
        if not self._is(*_COMPARISONS):
            self.fail(f"expected =, >= or <= after the property, found {self.next.said}")
        operator = _COMPARISONS[self._take().text]
        value = self._value() if operator is Operator.EQUALS else self._limit()
        return Condition(name=name, operator=operator, values=(value,))

    def _value(self) -> str | int | float | bool:
        token = self._take()
        if token.kind == "number":
            return self._number(token)
        if token.kind not in {"word", "quoted"}:
            self.fail(f"expected a value, found {token.said}", token.at, "a text stands in double quotes")
        if token.kind == "word" and token.text.lower() in {"true", "false"}:
            return token.text.lower() == "true"
        return self._text(token)

    def _limit(self) -> int | float:
        if self.next.kind != "number":
            self.fail(f"expected a number, found {self.next.said}")
        return self._number(self._take())

    def _event(self, token: _Token) -> tuple[str, ...] | None:
        if token.kind == "quoted":
            return (self._name(token),)
        if token.kind != "word" or token.text.lower() in _WORDS - {"any"}:
            hint = f'an event of that name stands in double quotes: "{token.text}"' if token.kind == "word" else None
            self.fail(f"expected an event, found {token.said}", token.at, hint)
        return None if token.text == "any" else (token.text,)

    def _property(self) -> str | None:
        names = []
        while self._is("."):
            self._take()
            token = self._take()
            if token.kind not in {"word", "quoted", "number"}:
                self.fail(f"expected a property, found {token.said}", token.at)
            names.append(self._name(token))
        return ".".join(names) or None

    def _text(self, token: _Token) -> str:
        return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL) if token.kind == "quoted" else token.text

    def _name(self, token: _Token) -> str:
        name = self._text(token)
        if not name.strip():
            self.fail("this name is empty", token.at)
        return name

    def _bound(self) -> tuple[int | float | None, int | float | None]:
        if not self._is(">=", "<="):
            return 1, None
        sign = self._take().text
        if self.next.kind != "number":
            self.fail(f"expected a number after {sign}, found {self.next.said}")
        number = self._number(self._take())
        return (number, None) if sign == ">=" else (None, number)

    def _number(self, token: _Token) -> int | float:
        number = float(token.text) if "." in token.text else int(token.text[:30])
        if abs(number) > LARGEST_VALUE:
            self.fail(f"this is larger than a measured value can be ({LARGEST_VALUE:,})", token.at)
        if len(token.text.partition(".")[2].rstrip("0")) > 6:
            self.fail("this has more than 6 decimals", token.at)
        return number

    def _window(self) -> Window | None:
        if self._is("ever"):
            self._take()
            return Window(kind=WindowKind.EVER)
        if not self._is(*_WINDOWS):
            return None
        word = self._take()
        if self.next.kind != "duration":
            self.fail(f"expected a duration such as 14d after {word.text}, found {self.next.said}")
        token = self._take()
        try:
            length = Duration.parse(token.text)
        except ValueError as error:
            self.fail(visible(str(error)), token.at)
        if length.amount == 0:
            self.fail("this is no time at all", token.at)
        return Window(kind=_WINDOWS[word.text.lower()], length=length)


def _turned(node: Node, *, inside: bool = False) -> list[bool]:
    """Say for each leaf, in order, whether it stands inside a `Not`."""
    match node:
        case Not(part=part):
            return _turned(part, inside=True)
        case All(parts=parts) | Any(parts=parts):
            return [turned for part in parts for turned in _turned(part, inside=inside)]
        case _:
            return [inside]


def _filled(node: Node, window: Window) -> Node:
    match node:
        case Criterion():
            return replace(node, window=window) if node.window is _UNDECIDED else node
        case Not(part=part):
            return Not(part=_filled(part, window))
        case All(parts=parts) | Any(parts=parts):
            return replace(node, parts=tuple(_filled(part, window) for part in parts))
        case _:
            return node


def pointed(text: str, at: int, hint: str | None = None) -> str:
    """Show the stretch of `text` around a character, and a caret under it.

    Examples
    --------
    >>> print(pointed("login  >= 3 and logn", 16))
    login >= 3 and logn
                   ^
    """
    # Blanks are made one here, as they are wherever text of others is shown, so that the caret stands right.
    before = visible(text[max(0, at - 60) : at]).lstrip()
    shown = f"{before}{visible(text[at : at + 20])}\n{' ' * len(before)}^"
    return f"{shown}\n{hint}" if hint else shown


# ---------------------------------------------------------------- writing


def expression(node: Node) -> str:
    """Write a formula as an expression; reading it gives the same formula (ids, ``say`` and ``mechanical`` apart).

    Raises
    ------
    UsageError
        The formula uses what the language does not have: other conditions than ``=``, ``>=`` and ``<=``, limits, lists of events,
        ranges, ``n_of``, refs.
    """
    match node:
        case Criterion():
            return _term(node)
        case Not(part=part):
            return f"not {_inside(part)}"
        case All(parts=parts) if len(parts) > 1:
            return " and ".join(map(_inside, parts))
        case Any(parts=parts) if len(parts) > 1:
            return " or ".join(expression(part) if isinstance(part, All) else _inside(part) for part in parts)
        case All(parts=(part,)) | Any(parts=(part,)):
            return expression(part)
        case _:
            raise _beyond("n_of and refs")


def _inside(node: Node) -> str:
    """Write a part; all and any inside another stand in parentheses."""
    return f"({expression(node)})" if isinstance(node, All | Any) else expression(node)


def _term(criterion: Criterion) -> str:
    if criterion.events is not None and len(criterion.events) != 1:
        raise _beyond("lists of events")
    name = "any" if criterion.events is None else _spelled(criterion.events[0])
    if criterion.where:
        name += f"[{', '.join(map(_conditioned, criterion.where))}]"
    measure = criterion.measure
    if measure.property is not None:
        name = f"{measure.kind}({name}.{_spelled(measure.property)})"
    elif measure.kind is not MeasureKind.COUNT:
        name = f"{measure.kind}({name})"
    return " ".join([name, *_compared(criterion), _timed(criterion.window)])


def _conditioned(condition: Condition) -> str:
    signs = {operator: sign for sign, operator in _COMPARISONS.items()}
    if condition.operator not in signs:
        raise _beyond("such conditions on properties")
    value = condition.values[0]
    if isinstance(value, bool):
        said = str(value).lower()
    elif isinstance(value, int | float):
        said = _digits(value)
    elif condition.operator is Operator.EQUALS:
        said = _quoted(value)
    else:
        raise _beyond("comparisons of texts")
    return f"{_spelled(condition.name)} {signs[condition.operator]} {said}"


def _compared(criterion: Criterion) -> list[str]:
    least, most = criterion.at_least, criterion.at_most
    if isinstance(least, Limit) or isinstance(most, Limit):
        raise _beyond("limits")
    if least is not None and most is not None:
        raise _beyond("ranges")
    if least is not None:
        return [] if least == 1 and isinstance(least, int) else [f">= {_digits(least)}"]
    return [f"<= {_digits(most)}"] if most is not None else []


def _digits(number: int | float) -> str:
    digits = f"{Decimal(repr(number)):f}"
    return digits if isinstance(number, int) or "." in digits else f"{digits}.0"


def _timed(window: Window) -> str:
    if window.length is None:
        return "ever"
    return f"{'in' if window.kind is WindowKind.WITHIN else window.kind} {window.length}"


def _spelled(name: str) -> str:
    if _BARE.fullmatch(name) and name.lower() not in _WORDS:
        return name
    return _quoted(name)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _beyond(what: str) -> UsageError:
    return UsageError(f"an expression cannot say {what}", hint="write a definition file instead")
