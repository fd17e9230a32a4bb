"""The life: whom the tables know, whose an event is, when each clock starts and when each life ends, as steps of the query."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from pqlkit.columns import (
    ACCOUNT_ID,
    CONVERTED_AT,
    DELETED_AT,
    EVENT,
    FROM_PLAN,
    KIND,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
)
from pqlkit.definitions.model import Condition, EntityKind, Operator
from pqlkit.inert import visible
from pqlkit.warehouse import dialect as sql
from pqlkit.warehouse.predicates import both, number, passing, predicate, uncovered
from pqlkit.warehouse.steps import column, identifier, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.definitions.model import Anchor, Outcome
    from pqlkit.options.warehouse import SqlDialect
    from pqlkit.warehouse.naming import Naming
    from pqlkit.warehouse.steps import Steps

ENTITY: Final = "entity_id"
"""The column that names an entity in every step."""

_OWN: Final = frozenset({ENTITY, "at_us", EVENT, USER_ID, ACCOUNT_ID, "value", "step"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far the data goes.

    Parameters
    ----------
    zone
        Where calendar dates lie.
    as_of
        The last microsecond that exists; None = that of the newest row.
    since
        Who qualified later is new: microseconds, or a text that stands for an instant.
    before
        As `since`, counted back from `as_of`.
    """

    zone: str = "UTC"
    as_of: int | None = None
    since: int | str = "{{since}}"
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """The steps of lives.

    Parameters
    ----------
    entities, conversions
        What they are made of: who there is, and who converted first when (None = nobody does).
    everybody
        Everybody, with ``anchor_us`` (null = no clock has started), ``converted_us`` and ``end_us``.
    begun
        Of these whose clock has started.
    """

    entities: str
    conversions: str | None
    everybody: str
    begun: str


class Properties:
    """The properties of events and what they are called in the steps."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._numbers: list[str] = []

    def column(self, name: str, table: str = "e") -> exp.Column:
        """Give the column of a property; it is read from now on."""
        if name not in self._names:
            plain = identifier(name).quoted is False and name not in {*_OWN, *self._names.values()}
            self._names[name] = name if plain else f"property_{len(self._names) + 1}"
        return column(self._names[name], table)

    def number(self, name: str, table: str = "e") -> exp.Column:
        """Give the column of a property as a number."""
        own = self.column(name).name
        if name not in self._numbers:
            self._numbers.append(name)
        return column(f"{own}_as_number", table)

    @property
    def read(self) -> Mapping[str, str]:
        """Property -> its column."""
        return self._names

    @property
    def numbers(self) -> Mapping[str, str]:
        """Property -> its column as a number."""
        return {name: f"{self._names[name]}_as_number" for name in self._numbers}


@dataclass(slots=True, kw_only=True)
class Tables:
    """The steps that read the warehouse's tables.

    Parameters
    ----------
    steps, naming, extent
        Where they are put, what is called how, and how far the data goes.
    kind
        What an entity is.
    properties
        Of the events: what was asked for when `events` is written.
    traits
        Whose columns the entities keep.
    owned
        The step of the events with their entities.
    filtered
        Whether the project leaves out users, and with them their events and the accounts that have no other user.
    """

    steps: Steps
    naming: Naming
    extent: Extent
    kind: EntityKind
    traits: Sequence[str] = ()
    properties: Properties = field(default_factory=Properties)
    owned: str = "owned_events"
    filtered: bool = False

    @property
    def dialect(self) -> SqlDialect:
        """Whose SQL is written."""
        return self.naming.dialect

    @property
    def key(self) -> str:
        """The canonical column that names an entity."""
        return f"{self.kind.value}_id"

    def us(self, table: str, name: str, alias: str) -> exp.Expr:
        """Give the microseconds of a column of instants."""
        return sql.microseconds(self.dialect, self.naming.column(table, name, alias))

    def trait(self, name: str, alias: str = "n") -> exp.Column:
        """Give the column of a trait in the step of entities."""
        return column(f"trait_{sorted(self.traits).index(name) + 1}", alias)

    def has(self, table: str, name: str | None = None) -> bool:
        """Whether a table is there and of use, or a column of it; a time of deletion only where a column is named for it."""
        if not self.naming.has(table, name) or not self.naming.has(table):
            return False
        if name == DELETED_AT:
            return self.naming.maps(table, name)
        return True

    # ------------------------------------------------------------ parameters

    def parameters(self) -> None:
        """Add the step of what holds for the whole query."""
        extent = self.extent
        if extent.as_of is not None:
            as_of: exp.Expr = sql.whole(extent.as_of)
            query = self.steps.plan("SELECT _as_of AS as_of_us", as_of=as_of)
            says = "The last microsecond that counts. Times are microseconds since 1970 in UTC"
        else:
            newest = self.steps.plan(
                "SELECT MAX(_at) AS at_us FROM _events", at=self.us("events", TIMESTAMP, "e")
            ).from_(self.naming.table("events", "e"))
            if self.has("conversions"):
                bought = exp.select(exp.alias_(exp.Max(this=self.us("conversions", CONVERTED_AT, "c")), "at_us"))
                newest = exp.union(
                    newest, bought.from_(self.naming.table("conversions", "c")), distinct=False, copy=False
                )  # type: ignore[assignment]
            query = exp.select(exp.alias_(exp.Max(this=column("at_us")), "as_of_us")).from_(newest.subquery("newest"))
            says = "Everything is known up to the newest row. Times are microseconds since 1970 in UTC"
        self.steps.add("parameters", says, query)

    # ------------------------------------------------------------ who there is

    def left_out(self, conditions: Sequence[Condition]) -> None:
        """Add the steps of the users whom the project's filter leaves out, before those of the events that go with them.

        Of the users as entities the filter is a condition of theirs (`entities`).
        """
        if self.kind is EntityKind.USER or not conditions:
            return
        self.filtered = True
        marks = {
            name: f"filter_{place}" for place, name in enumerate(dict.fromkeys(item.name for item in conditions), 1)
        }
        keep = {ACCOUNT_ID: ACCOUNT_ID, **{mark: name for name, mark in marks.items()}}
        everyone = self._listed("users", USER_ID, self._traits_of("users"), keep)
        self.steps.add("users_everyone", "Everyone among the users: one row each, the earliest signup", everyone)
        columns = {name: column(mark, "u") for name, mark in marks.items()}
        listed = passing(exp.select("u.*").from_(table("users_everyone", "u")), self._filter(conditions, columns))
        self.steps.add("users_listed", "The users whom the project's filter keeps", listed)
        out = self.steps.plan(
            "SELECT u.entity_id FROM users_everyone AS u LEFT JOIN users_listed AS k ON k.entity_id = u.entity_id WHERE k.entity_id IS NULL"
        )
        self.steps.add("users_left_out", "The users whom it leaves out, with what they did", out)
        emptied = self.steps.plan(
            "SELECT u.account_id FROM users_everyone AS u LEFT JOIN users_listed AS k ON k.entity_id = u.entity_id"
            " WHERE NOT u.account_id IS NULL GROUP BY u.account_id HAVING COUNT(k.entity_id) = 0"
        )
        self.steps.add("accounts_left_out", "The accounts that have no other user", emptied)

    def _filter(self, conditions: Sequence[Condition], columns: Mapping[str, exp.Column]) -> list[exp.Expr]:
        """Write the project's filter of users on the columns of their traits."""
        types = self.naming.types
        return [
            predicate(self.dialect, item, columns[item.name], types.get(item.name), "population") for item in conditions
        ]

    def _without_users_left_out(self, query: exp.Select, user: exp.Expr) -> exp.Select:
        """Keep the rows of users who are not left out, and those of no user."""
        on = exp.EQ(this=column(ENTITY, "o"), expression=user)
        return query.join(table("users_left_out", "o"), on=on, join_type="left").where("o.entity_id IS NULL")

    def entities(self, conditions: Sequence[Condition]) -> str:
        """Add the steps of users and accounts; give the one of the entities: ``entity_id``, ``signed_up_us``, ``deleted_us``, traits."""
        if self.kind is EntityKind.USER:
            return self._users(conditions, self.traits, keep={})
        return self._accounts()

    def _traits_of(self, table: str) -> list[str]:
        """Give the traits of accounts that stand in a table."""
        return [name for name in self.traits if self.trait_table(name) == table]

    def _listed(self, table: str, key: str, traits: Sequence[str], keep: Mapping[str, str]) -> exp.Select:
        """Read users or accounts: one row each, the earliest signup first; who signed up after the end is not there yet.

        `keep` names further columns: what they are called in the step -> what they are called by pqlkit.
        """
        alias = "r"
        signed_up = (
            self.us(table, SIGNED_UP_AT, alias) if self.has(table, SIGNED_UP_AT) else exp.cast(exp.null(), "bigint")
        )
        deleted = self.us(table, DELETED_AT, alias) if self.has(table, DELETED_AT) else exp.cast(exp.null(), "bigint")
        ident = self.naming.column(table, key, alias)
        raw = (
            exp.select(
                exp.alias_(ident, ENTITY),
                *(exp.alias_(self.naming.column(table, name, alias), mark) for mark, name in keep.items()),
                exp.alias_(signed_up, "signed_up_us"),
                exp.alias_(deleted, "deleted_us"),
                *(exp.alias_(self.naming.column(table, name, alias), self.trait(name).name) for name in traits),
            )
            .from_(self.naming.table(table, alias))
            .where(exp.Not(this=exp.Is(this=ident.copy(), expression=exp.null())))
        )
        numbered = self.steps.plan(
            "SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.entity_id ORDER BY CASE WHEN r.signed_up_us IS NULL THEN 1 ELSE 0 END, r.signed_up_us)"
            " AS place FROM _rows AS r CROSS JOIN parameters AS p WHERE r.signed_up_us IS NULL OR r.signed_up_us <= p.as_of_us",
            rows=self.steps.add(f"all_{table}", f"Every row of {table}", raw),
        )
        columns = [ENTITY, *keep, "signed_up_us", *(self.trait(name).name for name in traits)]
        return (
            exp.select(
                *(column(name, "r") for name in columns),
                self.steps.expression("CASE WHEN r.deleted_us <= p.as_of_us THEN r.deleted_us END AS deleted_us"),
            )
            .from_(numbered.subquery("r"))
            .join("parameters", join_alias="p", join_type="cross")
            .where("r.place = 1")
        )

    def _users(self, conditions: Sequence[Condition], traits: Sequence[str], keep: Mapping[str, str]) -> str:
        if self.has("users"):
            query = self._listed("users", USER_ID, traits, keep)
            says = "The users: one row each, the earliest signup"
        else:
            if traits:
                raise uncovered(
                    f"trait {visible(traits[0])}", "a trait without a table of users", "leave users out of --without"
                )
            query = self.steps.plan(
                "SELECT e.user_id AS entity_id, MIN(e.at_us) AS signed_up_us, CAST(NULL AS BIGINT) AS deleted_us FROM known_events AS e"
                " WHERE NOT e.user_id IS NULL GROUP BY e.user_id"
            )
            says = "The users: whoever did something; the clock starts with the first event"
        columns = {item.name: self.trait(item.name, "r") for item in conditions}
        return self.steps.add("users_listed", says, passing(query, self._filter(conditions, columns)))

    def _accounts(self) -> str:
        has_accounts, has_users = self.has("accounts"), self.has("users")
        of_accounts, of_users = self._traits_of("accounts"), self._traits_of("users")
        members = self.has("users", ACCOUNT_ID) and has_users
        if has_users and not self.filtered:
            self._users((), of_users, keep={ACCOUNT_ID: ACCOUNT_ID} if members else {})
        if members:
            query = self.steps.plan(
                "SELECT u.entity_id AS user_id, u.account_id, u.signed_up_us FROM users_listed AS u WHERE NOT u.account_id IS NULL"
            )
            says = "Whose account a user belongs to"
        else:
            query = self.steps.plan(
                "SELECT e.user_id, MIN(e.account_id) AS account_id, _signed_up AS signed_up_us FROM known_events AS e"
                " WHERE NOT e.user_id IS NULL AND NOT e.account_id IS NULL GROUP BY e.user_id HAVING COUNT(DISTINCT e.account_id) = 1",
                signed_up=self.steps.expression("CAST(NULL AS BIGINT)"),
            )
            says = "Whose account a user belongs to, by the events that carry both; a user of two accounts belongs to neither"
        self.steps.add("members", says, query)
        if has_accounts:
            listed = self._listed("accounts", ACCOUNT_ID, of_accounts, {})
        else:
            listed = self.steps.plan(
                "SELECT m.account_id AS entity_id, CAST(NULL AS BIGINT) AS signed_up_us, CAST(NULL AS BIGINT) AS deleted_us"
                " FROM members AS m GROUP BY m.account_id"
            )
        self.steps.add("accounts_listed", "The accounts: one row each", listed)
        return self._with_first_user(of_accounts, of_users, members=members)

    def _with_first_user(self, of_accounts: Sequence[str], of_users: Sequence[str], *, members: bool) -> str:
        """Give accounts without a signup of their own their first user's, and the traits that only users have."""
        if self.has("users") and members:
            first = self.steps.plan(
                "SELECT u.*, ROW_NUMBER() OVER (PARTITION BY u.account_id ORDER BY CASE WHEN u.signed_up_us IS NULL THEN 1 ELSE 0 END,"
                " u.signed_up_us, u.entity_id) AS place FROM users_listed AS u WHERE NOT u.account_id IS NULL"
            )
            key = "account_id"
        else:
            first = self.steps.plan(
                "SELECT e.account_id, MIN(e.at_us) AS signed_up_us, 1 AS place FROM known_events AS e WHERE NOT e.account_id IS NULL"
                " GROUP BY e.account_id"
            )
            key = "account_id"
        query = exp.select(
            column(ENTITY, "a"),
            self.steps.expression("COALESCE(a.signed_up_us, f.signed_up_us) AS signed_up_us"),
            column("deleted_us", "a"),
            *(column(self.trait(name).name, "a") for name in of_accounts),
            *(column(self.trait(name).name, "f") for name in of_users),
        )
        query = query.from_(table("accounts_listed", "a")).join(
            first.subquery("f"),
            on=self.steps.expression("f._key = a.entity_id AND f.place = 1", key=key),
            join_type="left",
        )
        if self.filtered:
            gone = self.steps.expression("x.account_id = a.entity_id")
            query = query.join(table("accounts_left_out", "x"), on=gone, join_type="left").where("x.account_id IS NULL")
        return self.steps.add("account_entities", "Accounts with their own signup, else their first user's", query)

    def trait_table(self, name: str) -> str:
        """Name the table that a trait stands in: the one whose column is named for it, else the entities' own."""
        if self.kind is EntityKind.USER:
            return "users"
        named = next((table for table in ("accounts", "users") if self.naming.maps(table, name)), None)
        return named or ("accounts" if self.has("accounts") else "users")

    # ------------------------------------------------------------ events

    def reserve_events(self) -> None:
        """Put the steps of the events in their place; `events` writes them once it is known which properties are read."""
        self.steps.add("known_events", "", exp.select("1"))

    def events(self) -> None:
        """Write the step of the events that exist."""
        names = {"event": EVENT, **({"user_id": USER_ID} if self.has("events", USER_ID) else {})}
        if self.kind is EntityKind.ACCOUNT and self.has("events", ACCOUNT_ID):
            names["account_id"] = ACCOUNT_ID
        query = (
            exp.select(
                exp.alias_(self.us("events", TIMESTAMP, "e"), "at_us"),
                *(exp.alias_(self.naming.column("events", name, "e"), alias) for alias, name in names.items()),
                *(
                    exp.alias_(self.naming.column("events", name, "e"), alias)
                    for name, alias in self.properties.read.items()
                ),
                *(
                    exp.alias_(
                        number(self.dialect, self.naming.column("events", name, "e"), self.naming.types.get(name)),
                        alias,
                    )
                    for name, alias in self.properties.numbers.items()
                ),
            )
            .from_(self.naming.table("events", "e"))
            .join("parameters", join_alias="p", join_type="cross")
        )
        query = query.where(exp.LTE(this=self.us("events", TIMESTAMP, "e"), expression=column("as_of_us", "p")))
        if self.filtered and self.has("events", USER_ID):
            query = self._without_users_left_out(query, self.naming.column("events", USER_ID, "e"))
        self.steps.fill("known_events", "The events up to then", query)

    def ownership(self, entities: str) -> None:
        """Add the step of events with their entities: an event is its own account's, else that of its user."""
        if self.kind is EntityKind.USER:
            query = self.steps.plan(
                "SELECT n.entity_id, e.* FROM known_events AS e JOIN _entities AS n ON n.entity_id = e.user_id",
                entities=entities,
            )
            says = "The events of each user"
        elif self.has("events", ACCOUNT_ID):
            member = "LEFT JOIN members AS m ON e.account_id IS NULL AND m.user_id = e.user_id"
            template = (
                f"SELECT n.entity_id, e.* FROM known_events AS e {member} JOIN _entities AS n ON n.entity_id = COALESCE(e.account_id, m.account_id)"
                if self.has("events", USER_ID)
                else "SELECT n.entity_id, e.* FROM known_events AS e JOIN _entities AS n ON n.entity_id = e.account_id"
            )
            query = self.steps.plan(template, entities=entities)
            says = "The events of each account: those that name it, and those of its users that name none"
        else:
            query = self.steps.plan(
                "SELECT n.entity_id, e.* FROM known_events AS e JOIN members AS m ON m.user_id = e.user_id"
                " JOIN _entities AS n ON n.entity_id = m.account_id",
                entities=entities,
            )
            says = "The events of each account: those of its users"
        self.steps.add(self.owned, says, query)

    # ------------------------------------------------------------ clocks and ends

    def conversions(self, outcome: Outcome, entities: str) -> str | None:
        """Add the step of each entity's first conversion: ``entity_id``, ``converted_us``; None where there is none to have."""
        if outcome.after is not None:
            return None
        if outcome.event is not None:
            test = self.where(outcome.where, "outcome")
            query = self.steps.plan(
                "SELECT e.entity_id, MIN(e.at_us) AS converted_us FROM _owned AS e WHERE e.event = _event GROUP BY e.entity_id",
                owned=self.owned,
                event=sql.text(outcome.event),
            )
            return self.steps.add(
                "first_conversions", "The first conversion: the event that is the outcome", query.where(*test)
            )
        if not self.has("conversions"):
            return None
        return self._bought(outcome, entities)

    def _bought(self, outcome: Outcome, entities: str) -> str:
        at = self.us("conversions", CONVERTED_AT, "c")
        own = self.naming.column("conversions", self.key, "c") if self.has("conversions", self.key) else None
        query = exp.select(column(ENTITY, "n"), exp.alias_(exp.Min(this=at), "converted_us"))
        query = query.from_(self.naming.table("conversions", "c")).join("parameters", join_alias="p", join_type="cross")
        owner: exp.Expr | None = own
        if self.kind is EntityKind.ACCOUNT and self.has("conversions", USER_ID):
            user = self.naming.column("conversions", USER_ID, "c")
            on: list[exp.Expr] = [exp.EQ(this=column(USER_ID, "m"), expression=user)]
            if own is not None:
                on.append(exp.Is(this=own.copy(), expression=exp.null()))
            query = query.join(table("members", "m"), on=both(on), join_type="left")
            member = column(ACCOUNT_ID, "m")
            owner = member if own is None else exp.Coalesce(this=own.copy(), expressions=[member])
        if owner is None:
            raise uncovered(
                "conversions", f"a table that names no {self.kind.value}", "take one of its ids out of --without"
            )
        query = query.join(table(entities, "n"), on=exp.EQ(this=column(ENTITY, "n"), expression=owner)).where(
            exp.LTE(this=at.copy(), expression=column("as_of_us", "p"))
        )
        for test in self._passes(outcome):
            query = query.where(test)
        if self.filtered and self.has("conversions", USER_ID):
            query = self._without_users_left_out(query, self.naming.column("conversions", USER_ID, "c"))
        query = query.group_by(column(ENTITY, "n"))
        return self.steps.add("first_conversions", "The first conversion of each that counts", query)

    def _passes(self, outcome: Outcome) -> list[exp.Expr]:
        asked = list(outcome.where)
        if outcome.kind is not None:
            asked.append(Condition(name=KIND, operator=Operator.EQUALS, values=(outcome.kind,)))
        for name, plans in ((FROM_PLAN, outcome.from_plan), (PLAN, outcome.to_plan)):
            if plans is not None:
                asked.append(Condition(name=name, operator=Operator.IN, values=plans))
        types = self.naming.types
        return [
            predicate(
                self.dialect, item, self.naming.column("conversions", item.name, "c"), types.get(item.name), "outcome"
            )
            for item in asked
        ]

    def where(self, conditions: Sequence[Condition], place: str, table: str = "e") -> list[exp.Expr]:
        """Write conditions on properties of the events."""
        return [
            predicate(
                self.dialect, item, self.properties.column(item.name, table), self.naming.types.get(item.name), place
            )
            for item in conditions
        ]

    def eligible(self, conditions: Sequence[Condition]) -> list[exp.Expr]:
        """Write conditions on traits of the entities."""
        return [
            predicate(self.dialect, item, self.trait(item.name), self.naming.types.get(item.name), "eligible")
            for item in conditions
        ]

    def _anchored(self, entities: str, clock: Anchor, conditions: Sequence[Condition], prefix: str) -> str:
        """Add the step that starts each clock: ``anchor_us``."""
        query = exp.select("n.*").from_(table(entities, "n"))
        if clock.kind == "signup":
            start, says = column("signed_up_us", "n"), "Each clock starts with the signup"
        else:
            first = self.steps.plan(
                "SELECT e.entity_id, MIN(e.at_us) AS first_us FROM _owned AS e GROUP BY e.entity_id", owned=self.owned
            )
            if clock.event is not None:
                first = first.where(exp.EQ(this=column(EVENT, "e"), expression=sql.text(clock.event)))
            query = query.join(first.subquery("f"), on="f.entity_id = n.entity_id", join_type="left")
            start = column("first_us", "f")
            says = f"Each clock starts with the first {'event' if clock.event is None else visible(clock.event)}"
        if conditions:
            begun: exp.Expr = exp.case().when(both(self.eligible(conditions)), start)
            return self.steps.add(
                f"{prefix}clocks", f"{says}, of who is eligible", query.select(exp.alias_(begun, "anchor_us"))
            )
        return self.steps.add(f"{prefix}clocks", says, query.select(exp.alias_(start, "anchor_us")))

    def lives(
        self,
        entities: str,
        clock: Anchor,
        conversions: str | None,
        conditions: Sequence[Condition] = (),
        prefix: str = "",
    ) -> Lives:
        """Add the steps of the lives: from ``anchor_us`` to ``end_us``, the last microsecond before ``converted_us``.

        Parameters
        ----------
        entities, conversions
            The steps of the entities and of their first conversions; None = nobody converts.
        clock
            What starts a life.
        conditions
            On traits: for whom they do not hold none starts.
        prefix
            Before the steps' names.
        """
        clocks = self._anchored(entities, clock, conditions, prefix)
        if conversions is None:
            query = self.steps.plan(
                "SELECT n.*, CAST(NULL AS BIGINT) AS converted_us, p.as_of_us AS end_us FROM _clocks AS n CROSS JOIN parameters AS p",
                clocks=clocks,
            )
        else:
            query = self.steps.plan(
                "SELECT n.*, f.converted_us, CASE WHEN NOT f.converted_us IS NULL THEN f.converted_us - 1 ELSE p.as_of_us END AS end_us"
                " FROM _clocks AS n CROSS JOIN parameters AS p LEFT JOIN _conversions AS f ON f.entity_id = n.entity_id",
                clocks=clocks,
                conversions=conversions,
            )
        everybody = self.steps.add(f"{prefix}everybody", "Only what came before the conversion counts", query)
        alive = self.steps.plan("SELECT n.* FROM _who AS n WHERE NOT n.anchor_us IS NULL", who=everybody)
        begun = self.steps.add(f"{prefix}lives", f"The {self.kind.value}s whose clock has started", alive)
        return Lives(entities=entities, conversions=conversions, everybody=everybody, begun=begun)

    def of_members(self, accounts: Lives, prefix: str) -> tuple[Tables, str, str]:
        """Give the tables of accounts' users, and the steps of the users and of their conversions: their account's.

        Parameters
        ----------
        accounts
            The accounts.
        prefix
            Before the steps' names.
        """
        query = self.steps.plan(
            "SELECT m.user_id AS entity_id, e.* FROM known_events AS e JOIN members AS m ON m.user_id = e.user_id"
        )
        owned = self.steps.add(f"{prefix}events_of_users", "The events of each user, whatever account they name", query)
        listed = self.steps.plan(
            "SELECT m.user_id AS entity_id, m.account_id, m.signed_up_us FROM members AS m"
            " JOIN _everybody AS n ON n.entity_id = m.account_id",
            everybody=accounts.everybody,
        )
        users = self.steps.add(f"{prefix}users", "The users of each account", listed)
        bought = self.steps.plan(
            "SELECT u.entity_id, n.converted_us FROM _users AS u JOIN _everybody AS n ON n.entity_id = u.account_id",
            users=users,
            everybody=accounts.everybody,
        )
        conversions = self.steps.add(f"{prefix}conversions", "A user lives as long as the account", bought)
        return replace(self, kind=EntityKind.USER, owned=owned, traits=()), users, conversions
