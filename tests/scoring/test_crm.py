"""CRM files: what HubSpot and Salesforce import without hand work, and what they are told when a lead changes."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest

from pqlkit.definitions.model import EntityKind
from pqlkit.options.leads import Preset
from pqlkit.scoring.crm import date_name, field_name, imported, key_name, properties
from pqlkit.scoring.lead import LeadStatus
from pqlkit.scoring.lead_file import LeadFormat, Shape, as_bytes, read_leads
from tests.scoring.nights import START, at, date, definition, pqlkit, product
from tests.scoring.nights import score as night

LATE = datetime(2026, 1, 1, 23, 30, 0, 123_456, tzinfo=UTC)
TEAM = """pqlkit: 1
name: teams
entity: account
qualify: {id: invites, event: invite, at_least: 3, trailing: 10d}
outcome: {within: 10d}
lead: {fresh_for: 8d}
"""


def rows(document: bytes | str) -> list[dict[str, str]]:
    text = document if isinstance(document, str) else document.decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def teams(tmp_path):
    """Accounts a (two writers), b (one domain with c), c, d (a free mailer) and e (who converts), in Berlin."""
    instant = pl.Datetime("us", "UTC")
    members = {"a": 3, "b": 1, "c": 2, "d": 1, "e": 1}
    users = [
        {"user_id": f"{account}{i}", "account_id": account, "signed_up_at": START, "email": f"U{i}@{host}"}
        for account, host in {
            "a": "a.example",
            "b": "same.example",
            "c": "same.example",
            "d": "gmail.com",
            "e": "e.example",
        }.items()
        for i in range(members[account])
    ]
    users[0]["email"] = None
    pl.DataFrame(users, infer_schema_length=None).cast({"signed_up_at": instant}).write_parquet(
        tmp_path / "users.parquet"
    )
    pl.DataFrame(
        [
            {"account_id": name, "account_owner": "-Ada", "band": "x", "website": host}
            for name, host in zip("abcde", ["https://www.A.example/x", None, None, None, None], strict=True)
        ]
    ).rename({"website": "domain"}).write_parquet(tmp_path / "accounts.parquet")
    events = [
        {"user_id": f"{account}0", "account_id": account, "event": "invite", "timestamp": at(1) + i}
        for account in members
        for i in range(3)
    ]
    events += [
        {"user_id": name, "account_id": "a", "event": "login", "timestamp": at(2)} for name in ("a1", "a2", "a2")
    ]
    pl.DataFrame(events).cast({"timestamp": instant}).write_parquet(tmp_path / "events.parquet")
    pl.DataFrame({"account_id": ["e"], "converted_at": [at(4)]}).cast({"converted_at": instant}).write_parquet(
        tmp_path / "conversions.parquet"
    )
    (tmp_path / "teams.yml").write_text(TEAM)
    (tmp_path / "pqlkit.yml").write_text(
        "pqlkit: 1\nentity: account\ntimezone: Europe/Berlin\nexports:\n"
        + "".join(f"  {name}: {{path: {name}.parquet}}\n" for name in ("events", "users", "accounts", "conversions"))
    )
    return tmp_path


def score(folder, *options, day):
    return pqlkit("score", "-p", folder / "pqlkit.yml", "-d", folder / "teams.yml", "--as-of", date(day), *options)


def test_hubspot_gets_milliseconds_and_the_date_of_the_project_beside_them():
    table = pl.DataFrame({"pql_qualified_at": [LATE, None], "x": [True, None]}, schema_overrides={"x": pl.Boolean})
    assert imported(table, Preset.HUBSPOT, "Europe/Berlin").rows() == [
        (1_767_310_200_123, "2026-01-02", True),
        (None, None, False),
    ]
    assert imported(table, Preset.SALESFORCE, "Europe/Berlin").rows()[0] == ("2026-01-01T23:30:00.123Z", True)
    assert (date_name("pql_qualified_at"), date_name("pql_as_of")) == ("pql_qualified_date", "pql_as_of_date")


def test_a_text_reaches_the_rep_as_it_is_and_what_is_empty_is_emptied():
    table = pl.DataFrame({"account_id": ["=1+1", "b"], "missing": ["-5", None], "shortfall": [2, None]})
    for preset, empties in ((Preset.HUBSPOT, ("-", "")), (Preset.SALESFORCE, ("#N/A", "#N/A"))):
        found = rows(as_bytes(table, LeadFormat.CSV, Shape(preset=preset)))
        assert list(found[0].values()) == ["=1+1", "-5", "2"]
        assert tuple(found[1].values()) == ("b", *empties)


def test_fields_are_named_within_what_a_crm_takes():
    assert key_name(Preset.HUBSPOT, "email") == key_name(Preset.SALESFORCE, "email") == "Email"
    assert key_name(Preset.HUBSPOT, "Crm Id") == "crm_id"
    assert len(field_name(Preset.SALESFORCE, "very long name of a criterion that has no end")) <= 40 + len("__c")
    assert "__" not in field_name(Preset.SALESFORCE, "a" * 35 + "_b").removesuffix("__c")


@pytest.mark.parametrize("preset", list(Preset))
def test_every_field_of_the_file_is_listed_with_a_type_that_takes_its_values(preset):
    schema: dict[str, pl.DataType] = {
        "domain": pl.String(), "status": pl.String(), "score": pl.Int64(), "progress": pl.Float64(),
        "qualified_at": pl.Datetime("us", "UTC"), "newly_qualified": pl.Boolean(), "evidence": pl.String(),
    }  # fmt: skip
    shape = Shape(preset=preset, key="domain")
    names = shape.names(list(schema))
    # As a reader of the files has them.
    document = json.loads(json.dumps(properties(preset, EntityKind.ACCOUNT, names, schema, "domain")))
    listed = {each.get("name", each.get("fullName")): each for each in document["properties"]}
    header = as_bytes(pl.DataFrame(schema=schema), LeadFormat.CSV, shape).decode().split(",")
    written = {name.strip() for name in header}
    standard = {"Company Domain Name"} if preset is Preset.HUBSPOT else set()
    assert written == set(listed) | standard
    assert document["object"] == ("companies" if preset is Preset.HUBSPOT else "Account")
    if preset is Preset.HUBSPOT:
        assert {option["value"] for option in listed["pql_status"]["options"]} == {
            status.value for status in LeadStatus
        }
        assert (listed["pql_qualified_at"]["type"], listed["pql_qualified_date"]["type"]) == ("datetime", "date")
    else:
        assert listed["Domain__c"]["externalId"] is True
        values = listed["PQL_Status__c"]["valueSet"]["valueSetDefinition"]["value"]
        assert {value["fullName"] for value in values} == {status.value for status in LeadStatus}
        assert (listed["PQL_Score__c"]["scale"], listed["PQL_Progress__c"]["scale"]) == (0, 6)
        assert listed["PQL_Evidence__c"]["type"] == "LongTextArea"


def test_a_preset_needs_a_key_and_a_list_of_fields_a_preset(teams):
    refused = score(teams, "--preset", "salesforce", day=3)
    assert refused.code == 2
    assert "by what the CRM knows accounts" in refused.err
    assert "--key domain" in refused.err
    assert score(teams, "--preset", "salesforce", "--rename", "account_id=Team__c", day=3).code == 0
    assert "add --preset hubspot" in score(teams, "--properties", teams / "p.json", day=3).err
    assert "no trait 'domian'" in score(teams, "--preset", "hubspot", "--key", "domian", day=3).err
    assert "--keep: the list has a column band of its own" in score(teams, "--keep", "band", day=3).err


def test_one_row_for_each_key_and_nobody_is_left_out_in_silence(teams):
    out = teams / "leads.csv"
    done = score(teams, "--preset", "hubspot", "--key", "domain", "--since", "7d", "--out", out, "--summary", teams / "run.json",
                 "--properties", teams / "fields.json", day=3)  # fmt: skip
    assert done.code == 0
    found = {row["pql_account_id"]: row for row in rows(out.read_bytes())}
    (run,) = json.loads((teams / "run.json").read_text())["runs"]
    assert (run["rows"], run["without_key"], run["same_key"]) == (3, 2, 0)
    # b and c share a domain; the one with more users goes by it. d has a free mailer, and so no domain.
    assert {name: row["Company Domain Name"] for name, row in found.items()} == {
        "a": "a.example",
        "c": "same.example",
        "e": "e.example",
    }
    assert "teams: left out of the list: 2 rows without domain; new leads among them (2): b, d" in done.err
    assert set(next(iter(found.values()))) - {"Company Domain Name"} == {
        each["name"] for each in json.loads((teams / "fields.json").read_text())["properties"]
    }


def test_of_those_that_share_a_key_the_first_row_is_kept(teams):
    done = score(teams, "--key", "account_owner", "--out", teams / "leads.csv", day=3)
    assert [row["account_id"] for row in rows((teams / "leads.csv").read_bytes())] == ["a"]
    assert "teams: left out of the list: 4 rows with the account_owner of a row above" in done.err


def test_who_is_somebody_one_can_write_to_and_the_owner_stands_beside(teams):
    found = {row["account_id"]: row for row in rows(score(teams, "--format", "csv", day=3).out)}
    assert found["a"]["who"] == "u2@a.example"  # a0 did most and has no address
    assert found["b"]["who"] == "u0@same.example"
    assert {row["owner"] for row in found.values()} == {"'-Ada"}
    users = pl.read_parquet(teams / "users.parquet").with_columns(
        pl.when(pl.col("user_id") == "a2").then(START).cast(pl.Datetime("us", "UTC")).alias("deleted_at")
    )
    users.write_parquet(teams / "users.parquet")
    again = {row["account_id"]: row for row in rows(score(teams, "--format", "csv", day=3).out)}
    assert again["a"]["who"] == "u1@a.example"


def test_a_crm_is_told_of_whoever_was_a_lead_on_every_night(teams):
    options = ["--ledger", teams / "ledger", "--out", teams / "leads.csv", "--preset", "salesforce", "--key", "domain"]
    for day in (3, 12, 13):
        assert score(teams, *options, day=day).code == 0
    found = {row["Domain__c"]: row["PQL_Status__c"] for row in rows((teams / "leads.csv").read_bytes())}
    assert found == {"a.example": "lapsed", "same.example": "lapsed", "e.example": "customer"}


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_the_last_list_for_a_crm_says_who_was_known(teams, preset, form):
    kept = ["--preset", preset.value, "--key", "domain"]
    first, second = teams / f"first.{form}", teams / f"second.{form}"
    assert score(teams, *kept, "--since", "7d", "--out", first, day=3).code == 0
    shape = Shape(preset=preset, key="domain")
    known = read_leads(first, shape)
    assert known.get_column("qualified_at").to_list()[0].startswith("2026-01-02T00:00:00")
    assert score(teams, *kept, "--previous", first, "--out", second, day=4).code == 0
    assert set(read_leads(second, shape).get_column("newly_qualified").to_list()) == {"false"}


def test_a_file_that_is_too_large_for_an_importer_is_cut(teams, monkeypatch):
    import pqlkit.scoring.night as module

    monkeypatch.setattr(module, "LARGEST", 1500)
    options = ["--preset", "salesforce", "--rename", "account_id=Team__c", "--out", teams / "leads.csv"]
    assert score(teams, *options, day=3).code == 0
    parts = sorted(teams.glob("leads*.csv"))
    assert len(parts) > 1
    assert all(path.stat().st_size <= 1500 for path in parts)
    assert sorted(row["Team__c"] for path in parts for row in rows(path.read_bytes())) == list("abcde")


def test_a_user_is_known_by_its_own_address(tmp_path):
    people = [
        {"user_id": name, "signed_up_at": START, "email": email}
        for name, email in (("a", "Ann@A.example"), ("b", None))
    ]
    events = [
        (name, event, at(day))
        for name in "ab"
        for event, day in (("invite", 1), ("invite", 1.1), ("invite", 1.2), ("login", 1), ("login", 2))
    ]
    product(tmp_path, events, users=people)
    definition(tmp_path)
    options = ["--preset", "salesforce", "--key", "email", "--since", "7d", "--out", tmp_path / "leads.csv"]
    done = night(tmp_path, *options, day=3)
    assert done.code == 0
    (row,) = rows((tmp_path / "leads.csv").read_bytes())
    assert (row["Email"], row["PQL_Who__c"], row["PQL_User_Id__c"]) == ("ann@a.example", "ann@a.example", "a")
    assert "team: left out of the list: 1 row without email; new leads among them (1): b" in done.err
