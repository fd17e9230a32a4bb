"""Vendors' export shapes, imitated row by row."""

from __future__ import annotations

import json

import polars as pl
import pytest

from pqlkit.errors import UsageError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.mapping import Source
from pqlkit.exports.preset import preset, presets
from pqlkit.exports.project import Project, read_project


def lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


MIXPANEL = lines(
    {
        "event": "visit",
        "properties": {"time": 1767225600, "distinct_id": "$device:d1", "$device_id": "d1", "$insert_id": "a"},
    },
    {
        "event": "login",
        "properties": {"time": 1767225601, "distinct_id": "u1", "$user_id": "u1", "$device_id": "d1", "plan": "pro"},
    },
    {"event": "old", "properties": {"time": 1767225602, "distinct_id": "u2", "event": "inner"}},
)
AMPLITUDE = lines(
    {"event_type": "visit", "event_time": "2026-01-01 00:00:00.000000", "user_id": None, "device_id": "d1", "amplitude_id": 5,
     "event_properties": {}, "$insert_id": "a", "uuid": "x"},
    {"event_type": "login", "event_time": "2026-01-01 00:00:01.500000", "user_id": "u1", "device_id": "d1", "amplitude_id": 5,
     "event_properties": {"plan": "pro", "cart": ["a"]}, "uuid": "y"},
)  # fmt: skip
SEGMENT = lines(
    {"messageId": "1", "type": "track", "event": "visit", "anonymousId": "d1", "userId": None, "timestamp": "2026-01-01T00:00:00Z"},
    {"messageId": "2", "type": "identify", "anonymousId": "d1", "userId": "u1", "timestamp": "2026-01-01T00:00:01Z"},
    {"messageId": "3", "type": "track", "event": "login", "anonymousId": "d1", "userId": "u1", "timestamp": "2026-01-01T00:00:02Z",
     "properties": {"plan": "pro"}, "context": {"groupId": "g1"}},
)  # fmt: skip
SEGMENT_SERVER = lines(
    {"messageId": "1", "type": "track", "event": "login", "userId": "u1", "timestamp": "2026-01-01T00:00:00Z"},
    {"messageId": "2", "type": "track", "event": "invoice_sent", "userId": "u2", "timestamp": "2026-01-01T00:00:01Z"},
)
POSTHOG = lines(
    {"uuid": "1", "event": "visit", "distinct_id": "d1", "person_id": "p1", "timestamp": "2026-01-01T00:00:00+00:00",
     "properties": {"$device_id": "d1"}},
    {"uuid": "2", "event": "$identify", "distinct_id": "u1", "person_id": "p1", "timestamp": "2026-01-01T00:00:01+00:00",
     "properties": {"$device_id": "d1", "$anon_distinct_id": "d1"}},
    {"uuid": "3", "event": "login", "distinct_id": "u1", "person_id": "p1", "timestamp": "2026-01-01T00:00:02+00:00",
     "properties": {"plan": "pro", "$group_0": "g1"}},
    {"uuid": "4", "event": "visit", "distinct_id": "d9", "person_id": "p9", "timestamp": "2026-01-01T00:00:03+00:00",
     "properties": {"$device_id": "d9"}},
)  # fmt: skip
GA4 = lines(
    {"event_name": "visit", "event_timestamp": "1767225600000000", "user_pseudo_id": "d1", "user_id": None,
     "event_params": [{"key": "page", "value": {"string_value": "/a"}}, {"key": "n", "value": {"int_value": "3"}}]},
    {"event_name": "login", "event_timestamp": "1767225600000001", "user_pseudo_id": "d1", "user_id": "u1", "event_params": []},
)  # fmt: skip
SNOWPLOW = (
    "app_id,event,event_id,event_name,user_id,domain_userid,collector_tstamp,derived_tstamp\n"
    "a,page_view,1,page_view,,d1,2026-01-01 00:00:05,2026-01-01 00:00:00.123\n"
    "a,unstruct,2,login,u1,d1,2026-01-01 00:00:06,\n"
    "a,unstruct,2,login,u1,d1,2026-01-01 00:00:07,\n"
)
PENDO = (
    "account_id,feature_id,timestamp,visitor_id,num_events\n"
    "acc,f1,2026-01-01 08:00:00,u1,3\nacc,f2,2026-01-01 09:00:00,u2,1\n"
)
HEAP = (
    "event_id,time,user_id,session_id,event_table_name\n"
    "7,2026-01-01 08:00:00,1,s,signup\n7,2026-01-01 08:00:00,1,s,any_click\n7,2026-01-01 08:00:00,1,s,signup\n"
)
SEGMENT_PAGES = (
    "id,anonymous_id,user_id,received_at,sent_at,timestamp,path\n"
    "1,d1,u1,2026-01-01 00:00:00,2026-01-01 00:00:00,2026-01-01 00:00:00,/\n"
)


@pytest.mark.parametrize(
    ("vendor", "name", "content", "users", "anonymous", "duplicate"),
    [
        ("mixpanel", "e.ndjson", MIXPANEL, ["u1", "u1", "u2"], 0, 0),
        ("amplitude", "e.json", AMPLITUDE, ["u1", "u1"], 0, 0),
        ("segment", "e.json", SEGMENT, ["u1", "u1", "u1"], 0, 0),
        ("segment", "server.json", SEGMENT_SERVER, ["u1", "u2"], 0, 0),
        ("segment", "e.csv", SEGMENT_PAGES, ["u1"], 0, 0),
        ("posthog", "e.jsonl", POSTHOG, ["u1", "u1", "u1"], 1, 0),
        ("ga4", "e.json", GA4, ["u1", "u1"], 0, 0),
        ("snowplow", "e.csv", SNOWPLOW, ["u1", "u1"], 0, 1),
        ("pendo", "e.csv", PENDO, ["u1", "u2"], 0, 0),
        ("heap", "e.csv", HEAP, [1, 1], 0, 1),
    ],
)
def test_each_vendors_shape_is_recognised_and_stitched(
    exports, table_rows, vendor, name, content, users, anonymous, duplicate
):
    from pqlkit.exports.staging import first_rows

    path = exports.write(name, content)
    source = Source(path=(path,), format=vendor)
    columns = first_rows(exports.folder / name, source).columns
    assert [known for known, found in presets().items() if found.variant(columns) is not None] == [vendor]
    dataset = open_dataset(Project(exports={"events": source}))
    found = [user for (user,) in table_rows(dataset, "events", "user_id")]
    assert [user for user in found if user is not None] == users
    assert found.count(None) == anonymous
    assert dataset.intake.tables["events"].duplicate == duplicate
    assert dataset.intake.tables["events"].quarantined == 0


def read(exports, vendor, name, content):
    return open_dataset(Project(exports={"events": Source(path=(exports.write(name, content),), format=vendor)}))


def test_properties_lose_their_containers_prefix_unless_it_is_needed(exports):
    columns = read(exports, "mixpanel", "e.ndjson", MIXPANEL).tables["events"].columns
    assert {"plan", "properties.event"} <= set(columns)
    assert not {"properties.plan", "properties.time", "properties.distinct_id"} & set(columns)


def test_times_of_the_vendors(exports, table_rows):
    assert table_rows(read(exports, "amplitude", "e.json", AMPLITUDE), "events", "timestamp")[1] == (
        "2026-01-01T00:00:01.500Z",
    )
    assert table_rows(read(exports, "ga4", "e.json", GA4), "events", "timestamp")[1] == ("2026-01-01T00:00:00.000001Z",)
    assert table_rows(read(exports, "snowplow", "e.csv", SNOWPLOW), "events", "timestamp")[1] == (
        "2026-01-01T00:00:06Z",
    )


def test_ga4s_parameters_become_properties_of_their_own_type(exports, table_rows):
    dataset = read(exports, "ga4", "e.json", GA4)
    assert table_rows(dataset, "events", "page", "n") == [("/a", 3), (None, None)]


def test_properties_in_json_text_are_opened(exports, table_rows):
    content = 'name,time,distinct_id,insert_id,properties\nlogin,2026-01-01,u,1,"{""plan"": ""pro"", ""n"": 2}"\nx,2026-01-02,u,2,\n'
    dataset = read(exports, "mixpanel", "e.csv", content)
    assert table_rows(dataset, "events", "plan", "n") == [("pro", 2), (None, None)]


def test_a_projects_own_mapping_overrules_the_preset(exports, table_rows):
    path = exports.write("e.jsonl", POSTHOG)
    source = exports.mapped(path, user_id="person_id")
    project = Project(exports={"events": Source(path=source.path, columns=source.columns, format="posthog")})
    assert ("p1",) in table_rows(open_dataset(project), "events", "user_id")


def test_identities_of_a_preset_are_a_table(exports, table_rows):
    assert table_rows(read(exports, "posthog", "e.jsonl", POSTHOG), "identities") == [("d1", "u1")]


def test_an_unknown_format_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"there is no export format 'mixpannel'\n  did you mean mixpanel\?"):
        preset("mixpannel")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("title: X\nvariants: []\nzone: UTC\n", "x.yml: an export format has no key 'zone'"),
        ("title: X\n", "x.yml: an export format needs the key 'variants'"),
        (
            "title: X\nvariants: [{name: hits, recognize: [a], columns: {event: b}}]\n",
            "x.yml, hits: an export format has no key 'recognize'\n  did you mean recognise?",
        ),
        ("title: X\nvariants: [{recognise: [a]}]\n", "x.yml, a variant: an export format needs the key 'name'"),
    ],
)
def test_a_format_that_is_written_wrong_is_refused_by_name(tmp_path, monkeypatch, written, message):
    (tmp_path / "x.yml").write_text(written)
    monkeypatch.setattr("pqlkit.exports.preset.shipped", lambda _: tmp_path)
    with pytest.raises(UsageError) as refused:
        presets.__wrapped__()
    assert str(refused.value).startswith(message)


def test_every_preset_maps_what_its_table_needs():
    needs = {"events": {"user_id", "event", "timestamp"}, "conversions": {"converted_at", "amount"}}
    vendors = {
        table: {name for name, known in presets().items() if known.variants[0].table == table} for table in needs
    }
    assert vendors == {
        "events": {"amplitude", "ga4", "heap", "mixpanel", "pendo", "posthog", "segment", "snowplow"},
        "conversions": {
            "chargebee", "hubspot", "lemonsqueezy", "paddle", "pipedrive", "recurly", "revenuecat", "salesforce", "stripe",
        },
    }  # fmt: skip
    for known in presets().values():
        for variant in known.variants:
            assert needs[variant.table] <= set(variant.columns), (known.name, variant.name)
            assert variant.recognise


def test_a_vendors_times_are_utc_unless_the_source_says_otherwise(exports, tmp_path, table_rows):
    exports.write("e.json", AMPLITUDE)
    for stated, expected in (("", "2026-01-01T00:00:00Z"), (", timezone: Europe/Berlin", "2025-12-31T23:00:00Z")):
        path = tmp_path / "pqlkit.yml"
        path.write_text(
            f"pqlkit: 1\ntimezone: Asia/Tokyo\nexports: {{events: {{path: e.json, format: amplitude{stated}}}}}\n"
        )
        assert table_rows(open_dataset(read_project(path)), "events", "timestamp")[0] == (expected,)


def test_ga4s_parameters_in_parquet(tmp_path, table_rows):
    value = {"string_value": "/a", "int_value": None}
    frame = pl.DataFrame(
        {
            "event_name": ["visit", "login"],
            "event_timestamp": [1767225600000000, 1767225600000001],
            "user_pseudo_id": ["d", "d"],
            "user_id": [None, "u"],
            "event_params": [[{"key": "page", "value": value}], []],
        }
    )
    frame.write_parquet(tmp_path / "e.parquet")
    source = Source(path=(str(tmp_path / "e.parquet"),), format="ga4")
    dataset = open_dataset(Project(exports={"events": source}))
    assert table_rows(dataset, "events", "user_id", "page") == [("u", "/a"), ("u", None)]
