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
    EVENT_ID,
    FROM_PLAN,
    KIND,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
    VALID_FROM,
)
from pqlkit.definitions.model import Condition, EntityKind, Operator
from pqlkit.durations import DAY
from pqlkit.exports.plausible_times import Y2K
from pqlkit.inert import visible
from pqlkit.warehouse import dialect as sql
from pqlkit.warehouse.predicates import both, number, passing, predicate, truth, uncovered
from pqlkit.warehouse.steps import column, identifier, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.definitions.model import Anchor, Outcome
    from pqlkit.options.warehouse import ColumnType, SqlDialect
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
    histories
        Which of the traits have a history.
    signup_event
        What starts the clock of users whom no table lists; None = their first event.
    known, users, pairs
        The steps of the events, the users, and the users with their accounts, without those whom the project leaves out.
    filtered
        Whether there are such.
    by_date
        Whether the conversions are known by their dates alone, and no life was made of them yet.
    """

    steps: Steps
    naming: Naming
    extent: Extent
    kind: EntityKind
    traits: Sequence[str] = ()
    properties: Properties = field(default_factory=Properties)
    histories: Sequence[str] = ()
    signup_event: str | None = None
    owned: str = "owned_events"
    known: str = "known_events"
    users: str = "users_listed"
    pairs: str = "pairs"
    filtered: bool = False
    by_date: bool = False

    @property
    def dialect(self) -> SqlDialect:
        """Whose SQL is written."""
        return self.naming.dialect

    @property
    def key(self) -> str:
        """The canonical column that names an entity."""
        return f"{self.kind.value}_id"

    def us(self, table: str, name: str, alias: str) -> exp.Expr:
        """Give the microseconds of a column of instants, or of the dates' first moments."""
        written = self.naming.column(table, name, alias)
        if self.naming.is_date(table, name):
            return sql.midnight(self.dialect, written, self.extent.zone)
        return sql.microseconds(self.dialect, written)

    def trait(self, name: str, alias: str = "n") -> exp.Column:
        """Give the column of a trait in the step of entities."""
        return column(f"trait_{sorted(self.traits).index(name) + 1}", alias)

    def has(self, table: str, name: str | None = None) -> bool:
        """Whether a table is there and of use, or a column of it; a time of deletion only where a column is named for it."""
        if not self.naming.has(table, name) or not self.naming.has(table):
            return False
        if name == DELETED_AT:
            return self.naming.maps(table, name) or table in self.naming.known
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
            times = [("events", TIMESTAMP, "e")]
            times += [("conversions", CONVERTED_AT, "c")] if self.has("conversions") else []
            each = [
                exp.select(exp.alias_(exp.Max(this=self.us(*time)), "at_us"))
                .from_(self.naming.table(time[0], time[2]))
                .where(exp.LTE(this=self.us(*time), expression=self._tomorrow()))
                for time in times
            ]
            newest = exp.union(*each, distinct=False, copy=False) if len(each) > 1 else each[0]
            query = exp.select(exp.alias_(exp.Max(this=column("at_us")), "as_of_us")).from_(newest.subquery("newest"))
            says = (
                "Everything is known up to the newest row; none is believed that lies more than a day ahead."
                " Times are microseconds since 1970 in UTC"
            )
        self.steps.add("parameters", says, query)

    def _tomorrow(self) -> exp.Expr:
        return exp.Add(this=sql.clock(self.dialect), expression=sql.whole(DAY))

    # ------------------------------------------------------------ who there is

    def entities(self, conditions: Sequence[Condition]) -> str:
        """Add the steps of users and accounts; give the one of the entities: ``entity_id``, ``signed_up_us``, ``deleted_us``, traits.

        `conditions` are the project's filter: users whom it leaves out are nobody, with what they did, and so are accounts that have
        no other user; accounts that it leaves out go with their users.
        """
        of_accounts = [item for item in conditions if self._filter_table(item.name) == "accounts"]
        of_users = [item for item in conditions if item not in of_accounts]
        if of_accounts and not self.has("accounts"):
            name = visible(of_accounts[0].name)
            raise uncovered("population", f"the trait {name} without a table of users or accounts")
        names = dict.fromkeys(item.name for item in conditions)
        tested = {name: f"filter_{place}" for place, name in enumerate(names, 1)}
        alone = self.kind is EntityKind.USER and not of_accounts
        paired = self.kind is EntityKind.ACCOUNT or bool(of_accounts) or self._by_pairs
        joined = paired or bool(self._traits_of("accounts"))
        self._users(of_users if alone else (), {item.name: tested[item.name] for item in of_users}, joined=joined)
        if joined and self.has("accounts"):
            self._accounts({item.name: tested[item.name] for item in of_accounts})
        if paired:
            self._pairs()
        if conditions and not alone:
            self._left_out(of_users, of_accounts, tested)
        entities = self._of_users() if self.kind is EntityKind.USER else self._of_accounts()
        return self._with_histories(entities)

    def _filter_table(self, name: str) -> str:
        """Name the table of a trait that the project's filter tests: the users', where they have it."""
        return self.naming.lists(name, "users", "accounts") or ("users" if self.has("users") else "accounts")

    def trait_table(self, name: str) -> str:
        """Name the table that a trait stands in: the one that is known to have it, else the entities' own."""
        own, other = ("users", "accounts") if self.kind is EntityKind.USER else ("accounts", "users")
        known = self.naming.lists(name, own, other)
        if known is not None or self.kind is EntityKind.USER:
            return known or own
        return own if self.has(own) else other

    def _traits_of(self, table: str) -> list[str]:
        """Give the traits without a history that stand in a table."""
        return [name for name in self.traits if name not in self.histories and self.trait_table(name) == table]

    @property
    def _by_pairs(self) -> bool:
        """Whether users have traits whose history is told of their accounts."""
        return self.kind is EntityKind.USER and any(not self.has(f"history.{name}", USER_ID) for name in self.histories)

    @property
    def _named_by_users(self) -> bool:
        """Whether the table of users says whose account a user belongs to."""
        return self.has("users") and self.has("users", ACCOUNT_ID)

    def _listed(self, table: str, key: str, keep: Mapping[str, str]) -> exp.Select:
        """Read users or accounts: one row each, the earliest signup first; who signed up after the end is not there yet.

        `keep` names further columns: what they are called by pqlkit -> what they are called in the step.
        """
        alias, nothing = "r", exp.cast(exp.null(), "bigint")
        times = [
            exp.alias_(self.us(table, name, alias) if self.has(table, name) else nothing.copy(), step)
            for name, step in ((SIGNED_UP_AT, "signed_up_us"), (DELETED_AT, "deleted_us"))
        ]
        ident = self.naming.column(table, key, alias)
        # A trait that is tested by the filter, too, is read twice: under both its names.
        pairs = [*((name, self.trait(name).name) for name in self._traits_of(table)), *keep.items()]
        raw = exp.select(
            exp.alias_(ident, ENTITY),
            *(exp.alias_(self.naming.column(table, name, alias), mark) for name, mark in pairs),
            *times,
        )
        raw = raw.from_(self.naming.table(table, alias))
        raw = raw.where(exp.Not(this=exp.Is(this=ident.copy(), expression=exp.null())))
        numbered = self.steps.plan(
            "SELECT r.*, ROW_NUMBER() OVER (PARTITION BY r.entity_id ORDER BY CASE WHEN r.signed_up_us IS NULL THEN 1 ELSE 0 END, r.signed_up_us)"
            " AS place FROM _rows AS r CROSS JOIN parameters AS p WHERE r.signed_up_us IS NULL OR r.signed_up_us <= p.as_of_us",
            rows=self.steps.add(f"all_{table}", f"Every row of {table}", raw),
        )
        columns = [ENTITY, *(mark for _, mark in pairs), "signed_up_us"]
        return (
            exp.select(
                *(column(name, "r") for name in columns),
                self.steps.expression("CASE WHEN r.deleted_us <= p.as_of_us THEN r.deleted_us END AS deleted_us"),
            )
            .from_(numbered.subquery("r"))
            .join("parameters", join_alias="p", join_type="cross")
            .where("r.place = 1")
        )

    def _users(self, conditions: Sequence[Condition], tested: Mapping[str, str], *, joined: bool) -> None:
        """Add the step of the users: those of the table, else of the events; `tested` traits under names of their own.

        `joined` = the query asks whose account is theirs.
        """
        if self.has("users"):
            whose = {ACCOUNT_ID: ACCOUNT_ID} if joined and self._named_by_users else {}
            query = self._listed("users", USER_ID, {**whose, **tested})
            says = "The users: one row each, the earliest signup"
        else:
            lacking = [*self._traits_of("users"), *tested]
            if lacking:
                raise uncovered(
                    f"trait {visible(lacking[0])}", "a trait without a table of users", "leave users out of --without"
                )
            query, says = self._users_of_events()
        tests = [self._tested(item, column(tested[item.name], "r")) for item in conditions]
        if tests:
            says = f"{says}; only those whom the project's filter keeps"
        self.steps.add("users_listed", says, passing(query, tests))

    def _users_of_events(self) -> tuple[exp.Select, str]:
        if not self.has("events", USER_ID):
            query = self.steps.plan(
                "SELECT CAST(NULL AS TEXT) AS entity_id, CAST(NULL AS BIGINT) AS signed_up_us, CAST(NULL AS BIGINT) AS deleted_us"
                " FROM parameters AS p WHERE p.as_of_us IS NULL"
            )
            return query, "Nobody: neither a table nor the events name users"
        first = "MIN(e.at_us)" if self.signup_event is None else "MIN(CASE WHEN e.event = _name THEN e.at_us END)"
        query = self.steps.plan(
            f"SELECT e.user_id AS entity_id, {first} AS signed_up_us, CAST(NULL AS BIGINT) AS deleted_us FROM known_events AS e"
            " WHERE NOT e.user_id IS NULL GROUP BY e.user_id",
            name=sql.text(self.signup_event or ""),
        )
        start = "event" if self.signup_event is None else visible(self.signup_event)
        return query, f"The users: whoever did something; the clock starts with the first {start}"

    def _accounts(self, tested: Mapping[str, str]) -> None:
        self.steps.add("accounts_listed", "The accounts: one row each", self._listed("accounts", ACCOUNT_ID, tested))

    def _pairs(self) -> None:
        """Add the step of users with their accounts: as the table of users says, else by the events that carry both."""
        if self._named_by_users:
            query = self.steps.plan(
                "SELECT u.entity_id AS user_id, u.account_id FROM users_listed AS u WHERE NOT u.account_id IS NULL"
            )
            says = "Whose account a user belongs to"
        elif self.has("events", ACCOUNT_ID) and self.has("events", USER_ID):
            query = self.steps.plan(
                "SELECT DISTINCT e.user_id, e.account_id FROM known_events AS e JOIN users_listed AS u ON u.entity_id = e.user_id"
                " WHERE NOT e.account_id IS NULL"
            )
            says = "Which users and accounts the events name together"
        else:
            query = self.steps.plan(
                "SELECT u.entity_id AS user_id, u.entity_id AS account_id FROM users_listed AS u WHERE u.entity_id IS NULL"
            )
            says = "Nothing says whose account a user belongs to"
        self.steps.add("pairs", says, query)

    def _left_out(
        self, of_users: Sequence[Condition], of_accounts: Sequence[Condition], tested: Mapping[str, str]
    ) -> None:
        """Add the steps of whom the project's filter leaves out, and take them out of users, pairs and events."""
        self.filtered = True
        plan = self.steps.plan
        accounts: list[exp.Select] = []
        if of_users:
            self._failing("users", of_users, tested, "The users whom the project's filter leaves out")
            accounts.append(
                plan(
                    "SELECT p.account_id AS entity_id FROM pairs AS p LEFT JOIN users_failing AS f ON f.entity_id = p.user_id"
                    " GROUP BY p.account_id HAVING COUNT(*) = COUNT(f.entity_id)"
                )
            )
        if of_accounts:
            self._failing("accounts", of_accounts, tested, "The accounts whom the project's filter leaves out")
            accounts.append(plan("SELECT f.entity_id FROM accounts_failing AS f"))
        out = exp.union(*accounts, distinct=False, copy=False) if len(accounts) > 1 else accounts[0]
        self.steps.add(
            "accounts_left_out",
            "Those, and the accounts that have no user who is kept"
            if of_accounts and of_users
            else "These"
            if of_accounts
            else "The accounts that have no other user",
            out,
        )
        users = [plan("SELECT f.entity_id FROM users_failing AS f")] if of_users else []
        if of_accounts:
            users.append(
                plan(
                    "SELECT p.user_id AS entity_id FROM pairs AS p JOIN accounts_left_out AS o ON o.entity_id = p.account_id"
                )
            )
        gone = exp.union(*users, distinct=True, copy=False) if len(users) > 1 else users[0].distinct()
        self.steps.add("users_left_out", "The users who go with what they did", gone)
        self.users = self._without("users_listed", "entity_id", "users", "users_kept", "The users who are kept")
        if self.has("events", USER_ID):
            self.known = self._without(
                "known_events", "user_id", "users", "kept_events", "What those did who are not left out"
            )
        self.pairs = self._without("pairs", "user_id", "users", "pairs_kept", "The pairs of those who are kept")

    def _failing(self, table_name: str, conditions: Sequence[Condition], tested: Mapping[str, str], says: str) -> None:
        passes = both([self._tested(item, column(tested[item.name], "u")) for item in conditions])
        query = self.steps.plan("SELECT u.entity_id FROM _listed AS u", listed=f"{table_name}_listed")
        self.steps.add(f"{table_name}_failing", says, query.where(exp.EQ(this=truth(passes), expression=sql.whole(0))))

    def _without(self, step: str, key: str, table_name: str, name: str, says: str) -> str:
        """Add a step that holds the rows of another but those of users or accounts who are left out."""
        query = self.steps.plan(
            "SELECT x.* FROM _step AS x LEFT JOIN _out AS o ON o.entity_id = x._key WHERE o.entity_id IS NULL",
            step=step, out=f"{table_name}_left_out", key=key,
        )  # fmt: skip
        return self.steps.add(name, says, query)

    def _tested(self, condition: Condition, value: exp.Column) -> exp.Expr:
        """Write a condition of the project's filter on the column of its trait."""
        kind = self.naming.type_of(self._filter_table(condition.name), condition.name)
        return predicate(self.dialect, condition, value, kind, "population")

    def _of_users(self) -> str:
        """Give the step of users as entities: a user has its account's trait where users have none of that name."""
        theirs = self._traits_of("accounts")
        if not theirs:
            return self.users
        if not self._named_by_users:
            nothing = exp.cast(exp.null(), exp.DataType.Type.TEXT)
            query = exp.select("u.*", *(exp.alias_(nothing.copy(), self.trait(name).name) for name in theirs))
            says = "The users; nothing says whose account is theirs"
            return self.steps.add("user_entities", says, query.from_(table(self.users, "u")))
        query = exp.select("u.*", *(column(self.trait(name).name, "a") for name in theirs))
        query = query.from_(table(self.users, "u")).join(
            table("accounts_listed", "a"), on="a.entity_id = u.account_id", join_type="left"
        )
        return self.steps.add("user_entities", "The users, with what is known of their accounts", query)

    def _of_accounts(self) -> str:
        """Add the steps of members and accounts; give the latter, with their own signup and traits, else their first user's."""
        single = self.steps.plan(
            "SELECT p.user_id, p.account_id, u.signed_up_us FROM _pairs AS p JOIN _users AS u ON u.entity_id = p.user_id",
            pairs=self.pairs, users=self.users,
        )  # fmt: skip
        says = "The users of each account"
        if not self._named_by_users:
            alone = self.steps.plan(
                "SELECT p.user_id, MIN(p.account_id) AS account_id FROM _pairs AS p GROUP BY p.user_id HAVING COUNT(*) = 1",
                pairs=self.pairs,
            )
            single.args["from_"].set("this", alone.subquery("p"))
            says = "The users of each account; a user of two accounts belongs to neither"
        self.steps.add("members", says, single)
        if not self.has("accounts"):
            listed = self.steps.plan(
                "SELECT p.account_id AS entity_id, CAST(NULL AS BIGINT) AS signed_up_us, CAST(NULL AS BIGINT) AS deleted_us"
                " FROM _pairs AS p GROUP BY p.account_id",
                pairs=self.pairs,
            )
            self.steps.add("accounts_listed", "The accounts: one row each", listed)
        return self._with_first_user()

    def _with_first_user(self) -> str:
        """Give accounts without a signup of their own their first user's, and the traits that only users have."""
        if not self.has("users") and self.has("events", ACCOUNT_ID):
            first = self.steps.plan(
                "SELECT e.account_id, MIN(e.at_us) AS signed_up_us, 1 AS place FROM _known AS e WHERE NOT e.account_id IS NULL"
                " GROUP BY e.account_id",
                known=self.known,
            )
        else:
            first = self.steps.plan(
                "SELECT p.account_id AS of_account, u.*, ROW_NUMBER() OVER (PARTITION BY p.account_id ORDER BY"
                " CASE WHEN u.signed_up_us IS NULL THEN 1 ELSE 0 END, u.signed_up_us, u.entity_id) AS place"
                " FROM _pairs AS p JOIN _users AS u ON u.entity_id = p.user_id",
                pairs=self.pairs, users=self.users,
            )  # fmt: skip
        key = "account_id" if not self.has("users") and self.has("events", ACCOUNT_ID) else "of_account"
        query = exp.select(
            column(ENTITY, "a"),
            self.steps.expression("COALESCE(a.signed_up_us, f.signed_up_us) AS signed_up_us"),
            column("deleted_us", "a"),
            *(column(self.trait(name).name, "a") for name in self._traits_of("accounts")),
            *(column(self.trait(name).name, "f") for name in self._traits_of("users")),
        )
        query = query.from_(table("accounts_listed", "a")).join(
            first.subquery("f"),
            on=self.steps.expression("f._key = a.entity_id AND f.place = 1", key=key),
            join_type="left",
        )
        if self.filtered:
            query = query.join(table("accounts_left_out", "x"), on="x.entity_id = a.entity_id", join_type="left").where(
                "x.entity_id IS NULL"
            )
        return self.steps.add("account_entities", "Accounts with their own signup, else their first user's", query)

    # ------------------------------------------------------------ histories

    def _with_histories(self, entities: str) -> str:
        """Add the steps of the histories, and give the entities what is true now: the newest row of each."""
        if not self.histories:
            return entities
        query = exp.select("n.*").from_(table(entities, "n"))
        for place, name in enumerate(self.histories, 1):
            alias = f"h{place}"
            query = query.select(exp.alias_(column("value", alias), self.trait(name).name))
            now = self.steps.expression(f"{alias}.entity_id = n.entity_id AND {alias}.until_us IS NULL")
            query = query.join(table(self._history(name, entities), alias), on=now, join_type="left")
        return self.steps.add("entities", f"The {self.kind.value}s, with what is true of them now", query)

    def _history(self, name: str, entities: str) -> str:
        """Add the step of a trait's history: ``entity_id``, ``value``, from ``from_us`` until before ``until_us`` (null = now)."""
        source = f"history.{name}"
        by_account = self.kind is EntityKind.ACCOUNT and self.has(source, ACCOUNT_ID)
        own = self.key if by_account or (self.kind is EntityKind.USER and self.has(source, USER_ID)) else None
        query = exp.select(column(ENTITY, "n"), exp.alias_(self.us(source, VALID_FROM, "h"), "from_us"))
        query = query.select(exp.alias_(exp.Max(this=self.naming.column(source, name, "h")), "value"))
        query = query.from_(self.naming.table(source, "h")).join("parameters", join_alias="p", join_type="cross")
        if own is None:
            other, step = (USER_ID, "members") if self.kind is EntityKind.ACCOUNT else (ACCOUNT_ID, self.pairs)
            named = exp.EQ(this=column(other, "m"), expression=self.naming.column(source, other, "h"))
            query = query.join(table(step, "m"), on=named)
        owner = column(self.key, "m") if own is None else self.naming.column(source, own, "h")
        query = query.join(table(entities, "n"), on=exp.EQ(this=column(ENTITY, "n"), expression=owner))
        query = query.where(exp.LTE(this=self.us(source, VALID_FROM, "h"), expression=column("as_of_us", "p")))
        query = query.group_by(column(ENTITY, "n"), self.us(source, VALID_FROM, "h"))
        spans = self.steps.plan(
            "SELECT h.entity_id, h.value, h.from_us, LEAD(h.from_us) OVER (PARTITION BY h.entity_id ORDER BY h.from_us) AS until_us"
            " FROM _rows AS h"
        )
        spans.args["from_"].set("this", query.subquery("h"))
        place = self.histories.index(name) + 1
        return self.steps.add(f"history_{place}", f"{visible(name)}: from when to when it was what", spans)

    def then(
        self, query: exp.Select, conditions: Sequence[Condition], at: exp.Expr, alias: str
    ) -> tuple[exp.Select, list[exp.Expr]]:
        """Join what histories said at a moment; give the query, and the conditions on these traits.

        Parameters
        ----------
        query
            Over spells called `alias`.
        conditions
            On traits with a history.
        at
            The moment.
        alias
            Whose ``entity_id`` is meant.
        """
        names = list(dict.fromkeys(item.name for item in conditions))
        for name in names:
            place = self.histories.index(name) + 1
            on = self.steps.expression(
                f"t{place}.entity_id = {alias}.entity_id AND t{place}.from_us <= _at AND (t{place}.until_us IS NULL OR _at < t{place}.until_us)",
                at=at,
            )
            query = query.join(table(f"history_{place}", f"t{place}"), on=on, join_type="left")
        tests = [
            predicate(
                self.dialect,
                item,
                column("value", f"t{self.histories.index(item.name) + 1}"),
                self.trait_type(item.name),
                "eligible",
            )
            for item in conditions
        ]
        return query, tests

    def trait_type(self, name: str) -> ColumnType | None:
        """Say what a trait holds, where that is known."""
        return self.naming.type_of(f"history.{name}" if name in self.histories else self.trait_table(name), name)

    # ------------------------------------------------------------ events

    def reserve_events(self) -> None:
        """Put the steps of the events in their place; `events` writes them once it is known which properties are read."""
        if self._delivered_again:
            self.steps.add("deliveries", "", exp.select("1"))
        self.steps.add("known_events", "", exp.select("1"))

    @property
    def _delivered_again(self) -> bool:
        """Whether events have an id of their own, so that one that was delivered twice counts once."""
        return self.naming.lists(EVENT_ID, "events") is not None

    def events(self) -> None:
        """Write the step of the events that exist."""
        names = {"event": EVENT, **({"user_id": USER_ID} if self.has("events", USER_ID) else {})}
        if "pairs" in self.steps and self.has("events", ACCOUNT_ID):
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
                        number(
                            self.dialect, self.naming.column("events", name, "e"), self.naming.type_of("events", name)
                        ),
                        alias,
                    )
                    for name, alias in self.properties.numbers.items()
                ),
            )
            .from_(self.naming.table("events", "e"))
            .join("parameters", join_alias="p", join_type="cross")
        )
        query = query.where(exp.LTE(this=self.us("events", TIMESTAMP, "e"), expression=column("as_of_us", "p")))
        query = query.where(exp.GTE(this=self.us("events", TIMESTAMP, "e"), expression=sql.whole(Y2K)))
        if not self._delivered_again:
            self.steps.fill("known_events", "The events up to then", query)
            return
        ident, event = self.naming.column("events", EVENT_ID, "e"), self.naming.column("events", EVENT, "e")
        order = exp.Order(expressions=[self.us("events", TIMESTAMP, "e")])
        place = exp.Window(this=exp.RowNumber(), partition_by=[ident, event], order=order)
        query = query.select(
            exp.alias_(truth(exp.Is(this=ident.copy(), expression=exp.null())), "is_nameless"),
            exp.alias_(place, "delivery"),
        )
        self.steps.fill("deliveries", "The events up to then, as often as they were delivered", query)
        once = self.steps.plan("SELECT d.* FROM deliveries AS d WHERE d.delivery = 1 OR d.is_nameless = 1")
        self.steps.fill("known_events", "Each event once", once)

    def ownership(self, entities: str) -> None:
        """Add the step of events with their entities: an event is its own account's, else that of its user."""
        if self.kind is EntityKind.USER:
            query = self.steps.plan(
                "SELECT n.entity_id, e.* FROM _known AS e JOIN _entities AS n ON n.entity_id = e.user_id",
                known=self.known,
                entities=entities,
            )
            says = "The events of each user"
        elif self.has("events", ACCOUNT_ID):
            member = "LEFT JOIN members AS m ON e.account_id IS NULL AND m.user_id = e.user_id"
            template = (
                f"SELECT n.entity_id, e.* FROM _known AS e {member} JOIN _entities AS n ON n.entity_id = COALESCE(e.account_id, m.account_id)"
                if self.has("events", USER_ID)
                else "SELECT n.entity_id, e.* FROM _known AS e JOIN _entities AS n ON n.entity_id = e.account_id"
            )
            query = self.steps.plan(template, known=self.known, entities=entities)
            says = "The events of each account: those that name it, and those of its users that name none"
        else:
            query = self.steps.plan(
                "SELECT n.entity_id, e.* FROM _known AS e JOIN members AS m ON m.user_id = e.user_id"
                " JOIN _entities AS n ON n.entity_id = m.account_id",
                known=self.known,
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
            gone = exp.EQ(this=column(ENTITY, "o"), expression=self.naming.column("conversions", USER_ID, "c"))
            query = query.join(table("users_left_out", "o"), on=gone, join_type="left").where("o.entity_id IS NULL")
        query = query.group_by(column(ENTITY, "n"))
        return self.steps.add("first_conversions", "The first conversion of each that counts", query)

    def _passes(self, outcome: Outcome) -> list[exp.Expr]:
        asked = list(outcome.where)
        if outcome.kind is not None:
            asked.append(Condition(name=KIND, operator=Operator.EQUALS, values=(outcome.kind,)))
        for name, plans in ((FROM_PLAN, outcome.from_plan), (PLAN, outcome.to_plan)):
            if plans is not None:
                asked.append(Condition(name=name, operator=Operator.IN, values=plans))
        return [
            predicate(
                self.dialect,
                item,
                self.naming.column("conversions", item.name, "c"),
                self.naming.type_of("conversions", item.name),
                "outcome",
            )
            for item in asked
        ]

    def where(self, conditions: Sequence[Condition], place: str, table: str = "e") -> list[exp.Expr]:
        """Write conditions on properties of the events."""
        return [
            predicate(
                self.dialect,
                item,
                self.properties.column(item.name, table),
                self.naming.type_of("events", item.name),
                place,
            )
            for item in conditions
        ]

    def eligible(self, conditions: Sequence[Condition]) -> list[exp.Expr]:
        """Write conditions on traits of the entities."""
        return [
            predicate(self.dialect, item, self.trait(item.name), self.trait_type(item.name), "eligible")
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
            if self.by_date:
                conversions, self.by_date = self._not_before_signup(clocks, conversions), False
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

    def _not_before_signup(self, clocks: str, conversions: str) -> str:
        """Keep conversions that are only known by their date from coming before a clock that starts on the same date."""
        moments = [column("converted_us", "f"), column("anchor_us", "n")]
        dates = [sql.date(self.dialect, moment, self.extent.zone) for moment in moments]
        later = self.steps.expression("n.anchor_us > f.converted_us")
        moved = exp.case().when(both([later, exp.EQ(this=dates[0], expression=dates[1])]), column("anchor_us", "n"))
        query = exp.select(column(ENTITY, "f"), exp.alias_(moved.else_(column("converted_us", "f")), "converted_us"))
        query = query.from_(table(conversions, "f")).join(table(clocks, "n"), on="n.entity_id = f.entity_id")
        return self.steps.add("conversions_by_date", "A conversion of the day of the start is not before it", query)

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
            "SELECT m.user_id AS entity_id, e.* FROM _known AS e JOIN members AS m ON m.user_id = e.user_id",
            known=self.known,
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
