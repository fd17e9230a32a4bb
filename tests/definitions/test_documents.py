from __future__ import annotations

import math
from datetime import date

import pytest

from pqlkit.definitions.documents import (
    Unresolved,
    check_definition,
    read_outcome,
)
from pqlkit.definitions.model import (
    All,
    Anchor,
    Any,
    Bounds,
    ChosenBy,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Evidence,
    EvidenceData,
    EvidencePart,
    EvidenceView,
    Limit,
    Measure,
    MeasureKind,
    NOf,
    Not,
    Operator,
    Outcome,
    Ref,
    Status,
    Window,
    WindowKind,
)
from pqlkit.definitions.yaml_source import parse
from pqlkit.durations import Duration
from pqlkit.errors import DefinitionError

HEAD = "pqlkit: 1\nname: x\nentity: user\nwithin: 14d\noutcome: {within: 30d}\n"


def faults(text: str) -> list[tuple[str, int, int, int]]:
    """Read a file; give code, line, column and end of each fault."""
    definition, found = check_definition(parse(text, "x.yml"))
    assert definition is None
    return [(fault.code, fault.line, fault.column, fault.end_column) for fault in found]


def fault(text: str) -> tuple[str, str, str | None]:
    """Read a file with one fault; give its code, message and hint."""
    definition, found = check_definition(parse(text, "x.yml"))
    assert definition is None
    assert len(found) == 1, found
    return found[0].code, found[0].message, found[0].hint


def definition_of(text: str, **known: Definition) -> Definition:
    definition, found = check_definition(parse(text, "x.yml"), lambda name: known[name])
    assert definition is not None, found
    assert found == []
    return definition


def qualify(text: str, head: str = HEAD, **known: Definition) -> object:
    return definition_of(f"{head}qualify: {text}", **known).qualify


DAYS = Window(kind=WindowKind.WITHIN, length=Duration(14, "d"))


def test_the_least_that_a_file_must_say_and_its_defaults() -> None:
    definition = definition_of(
        "pqlkit: 1\nname: logins\nentity: user\nqualify: {event: login, ever: true}\noutcome: {within: 30d}"
    )
    assert definition == Definition(
        name="logins",
        entity=EntityKind.USER,
        qualify=Criterion(
            id="login", events=("login",), measure=Measure(), window=Window(kind=WindowKind.EVER), at_least=1
        ),
        outcome=Outcome(within=Duration(30, "d")),
        version=1,
        title="logins",
        status=Status.ACTIVE,
        anchor=Anchor(),
        path="x.yml",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{event: any}", Criterion(id="any_event", events=None, window=DAYS, at_least=1)),
        ("{event: [any]}", Criterion(id="any", events=("any",), window=DAYS, at_least=1)),
        ("{event: [a, b]}", Criterion(id="a_or_b", events=("a", "b"), window=DAYS, at_least=1)),
        ("{event: a, at_most: 3}", Criterion(id="a", events=("a",), window=DAYS, at_most=3)),
        (
            "{event: a, at_least: 2, at_most: 3.5, rolling: 2w, mechanical: true, say: Call!}",
            Criterion(
                id="a",
                events=("a",),
                window=Window(kind=WindowKind.ROLLING, length=Duration(2, "w")),
                at_least=2,
                at_most=3.5,
                mechanical=True,
                say="Call!",
            ),
        ),
        (
            "{event: a, measure: {distinct: b c}, trailing: 28d}",
            Criterion(
                id="a_distinct_b_c",
                events=("a",),
                measure=Measure(kind=MeasureKind.DISTINCT, property="b c"),
                window=Window(kind=WindowKind.TRAILING, length=Duration(28, "d")),
                at_least=1,
            ),
        ),
        (
            "{event: a, at_least: {percent: 80, of: {property: storage_limit}}}",
            Criterion(id="a", events=("a",), window=DAYS, at_least=Limit(percent=80, property="storage_limit")),
        ),
        (
            "{event: a, at_most: {percent: 12.5, of: {trait: t}}}",
            Criterion(id="a", events=("a",), window=DAYS, at_most=Limit(percent=12.5, trait="t")),
        ),
        (
            "{event: a, at_least: {percent: 80, of: 10000}}",
            Criterion(id="a", events=("a",), window=DAYS, at_least=Limit(percent=80, number=10000)),
        ),
    ],
)
def test_what_a_criterion_means(text: str, expected: Criterion) -> None:
    assert qualify(text) == expected


def test_what_a_tree_means() -> None:
    a, b, c = (Criterion(id=name, events=(name,), window=DAYS, at_least=1) for name in "abc")
    text = "{any: [{all: [{event: a}, {event: b}]}, {not: {event: c}}, {n_of: {n: 1, of: [{event: a}]}}]}"
    again = Criterion(id="a_2", events=("a",), window=DAYS, at_least=1)
    assert qualify(text) == Any(parts=(All(parts=(a, b)), Not(part=c), NOf(n=1, parts=(again,))))


def test_what_conditions_mean() -> None:
    text = (
        "{event: a, where: {p: x, q: [1, 2.5], r: {not_in: [true], at_least: 3, exists: false}, s: '', t: {equals: 1}}}"
    )
    node = qualify(text)
    assert isinstance(node, Criterion)
    assert node.where == (
        Condition(name="p", operator=Operator.EQUALS, values=("x",)),
        Condition(name="q", operator=Operator.IN, values=(1, 2.5)),
        Condition(name="r", operator=Operator.NOT_IN, values=(True,)),
        Condition(name="r", operator=Operator.AT_LEAST, values=(3,)),
        Condition(name="r", operator=Operator.EXISTS, values=(False,)),
        Condition(name="s", operator=Operator.EQUALS, values=("",)),
        Condition(name="t", operator=Operator.EQUALS, values=(1,)),
    )


def test_what_the_rest_means() -> None:
    text = (
        HEAD.replace("outcome: {within: 30d}\n", "")
        + """qualify: {event: a}
anchor: {event: Trial Started}
status: hypothesis
review_by: "2027-01-31"
eligible: [{trait: plan, in: [free], exists: true}]
outcome: {within: 4w, where: {amount: {at_least: 2}}, kind: expansion, from: free, to: [pro, team], returns_after: 90d}
lead: {cooldown: 0d}
expect: {rate: {at_least: 0.15}, share: {at_most: 12.5%}}
evidence:
  chosen_by: propose
  search: 5f0c2a91
  data: {from: 2026-01-01, through: null, converted: 12}
  holdout: {view: qualification, qualified: 480, rate: 0.265, read: 1, independent: false}
"""
    )
    definition = definition_of(text)
    assert definition.anchor == Anchor(kind="event", event="Trial Started")
    assert definition.status is Status.HYPOTHESIS
    assert definition.review_by == date(2027, 1, 31)
    assert [condition.operator for condition in definition.eligible] == [Operator.IN, Operator.EXISTS]
    assert definition.outcome == Outcome(
        within=Duration(28, "d"),
        where=(Condition(name="amount", operator=Operator.AT_LEAST, values=(2,)),),
        kind="expansion",
        from_plan=("free",),
        to_plan=("pro", "team"),
        returns_after=Duration(90, "d"),
    )
    assert definition.cooldown == Duration(0, "d")
    assert definition.expect is not None
    assert definition.expect.rate == Bounds(at_least=0.15)
    assert definition.expect.share == Bounds(at_most=0.125)
    assert definition.evidence == Evidence(
        chosen_by=ChosenBy.PROPOSE,
        search="5f0c2a91",
        data=EvidenceData(start=date(2026, 1, 1), converted=12),
        holdout=EvidencePart(
            view=EvidenceView.QUALIFICATION, qualified=480, rate=0.265, times_read=1, independent=False
        ),
    )


def milestone(entity: str) -> Definition:
    return definition_of(
        f"pqlkit: 1\nname: activated\nkind: milestone\nentity: {entity}\nqualify: {{event: a, ever: true}}"
    )


def test_a_ref_carries_its_target() -> None:
    of_users, of_accounts = milestone("user"), milestone("account")
    assert qualify("{ref: activated}", activated=of_users) == Ref(id="activated", name="activated", target=of_users)
    head = HEAD.replace("user", "account")
    counted = qualify("{id: three, ref: activated, measure: users, at_least: 3}", head, activated=of_users)
    assert counted == Ref(id="three", name="activated", target=of_users, users_at_least=3)
    assert qualify("{ref: activated}", head, activated=of_users) == Ref(
        id="activated", name="activated", target=of_users, users_at_least=1
    )
    assert qualify("{ref: activated}", head, activated=of_accounts) == Ref(
        id="activated", name="activated", target=of_accounts
    )


def test_refs_that_do_not_fit_or_lead_nowhere() -> None:
    def codes(text: str, target: Definition | Unresolved) -> list[tuple[str, str]]:
        _, found = check_definition(parse(f"{HEAD}qualify: {text}", "x.yml"), lambda _: target)
        return [(fault.code, fault.message) for fault in found]

    assert codes("{ref: a}", milestone("account")) == [
        ("PQL114", "'activated' is about accounts; a user's definition cannot hold it")
    ]
    assert codes("{ref: a, at_least: 2}", milestone("user")) == [
        ("PQL114", "at_least counts the users of an account; 'activated' is about users itself")
    ]
    assert codes("{ref: a}", Unresolved("'a' leads back to itself: a -> a")) == [
        ("PQL207", "'a' leads back to itself: a -> a")
    ]
    assert faults(f"{HEAD}qualify: {{ref: gone}}") == [("PQL207", 6, 16, 20)]


def test_points_replace_the_formula() -> None:
    text = HEAD + "qualify: [{event: a}, {event: b, at_least: 2}]\nscore: {points: {a: 60, b: 40}, pql_at: 60}\n"
    definition = definition_of(text)
    assert isinstance(definition.qualify, All)
    assert definition.score is not None
    assert (dict(definition.score.points), definition.score.pql_at) == ({"a": 60, "b": 40}, 60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("PQL105", 1, 1, 1)),
        ("- a", ("PQL103", 1, 1, 4)),
        ("pqlkit: 2\nnme: x", ("PQL109", 1, 9, 10)),
        (f"{HEAD}qualify: {{event: a}}\nowner:\n", ("PQL103", 7, 7, 7)),
        (f"{HEAD}qualify: {{event: a}}\nonwer: x\n", ("PQL101", 7, 1, 6)),
        (f"{HEAD}qualify: {{event: a}}\nname: y\n", ("PQL106", 7, 1, 5)),
        (f"{HEAD}qualify: {{event: a}}\nversion: 0\n", ("PQL114", 7, 10, 11)),
        (f"{HEAD}qualify: {{event: a}}\nversion: 1.0\n", ("PQL103", 7, 10, 13)),
        (f"{HEAD}qualify: {{event: a}}\nstatus: activ\n", ("PQL114", 7, 9, 14)),
        (f"{HEAD}qualify: {{event: a}}\nreview_by: soon\n", ("PQL103", 7, 12, 16)),
        (f"{HEAD}qualify: {{event: a}}\nanchor: sign-up\n", ("PQL114", 7, 9, 16)),
        (f"{HEAD}qualify: {{event: a}}\nlead: {{fresh_for: 30}}\n", ("PQL104", 7, 19, 21)),
        (f"{HEAD}qualify: {{event: a}}\nlead: {{fresh_for: 0d}}\n", ("PQL104", 7, 19, 21)),
        (f"{HEAD}qualify: {{event: a}}\nexpect: {{rate: {{at_least: 15}}}}\n", ("PQL113", 7, 27, 29)),
        (f"{HEAD}qualify: {{event: a}}\nexpect: {{rate: {{at_least: 1}}}}\n", ("PQL113", 7, 27, 28)),
        (f"{HEAD}qualify: {{event: a}}\nexpect: {{rate: {{at_least: 101%}}}}\n", ("PQL113", 7, 27, 31)),
        (f"{HEAD}qualify: {{event: a}}\nexpect: {{rate: {{at_least: -0.1}}}}\n", ("PQL113", 7, 27, 31)),
        (f"{HEAD}qualify: {{event: a}}\neligible: {{trait: a}}\n", ("PQL103", 7, 11, 21)),
        (f"{HEAD}qualify: {{event: a}}\neligible: [{{trait: a}}]\n", ("PQL105", 7, 13, 18)),
        (f"{HEAD}qualify: {{event: a}}\nevidence: 5\n", ("PQL103", 7, 11, 12)),
        (f"{HEAD}qualify: {{event: a}}\nscore: {{points: {{a: 90}}}}\n", ("PQL114", 7, 9, 15)),
        (f"{HEAD}qualify: {{event: a}}\nscore: {{points: {{b: 100}}}}\n", ("PQL114", 7, 18, 19)),
        (f"{HEAD}qualify: {{event: a}}\nscore: {{points: {{a: 100}}, pql_at: 50}}\n", ("PQL103", 6, 1, 8)),
        (f"{HEAD}qualify: [{{event: a}}]\n", ("PQL103", 6, 1, 8)),
        (f"{HEAD}qualify: a\n", ("PQL103", 6, 10, 11)),
        (f"{HEAD}qualify: {{all: []}}\n", ("PQL114", 6, 16, 18)),
        (f"{HEAD}qualify: {{all: {{event: a}}}}\n", ("PQL103", 6, 16, 26)),
        (f"{HEAD}qualify: {{evnt: a}}\n", ("PQL101", 6, 11, 15)),
        (f"{HEAD}qualify: {{at_least: 5}}\n", ("PQL105", 6, 11, 19)),
        (f"{HEAD}qualify: {{event: a, all: []}}\n", ("PQL114", 6, 21, 24)),
        (f"{HEAD}qualify: {{n_of: {{n: 3, of: [{{event: a}}]}}}}\n", ("PQL114", 6, 18, 19)),
        (f"{HEAD}qualify: {{event: yes}}\n", ("PQL110", 6, 18, 21)),
        (f"{HEAD}qualify: {{event: 12:30}}\n", ("PQL110", 6, 18, 23)),
        (f"{HEAD}qualify: {{event: 404}}\n", ("PQL110", 6, 18, 21)),
        (f"{HEAD}qualify: {{event: 2026-01-01}}\n", ("PQL110", 6, 18, 28)),
        (f"{HEAD}qualify: {{event: true}}\n", ("PQL110", 6, 18, 22)),
        (f"{HEAD}qualify: {{event: a, where: {{on: x}}}}\n", ("PQL110", 6, 29, 31)),
        (f"{HEAD}qualify: {{event: a, where: {{p: null}}}}\n", ("PQL114", 6, 32, 36)),
        (f"{HEAD}qualify: {{event: a, where: {{p: off}}}}\n", ("PQL110", 6, 32, 35)),
        (f"{HEAD}qualify: {{event: a, where: {{p: {{matching: '(?=x)'}}}}}}\n", ("PQL115", 6, 43, 50)),
        (f"{HEAD}qualify: {{event: a, at_least: 010}}\n", ("PQL110", 6, 31, 34)),
        (f"{HEAD}qualify: {{event: a, at_least: '5'}}\n", ("PQL103", 6, 31, 34)),
        (f"{HEAD}qualify: {{event: a, at_least: 1.2345678}}\n", ("PQL114", 6, 31, 40)),
        (f"{HEAD}qualify: {{event: a, at_least: 9200000000001}}\n", ("PQL114", 6, 31, 44)),
        (f"{HEAD}qualify: {{event: a, at_least: {{percent: 0, of: 5}}}}\n", ("PQL114", 6, 41, 42)),
        (f"{HEAD}qualify: {{event: a, at_least: {{percent: 5}}}}\n", ("PQL105", 6, 32, 39)),
        (f"{HEAD}qualify: {{event: a, measure: sum}}\n", ("PQL103", 6, 30, 33)),
        (f"{HEAD}qualify: {{event: a, measure: dayz}}\n", ("PQL114", 6, 30, 34)),
        (f"{HEAD}qualify: {{event: a, measure: {{smu: b}}}}\n", ("PQL101", 6, 31, 34)),
        (f"{HEAD}qualify: {{event: a, measure: {{sum: b}}}}\n", ("PQL105", 6, 21, 28)),
        (f"{HEAD}qualify: {{event: a, measure: {{sum: b, max: c}}}}\n", ("PQL114", 6, 30, 46)),
        (f"{HEAD}qualify: {{event: a, within: 7d, ever: true}}\n", ("PQL114", 6, 33, 37)),
        (f"{HEAD}qualify: {{event: a, ever: false}}\n", ("PQL114", 6, 21, 25)),
        (f"{HEAD}qualify: {{event: a, mechanical: yes}}\n", ("PQL110", 6, 33, 36)),
        (f"{HEAD}qualify: {{event: a, id: Big}}\n", ("PQL114", 6, 25, 28)),
        (f"{HEAD}qualify: {{event: a, id: who}}\n", ("PQL107", 6, 25, 28)),
        (f"{HEAD}qualify: {{all: [{{event: a, id: b}}, {{event: c, id: b}}]}}\n", ("PQL107", 6, 51, 52)),
        ("pqlkit: 1\nname: x\nentity: user\nqualify: {event: a}\noutcome: {within: 3d}", ("PQL108", 4, 11, 16)),
        (
            "pqlkit: 1\nname: a b\nentity: user\nqualify: {event: a, ever: true}\noutcome: {within: 3d}",
            ("PQL114", 2, 7, 10),
        ),
        ("pqlkit: 1\nname: x\nentity: user\nqualify: {event: a, ever: true}", ("PQL105", 1, 1, 7)),
        (
            "pqlkit: 1\nname: x\nentity: user\nqualify: {event: a, ever: true}\noutcome: {where: {}}",
            ("PQL105", 5, 11, 16),
        ),
        (f"{HEAD}qualify: {{event: a}}\nkind: milestone\n", ("PQL114", 5, 1, 8)),
        (HEAD.replace("30d}", "30d, definition: d, event: e}") + "qualify: {event: a}\n", ("PQL114", 5, 39, 44)),
    ],
)
def test_each_fault_has_a_code_and_a_place(text: str, expected: tuple[str, int, int, int]) -> None:
    target = milestone("user")
    definition, found = check_definition(parse(text, "x.yml"), lambda _: target)
    assert definition is None
    assert [(fault.code, fault.line, fault.column, fault.end_column) for fault in found] == [expected]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("anchr: signup", "unknown key 'anchr' in the definition", "did you mean anchor?"),
        ("lead: {fresh: 3d}", "unknown key 'fresh' in the lead", "did you mean fresh_for?"),
        ("lead: {zzz: 3d}", "unknown key 'zzz' in the lead", "known are fresh_for, cooldown, near"),
        ("lead: 3", "the lead is a mapping with keys such as fresh_for, cooldown, near, not a number", None),
        ("status: retierd", "'retierd' is none of hypothesis, active, retired", "did you mean retired?"),
        ("expect: {rate: {at_least: 15}}", "15 is not a rate: write 15% or 0.15", "write 15%"),
        ("lead: {fresh_for: 30}", "a duration such as 14d belongs here, not 30", "write 30d for days"),
        (
            "lead: {fresh_for: 1 month}",
            "'1 month' is not a duration: write a whole number and a unit m, h, d or w, like 14d",
            None,
        ),
        (
            "owner: no",
            "'no' is text here, but YAML 1.1 tools read it as false: quote it",
            None,
        ),
        ('"\\e[31m\\u202e": 1', "unknown key '\ufffd[31m\ufffd' in the definition", None),
    ],
)
def test_messages_say_what_is_wrong_and_what_to_do(text: str, message: str, hint: str | None) -> None:
    _, said, advice = fault(f"{HEAD}qualify: {{event: a}}\n{text}\n")
    assert said == message
    assert hint is None or advice == hint


def test_a_surprise_can_be_fixed_by_quoting_it() -> None:
    _, found = check_definition(parse(f"{HEAD}qualify: {{event: 010}}", "x.yml"))
    assert [(fault.fix, fault.safe) for fault in found] == [('"010"', True)]
    _, found = check_definition(parse(f"{HEAD}qualify: {{event: a, mechanical: on}}", "x.yml"))
    assert [(fault.fix, fault.safe) for fault in found] == [("true", True)]


def test_all_faults_are_said_at_once_in_file_order() -> None:
    text = """pqlkit: 1
nme: x
entity: usr
within: 14
eligible:
  - {trait: plan, int: [a]}
qualify:
  all:
    - {id: score, event: yes, measure: {sum: x}}
    - {evnt: b}
    - {event: c, at_least: 010, rolling: 3}
    - {ref: nowhere}
score: {points: {a: 40}}
outcome: {where: {a: null}}
name: y
name: z
"""
    assert [(code, line) for code, line, _, _ in faults(text)] == [
        ("PQL101", 2),
        ("PQL114", 3),
        ("PQL104", 4),
        ("PQL101", 6),
        ("PQL107", 9),
        ("PQL110", 9),
        ("PQL101", 10),
        ("PQL110", 11),
        ("PQL104", 11),
        ("PQL207", 12),
        ("PQL114", 13),
        ("PQL105", 14),
        ("PQL114", 14),
        ("PQL106", 16),
    ]


def test_a_project_files_outcome_may_leave_the_conversion_window_out() -> None:
    outcome = read_outcome({"where": {"amount": 5}}, within=Duration(30, "d"))
    assert outcome == Outcome(
        within=Duration(30, "d"), where=(Condition(name="amount", operator=Operator.EQUALS, values=(5,)),)
    )
    target = milestone("user")
    assert read_outcome({"within": "7d", "definition": "a"}, within=Duration(30, "d"), resolver=lambda _: target) == (
        Outcome(within=Duration(7, "d"), definition=target)
    )
    with pytest.raises(DefinitionError, match="no definition is named 'd'"):
        read_outcome({"definition": "d"}, within=Duration(30, "d"))
    with pytest.raises(DefinitionError, match="outcome: a duration such as 14d belongs here, not 5"):
        read_outcome({"within": 5}, within=Duration(30, "d"))


def test_numbers_are_finite_and_typed() -> None:
    node = qualify("{event: a, at_least: 5, where: {p: {in: [5, 5.0, true]}}}")
    assert isinstance(node, Criterion)
    assert [type(value) for value in node.where[0].values] == [int, float, bool]
    assert math.isfinite(float(node.at_least))  # type: ignore[arg-type]
