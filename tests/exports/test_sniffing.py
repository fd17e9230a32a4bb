from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pqlkit.engines import engine
from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.guessing import guess_columns, guess_format
from pqlkit.exports.mapping import Column, Match
from pqlkit.exports.project import EventNote, read_project
from pqlkit.exports.project_draft import project_text, quoted
from pqlkit.exports.sniffing import sniff
from pqlkit.exports.status_columns import status_notes


def drafted(sniffed, folder):
    path = folder / "pqlkit.yml"
    path.write_text(project_text(sniffed, folder))
    return read_project(path)


def test_a_draft_reads_back_as_what_was_sniffed(exports, tmp_path):
    events = exports.write(
        "e.csv",
        "userId;action;ts\nu1;limit_reached;1767225600000\nu2;email_delivered;1767225600001\nu2;it's: #1;1767225600002\n",
    )
    users = exports.write(
        "u.csv",
        "id,email,created,plan,signup_plan\nu1,a@x,22-04-2025 03:53,pro,free\nu3,b@x,23-04-2025 03:53,pro,free\n",
    )
    conversions = exports.write("c.csv", "email,upgraded_at,mrr\na@x,2026-02-01,20\nz@x,2026-02-02,20\n")
    sniffed = sniff(events, users=users, conversions=conversions)
    assert sniffed.vendor is None
    assert sniffed.sources["events"].columns == {
        "user_id": Column(names=("userId",)),
        "event": Column(names=("action",)),
        "timestamp": Column(names=("ts",), format="epoch_ms"),
    }
    assert sniffed.sources["users"].columns["signed_up_at"] == Column(names=("created",), format="%d-%m-%Y %H:%M")
    assert sniffed.sources["conversions"].match is Match.EMAIL
    assert sniffed.sources["conversions"].columns["amount"] == Column(names=("mrr",))
    assert sniffed.events == {"email_delivered": EventNote(automatic=True), "limit_reached": EventNote(mechanical=True)}
    assert (sniffed.matching.users_with_events, sniffed.matching.event_users_unknown) == (1, 1)
    assert (sniffed.matching.conversions_matched, sniffed.matching.conversions_unknown) == (1, 1)

    project = drafted(sniffed, tmp_path)
    assert project.events == sniffed.events
    assert {name: source.columns for name, source in project.exports.items()} == {
        name: source.columns for name, source in sniffed.sources.items()
    }
    assert project.traits.fixed == ("email", "signup_plan")
    dataset = open_dataset(project)
    assert {name: table.rows for name, table in dataset.tables.items()} == {"events": 3, "users": 2, "conversions": 2}
    assert "1 of 2 conversions match" in project_text(sniffed, tmp_path)


def test_a_vendors_format_is_recognised(exports, tmp_path):
    content = json.dumps({"event": "a", "properties": {"time": 1767225600, "distinct_id": "u"}})
    sniffed = sniff(exports.write("e.ndjson", content))
    assert sniffed.vendor == "mixpanel"
    assert drafted(sniffed, tmp_path).exports["events"].format == "mixpanel"


def test_a_vendors_times_in_another_unit_are_stated(exports, tmp_path, table_rows):
    row = {"event": "a", "properties": {"time": 1767225600123, "distinct_id": "u", "$insert_id": "1"}}
    sniffed = sniff(exports.write("e.ndjson", json.dumps(row)))
    assert "timestamp is in epoch_ms, not in the usual epoch_s" in sniffed.notes
    project = drafted(sniffed, tmp_path)
    assert project.exports["events"].format == "mixpanel"
    assert table_rows(open_dataset(project), "events", "timestamp") == [("2026-01-01T00:00:00.123Z",)]


def test_an_export_without_event_names_gets_one(exports, tmp_path):
    sniffed = sniff(exports.write("e.csv", "time_stamp,user_id,visited\n2014-04-22,1,1\n"))
    assert sniffed.sources["events"].columns["event"] == Column(constant="active")
    assert open_dataset(drafted(sniffed, tmp_path)).tables["events"].dates_only


ODD_EVENTS = (
    "Who;What happened;When?;Gerät;Punkte\n"
    "U-1;Exported PDF;13.03.2026 15:14;web;1,5\nU-2;Logged In;14.03.2026 09:31;web;2,5\n"
    "U-3;Exported PDF;15.03.2026 09:31;web;1,5\nU-1;Logged In;16.03.2026 09:31;web;2,5\n"
)
WHO_AND_WHEN = {"timestamp": "When?", "user_id": "Who"}


def test_events_whose_names_no_header_tells_are_asked_for(exports, tmp_path):
    events = exports.write("e.csv", ODD_EVENTS)
    sniffed = sniff(events, maps={"events": WHO_AND_WHEN})
    assert [(asked.column, list(asked.options)) for asked in sniffed.questions] == [("event", ["What happened"])]
    assert sniffed.to_do == (
        "say which column is the name of what was done (event of the events): take the # off one line of the choice,"
        " or state --map events.event=HEADER",
    )
    assert "event" not in sniffed.sources["events"].columns
    assert not any("'active'" in note for note in sniffed.notes)
    text = project_text(sniffed, tmp_path)
    assert '      # event: "What happened"   # Exported PDF · Logged In\n' in text
    for choice, rows in (('event: "What happened"', 2), ("event: {constant: active}", 1)):
        (tmp_path / "pqlkit.yml").write_text(text.replace(f"# {choice}", choice))
        events_read = open_dataset(read_project(tmp_path / "pqlkit.yml")).tables["events"]
        assert events_read.scan().collect()["event"].n_unique() == rows


def test_of_several_columns_that_may_name_events_that_with_the_fewest_values_is_first(exports):
    (question,) = (asked for asked in sniff(exports.write("e.csv", ODD_EVENTS)).questions if asked.column == "event")
    assert list(question.options) == ["What happened", "Who"]


def test_an_answer_names_the_events(exports):
    sniffed = sniff(exports.write("e.csv", ODD_EVENTS), maps={"events": WHO_AND_WHEN}, ask=lambda _: "What happened")
    assert sniffed.to_do == ()
    assert sniffed.seen == {"Exported PDF": 2, "Logged In": 2}


def test_the_format_of_a_stated_time_is_written_for_every_table(exports):
    events = exports.write("e.csv", ODD_EVENTS)
    conversions = exports.write("c.csv", "Kunde;Bezahlt am\nU-1;13.06.2026\nU-9;14.06.2026\n")
    stated = {"events": {**WHO_AND_WHEN, "event": "What happened"}}
    stated["conversions"] = {"converted_at": "Bezahlt am", "user_id": "Kunde"}
    sniffed = sniff(events, conversions=conversions, maps=stated)
    assert sniffed.sources["events"].columns["timestamp"].format == "%d.%m.%Y %H:%M"
    assert sniffed.sources["conversions"].columns["converted_at"] == Column(names=("Bezahlt am",), format="%d.%m.%Y")
    assert sniffed.to_do == ()


def test_a_time_to_choose_stands_with_its_format(exports, tmp_path):
    sure = exports.write("e.csv", ODD_EVENTS)
    unsure = exports.write("c.csv", "user_id,Paid?\nU-1,01/02/2026\n")
    text = project_text(sniff(sure, conversions=unsure), tmp_path)
    assert '# timestamp: {column: "When?", format: "%d.%m.%Y %H:%M"}   # 13.03.2026 15:14' in text
    assert '{column: "Paid?", format: "%m/%d/%Y"}   # 01/02/2026, or %d/%m/%Y: check it\n' in text


def test_a_draft_is_written_in_letters_and_says_what_comes_next(exports, tmp_path):
    text = project_text(sniff(exports.write("e.csv", ODD_EVENTS)), tmp_path)
    assert '# user_id: "Gerät"' in text
    assert "event names" not in text
    assert "then:\n# pqlkit load --out dataset, pqlkit analyze --data dataset\n" in text


def test_users_are_taken_from_events_that_tell_the_signup(exports, tmp_path):
    row = {"userId": "u", "page": "p", "ts": 1767225600000, "registration": 1767139200000}
    sniffed = sniff(exports.write("e.jsonl", json.dumps(row)))
    assert open_dataset(drafted(sniffed, tmp_path)).tables["users"].rows == 1


def test_canonical_exports_need_no_mapping(exports):
    sniffed = sniff(exports.write("e.csv", "user_id,event,timestamp\nu,a,2026-01-01\n"))
    assert sniffed.sources["events"].columns == {}


def test_hostile_names_make_a_draft_that_still_reads(exports, tmp_path):
    names = [
        "email_sent\n- x: 1",
        "limit_reached: {",
        "\u202e limit_reached",
        "😀 limit_reached",
        "limit_reached" + "x" * 3000,
    ]
    rows = "".join(json.dumps({"user_id": "u", "event": name, "timestamp": "2026-01-01"}) + "\n" for name in names)
    sniffed = sniff(exports.write("e.jsonl", rows))
    text = project_text(sniffed, tmp_path)
    assert "\u202e" not in text
    project = drafted(sniffed, tmp_path)
    assert set(project.events) == {name for name in names if name in sniffed.events}
    assert len(project.events) == 5


def test_what_no_header_tells_is_a_commented_choice(exports, tmp_path):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\nu2,a,2026-01-02\n")
    odd = exports.write("odd.csv", "Ref,Moment,Kunde,Phase\nx,2026-02-01,u1,won\ny,2026-02-02,u2,lost\n")
    sniffed = sniff(events, conversions=odd)
    assert [(asked.table, asked.column, list(asked.options)) for asked in sniffed.questions] == [
        ("conversions", "converted_at", ["Moment"]),
        ("conversions", "user_id", ["Ref", "Kunde", "Phase"]),
    ]
    assert sniffed.to_do == (
        "say which column is the time of the conversion (converted_at of the conversions): take the # off one line of the choice,"
        " or state --map conversions.converted_at=HEADER",
        "say which column is the user's id (user_id of the conversions): take the # off one line of the choice,"
        " or state --map conversions.user_id=HEADER",
    )
    text = project_text(sniffed, tmp_path)
    assert "      # user_id: Kunde   # u1 · u2\n" in text
    # As it is the file reads, and the exports say what is missing; two lines later they are read.
    with pytest.raises(DataError, match=r"no column 'converted_at'.*\n.*--map conversions.converted_at=HEADER"):
        open_dataset(drafted(sniffed, tmp_path))
    edited = text.replace("# user_id: Kunde", "user_id: Kunde").replace(
        "# converted_at: Moment", "converted_at: Moment"
    )
    (tmp_path / "pqlkit.yml").write_text(edited)
    assert open_dataset(read_project(tmp_path / "pqlkit.yml")).tables["conversions"].rows == 2


def test_an_answer_or_a_stated_column_leaves_no_question(exports):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\nu2,a,2026-01-02\n")
    odd = exports.write("odd.csv", "Ref,Moment,Kunde\nx,2026-02-01,u1\ny,2026-02-02,u2\n")
    answered = sniff(
        events, conversions=odd, ask=lambda asked: {"converted_at": "Moment", "user_id": "Kunde"}[asked.column]
    )
    stated = sniff(events, conversions=odd, maps={"conversions": {"converted_at": "Moment", "user_id": "Kunde"}})
    for sniffed in (answered, stated):
        assert sniffed.to_do == ()
        assert sniffed.matching.conversions_matched == 2


def test_events_without_a_user_or_a_time_are_asked_for(exports, tmp_path):
    sniffed = sniff(exports.write("e.csv", "colour,event,moment_of_it\nred,a,2026-01-01\n"))
    assert {asked.column for asked in sniffed.questions} == {"user_id", "timestamp"}
    assert drafted(sniffed, tmp_path).exports["events"].columns == {}


def test_an_export_of_conversions_given_as_events_is_named(exports):
    path = exports.write("s.csv", "Status,Created (UTC),Current Period Start (UTC),Trial End (UTC),Amount\na,,,,1\n")
    assert any("looks like Stripe, which holds conversions" in text for text in sniff(path).to_do)


OWNED = "id,Customer ID,Customer Email,paid_at,Company\n1,cus_1,A@x.example,2026-02-01,Acme Inc\n2,cus_2,b@x.example,2026-02-02,Bolt Ltd\n"


def test_the_owner_that_finds_the_most_rows_is_taken_and_all_are_told(exports, tmp_path):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\nu2,a,2026-01-02\n")
    users = exports.write("u.csv", "user_id,signed_up_at,email\nu1,2026-01-01,a@x.example\nu2,2026-01-01,B@x.example\n")
    sniffed = sniff(events, users=users, conversions=exports.write("c.csv", OWNED))
    (told,) = [note for note in sniffed.notes if note.startswith("owners of the conversions")]
    assert "email from 'Customer Email' finds 2 of 2" in told
    assert "user_id from 'Customer ID' finds 0 of 2" in told
    assert "account_id from 'Company' finds 0 of 2" in told
    source = drafted(sniffed, tmp_path).exports["conversions"]
    assert source.match is Match.EMAIL
    assert set(source.columns) == {"converted_at", "email"}
    assert open_dataset(drafted(sniffed, tmp_path)).tables["conversions"].rows == 2
    assert sniffed.matching.conversions_matched == 2


@pytest.mark.parametrize(
    ("paid", "match"),
    [
        # An id that finds as many rows as an address is the surer way.
        ("user_id,email,paid_at\nu1,a@x.example,2026-02-01\nu2,b@y.example,2026-02-02\n", Match.USER_ID),
        ("user_id,email,paid_at\nu1,a@x.example,2026-02-01\nu9,b@y.example,2026-02-02\n", Match.EMAIL),
        # So is an address beside a domain.
        ("email,domain,paid_at\na@x.example,x.example,2026-02-01\nb@y.example,y.example,2026-02-02\n", Match.EMAIL),
        ("email,domain,paid_at\na@x.example,x.example,2026-02-01\nz@y.example,y.example,2026-02-02\n", Match.DOMAIN),
    ],
)
def test_of_ways_that_find_as_many_the_surer_is_taken(exports, tmp_path, paid, match):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\nu2,a,2026-01-02\n")
    users = exports.write(
        "u.csv",
        "user_id,signed_up_at,email,account_id\nu1,2026-01-01,a@x.example,w1\nu2,2026-01-01,b@y.example,w2\n",
    )
    sniffed = sniff(events, users=users, conversions=exports.write("c.csv", paid))
    assert drafted(sniffed, tmp_path).exports["conversions"].match is match


def test_an_id_that_finds_nobody_does_not_stand_in_the_way_of_an_address_that_does(exports, tmp_path, table_rows):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\n")
    users = exports.write("u.csv", "user_id,signed_up_at,email,account_id\nu1,2026-01-01,mara@lake.example,w1\n")
    folder = Path(__file__).parent / "billing"
    exact = exports.write("c.csv", "user_id,Email,paid_at\n77,mara@lake.example,2026-02-01\n")
    for path in (str(folder / "pipedrive" / "deals.csv"), exact):
        sniffed = sniff(events, users=users, conversions=path)
        project = drafted(sniffed, tmp_path)
        assert project.exports["conversions"].match is Match.EMAIL
        assert project.exports["conversions"].columns == sniffed.sources["conversions"].columns
        dataset = open_dataset(project)
        assert table_rows(dataset, "conversions", "user_id") == [("u1",)]
        assert "account_id" not in dataset.tables["conversions"].columns


def test_ids_that_do_not_match_are_explained(exports):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\nu2,a,2026-01-02\n")
    conversions = exports.write("c.csv", "user_id,converted_at\nU1,2026-02-01\nU2,2026-02-02\n")
    assert (
        "'user_id' has U1, U2; the other exports' user_id are u1, u2: they differ in capital and small letters"
        in sniff(events, conversions=conversions).notes
    )


def test_names_of_companies_are_not_taken_for_ids_in_silence(exports):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\n")
    users = exports.write("u.csv", "user_id,signed_up_at,Company\nu1,2026-01-01,Acme Inc\n")
    (told,) = [note for note in sniff(events, users=users).notes if "two spellings are two accounts" in note]
    assert told.startswith("account_id of the users is 'Company', which holds names (Acme Inc)")


def test_a_status_of_unknown_conversions_is_named_and_drafted(exports, tmp_path):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\nu2,a,2026-01-02\nu3,a,2026-01-03\n")
    conversions = exports.write(
        "c.csv", "user_id,paid_at,Status\nu1,2026-02-01,active\nu2,2026-02-02,trialing\nu3,2026-02-02,active\n"
    )
    sniffed = sniff(events, conversions=conversions)
    assert sniffed.statuses == {"Status": {"active": 2, "trialing": 1}}
    assert "which rows are conversions? Status: active 2, trialing 1" in sniffed.notes
    project = drafted(sniffed, tmp_path)
    assert status_notes(open_dataset(project), project, engine()) == [
        "conversions have a column that nothing uses, Status: active 2, trialing 1. Are all of these rows conversions? If not, say"
        " which in pqlkit.yml: rows: of the conversions, or outcome: {where: ...}"
    ]
    text = (tmp_path / "pqlkit.yml").read_text()
    rule = '    rows:\n      - {column: Status, in: [active], else: "not a conversion: Status"}'
    drafted_rule = '    # rows:\n    #   - {column: Status, in: [active, trialing], else: "not a conversion: Status"}'
    assert drafted_rule in text
    (tmp_path / "pqlkit.yml").write_text(text.replace(drafted_rule, rule))
    project = read_project(tmp_path / "pqlkit.yml")
    dataset = open_dataset(project)
    assert dataset.intake.tables["conversions"].left_out == {"not a conversion: Status": 1}
    assert status_notes(dataset, project, engine()) == []


def test_a_vendors_conversions_are_recognised_with_their_second_export_and_zone(exports, tmp_path):
    folder = Path(__file__).parent / "billing" / "hubspot"
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\n")
    users = exports.write("u.csv", "user_id,signed_up_at,account_id\nu1,2026-01-01,ws1\n")
    sniffed = sniff(events, users=users, conversions=str(folder / "deals.csv"))
    source = sniffed.sources["conversions"]
    assert source.format == "hubspot"
    assert source.lookups == {"companies": (str(folder / "companies.csv"),)}
    assert any("zone" in text for text in sniffed.to_do)
    assert any(note.endswith("left out: not won 1, no close date 1, amount 0 1") for note in sniffed.notes)
    assert sniffed.matching.conversions_matched == 2
    zoned = sniff(events, users=users, conversions=str(folder / "deals.csv"), ask=lambda _: "Europe/Paris")
    assert zoned.to_do == ()
    assert drafted(zoned, tmp_path).exports["conversions"].timezone == "Europe/Paris"


def test_close_dates_that_crowd_on_the_last_day_of_a_month_are_told(exports):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\n")
    conversions = exports.write("c.csv", "user_id,Close Date\nu1,2026-01-31\nu1,2026-02-28\nu1,2026-03-05\n")
    notes = sniff(events, conversions=conversions).notes
    assert any(note.startswith("2 of 3 values of 'Close Date' are the last day of a month") for note in notes)


def test_users_with_events_before_the_signup_chosen_are_told(exports):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,2026-01-01\nu2,a,2026-03-02\n")
    users = exports.write("u.csv", "user_id,created_at,joined\nu1,2026-02-01,2025-12-01\nu2,2026-03-01,2025-12-01\n")
    notes = sniff(events, users=users).notes
    assert "signed_up_at of the users is 'joined'; it could be created_at" in notes
    assert not any("before their signup" in note for note in notes)
    late = exports.write("late.csv", "user_id,created_at\nu1,2026-02-01\nu2,2026-03-01\n")
    assert "1 of 2 users have events before their signup: is 'created_at' that time?" in sniff(events, users=late).notes


@pytest.mark.parametrize(
    "header",
    ["userRegistered", "Member Since", "user_created_at", "UserCreateDate", "CreatedDate", "Create Date", "first_seen", "inserted_at",
     "registered_on", "date created", "Signed Up", "join_date", "customerSince", "Person - Person created", "trial_start"],
)  # fmt: skip
def test_headers_of_signups(header):
    assert (
        guess_columns("users", ["External ID", header, "last_seen", "updated_at", "birth_date"])["signed_up_at"]
        == header
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2026-01-01T00:00:00Z"], None),
        (["2026-01-01"], None),
        ([1767225600], "epoch_s"),
        (["1767225600000"], "epoch_ms"),
        ([1767225600000000], "epoch_us"),
        (["22-04-2014 03:53"], "%d-%m-%Y %H:%M"),
        (["4/22/2014", "4/1/2014"], "%m/%d/%Y"),
        (["22.04.2014"], "%d.%m.%Y"),
        ([None], None),
        (["01/02/2026"] * 30 + ["13/02/2026"], "%d/%m/%Y"),
        (["13/02/2026"] * 30 + ["NULL"], "%d/%m/%Y"),
        (["1/15/2026 3:04 PM"], "%m/%d/%Y %I:%M %p"),
        (["1/15/2026, 3:04:05 PM"], "%m/%d/%Y, %I:%M:%S %p"),
        (["1/15/26"], "%m/%d/%y"),
        (["20260115", "20260131"], "%Y%m%d"),
        ([20260115], "%Y%m%d"),
        (["20260115103000"], "%Y%m%d%H%M%S"),
        ([1767225600000000000], "epoch_ns"),
        ([46037.0, 46038.5], "excel"),
        (["46037", "46038.5"], "excel"),
        (["Jan 15, 2026"], None),
        (["15-Jan-2026 10:00"], None),
        (["Thu, 15 Jan 2026 15:04:05 +0000"], None),
        (["2026-1-5 3:04:05"], None),
    ],
)
def test_formats_of_times(values, expected):
    assert guess_format(pl.Series(values, dtype=pl.String if values == [None] else None)).form == expected


def test_days_and_months_that_could_be_swapped_are_a_doubt():
    guess = guess_format(pl.Series(["01/02/2026", "03/04/2026"]))
    assert (guess.form, guess.other) == ("%m/%d/%Y", "%d/%m/%Y")
    assert guess.doubt is not None
    assert "%d/%m/%Y" in guess.doubt


def test_a_table_whose_dates_are_sure_decides_for_another(exports):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,01/02/2026\nu1,a,02/02/2026\n")
    users = exports.write("u.csv", "user_id,signed_up_at\nu1,31.01.2026\n")
    sniffed = sniff(events, users=users)
    assert sniffed.sources["events"].columns["timestamp"].format == "%d/%m/%Y"
    assert any("another table's decide: %d/%m/%Y" in note for note in sniffed.notes)
    assert not any("check it" in note for note in sniffed.notes)


def test_conversions_decide_too(exports):
    events = exports.write("e.csv", "user_id,event,timestamp\nu1,a,01/02/2026\nu1,a,02/02/2026\n")
    sold = exports.write("c.csv", "user_id,converted_at\nu1,31/01/2026\n")
    sniffed = sniff(events, conversions=sold)
    assert sniffed.sources["events"].columns["timestamp"].format == "%d/%m/%Y"


def test_one_column_is_never_used_twice():
    assert guess_columns("users", ["id"]) == {"user_id": "id"}
    found = guess_columns("conversions", ["user_id", "plan", "previous_plan", "date"])
    assert found == {"user_id": "user_id", "converted_at": "date", "plan": "plan", "from_plan": "previous_plan"}


@pytest.mark.parametrize("text", ["no", "1e3", "12:30", "0x1F", "a: b", "# c", "~", "", "é", "a\tb", "- x", "😀", '"'])
def test_quoted_text_reads_back_as_text(text):
    from pqlkit.definitions.yaml_source import Surprise, parse

    document = parse(f"k: {quoted(text)}\n{quoted(text)}: 1\n", "x.yml")
    assert document.diagnostics == ()
    assert document.data == {"k": text, text: 1}
    assert isinstance(document.data, dict)
    assert not isinstance(document.data["k"], Surprise)
