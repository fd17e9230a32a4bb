"""The card: what a rep reads about one lead."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from pqlkit.definitions.folders import load_definition
from pqlkit.exports.dataset import ColumnType, Dataset, Table
from pqlkit.scoring.card import cards, headings, score_parts
from pqlkit.scoring.scoring import score
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START, at, definition

BODY = """qualify:
  all:
    - {id: invites, event: invite, at_least: 3, trailing: 10d, say: Ask who is next.}
    - {id: logins, event: login, measure: days, at_least: 2, trailing: 10d}
outcome: {within: 10d}
lead: {fresh_for: 8d, cooldown: 5d}
evidence:
  chosen_by: propose
  holdout: {view: qualification, from: 2026-03-16, through: 2026-09-28, qualified: 417, converted: 72, rate: 0.1727, low: 0.14, high: 0.21, read: 1}
"""
EVENTS = [("a", "invite", at(1) + i) for i in range(6)] + [("a", "login", at(0)), ("a", "login", at(1.5))]


def told(tmp_path, *, days=3.0, contacts=None, body=BODY, **fixed):
    meaning = load_definition(definition(tmp_path, body))
    population = in_memory([{"id": "a", "anchor": START}], EVENTS, as_of=at(days), fixed=fixed)
    if contacts is not None:
        frame = pl.DataFrame(contacts, schema={"entity": pl.String, "at": pl.Int64}, orient="row")
        path = tmp_path / "contacts.parquet"
        frame.cast({"at": pl.Datetime("us", "UTC")}).write_parquet(path)
        columns = {"entity": ColumnType.TEXT, "at": ColumnType.INSTANT}
        table = Table(name="contacts", paths=(str(path),), columns=columns, rows=frame.height)
        population = replace(population, dataset=Dataset(folder=None, tables={"contacts": table}))
    leads = score(population, meaning)
    return cards(leads, leads.frame)[0]


def test_a_card_says_what_was_done_what_was_needed_and_what_it_promises(tmp_path):
    lines = told(tmp_path, name=["Northwind"], owner=["J. Lind"], plan=["free"], seats=[8])
    assert lines == [
        "Northwind (a)   PQL   score 81   qualified Fri 12:00",
        "6 invites this week (3 needed in 10 days); login on 2 days this week (2 needed in 10 days)",
        "Ask who is next.",
        "free plan, 8 seats",
        "Users like this: 72 of 417 became customers within 10 days (17.3%)",
        "Owner: J. Lind   last active Fri 12:00   fresh until 10 Jan 2026",
    ]


def test_what_became_of_those_like_it_is_said_in_the_words_of_the_outcome(tmp_path):
    body = BODY.replace("outcome: {within: 10d}", "outcome: {event: any, after: 4d, within: 10d}")
    assert "Users like this: 72 of 417 returned within 4 to 10 days (17.3%)" in told(tmp_path, body=body)
    body = BODY.replace("outcome: {within: 10d}", "outcome: {event: exported, within: 10d}")
    assert "Users like this: 72 of 417 did exported within 10 days (17.3%)" in told(tmp_path, body=body)


def test_dates_beyond_six_days_are_dates(tmp_path):
    assert told(tmp_path, days=7.5)[0].endswith("qualified 2 Jan 2026")


def test_contacts_are_told_where_there_is_a_table(tmp_path):
    assert "not contacted" in told(tmp_path, contacts=[("b", at(2))])[-1]
    assert "contacted Sat 00:00" in told(tmp_path, contacts=[("a", at(2)), ("a", at(1)), ("a", at(4))])[-1]
    assert "ontacted" not in told(tmp_path)[-1]


def test_a_near_one_is_told_what_is_missing(tmp_path):
    meaning = load_definition(definition(tmp_path, BODY))
    leads = score(in_memory([{"id": "a", "anchor": START}], EVENTS[:-1], as_of=at(3)), meaning)
    assert "Missing: login on 1 more day" in cards(leads, leads.frame)[0]


def test_a_near_one_is_told_how_far_it_is_and_promised_nothing(tmp_path):
    meaning = load_definition(definition(tmp_path, BODY.replace("cooldown: 5d", "near: {at_least: 70%}")))
    leads = score(in_memory([{"id": "a", "anchor": START}], EVENTS[:-1], as_of=at(3)), meaning)
    card = cards(leads, leads.frame)[0]
    assert card[0] == "a   NEAR   75% of the way"
    assert not any("like this" in line for line in card)


def test_a_lead_dates_from_its_newest_start(tmp_path):
    """Qualified, lapsed, and qualified again past the conversion window, the last spell soon after another one."""
    meaning = load_definition(definition(tmp_path, BODY.replace("trailing: 10d", "trailing: 3d")))
    days = (0, 1, 20, 21, 25.5, 26)
    events = [("a", name, at(day) + i) for day in days for name in ("invite", "login") for i in range(3)]
    leads = score(in_memory([{"id": "a", "anchor": START}], events, as_of=at(26.5)), meaning)
    newest = leads.starts.get_column("on").max()
    ((title, since),) = headings(leads, leads.frame)
    assert title == "a"
    assert since is not None
    assert since.timestamp() * 1e6 == newest == at(21)
    assert leads.frame.row(0, named=True)["requalified_at"] is None
    assert "qualified Thu 00:00" in cards(leads, leads.frame)[0][0]


def test_a_score_says_what_it_is_made_of(tmp_path):
    meaning = load_definition(definition(tmp_path, BODY))

    def parts(events):
        leads = score(in_memory([{"id": "a", "anchor": START}], events, as_of=at(3)), meaning)
        row = leads.frame.row(0, named=True)
        assert sum(score_parts(leads, row).values()) == row["score"]
        return score_parts(leads, row)

    assert list(parts(EVENTS)) == ["qualified", "above the thresholds", "fresh"]
    assert parts(EVENTS)["qualified"] == 50
    assert parts(EVENTS[:-1]) == {"criteria met": 25}
    assert parts([]) == {}


def test_a_date_has_no_time_of_day(tmp_path):
    meaning = load_definition(definition(tmp_path, BODY))
    people = in_memory([{"id": "a", "anchor": START}], EVENTS, as_of=at(3))
    leads = score(replace(people, world=replace(people.world, dates_only=True)), meaning)
    card = cards(leads, leads.frame)[0]
    assert card[0].endswith("qualified Fri")
    assert "last active Fri " in card[-1]
