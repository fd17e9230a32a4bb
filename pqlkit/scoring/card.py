"""The card: one lead as a sales rep reads it, in a few lines of text."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from pqlkit.columns import ACCOUNT_ID, AT, ENTITY, ON, USER_ID
from pqlkit.definitions.model import Criterion, EntityKind, EvidenceView, WindowKind, leaves
from pqlkit.definitions.nouns import nouns_of, span
from pqlkit.definitions.phrases import window_phrase
from pqlkit.definitions.wording import figure
from pqlkit.exports.small_table import read_table
from pqlkit.inert import visible
from pqlkit.scoring.lead import HOLDING, LeadStatus
from pqlkit.scoring.progress import TINY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.definitions.model import Definition, Ref
    from pqlkit.scoring.scoring import Leads

NAMES: Final = ("name", "company", "company_name", "account_name", "full_name", "title")
"""Traits that name an entity, the first that there is."""

PERSON: Final = ("name", "full_name", "role", "email")
"""Columns of the users table that say whom to ask for."""

_SAID: Final = frozenset({"Missing", "Write to", "Ask for"})
"""Labels without which a line says nothing."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def cards(leads: Leads, rows: pl.DataFrame) -> list[list[str]]:
    """Write a card for each row of a list: the first line names the lead, the others are reasons and facts.

    Parameters
    ----------
    leads
        Tonight's.
    rows
        Some rows of the list, in the contract's columns. Meant for a screen or a batch, not for everybody.

    Returns
    -------
    list of list of str
        In the order of `rows`. Other people's text in it is inert and bounded; lines are not wrapped.
    """
    return [card_lines(card) for card in labelled_cards(leads, rows)]


def card_lines(card: Sequence[tuple[str, str]]) -> list[str]:
    """Write the lines of a labelled card for where there is no room for labels: a message, a table."""
    return [f"{label}: {text}" if label in _SAID else text for label, text in card]


def labelled_cards(leads: Leads, rows: pl.DataFrame) -> list[list[tuple[str, str]]]:
    """Write the cards as `cards` does, each line with what it is about; the first one's label is empty."""
    facts = _facts(leads, rows)
    people = _people(leads, rows)
    told = _evidence(leads, rows)
    return [
        _card(leads, row, facts.get(key, {}), people, told.get(key, {}))
        for key, row in ((str(row[leads.key]), row) for row in rows.to_dicts())
    ]


def _card(
    leads: Leads,
    row: Mapping[str, Any],
    facts: Mapping[str, Any],
    people: Mapping[str, str],
    told: Mapping[str, str | None],
) -> list[tuple[str, str]]:
    lines = [
        ("", _head(leads, row, facts)),
        ("Why", _reasons(leads.definition, told)),
        ("Missing", visible(row["missing"], 600) if row["missing"] else ""),
        ("Say", visible(row["say"], 400) if row["say"] else ""),
        *_whom(leads, row, people),
        ("Plan", _plan(facts)),
        ("Expect", _like_this(leads.definition) if row["status"] in HOLDING else ""),
        ("Now", _rest(leads, row, facts)),
    ]
    return [(label, text) for label, text in lines if text]


def headings(leads: Leads, rows: pl.DataFrame) -> list[tuple[str, datetime | None]]:
    """Give for each row of a list what a rep calls the lead, and since when it is one: its newest start that counts."""
    facts = _facts(leads, rows)
    asked = [(str(name), facts.get(str(name), {})) for name in rows.get_column(leads.key)]
    return [(_title(name, own), own.get("since")) for name, own in asked]


def _title(entity: str, facts: Mapping[str, Any]) -> str:
    shown, name = visible(entity, 60), facts.get("name")
    return f"{visible(str(name), 60)} ({shown})" if name else shown


def _head(leads: Leads, row: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    title = _title(str(row[leads.key]), facts)
    band = visible(str(row["band"] or LeadStatus(row["status"]).label), 24).upper()
    score = "" if row["score"] is None else f"   score {row['score']}"
    if row["status"] == LeadStatus.NEAR.value:
        # Before it qualifies the score counts whole criteria alone.
        score = f"   {share_of_the_way(row['progress'])}"
    at = facts.get("since")
    moments = [] if at is None else [f"qualified {moment(at, leads)}"]
    moments += [f"known {moment(row['known_at'], leads)}"] if row["known_at"] is not None else []
    text = ", ".join(moments)
    if row["newly_qualified"]:
        return f"{title}   {band}{score}   new ({text})"
    return f"{title}   {band}{score}" + (f"   {text}" if text else "")


def share_of_the_way(progress: float) -> str:
    """Say how far somebody has come.

    Examples
    --------
    >>> share_of_the_way(0.875)
    '87% of the way'
    """
    return f"{math.floor(100 * progress + TINY)}% of the way"


def score_parts(leads: Leads, row: Mapping[str, Any]) -> dict[str, float]:
    """Give what a lead's score is made of, each part by its name; a part of 0 is left out."""
    number = leads.people.filter(pl.col("id") == row[leads.key]).get_column(ENTITY).item()
    return {name: value for name, value in leads.score_parts.row(number, named=True).items() if value}


def score_line(score: int, parts: Mapping[str, float]) -> str:
    """Say what a lead's score is made of.

    Examples
    --------
    >>> score_line(66, {"qualified": 50, "fresh": 16}), score_line(0, {})
    ('Score 66 = 50 qualified + 16 fresh', 'Score 0')
    """
    told = [f"{value:g} {visible(name, 60)}" for name, value in parts.items()]
    return f"Score {score} = {' + '.join(told)}" if told else f"Score {score}"


def moment(at: datetime, leads: Leads) -> str:
    """Say when, as seen from `as_of`, in the project's time zone: ``Tue 14:02`` within the last 6 days, else the date."""
    zone = ZoneInfo(leads.population.world.zone)
    now = (_EPOCH + timedelta(microseconds=leads.population.as_of)).astimezone(zone)
    local = at.astimezone(zone)
    if timedelta(0) <= now - local < timedelta(days=6):
        # A date has no time of day.
        return f"{local:%a}" if leads.population.world.dates_only else f"{local:%a %H:%M}"
    return f"{local.day} {local:%b %Y}"


def _reasons(definition: Definition, told: Mapping[str, str | None]) -> str:
    """Say what was done, with what was needed: ``6 teammates invited in 9 days (4 needed in 28 days)``."""
    return "; ".join(
        visible(f"{told[leaf.id]}{_needed(leaf, definition)}", 300)
        for leaf in leaves(definition.qualify)
        if told.get(leaf.id) is not None
    )


def _needed(leaf: Criterion | Ref, definition: Definition) -> str:
    if not isinstance(leaf, Criterion) or not isinstance(leaf.at_least, int | float) or leaf.at_least == 1:
        return ""
    window = leaf.window
    if window.length is None:
        return f" ({figure(leaf.at_least)} needed)"
    within = (
        window_phrase(window, definition.anchor) if window.kind is WindowKind.WITHIN else f"in {window.length.in_words}"
    )
    return f" ({figure(leaf.at_least)} needed {within})"


def _evidence(leads: Leads, rows: pl.DataFrame) -> dict[str, dict[str, str | None]]:
    """Give what each entity did of each criterion, in words, by id."""
    ids = leads.people.filter(pl.col("id").is_in(rows.get_column(leads.key).implode()))
    told = leads.evidence[ids.get_column(ENTITY)].rows(named=True)
    return dict(zip(map(str, ids.get_column("id")), told, strict=True))


def _whom(leads: Leads, row: Mapping[str, Any], people: Mapping[str, str]) -> list[tuple[str, str]]:
    if row["who"] is None:
        return []
    if leads.population.kind is EntityKind.USER:
        return [("Write to", visible(str(row["who"]), 80))]
    return [("Ask for", people.get(str(row[leads.key])) or visible(str(row["who"]), 60))]


def _plan(facts: Mapping[str, Any]) -> str:
    plan, seats = facts.get("plan"), facts.get("seats")
    parts = [f"{visible(str(plan), 40)} plan"] if plan is not None else []
    parts += [f"{visible(str(seats), 20)} seats"] if seats is not None else []
    return ", ".join(parts)


def _like_this(definition: Definition) -> str:
    """Say what the definition's own evidence promises, from the period that did not choose it."""
    held = definition.evidence.holdout if definition.evidence is not None else None
    if held is None or held.view is not EvidenceView.QUALIFICATION or definition.outcome is None:
        return ""
    paid, of = held.converted, held.qualified
    if paid is None or not of:
        return ""
    kind = "Accounts" if definition.entity is EntityKind.ACCOUNT else "Users"
    success, within = nouns_of(definition).success, span(definition.outcome)
    return f"{kind} like this: {paid:,} of {of:,} {success} within {within} ({100 * paid / of:.1f}%)"


def _rest(leads: Leads, row: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    parts = [f"Owner: {visible(str(row['owner']), 60)}"] if row["owner"] is not None else []
    if row["last_active_at"] is not None:
        parts.append(f"last active {moment(row['last_active_at'], leads)}")
    if row["fresh_until"] is not None:
        parts.append(f"fresh until {moment(row['fresh_until'], leads)}")
    if "contacted" in facts:
        called = facts["contacted"]
        parts.append("not contacted" if called is None else f"contacted {moment(called, leads)}")
    if row["arm"] is not None:
        parts.append(f"arm: {row['arm']}")
    return "   ".join(parts)


def _facts(leads: Leads, rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Gather the traits that a card shows, as of now, and the last contact, by id."""
    people = leads.population
    known = people.traits.kinds
    name = next((column for column in NAMES if column in known), None)
    wanted = {"name": name, "plan": "plan", "seats": "seats"}
    wanted = {label: trait for label, trait in wanted.items() if trait in known}
    ids = leads.people.with_columns(pl.col("id").cast(pl.String)).filter(
        pl.col("id").is_in(rows.get_column(leads.key).cast(pl.String).implode())
    )
    moments = ids.with_columns(pl.lit(people.as_of, pl.Int64).alias(AT))
    values = people.traits.at(moments.select(ENTITY, AT, "id"), [trait for trait in wanted.values() if trait])
    table = values.select("id", *(pl.col(trait).alias(label) for label, trait in wanted.items() if trait))
    newest = leads.starts.group_by(pl.col("id").cast(pl.String)).agg(pl.col(ON).max().alias("since"))
    newest = newest.with_columns(pl.col("since").cast(pl.Datetime("us", "UTC")))
    table = table.join(newest, on="id", how="left", maintain_order="left")
    calls = _contacts(leads)
    if calls is not None:
        table = table.join(calls, on="id", how="left", maintain_order="left")
    return {row["id"]: row for row in table.to_dicts()}


def _contacts(leads: Leads) -> pl.DataFrame | None:
    """Find each entity's last contact at or before `as_of`; None without a contacts table for this kind of entity."""
    table = leads.population.dataset.tables.get("contacts")
    key = next((name for name in (leads.key, ENTITY) if table is not None and name in table.columns), None)
    if table is None or key is None:
        return None
    return (
        read_table(leads.population.world.engine, table, [key, AT])
        .filter(pl.col(AT) <= leads.population.as_of)
        .group_by(pl.col(key).cast(pl.String).alias("id"))
        .agg(pl.col(AT).max().cast(pl.Datetime("us", "UTC")).alias("contacted"))
    )


def _people(leads: Leads, rows: pl.DataFrame) -> dict[str, str]:
    """Describe the user that `who` is about, by account: name, role and address, where the users table has them."""
    table = leads.population.dataset.tables.get("users")
    ids = rows.get_column(leads.key).cast(pl.String).implode()
    asked = dict(leads.contacts.filter(pl.col("id").is_in(ids)).iter_rows())
    if table is None or not asked or leads.population.kind is not EntityKind.ACCOUNT:
        return {}
    columns = [name for name in PERSON if name in table.columns and name != ACCOUNT_ID]
    if not columns:
        return {}
    frame = (
        read_table(leads.population.world.engine, table, [USER_ID, *columns])
        .with_columns(pl.col(USER_ID).cast(pl.String))
        .filter(pl.col(USER_ID).is_in(pl.Series(sorted(asked.values()), dtype=pl.String).implode()))
        .unique(USER_ID, keep="first", maintain_order=True)
    )
    told = {row[USER_ID]: _told(row, columns) for row in frame.to_dicts()}
    return {account: told[user] for account, user in asked.items() if user in told}


def _told(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    parts = [visible(str(row[name]), 80) for name in columns if row[name] is not None]
    return ", ".join([*parts, visible(str(row[USER_ID]), 60)])
