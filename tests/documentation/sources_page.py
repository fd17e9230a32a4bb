"""The page of sources: tables, columns and their headers, vendors and keys, written from what the program itself reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.columns import (
    ACCOUNT_ID,
    AMOUNT,
    ANONYMOUS_ID,
    AT,
    CONVERTED_AT,
    DELETED_AT,
    ENDED_AT,
    EVENT,
    EVENT_ID,
    FROM_PLAN,
    KIND,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
)
from pqlkit.exports.money import THOUSANDTHS, WHOLE
from pqlkit.exports.preset import presets
from pqlkit.exports.synonyms import STATUS, SYNONYMS
from pqlkit.exports.tables import DOMAIN, EMAIL, NAMES, USERS, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.exports.mapping import RowTest
    from pqlkit.exports.preset import Preset, Variant

_TABLES: Final = {
    "events": "who did what, and when",
    "users": "when each user signed up, and what is known about them: every other column is a trait",
    "accounts": "the same of accounts, where teams upgrade rather than people",
    "identities": "whose events an anonymous id's are; vendors' formats find these pairs in the events",
    "conversions": "who became a customer, and when: a row for each; every other column can be asked for in `outcome: {where: ...}`",
    "contacts": "who was called when, for `report --contacts`",
}
MEANINGS: Final = {
    USER_ID: "the user's id; in all tables the same",
    ACCOUNT_ID: "the id of the account (team, workspace, company)",
    ANONYMOUS_ID: "the id of a device or a cookie, before anybody knows who it is",
    EVENT: "the name of what was done",
    TIMESTAMP: "when it was done",
    EVENT_ID: "the row's own id: rows with the same one and the same event are duplicates",
    SIGNED_UP_AT: "when the clock starts",
    DELETED_AT: "when it left",
    EMAIL: "an address, by which conversions can find their user (`match: email`)",
    DOMAIN: "a website's domain, by which conversions can find their account (`match: domain`)",
    CONVERTED_AT: "when it upgraded: when the first money came in, not when the trial began",
    ENDED_AT: "when it stopped paying, or was paid back",
    KIND: "`new`, `expansion` or `reactivation`",
    PLAN: "the plan that was bought",
    FROM_PLAN: "the plan before",
    AMOUNT: "what was paid, in the currency's major unit",
    AT: "when the call was",
    "by": "who called",
}
"""What each canonical column holds."""

_HEAD: Final = """\
# Sources: what can be read, and how columns are found

This page is written by `make docs` from the tables that the program itself reads.

`pqlkit init EVENTS --users PATH --conversions PATH` looks at the exports and writes a commented `pqlkit.yml`: it knows the
vendors below, and columns by their headers. What it cannot tell it asks, or leaves as a commented choice. On every command
`--map TABLE.COLUMN="Header"` names a column.
"""


def sources_page() -> str:
    """Write the page.

    Examples
    --------
    >>> sources_page().splitlines()[0]
    '# Sources: what can be read, and how columns are found'
    """
    parts = [_HEAD, *_tables(), *_headers(), *_vendors(), *_keys(), *_money()]
    return "\n".join(parts).rstrip() + "\n"


def _tables() -> Iterator[str]:
    yield "## Tables and their columns\n"
    for name in NAMES:
        shape = layout(name)
        yield f"### {name}: {_TABLES[name]}\n"
        yield "| column | holds | |"
        yield "|---|---|---|"
        extra = (EMAIL,) if name == USERS else (DOMAIN,) if name == "accounts" else ()
        for column in (*shape.columns, *extra):
            yield f"| `{column}` | {MEANINGS[column]} | {_needed(name, column)} |"
        yield ""


def _needed(table: str, column: str) -> str:
    shape = layout(table)
    if column in shape.required:
        return "needed"
    return "one of these is needed" if any(column in group for group in shape.one_of) else ""


def _headers() -> Iterator[str]:
    yield "## Headers that are known\n"
    yield "Compared by letters and digits alone, without capitals: `Sign-up Date` is `signupdate`. A zone in brackets"
    yield "(`Created (UTC)`) is the zone of the column's times and no part of its name, nor is `(metadata)` or a prefix such as"
    yield "`Deal - `. A header that is the column's own name wins, then the first of these.\n"
    for table, columns in SYNONYMS.items():
        yield f"### of {table}\n"
        yield "| column | headers |"
        yield "|---|---|"
        for column, headers in columns.items():
            yield f"| `{column}` | {', '.join(headers)} |"
        yield ""
    yield "A column of conversions whose header is one of these, and that no rule uses, is named with its values by `init`, `load`"
    yield f"and `analyze`: {', '.join(STATUS)}.\n"


def _vendors() -> Iterator[str]:
    yield "## Vendors\n"
    yield "`format: NAME` under a source. Rows that a rule leaves out are counted in the intake report under the rule's words."
    yield "`columns:` and `rows:` of your own replace the vendor's.\n"
    for known in presets().values():
        yield f"### {known.title}: `format: {known.name}`\n"
        yield f"Times without an offset are {_zone(known)}.\n"
        for variant in known.variants:
            yield from _variant(variant)


def _zone(known: Preset) -> str:
    return known.timezone or "in the zone of whoever exported, or the project's: state `timezone:`"


def _variant(variant: Variant) -> Iterator[str]:
    yield f"**{variant.name}** becomes {variant.table}; told by the columns {_listed(variant.recognise)}."
    if variant.note:
        yield variant.note
    yield ""
    for name, column in variant.columns.items():
        source = f"`{column.constant}`, in every row" if column.constant is not None else _listed(column.parts)
        latest = "the latest of " if column.latest else ""
        unit = f", in the smallest unit of {_listed(column.currency)}" if column.unit is not None else ""
        only = f", where {_asked(column.when)}" if column.when is not None else ""
        values = "".join(f", {theirs} = {ours}" for theirs, ours in (column.values or {}).items())
        others = f", else {column.others}" if column.others is not None else ""
        yield f"- `{name}`: {latest}{source}{unit}{only}{values}{others}"
    if variant.lookup is not None:
        look = variant.lookup
        columns = ", ".join(f"`{name}` ({_listed(paths)})" for name, paths in look.columns.items())
        yield f"- from a second export, `lookups: {{{look.table}: PATH}}`, by {_listed(look.by)} = `{look.key}`: {columns}"
    if variant.explode is not None:
        yield f"- several values in {_listed(variant.explode.column)}, parted by `{variant.explode.separator}`: a row for each"
    if variant.newest is not None:
        yield f"- of rows with the same {_listed(variant.newest.key)} the newest by `{variant.newest.by}` counts"
    for rule in variant.rows:
        yield f"- left out as *{rule.words}* unless {_asked(rule.test)}"
    yield ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _asked(test: RowTest) -> str:
    """Say what a test asks, in words."""
    if test.any_of:
        return " or ".join(_asked(part) for part in test.any_of)
    column = _listed(test.column)
    told = _condition(test)
    when = f" (asked where {_asked(test.when)})" if test.when is not None else ""
    return f"{column} {told}{when}"


def _condition(test: RowTest) -> str:
    if test.above is not None:
        return f"is above {test.above:g}" + (" or empty" if test.empty_kept else "")
    if test.after is not None:
        return f"is later than {_listed(test.after)}, if both are filled"
    if test.by_then:
        return "is not later than the export goes, if it is filled"
    if test.filled is not None:
        return "is filled" if test.filled else "is empty"
    if test.without is not None:
        return f"is not {' or '.join(test.without)}"
    return f"is {' or '.join(test.within or test.like or ())}"


def _keys() -> Iterator[str]:
    yield "## Keys of a source in `pqlkit.yml`\n"
    yield "Every key stands in [project-file.md](project-file.md#an-export-where-a-tables-files-are-and-which-column-is-which). A column may"
    yield "be a name, a list of names (the first that has a value counts), a mapping, `{latest: [A, B]}` or `{constant: TEXT}`.\n"
    yield "```yaml"
    yield "conversions:"
    yield "  path: exports/deals.csv"
    yield "  rows:"
    yield '    - {column: Stage, like: ["closed won*"], else: not won}'
    yield "    - {column: Amount, above: 0, empty: keep, else: amount 0}"
    yield "  lookup: {table: companies, key: Record ID, by: Company ID, columns: {account_id: Workspace ID}}"
    yield "  lookups: {companies: exports/companies.csv}"
    yield "  columns:"
    yield "    converted_at: Close Date"
    yield "    amount: {column: Amount, unit: minor, currency: Currency}"
    yield "    kind: {column: Type, values: {Existing Business: expansion}, others: new}"
    yield "```\n"


def _money() -> Iterator[str]:
    yield "## Amounts in the smallest unit\n"
    yield f"`unit: minor` divides by 100; not at all for {', '.join(code.upper() for code in WHOLE)}; by 1,000 for"
    yield f"{', '.join(code.upper() for code in THOUSANDTHS)}. Several currencies are not converted; `load` says so."
