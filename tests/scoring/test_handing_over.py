"""What may be handed over: definitions that are put to work, and changes of them that somebody accepted."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import polars as pl
import pytest

from pqlkit.durations import DAY
from pqlkit.scoring.lead_file import read_leads
from tests.scoring.nights import START, TEAM, definition, new_in, product, score


def burst(user, day, invites):
    """Two days of logins, then so many invites at `day`."""
    rows = [(user, "login", START + (day - 1) * DAY + i * DAY + 7) for i in range(2)]
    return rows + [(user, "invite", START + day * DAY + i) for i in range(invites)]


@pytest.fixture
def folder(tmp_path):
    events = [*burst("strict", 3, 3), *burst("loose", 3, 2), *burst("late", 6, 3), *burst("last", 8, 2)]
    product(tmp_path, events)
    definition(tmp_path)
    return tmp_path


def loosened(folder):
    """Two invites suffice."""
    return definition(folder, TEAM.replace("at_least: 3", "at_least: 2"), version=2)


def nightly(folder, day, *options):
    return score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", *options, day=day)


def asked_of(done):
    """The hash that a night asks to accept."""
    (found,) = re.findall(r"--accept-change ([0-9a-f]{12})", done.err)
    return found


def status_of(folder, user):
    rows = read_leads(folder / "leads.csv").filter(pl.col("user_id") == user)
    return rows.get_column("status").to_list()


@pytest.mark.parametrize(
    "given", [["--ledger", "l"], ["--preset", "hubspot"], ["--ledger", "l", "--notify", "http://x"]]
)
@pytest.mark.parametrize(("status", "allowed"), [("hypothesis", True), ("retired", False), ("active", True)])
def test_only_what_is_put_to_work_is_handed_over(folder, given, status, allowed, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "team.yml").write_text((folder / "team.yml").read_text() + f"status: {status}\n")
    named = ["--rename", "user_id=External_Id__c"]
    done = score(folder, *given[: 2 if "--notify" in given else None], *named, day=5)
    assert done.code == (0 if status == "active" else 2)
    if status != "active":
        assert f"team is {'a hypothesis' if status == 'hypothesis' else 'retired'}, and {given[0]} hands" in done.err
        assert not (folder / "l").exists()
    assert score(folder, day=5).code == 0  # a list for people is no file for sales
    assert score(folder, *given[:2], *named, "--allow-hypothesis", day=5).code == (0 if allowed else 2)


def test_who_is_new_only_through_a_change_waits_until_it_is_accepted(folder):
    assert nightly(folder, 5).code == 0
    loosened(folder)
    done = nightly(folder, 7)
    accept = asked_of(done)
    assert done.code == 1
    assert "1 lead is new only because the definition changed" in done.err
    assert new_in(folder / "leads.csv") == {"late"}
    assert status_of(folder, "loose") == []
    assert read_leads(folder / "leads.changed.csv").get_column("user_id").to_list() == ["loose"]
    # It waits, however many nights go by, and who became a lead since is new.
    summary = folder / "run.json"
    assert nightly(folder, 9, "--summary", summary).code == 1
    assert new_in(folder / "leads.csv") == {"last"}
    assert json.loads(summary.read_text())["runs"][0]["held"] == 1
    assert nightly(folder, 9.5, "--accept-change", "0123456789ab").code == 1
    done = nightly(folder, 10, "--accept-change", accept)
    assert (done.code, new_in(folder / "leads.csv")) == (0, {"loose"})
    assert not (folder / "leads.changed.csv").exists()  # who waited is in the list
    assert (nightly(folder, 10.5).code, new_in(folder / "leads.csv")) == (0, set())


def test_a_shorter_list_of_those_who_wait_leaves_no_parts_of_a_longer_one(folder):
    nightly(folder, 5)
    loosened(folder)
    (folder / "leads.changed.part2.csv").write_text("of a night on which many waited\n")
    accept = asked_of(nightly(folder, 7))
    assert sorted(path.name for path in folder.glob("leads*")) == ["leads.changed.csv", "leads.csv"]
    (folder / "leads.changed.part2.csv").write_text("of another\n")
    assert nightly(folder, 8, "--accept-change", accept).code == 0
    assert [path.name for path in folder.glob("leads*")] == ["leads.csv"]


def test_a_roll_back_withdraws_whom_the_change_alone_made_leads(folder):
    nightly(folder, 5)
    loosened(folder)
    accept = asked_of(nightly(folder, 7))
    assert nightly(folder, 7.5, "--accept-change", accept).code == 0
    assert new_in(folder / "leads.csv") == {"loose"}
    definition(folder)
    assert nightly(folder, 8).code == 0
    assert status_of(folder, "loose") == ["withdrawn"]
    assert status_of(folder, "strict") == ["pql"]
    assert (status_of(folder, "late"), new_in(folder / "leads.csv")) == (["pql"], set())


def test_a_roll_back_of_a_change_that_was_never_accepted_takes_nothing_back(folder):
    nightly(folder, 5)
    loosened(folder)
    assert nightly(folder, 7).code == 1
    definition(folder)
    assert nightly(folder, 7.5).code == 0
    assert status_of(folder, "loose") in ([], ["started"], ["near"])


def test_a_tightened_definition_takes_nobody_back(folder):
    loosened(folder)
    nightly(folder, 5)
    definition(folder, version=3)
    assert nightly(folder, 5.5).code == 0
    assert "withdrawn" not in read_leads(folder / "leads.csv").get_column("status").to_list()


def test_a_change_of_words_alone_holds_nobody(folder):
    nightly(folder, 5)
    definition(folder, TEAM + "title: Teams that invite\nowner: growth@example.com\n")
    assert (nightly(folder, 7).code, new_in(folder / "leads.csv")) == (0, {"late"})


def test_a_ledger_of_an_earlier_pqlkit_is_extended(folder):
    nightly(folder, 5)
    with closing(sqlite3.connect(folder / "l")) as connection:
        connection.execute("ALTER TABLE runs DROP COLUMN accepted")
        connection.commit()
    loosened(folder)
    assert nightly(folder, 7).code == 1
    assert new_in(folder / "leads.csv") == {"late"}
    assert nightly(folder, 9).code == 1
