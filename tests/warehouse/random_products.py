"""Random definitions and products of one small vocabulary: every measure, window, bound and outcome, with ties and edges at every turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pqlkit.definitions import ids
from pqlkit.definitions.model import (
    All,
    Anchor,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Lead,
    Limit,
    Measure,
    MeasureKind,
    Near,
    NOf,
    Not,
    Operator,
    Outcome,
    Ref,
    Score,
    Window,
    WindowKind,
    leaves,
)
from pqlkit.definitions.model import Any as AnyOf
from pqlkit.durations import Duration
from pqlkit.exports.project import Project, Traits
from tests.warehouse.products import DAY, START, frame

if TYPE_CHECKING:
    from pqlkit.definitions.model import Bound, Node

EVENTS: Final = ("invite", "connect", "pay")
WORDS: Final = ("x", "y", "Xy")
AMOUNTS: Final = (None, 1.0, 2.0, 2.5, 0.1, 40.0, -1.0)
COUNTED: Final = (MeasureKind.COUNT, MeasureKind.DAYS, MeasureKind.USERS, MeasureKind.DISTINCT_EVENTS)
OF_A_PROPERTY: Final = (MeasureKind.DISTINCT, MeasureKind.SUM, MeasureKind.MAX, MeasureKind.LAST)
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu")
HISTORIES: Final = ("plan", "tier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One definition with the project and the tables that it is scored on."""

    definition: Definition
    project: Project
    tables: dict[str, pl.DataFrame]
    without: tuple[str, ...]
    dates: tuple[str, ...]


def draw_case(seed: int) -> Case:
    """Draw one; the same seed gives the same."""
    dice = Random(f"case {seed}")
    drawn = _Drawn(dice)
    definition = drawn.definition()
    project = drawn.project(definition)
    tables = drawn.tables(definition, project)
    ids_of: dict[str, tuple[str, ...]] = {
        name: ("user_id", "account_id") for name in tables if name not in {"users", "accounts"}
    }
    if "users" in tables:
        ids_of["users"] = ("account_id",)
    without = [
        f"{name}.{column}"
        for name, columns in ids_of.items()
        for column in columns
        if column not in tables[name].columns
    ]
    without += [name for name in ("users", "accounts", "conversions") if name not in tables]
    dates = []
    for name, column, share in (
        ("conversions", "converted_at", 0.25),
        ("users", "signed_up_at", 0.1),
        ("events", "timestamp", 0.03),
    ):
        if name in tables and dice.random() < share:
            tables[name] = tables[name].with_columns(pl.col(column).dt.date())
            dates.append(f"{name}.{column}")
    return Case(definition=definition, project=project, tables=tables, without=tuple(without), dates=tuple(dates))


class _Drawn:
    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._entity = dice.choice(list(EntityKind))
        self._has = {name: dice.random() < 0.85 for name in ("users", "accounts", "conversions")}
        self._names = self._dice.random() < 0.8

    # ------------------------------------------------------------ the definition

    def definition(self) -> Definition:
        dice = self._dice
        qualify = ids.given(self._node(2, ended=False))
        parts = list(leaves(qualify))
        outcome = self._outcome()
        definition = Definition(name=f"d{dice.randrange(9)}", entity=self._entity, qualify=qualify, outcome=outcome)
        if dice.random() < 0.25 and isinstance(qualify, All):
            points = {leaf.id: dice.choice([10, 25, 40, 12.5]) for leaf in parts}
            score = Score(
                points=points,
                pql_at=dice.choice([None, 20, 50, 37.5]),
                bands=dice.choice([{}, {"hot": 40, "warm": 10}]),
            )
            definition = replace(definition, score=score)
        lead = Lead(
            fresh_for=dice.choice([None, _duration(5), _duration(12)]),
            cooldown=dice.choice([None, None, _duration(1), _duration(8), _duration(30)]),
            near=dice.choice([None, Near(at_least=0.5, active_within=_duration(9))]),
        )
        return replace(
            definition,
            anchor=self._anchor(),
            eligible=tuple(self._trait_condition() for _ in range(dice.choice([0, 0, 1, 2]))),
            lead=dice.choice([None, lead, lead]),
        )

    def _anchor(self) -> Anchor:
        return self._dice.choice(
            [Anchor(), Anchor(), Anchor(kind="first_event"), Anchor(kind="event", event=self._dice.choice(EVENTS))]
        )

    def _node(self, depth: int, *, ended: bool) -> Node:
        dice = self._dice
        kind = dice.choice(["one", "one", "all", "any", "n", "not", "ref"]) if depth else "one"
        several = lambda: tuple(self._node(depth - 1, ended=ended) for _ in range(dice.choice([2, 2, 3])))  # noqa: E731
        if kind == "all":
            return All(parts=several())
        if kind == "any":
            return AnyOf(parts=several())
        if kind == "n":
            parts = several()
            return NOf(n=dice.randrange(1, len(parts) + 1), parts=parts)
        if kind == "not":
            return All(parts=(self._node(depth - 1, ended=ended), Not(part=self._node(max(0, depth - 2), ended=True))))
        if kind == "ref" and not ended:
            return self._ref()
        return self._criterion(ended=ended)

    def _ref(self) -> Ref:
        dice = self._dice
        inner = ids.given(self._node(1, ended=True) if dice.random() < 0.3 else self._criterion(ended=False))
        of_users = self._entity is EntityKind.ACCOUNT and dice.random() < 0.5
        target = Definition(
            name=f"m{dice.randrange(9)}",
            entity=EntityKind.USER if of_users else self._entity,
            qualify=inner,
            outcome=None,
            milestone=True,
            anchor=self._anchor(),
            eligible=() if of_users or dice.random() < 0.7 else (self._trait_condition(),),
        )
        return Ref(id="", name=target.name, target=target, users_at_least=dice.choice([1, 2]) if of_users else None)

    def _criterion(self, *, ended: bool) -> Criterion:
        dice = self._dice
        kind = dice.choice((*COUNTED, *OF_A_PROPERTY))
        if kind is MeasureKind.USERS and self._entity is EntityKind.USER:
            kind = MeasureKind.COUNT
        numeric = kind in {MeasureKind.SUM, MeasureKind.MAX, MeasureKind.LAST}
        measure = Measure(kind=kind, property=None if kind in COUNTED else "amount" if numeric else "kind")
        windows = [WindowKind.WITHIN, WindowKind.TRAILING]
        if not ended:
            windows += [WindowKind.EVER, WindowKind.ROLLING, WindowKind.TRAILING]
        window = dice.choice(windows)
        if kind is MeasureKind.LAST:
            window = WindowKind.WITHIN if ended else WindowKind.EVER
        length = None if window is WindowKind.EVER else _duration(dice.choice([2, 5, 9]))
        low, high = self._bounds(kind, window, numeric=numeric)
        return Criterion(
            id="",
            events=dice.choice([None, (dice.choice(EVENTS),), EVENTS[:2]]),
            measure=measure,
            window=Window(kind=window, length=length),
            where=tuple(self._condition() for _ in range(dice.choice([0, 0, 0, 1, 2]))),
            at_least=low,
            at_most=high,
            say=dice.choice([None, None, "Call them."]),
        )

    def _bounds(self, kind: MeasureKind, window: WindowKind, *, numeric: bool) -> tuple[Bound | None, Bound | None]:
        dice = self._dice
        if numeric and dice.random() < 0.25:
            limits: list[Limit] = [Limit(percent=50, number=4), Limit(percent=80, property="quota")]
            limits.append(Limit(percent=dice.choice([12.5, 50]), trait="seat_limit"))
            return dice.choice(limits), None
        low: float = dice.choice([1, 1, 2, 2, 3]) if not numeric else dice.choice([0.1, 1, 2, 2.5, 4])
        shape = dice.random()
        if window in {WindowKind.WITHIN, WindowKind.TRAILING} and shape < 0.15:
            return None, low
        if window in {WindowKind.WITHIN, WindowKind.TRAILING} and shape < 0.3:
            return low, low + dice.choice([0, 1, 2])
        return low, None

    def _condition(self) -> Condition:
        cases: list[tuple[str, Operator, tuple[Any, ...]]] = [
            ("kind", Operator.EQUALS, ("x",)),
            ("kind", Operator.IN, ("x", "y")),
            ("kind", Operator.NOT_IN, ("x",)),
            ("kind", Operator.MATCHING, ("^[xX]",)),
            ("kind", Operator.NOT_MATCHING, ("y$",)),
            ("kind", Operator.CONTAINS, ("y",)),
            ("kind", Operator.EXISTS, (False,)),
            ("amount", Operator.AT_LEAST, (2,)),
            ("amount", Operator.AT_MOST, (2.5,)),
            ("amount", Operator.NOT_IN, (2, 0.1)),
            ("flag", Operator.EQUALS, (True,)),
            ("flag", Operator.NOT_IN, (True,)),
        ]
        name, operator, values = self._dice.choice(cases)
        return Condition(name=name, operator=operator, values=values)

    def _trait_condition(self) -> Condition:
        cases: list[tuple[str, Operator, tuple[Any, ...]]] = [
            ("signup_plan", Operator.IN, ("free", "trial")),
            ("employees", Operator.AT_MOST, (200,)),
            ("plan", Operator.EQUALS, ("free",)),
            ("plan", Operator.NOT_IN, ("team",)),
            ("tier", Operator.AT_LEAST, (2,)),
            ("role", Operator.EXISTS, (True,)),
        ]
        name, operator, values = self._dice.choice(cases)
        return Condition(name=name, operator=operator, values=values)

    def _outcome(self) -> Outcome | None:
        dice = self._dice
        within = _duration(dice.choice([6, 15, 25]))
        kind = dice.choice(["rows", "rows", "rows", "event", "after", "filtered", "definition", "none"])
        if kind == "none":
            return None
        if kind == "event":
            return Outcome(within=within, event="pay", where=(self._condition(),) if dice.random() < 0.3 else ())
        if kind == "after":
            return Outcome(within=within, event=dice.choice(["any", "pay"]), after=_duration(3))
        if kind == "filtered":
            return Outcome(
                within=within,
                where=(Condition(name="amount", operator=Operator.AT_LEAST, values=(2,)),),
                kind=dice.choice([None, "new"]),
                from_plan=dice.choice([None, ("free",)]),
                to_plan=dice.choice([None, ("team", "pro")]),
                retained_for=dice.choice([None, _duration(4)]),
            )
        if kind == "definition":
            target = Definition(
                name="adopted",
                entity=self._entity,
                qualify=ids.given(self._criterion(ended=False)),
                outcome=None,
                milestone=True,
                eligible=dice.choice(
                    [(), (Condition(name="signup_plan", operator=Operator.IN, values=("free", "trial")),)]
                ),
            )
            return Outcome(within=within, definition=target)
        return Outcome(within=within)

    # ------------------------------------------------------------ the project

    def project(self, definition: Definition) -> Project:
        dice = self._dice
        filters = [
            Condition(name="email", operator=Operator.NOT_MATCHING, values=(r"@own\.com$",)),
            Condition(name="signup_plan", operator=Operator.NOT_IN, values=("trial",)),
            Condition(name="employees", operator=Operator.AT_LEAST, values=(50,)),
            Condition(name="role", operator=Operator.EXISTS, values=(True,)),
        ]
        return Project(
            timezone=dice.choice(ZONES),
            traits=Traits(fixed=("employees",)),
            population=tuple(dice.sample(filters, dice.choice([0, 0, 0, 1, 1, 2]))),
            signup_event=dice.choice([None, None, "connect"]),
        )

    # ------------------------------------------------------------ the tables

    def tables(self, definition: Definition, project: Project) -> dict[str, pl.DataFrame]:
        dice = self._dice
        many = 24
        accounts = [f"acc'{number}" for number in range(many // 3)]
        people = [f"u{number}" for number in range(many)]
        signups = {name: START + dice.randrange(30) * DAY // 2 for name in people}
        owner = {name: dice.choice([*accounts, None]) for name in people}
        named = self._names
        rows = []
        for name in people:
            for _ in range(dice.choice([0, 1, 4, 9])):
                at = signups[name] + dice.randrange(-2, 40) * DAY // 2 + dice.choice([0, 0, 0, 1, -1, DAY // 3])
                whose = owner[name] if dice.random() < 0.9 else dice.choice(accounts)
                rows.append(
                    {
                        "user_id": name if dice.random() < 0.95 else None,
                        "account_id": dice.choice([whose, None]),
                        "event": dice.choice([*EVENTS, "other"]),
                        "timestamp": at,
                        "amount": dice.choice(AMOUNTS),
                        "kind": dice.choice([None, *WORDS]),
                        "flag": dice.choice([None, True, False]),
                        "quota": dice.choice([None, 2.0, 5.0, 0.0]),
                    }
                )
        tables = {"events": frame(rows)}
        if self._has["users"]:
            tables["users"] = frame([self._person(name, signups[name], owner[name], named=named) for name in people])
        if self._has["accounts"]:
            tables["accounts"] = frame([self._firm(name) for name in accounts])
        if self._has["conversions"]:
            tables["conversions"] = frame(self._bought(people, accounts))
        for name in HISTORIES:
            if dice.random() < 0.4:
                tables[f"history.{name}"] = frame(self._history(name, people, accounts))
        return tables

    def _history(self, name: str, people: list[str], accounts: list[str]) -> list[dict[str, Any]]:
        """Rows of one trait, several at one moment among them, by users, by accounts or by both."""
        dice = self._dice
        keys = dice.choice([("user_id",), ("account_id",), ("user_id", "account_id")])
        values = ["free", "team", None] if name == "plan" else [1, 2, 3, None]
        return [
            {
                **{key: dice.choice(people if key == "user_id" else accounts) for key in keys},
                "valid_from": START + dice.randrange(-10, 60) * DAY // 2,
                name: dice.choice(values),
            }
            for _ in range(60)
        ]

    def _person(self, name: str, at: int, owner: str | None, *, named: bool) -> dict[str, Any]:
        dice = self._dice
        row: dict[str, Any] = {"user_id": name, "account_id": owner, "signed_up_at": dice.choice([at, at, at, None])}
        if not named:
            del row["account_id"]
        return row | {
            "email": dice.choice([None, "a@own.com", "b@x.com"]),
            "signup_plan": dice.choice([None, "free", "free", "trial", "paid"]),
            "role": dice.choice([None, "admin", "member"]),
            "seat_limit": dice.choice([None, 4.0, 8.0]),
            "plan": dice.choice(["free", "team"]),
            "tier": dice.choice([1, 2, 3]),
            "employees": dice.choice([None, 10.0, 100.0, 300.0]),
        }

    def _firm(self, name: str) -> dict[str, Any]:
        dice = self._dice
        return {
            "account_id": name,
            "signed_up_at": dice.choice([None, START + dice.randrange(20) * DAY]),
            "employees": dice.choice([None, 10.0, 100.0, 300.0]),
            "signup_plan": dice.choice([None, "free", "trial", "paid"]),
            "role": dice.choice([None, "admin"]),
            "plan": dice.choice(["free", "team"]),
            "tier": dice.choice([1, 2, 3]),
            "seat_limit": dice.choice([None, 4.0, 8.0]),
            "email": dice.choice([None, "a@own.com", "b@x.com"]),
        }

    def _bought(self, people: list[str], accounts: list[str]) -> list[dict[str, Any]]:
        dice = self._dice
        rows = []
        for _ in range(12):
            of_user = self._entity is EntityKind.USER
            at = START + dice.randrange(80) * DAY // 2
            rows.append(
                {
                    **({"user_id": dice.choice(people)} if of_user else {"account_id": dice.choice(accounts)}),
                    "converted_at": at,
                    "amount": dice.choice([1.0, 2.0, 30.0]),
                    "kind": dice.choice([None, "new", "expansion"]),
                    "from_plan": dice.choice([None, "free", "team"]),
                    "plan": dice.choice([None, "team", "pro"]),
                    "ended_at": dice.choice([None, None, at + dice.randrange(20) * DAY]),
                }
            )
        return rows


def _duration(days: int) -> Duration:
    return Duration(days, "d")
