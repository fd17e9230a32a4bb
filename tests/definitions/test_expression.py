from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pqlkit.definitions import ids
from pqlkit.definitions.expression import expression, parse_expression, read_expression
from pqlkit.definitions.model import (
    All,
    Any,
    Condition,
    Criterion,
    Limit,
    Measure,
    MeasureKind,
    Node,
    NOf,
    Not,
    Operator,
    Window,
    WindowKind,
)
from pqlkit.durations import Duration
from pqlkit.errors import UsageError
from tests.definitions.strategies import durations, measures, names

WEEK, FORTNIGHT = Duration(7, "d"), Duration(14, "d")


def criterion(event: str | None, **others: object) -> Criterion:
    given_: dict[str, object] = {"id": event or "any_event", "window": within(FORTNIGHT), "at_least": 1, **others}
    return Criterion(events=(event,) if event is not None else None, **given_)  # type: ignore[arg-type]


def within(length: Duration) -> Window:
    return Window(kind=WindowKind.WITHIN, length=length)


def test_the_hypothesis_of_the_documentation() -> None:
    assert parse_expression("login >= 10 in 14d and teammate_invited >= 2") == All(
        parts=(criterion("login", at_least=10), criterion("teammate_invited", at_least=2))
    )


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("login", criterion("login")),
        ("login <= 3", criterion("login", at_least=None, at_most=3)),
        ("login >= 2.5", criterion("login", at_least=2.5)),
        ('"Trial Started"', criterion("Trial Started", id="trial_started")),
        ('"a \\"b\\" \\\\"', criterion('a "b" \\', id="a_b")),
        ('"any"', criterion("any", id="any")),
        ("any", criterion(None)),
        ("login ever", criterion("login", window=Window(kind=WindowKind.EVER))),
        ("login rolling 7d", criterion("login", window=Window(kind=WindowKind.ROLLING, length=WEEK))),
        ("login trailing 1w", criterion("login", window=Window(kind=WindowKind.TRAILING, length=WEEK))),
        ("days(login) >= 5", criterion("login", id="login_days", measure=Measure(kind=MeasureKind.DAYS), at_least=5)),
        ("days(any)", criterion(None, id="any_event_days", measure=Measure(kind=MeasureKind.DAYS))),
        ("sum(x.a.b)", criterion("x", id="x_sum_a_b", measure=Measure(kind=MeasureKind.SUM, property="a.b"))),
        ('last(x."a b")', criterion("x", id="x_last_a_b", measure=Measure(kind=MeasureKind.LAST, property="a b"))),
        ("not a", Not(part=criterion("a"))),
        ("NOT (a)", Not(part=criterion("a"))),
        ("a and b or c", Any(parts=(All(parts=(criterion("a"), criterion("b"))), criterion("c")))),
        ("a and (b or c)", All(parts=(criterion("a"), Any(parts=(criterion("b"), criterion("c")))))),
        ("a and a", All(parts=(criterion("a"), criterion("a", id="a_2")))),
    ],
)
def test_what_each_form_means(text: str, node: Node) -> None:
    assert parse_expression(text, windows=[WEEK, FORTNIGHT]) == node


def test_a_missing_window_is_the_only_one_named_else_the_longest_given() -> None:
    def lengths(text: str, *windows: Duration) -> list[str]:
        node = parse_expression(text, windows=windows)
        assert isinstance(node, All)
        return [f"{leaf.window.kind} {leaf.window.length}" for leaf in node.parts if isinstance(leaf, Criterion)]

    assert lengths("a rolling 7d and b", FORTNIGHT) == ["rolling 7d", "rolling 7d"]
    assert lengths("a in 3d and b in 5d and c", WEEK, FORTNIGHT) == ["within 3d", "within 5d", "within 14d"]
    assert lengths("a and b", WEEK, FORTNIGHT) == ["within 14d", "within 14d"]


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", 1, "expected an event, found the end"),
        ("login >=", 9, "expected a number after >="),
        ("login > 3", 7, "> is not supported"),
        ("login == 3", 7, "= is not supported"),
        ("login >= 3 in", 14, "expected a duration such as 14d after in"),
        ("login in 0d", 10, "no time at all"),
        ("login in 99999999w", 10, "longer than 100 years"),
        ("login >= 99999999999999", 10, "larger than a measured value"),
        ("login >= 0.0000001", 10, "6 decimals"),
        ("login >= 1e3", 10, "neither a number nor a duration"),
        ("(a", 3, "expected )"),
        ("a)", 2, "expected and, or, or the end"),
        ("Trial Started", 7, "expected and, or, or the end"),
        ("a and", 6, "expected an event, found the end"),
        ("and", 1, "expected an event, found 'and'"),
        ("dayz(login)", 1, "'dayz' is not a measure"),
        ("sum(login)", 10, "sum needs a property"),
        ("count(login.x)", 14, "count takes no property"),
        ('a and "b', 7, "never closed"),
        ('""', 1, "this name is empty"),
        ("a; b", 2, "cannot stand here"),
        ("(" * 41 + "a", 41, "parentheses inside one another"),
        ("a and b", 1, "no window"),
        ("a in 3d and b and c in 5d", 13, "no window"),
    ],
)
def test_an_error_points_at_the_character(text: str, at: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_expression(text)
    assert message in caught.value.message
    assert f"(character {at})" in caught.value.message
    shown, caret = str(caught.value).splitlines()[1:3]
    assert caret == " " * (len(caret) - 1) + "^"
    assert shown[len(caret) - 1 :][:1] == text[at - 1 : at]


def test_hostile_text_is_shown_inert() -> None:
    with pytest.raises(UsageError) as caught:
        parse_expression("login \x1b[31m\u202e >= 3 ;" + "x" * 500)
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
    assert len(str(caught.value)) < 400
    with pytest.raises(UsageError, match="at most 10,000"):
        parse_expression("a and " * 3000 + "a")


numbers = st.integers(-(10**6), 10**12) | st.integers(-(10**9), 10**9).map(lambda number: number / 64)
terms = st.builds(
    lambda event, measure, window, bounds: Criterion(
        id="", events=event, measure=measure, window=window, at_least=bounds[0], at_most=bounds[1]
    ),
    st.none() | names.map(lambda name: (name,)),
    measures(),
    st.builds(lambda kind, length: Window(kind=kind, length=length), st.sampled_from(list(WindowKind)[:3]), durations)
    | st.just(Window(kind=WindowKind.EVER)),
    st.tuples(numbers, st.none()) | st.tuples(st.none(), numbers),
)
formulas = st.recursive(
    terms,
    lambda parts: (
        st.lists(parts, min_size=2, max_size=3).map(lambda found: All(parts=tuple(found)))
        | st.lists(parts, min_size=2, max_size=3).map(lambda found: Any(parts=tuple(found)))
        | parts.map(lambda found: Not(part=found))
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(formulas)
def test_what_is_written_reads_back_as_the_same(node: Node) -> None:
    node = ids.given(node)
    assert parse_expression(expression(node)) == node


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('ab1.5 dhw()>=<"\\andornotinever\n🙂'), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        node = parse_expression(text, windows=[WEEK])
    except UsageError:
        return
    assert parse_expression(expression(node)) == node


@pytest.mark.parametrize(
    "node",
    [
        NOf(n=1, parts=(criterion("a"),)),
        criterion("a", at_least=Limit(percent=80, number=10)),
        criterion("a", at_most=5),
        criterion("a", where=(Condition(name="x", operator=Operator.EXISTS, values=(True,)),)),
        Criterion(id="x", events=("a", "b"), window=within(WEEK), at_least=1),
    ],
)
def test_what_the_language_cannot_say_is_refused(node: Node) -> None:
    with pytest.raises(UsageError, match="an expression cannot say"):
        expression(node)


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("not a ever", 7, "not needs a window that ends, and ever does not"),
        ("a in 3d and not (b and c rolling 7d)", 26, "not needs a window that ends, and rolling does not"),
        ("a  <= 3  rolling 7d", 10, "<= needs a window that ends, and rolling does not"),
        ("a ever and not b", 16, "not needs a window that ends, and ever does not"),
        ("a and last(b.c) trailing 28d", 17, "last is measured in a window from the anchor, or ever, not trailing"),
        ("last(b.c) >= 3", 1, "last is measured in a window from the anchor, or ever, not trailing"),
    ],
)
def test_what_no_window_of_that_kind_answers_is_pointed_at(text: str, at: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_expression(text).refuse_unanswerable(Window(kind=WindowKind.TRAILING, length=WEEK))
    assert caught.value.message == f"{message} (character {at})"
    shown, caret, _ = (caught.value.hint or "").splitlines()
    assert shown[len(caret) - 1 :].startswith(text[at - 1 :].split()[0])


def test_what_can_be_answered_is_not_refused() -> None:
    for text in (
        "not a in 7d",
        "a <= 3 trailing 7d",
        "last(a.b) ever",
        "last(a.b) <= 3 in 7d",
        "a ever",
        "a rolling 7d",
    ):
        read_expression(text).refuse_unanswerable()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('shared[with = "collaborator"] in 7d', [("with", Operator.EQUALS, "collaborator")]),
        ("shared[with = bob] in 7d", [("with", Operator.EQUALS, "bob")]),
        (
            'shared["a b" = "c]", n >= 3, n <= 4.5] in 7d',
            [("a b", Operator.EQUALS, "c]"), ("n", Operator.AT_LEAST, 3), ("n", Operator.AT_MOST, 4.5)],
        ),
        ("days(shared[x.y = true]) >= 2 in 7d", [("x.y", Operator.EQUALS, True)]),
        ("sum(shared[x = 2].amount) >= 50 in 7d", [("x", Operator.EQUALS, 2)]),
        ("any[in = false] in 7d", [("in", Operator.EQUALS, False)]),
    ],
)
def test_an_event_may_have_conditions(text: str, where: list[tuple[str, Operator, object]]) -> None:
    node = parse_expression(text)
    assert isinstance(node, Criterion)
    assert [(one.name, one.operator, one.values[0]) for one in node.where] == where
    assert parse_expression(expression(node)) == node


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("a[", 3, "expected a property, found the end"),
        ("a[]", 3, "expected a property, found ']'"),
        ("a[x]", 4, "expected =, >= or <= after the property, found ']'"),
        ("a[x = ]", 7, "expected a value, found ']'"),
        ('a[x >= "b"]', 8, "expected a number, found '\"b\"'"),
        ("a[x = 1", 8, "expected ] after the conditions, found the end"),
        ("a[x = 1,]", 9, "expected a property, found ']'"),
    ],
)
def test_a_condition_with_a_fault_is_pointed_at(text: str, at: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_expression(text, windows=[WEEK])
    assert caught.value.message == f"{message} (character {at})"


def test_each_term_knows_where_it_stands() -> None:
    read = read_expression('not days( "a b" ) and sum(c.d.e) >= 3 in 7d')
    assert [(one.at, one.event, one.property, one.window) for one in read.terms] == [
        (4, 10, None, None),
        (22, 26, 28, 38),
    ]
    assert [leaf.events for leaf, _ in read.leaves] == [("a b",), ("c",)]
    assert read.waits
    assert not read_expression("a ever").waits
    assert [term.where for term in read_expression('a["b c" = 1, d = 2] ever and e ever').terms] == [(2, 13), ()]
