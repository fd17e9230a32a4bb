"""The project file's form: ``pqlkit.yml`` exactly as written, one class per mapping.

`project` reads files with these classes, and the JSON Schema is derived from them.
"""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from pqlkit.definitions.codes import INVALID_VALUE, WRONG_TYPE
from pqlkit.definitions.form import ProjectOutcomeForm, TraitForm
from pqlkit.definitions.shape import Choice, Form, Tag, made
from pqlkit.definitions.values import (
    FORMAT,
    Blank,
    Check,
    Null,
    Text,
    Truth,
    check_format,
    fault,
    one_of,
    shown,
)
from pqlkit.errors import DataError, UsageError
from pqlkit.exports.days_off import DaysOff
from pqlkit.exports.mapping import Match, Spelling, Unit
from pqlkit.exports.preset import preset_names
from pqlkit.exports.sources.address import check_address
from pqlkit.exports.text_stream import ENCODINGS
from pqlkit.exports.time_formats import FORMATS
from pqlkit.exports.zones import moment, zone_of
from pqlkit.options.commands import RECORDS, command_options
from pqlkit.options.option import Option

_WRITTEN: Final[dict[type[Any], Any]] = {
    bool: bool,
    int: int,
    float: float,
    str: str | float,
    Path: str | float,
}
"""What a person may write for a type of option."""


def _zone(value: Any) -> str:
    try:
        zone_of(value if isinstance(value, str) else shown(value))
    except DataError as error:
        raise fault(INVALID_VALUE, error.message, hint=error.hint) from None
    return str(value)


def _moment(value: Any) -> str | None:
    """Accept a date or a time; what it means depends on the table's time zone."""
    if isinstance(value, Blank):
        return None
    if isinstance(value, date):
        return value.isoformat()
    try:
        moment(str(value), "UTC")
    except ValueError:
        raise fault(WRONG_TYPE, f"a date such as 2026-10-31 belongs here, not {shown(value)}") from None
    return str(value)


def _optional_text(value: Any) -> str | None:
    if isinstance(value, Blank):
        return None
    if isinstance(value, str) and value.strip():
        return str(value)
    raise fault(WRONG_TYPE, f"text belongs here, not {shown(value)}")


def _separator(value: Any) -> str:
    if isinstance(value, str) and len(value) == 1 and value.isascii() and value not in '"\n\r':
        return str(value)
    raise fault(INVALID_VALUE, f"{shown(value)} is not a separator: one character", hint='write ";" or "\\t"')


def _sign(value: Any) -> str:
    if isinstance(value, str) and len(value) == 1 and not value.isalnum() and value not in "-+":
        return str(value)
    raise fault(INVALID_VALUE, f"{shown(value)} is not a sign of numbers: one character", hint='write "," or "."')


def _null_value(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise fault(WRONG_TYPE, f"text belongs here, not {shown(value)}", hint="write it in quotes")


def _day_off(value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else str(value)
    try:
        DaysOff.parse([text], "UTC")
    except ValueError:
        raise fault(
            INVALID_VALUE,
            f"a weekday, a date, or a first and a last date belongs here, not {shown(value)}",
            hint="write saturday, 2026-12-25 or 2026-12-24..2027-01-01",
        ) from None
    return text


Zone = Annotated[str, Check(_zone, as_type=str)]
DayOff = Annotated[str, Check(_day_off, as_type=str)]
Moment = Annotated[str | None, Check(_moment, as_type=str | Null)]
Sign = Annotated[str, Check(_sign, as_type=str)]
NullValue = Annotated[str, Check(_null_value, as_type=str)]
OptionalText = Annotated[str | None, Check(_optional_text, as_type=str | Null)]


def _cells(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, str | bool | int | float) for item in values):
        raise fault(WRONG_TYPE, f"a value or a list of values belongs here, not {shown(value)}")
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault(WRONG_TYPE, f"a number belongs here, not {shown(value)}")
    return value


Cells = Annotated[list[str], Check(_cells, as_type=str | bool | float | list[str | bool | float])]
Number = Annotated[float, Check(_number, as_type=float)]


def _list_or_text(value: Any) -> str:
    return "(list)" if isinstance(value, list) else "(text)"


Texts = Annotated[
    Annotated[Text, Tag("(text)")] | Annotated[Annotated[list[Text], Field(min_length=1)], Tag("(list)")],
    Choice(_list_or_text),
]


class PlainTestForm(Form):
    """A test of a row: what is asked of one of its columns."""

    column: Texts | None = Field(
        None, description="The export's column, or several: the first that has a value is asked.", examples=["status"]
    )
    in_: Cells | None = Field(
        None, alias="in", description="The value is one of these.", examples=[["paid", "completed"]]
    )
    not_in: Cells | None = Field(None, description="The value is none of these.", examples=[["true"]])
    like: Cells | None = Field(None, description="The value fits one of these globs.", examples=[["closed won*"]])
    above: Number | None = Field(None, description="The number is larger.", examples=[0])
    filled: Truth | None = Field(None, description="Whether there must be a value.")
    after: Texts | None = Field(
        None,
        description="The time lies after the one in this column, if the row has both.",
        examples=["Trial End (UTC)"],
    )
    at_most: Annotated[str | None, Check(one_of(("as_of",)), as_type=Literal["as_of"])] = Field(
        None, description="The time is not later than the export goes."
    )
    empty: Annotated[str | None, Check(one_of(("keep",)), as_type=Literal["keep"])] = Field(
        None, description="With above: rows without a value stay."
    )


class RowTestForm(PlainTestForm):
    """A test of a row: what is asked of its columns."""

    any_: Annotated[list[PlainTestForm], Field(min_length=1)] | None = Field(
        None,
        alias="any",
        description="Several tests of which one must hold.",
        examples=[[{"column": "status", "in": ["paid"]}, {"column": "amount", "above": 0}]],
    )
    when: PlainTestForm | None = Field(None, description="Asked only of rows for which this holds.")


class RowRuleForm(RowTestForm):
    """A rule of rows: rows that fail the test are left out, and counted."""

    else_: Text = Field(alias="else", description="The words under which they are counted.", examples=["not paid"])


class ExplodeForm(Form):
    """A cell of several values: one row for each."""

    column: Texts = Field(
        description="The export's column, or several: the first that is there counts.",
        examples=["Associated Company IDs"],
    )
    separator: Text = Field(";", description="What stands between the values.", examples=[";"])


class LookupForm(Form):
    """A lookup: what lies in a second export."""

    table: Text = Field(description="Its name under lookups.", examples=["companies"])
    key: Text = Field(description="Its column that names a row.", examples=["Record ID"])
    by: Texts = Field(description="The column of this export that holds the key.", examples=["Associated Company IDs"])
    columns: dict[Text, Texts] = Field(
        description="Canonical column: the second export's column.", examples=[{"account_id": "Workspace ID"}]
    )
    same: Annotated[str | None, Check(one_of(Spelling), as_type=Literal["salesforce"])] = Field(
        None, description="salesforce: ids of 15 and 18 letters are the same."
    )


class NewestForm(Form):
    """The newest version: of rows with the same key the last one counts."""

    key: Texts = Field(description="The columns that name a row.", examples=[["id"]])
    by: Text = Field(description="The time of the version.", examples=["updated_at"])


class LatestColumnForm(Form):
    """A time: the latest of several columns."""

    latest: Texts = Field(description="The export's columns.", examples=[["Start Date (UTC)", "Trial End (UTC)"]])
    format: Text | None = Field(None, description="As of a column.", examples=["%d-%m-%Y %H:%M"])


class NamedColumnForm(Form):
    """A column: where its values come from."""

    column: Texts = Field(
        description="The export's column, or several: the first that has a value counts.",
        examples=[["Email", "Work Email"]],
    )
    unit: Annotated[str | None, Check(one_of(Unit), as_type=Literal["major", "minor"])] = Field(
        None, description="Of amounts: minor = in the currency's smallest unit (cents)."
    )
    currency: Texts | None = Field(
        None, description="The column that names an amount's currency.", examples=["Currency"]
    )
    values: dict[Text, Text] | None = Field(
        None, description="The export's value: ours.", examples=[{"Existing Business": "expansion"}]
    )
    others: OptionalText = Field(None, description="What any other value becomes.", examples=["new"])
    when: RowTestForm | None = Field(None, description="Rows for which this does not hold have no value.")
    format: Text | None = Field(
        None,
        description=f"Of times: {', '.join(FORMATS)}, or a pattern like %d-%m-%Y %H:%M.",
        examples=["epoch_ms", "%d-%m-%Y %H:%M"],
    )
    decimal: Sign | None = Field(None, description="Of numbers in text: the sign before decimals.", examples=[","])
    thousands: Sign | None = Field(None, description="Of numbers in text: the sign between thousands.", examples=["."])


class ConstantForm(Form):
    """A constant column: one text for every row."""

    constant: Text = Field(description="The value of every row.", examples=["login"])


def _kind_of_column(value: Any) -> str:
    if value is None:
        return "(nothing)"
    if isinstance(value, dict):
        return next((f"({key})" for key in ("constant", "latest") if key in value), "(column)")
    return _list_or_text(value)


ColumnForm = Annotated[
    Annotated[Text, Tag("(text)")]
    | Annotated[Annotated[list[Text], Field(min_length=1)], Tag("(list)")]
    | Annotated[NamedColumnForm, Tag("(column)")]
    | Annotated[ConstantForm, Tag("(constant)")]
    | Annotated[LatestColumnForm, Tag("(latest)")]
    | Annotated[Annotated[str, Check(lambda _: None, as_type=type(None))], Tag("(nothing)")],
    Choice(_kind_of_column),
]


# A draft whose only lines are choices in comments leaves nothing under the key.
ColumnsForm = Annotated[
    Annotated[dict[Text, ColumnForm], Tag("(mapping)")]
    | Annotated[Annotated[dict[str, Any], Check(lambda _: {}, as_type=type(None))], Tag("(nothing)")],
    Choice(lambda value: "(nothing)" if isinstance(value, Blank) else "(mapping)"),
]


def _variable(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        return value
    # What stands here by mistake is most likely the secret itself: it is not shown.
    raise fault(INVALID_VALUE, "the name of an environment variable belongs here", hint="env: WAREHOUSE_URL")


class ConnectionForm(Form):
    """A connection: where a database server's address is kept."""

    env: Annotated[str, Check(_variable, as_type=str)] = Field(
        description="The environment variable that holds postgresql://user:password@host:5432/database.",
        examples=["WAREHOUSE_URL"],
    )


class SourceForm(Form):
    """An export: where a table's files are, and which column is which."""

    path: Texts | None = Field(
        None,
        description="Files, folders or globs, from this file's folder, or addresses (s3://, gs://, az://, https://).",
        examples=["exports/events/*.jsonl.gz", "s3://acme/events/2026-*/*.parquet"],
    )
    connection: ConnectionForm | None = Field(None, description="A PostgreSQL or Redshift server, instead of a path.")
    query: Text | None = Field(
        None,
        description="Of a database: what to read. {since} is the newest row loaded before, with --append.",
        examples=["select * from events where at > {since}"],
    )
    table: Text | None = Field(
        None,
        description="Of a database: what to read, instead of a query. Alone: a table that --engine spark finds by this name.",
        examples=["analytics.events"],
    )
    sheet: Text | None = Field(
        None, description="Of a workbook: which sheet; default: the only one.", examples=["Users"]
    )
    format: Annotated[
        str | None,
        Check(
            lambda value: None if isinstance(value, Blank) else one_of(preset_names())(value),
            as_type=str | Null,
        ),
    ] = Field(None, description="A vendor's format: " + ", ".join(preset_names()) + ".", examples=["segment"])
    columns: ColumnsForm | None = Field(
        None,
        description="Canonical column: the export's column.",
        examples=[{"user_id": "userId", "timestamp": {"column": "ts", "format": "epoch_ms"}}],
    )
    rows: list[RowRuleForm] | None = Field(
        None,
        description="Which rows are the table's; others are left out and counted.",
        examples=[[{"column": "status", "in": ["paid"], "else": "not paid"}]],
    )
    explode: ExplodeForm | None = Field(None, description="Cells that hold several values: one row for each.")
    lookup: LookupForm | None = Field(None, description="What lies in a second export.")
    lookups: dict[Text, Texts] | None = Field(
        None, description="Second exports: name and path.", examples=[{"companies": "exports/companies.csv"}]
    )
    newest: NewestForm | None = Field(None, description="Several versions of a row: the newest counts.")
    timezone: Zone | None = Field(
        None,
        description="Of times without an offset; default: the vendor's, else the project's.",
        examples=["America/New_York"],
    )
    complete_through: Moment = Field(
        None, description="The last date (or time) that the export is complete for.", examples=["2026-10-31"]
    )
    match: Annotated[Match, Check(one_of(Match), as_type=Literal["user_id", "email", "domain"])] = Field(
        Match.USER_ID, description="Of conversions: how a row finds its user or account."
    )
    encoding: Annotated[str | None, Check(one_of(ENCODINGS), as_type=Literal["utf-8", "latin-1", "utf-16"])] = Field(
        None, description="Of CSV files; default: told from the bytes."
    )
    separator: Annotated[str | None, Check(_separator, as_type=str)] = Field(
        None, description="Of CSV files; default: told from the first lines.", examples=[";"]
    )
    decimal: Sign | None = Field(None, description="Of numbers in text: the sign before decimals.", examples=[","])
    thousands: Sign | None = Field(None, description="Of numbers in text: the sign between thousands.", examples=["."])
    null_values: list[NullValue] | None = Field(
        None, description="Texts that stand for no value in ids, times and numbers.", examples=[[r"\N", "NULL"]]
    )

    def _judge(self) -> None:
        if self.connection is None and self.path is None and self.table is None:
            raise fault(INVALID_VALUE, "an export needs a path or a connection", hint="path: exports/events/*.jsonl.gz")
        for path in [self.path] if isinstance(self.path, str) else self.path or []:
            try:
                check_address(path)
            except UsageError as error:
                raise fault(INVALID_VALUE, error.message, hint=error.hint, at="path") from None
        if self.connection is not None and self.path is not None:
            raise fault(INVALID_VALUE, "an export has a path or a connection, not both", at="connection")
        if self.query is not None and self.table is not None:
            raise fault(INVALID_VALUE, "a database is asked by a query or for a table, not both", at="table")
        if self.connection is not None and self.query is None and self.table is None:
            raise fault(INVALID_VALUE, "a connection needs a query or a table", at="connection", hint="table: events")


class ExportsForm(Form):
    """The exports: one entry per table."""

    events: SourceForm | None = Field(None, description="Who did what, and when.")
    users: SourceForm | None = Field(None, description="When each user signed up, and traits.")
    accounts: SourceForm | None = Field(None, description="Accounts and their traits.")
    identities: SourceForm | None = Field(None, description="Whose events an anonymous id's are.")
    conversions: SourceForm | None = Field(None, description="Upgrades.")
    contacts: SourceForm | None = Field(None, description="Who was called when: entity, at, by.")


HistoryForm = Annotated[
    Annotated[Text, Tag("(text)")] | Annotated[SourceForm, Tag("(mapping)")],
    Choice(lambda value: "(mapping)" if isinstance(value, dict) else "(text)"),
]


class TraitsForm(Form):
    """The traits: of which moment each of them is."""

    fixed: list[Text] | None = Field(None, description="Never change after signup.", examples=[["country", "channel"]])
    current: list[Text] | None = Field(None, description="Today's values.", examples=[["plan", "seats"]])
    history: dict[Text, HistoryForm] | None = Field(
        None,
        description="Trait: a table with the entity's id, valid_from and a column named as the trait.",
        examples=[{"plan": "exports/plans.csv"}],
    )


class EventNoteForm(Form):
    """A note on an event: what is known about its name."""

    automatic: Truth = Field(default=False, description="Sent by a machine, not done by a person.")
    mechanical: Truth = Field(default=False, description="Precedes the conversion by construction (a limit reached).")
    meter: OptionalText = Field(
        None, description="The property whose sum is billed: using it and paying are one thing.", examples=["calls"]
    )


class CalendarForm(Form):
    """The calendar: when nothing is expected of the product or of its export."""

    days_off: list[DayOff] = Field(
        [],
        description="Weekdays, dates, and first and last dates, in the project's time zone: --max-age does not count them, "
        "and --min-new is not held against them.",
        examples=[["saturday", "sunday", "2026-12-24..2027-01-01"]],
    )


class SignupForm(Form):
    """The signup: what stands for it where no users table does."""

    event: OptionalText = Field(
        None, description="The first event of this name is the anchor.", examples=["Account Created"]
    )


def _options_form(command: str) -> type[Form]:
    # An option may be called as an attribute of forms is; the key is its alias.
    keys = {
        f"option_{entry.name}": (_option_type(command, entry), Field(None, alias=entry.name, description=entry.help))
        for entry in command_options(command).values()
        if entry.in_project
    }
    return made(f"{command.title()}Options", Form, f"The {command} section.", keys)


def _option_type(command: str, option: Option) -> Any:
    """Say what may stand after an option's key: what the command would take, checked as the command checks it."""
    written: Any = _WRITTEN.get(option.takes) or Literal[tuple(member.value for member in option.takes)]
    lists = option.many or option.takes is str

    def check(value: Any) -> Any:
        if isinstance(value, Blank):
            return None
        plain = [_plain(part) for part in value] if isinstance(value, list) else _plain(value)
        if any(not isinstance(part, str | int | float) for part in (plain if isinstance(plain, list) else [plain])):
            raise fault(WRONG_TYPE, f"an option is a value or a list of values, not {shown(value)}")
        try:
            option.check(plain, f"{command}.{option.name}")
        except UsageError as error:
            raise fault(INVALID_VALUE, error.message, hint=error.hint) from None
        return plain

    return Annotated[Any, Check(check, as_type=written | list[written] | Null if lists else written | Null)]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


class ProjectForm(Form):
    """The project file: exports, traits and defaults."""

    pqlkit: Annotated[int, Check(check_format, as_type=Literal[1])] = Field(
        description="The format of this file.", examples=[FORMAT]
    )
    timezone: Zone = Field(
        "UTC", description="For dates and weeks; instants are always kept in UTC.", examples=["Europe/Berlin"]
    )
    null_values: list[NullValue] | None = Field(
        None,
        description="Texts that stand for no value in ids, times and numbers, of all exports.",
        examples=[["NULL"]],
    )
    entity: Annotated[
        str,
        Check(one_of(("auto", "user", "account")), as_type=Literal["auto", "user", "account"]),
    ] = Field("auto", description="What is qualified.")
    exports: ExportsForm | None = Field(None, description="Where the exports are.")
    events_from: Moment = Field(
        None,
        description="The first day of the events export, if it begins before its first row: who did nothing from then on "
        "did nothing, and is no gap in the data.",
        examples=["2026-01-01"],
    )
    calendar: CalendarForm | None = Field(None, description="When nothing is expected of the product or its export.")
    require: list[Text] | None = Field(
        None, description="Exports without which no command runs.", examples=[["users", "conversions"]]
    )
    traits: TraitsForm | None = Field(None, description="Of which moment each trait is.")
    events: dict[Text, EventNoteForm] | None = Field(
        None, description="What is known about event names.", examples=[{"email_sent": {"automatic": True}}]
    )
    population: list[TraitForm] | None = Field(
        None,
        description="Who exists at all: all conditions must hold.",
        examples=[[{"trait": "email", "not_matching": "@example\\.com$"}]],
    )
    signup: SignupForm | None = Field(None, description="What stands for signup without a users table.")
    outcome: ProjectOutcomeForm | None = Field(None, description="Success; a definition's own keys win.")
    definitions: Text = Field("definitions/", description="The folder of definition files.", examples=["definitions/"])


FullProjectForm: Any = made(
    "FullProjectForm",
    ProjectForm,
    ProjectForm.__doc__ or "",
    {f"{name}_options": (_options_form(name) | None, Field(None, alias=name)) for name in RECORDS},
)
"""`ProjectForm` and a section of options for each command, under the command's name."""
