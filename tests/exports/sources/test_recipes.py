"""Recipes: every statement parses in the dialect of each warehouse, and those that run on a server here give the rows they say."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest
import sqlglot

from pqlkit.errors import UsageError
from pqlkit.exports.mapping import Source
from pqlkit.exports.recipes import WRAPPERS, recipe, recipes
from pqlkit.exports.sources.landing import Landing
from pqlkit.exports.tables import layout

EVERY = [(name, table) for name, known in recipes().items() for table in known.tables]


def test_there_is_a_recipe_for_each_source_that_has_no_driver_here():
    assert set(recipes()) == {
        "amplitude", "bigquery", "bigquery-ga4", "databricks", "hubspot-fivetran", "posthog", "rudderstack",
        "salesforce-fivetran", "segment-warehouse", "snowflake", "snowplow", "stripe-fivetran",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "table"), EVERY)
def test_every_statement_parses_in_each_dialect_and_names_what_its_table_needs(name, table):
    known = recipe(name)
    for warehouse in known.warehouses:
        (tree,) = sqlglot.parse(known.tables[table].sql, dialect=warehouse)
        named = set(tree.named_selects) if isinstance(tree, sqlglot.exp.Query) else set()
        shape = layout(table)
        assert set(shape.required) <= named
        owners = {"email", "domain"} | {column for group in shape.one_of for column in group}
        assert not shape.one_of or named & owners
        if warehouse not in ("redshift", "databricks"):  # the parser knows neither of their statements
            whole = WRAPPERS[warehouse][0].format(table=table, query=known.tables[table].sql.rstrip())
            assert len([tree for tree in sqlglot.parse(whole, dialect=warehouse) if tree is not None]) == 1


def test_statements_are_one_per_table_with_what_to_know_in_comments():
    text = recipe("amplitude").statements()
    code = [line for line in text.splitlines() if not line.startswith("--")]
    assert "\n".join(code).count("COPY INTO @STAGE/") == 2
    assert "--   identities: {path: s3://BUCKET/identities/}" in text
    assert "TIMESTAMP_TZ to Parquet" in text
    with pytest.raises(UsageError, match="there is no recipe 'stripe-fivetrn'\n  did you mean stripe-fivetran"):
        recipe("stripe-fivetrn")


@pytest.fixture(scope="module")
def ask(postgres, tmp_path_factory):
    """Runs a recipe's query of one table over tables made by statements; the rows are mappings."""

    def answer(name, table, *statements):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WAREHOUSE_URL", postgres.url)
            postgres.run(
                "DROP SCHEMA IF EXISTS public CASCADE",
                "DROP SCHEMA IF EXISTS atomic CASCADE",
                "CREATE SCHEMA public",
                *statements,
            )
            landing = Landing(tmp_path_factory.mktemp("landing"))
            (piece,) = landing.pieces(
                table, Source(path=(), connection="WAREHOUSE_URL", query=recipe(name).tables[table].sql)
            )
            return pl.read_parquet(landing.file(piece)).rows(named=True)

    return answer


@pytest.mark.parametrize("name", ["segment-warehouse", "rudderstack"])
def test_an_event_of_segment_is_of_the_group_that_its_user_was_in_then(ask, name):
    rows = ask(
        name,
        "events",
        'CREATE TABLE tracks (id text, user_id text, anonymous_id text, event text, "timestamp" timestamptz)',
        'CREATE TABLE groups (user_id text, group_id text, "timestamp" timestamptz)',
        "INSERT INTO groups VALUES ('u', 'old', '2026-01-05'), ('u', 'new', '2026-01-10'), (null, 'x', '2026-01-01')",
        """INSERT INTO tracks VALUES ('1', 'u', 'a', 'e', '2026-01-04'), ('2', 'u', 'a', 'e', '2026-01-05'),
            ('3', 'u', 'a', 'e', '2026-01-10'), ('4', null, 'a', 'e', '2026-01-11'), ('5', 'u', 'a', 'e', '2025-12-31')""",
    )
    assert {row["event_id"]: row["account_id"] for row in rows} == {"1": None, "2": "old", "3": "new", "4": None}


def test_users_of_segment_signed_up_when_their_row_first_says(ask):
    rows = ask(
        "segment-warehouse",
        "users",
        "CREATE TABLE users (id text, created_at timestamptz, email text)",
        "INSERT INTO users VALUES ('u', '2026-01-02', 'a@x.test'), ('u', '2026-01-01', null)",
    )
    assert [(row["user_id"], str(row["signed_up_at"].date()), row["email"]) for row in rows] == [
        ("u", "2026-01-01", "a@x.test")
    ]


def test_a_device_of_posthog_is_anonymous(ask):
    table = 'CREATE TABLE events (uuid uuid, distinct_id text, event text, properties jsonb, "timestamp" timestamptz)'
    insert = """INSERT INTO events VALUES
        (gen_random_uuid(), 'd', 'viewed', '{"$device_id": "d"}', '2026-01-02'),
        (gen_random_uuid(), 'u', '$identify', '{"$device_id": "d", "$anon_distinct_id": "d", "$group_0": "acme"}', '2026-01-03')"""
    rows = ask("posthog", "events", table, insert)
    assert sorted((row["event"], row["user_id"], row["anonymous_id"], row["account_id"]) for row in rows) == [
        ("$identify", "u", "d", "acme"),
        ("viewed", None, "d", None),
    ]
    assert ask("posthog", "identities", table, insert) == [{"anonymous_id": "d", "user_id": "u"}]


def test_an_event_of_snowplow_counts_once_and_a_ping_never(ask):
    rows = ask(
        "snowplow",
        "events",
        "CREATE SCHEMA atomic",
        """CREATE TABLE atomic.events (event_id text, user_id text, domain_userid text, event_name text, derived_tstamp timestamp,
            collector_tstamp timestamp)""",
        """INSERT INTO atomic.events VALUES ('1', 'u', 'd', 'e', '2026-01-02', '2026-01-02'),
            ('1', 'u', 'd', 'e', '2026-01-02', '2026-01-03'), ('2', 'u', 'd', 'page_ping', '2026-01-02', '2026-01-02')""",
    )
    assert [(row["event_id"], row["anonymous_id"]) for row in rows] == [("1", "d")]


def test_conversions_of_stripe_are_first_paid_invoices(ask):
    rows = ask(
        "stripe-fivetran",
        "conversions",
        "CREATE TABLE customer (id text, email text, metadata jsonb)",
        """CREATE TABLE invoice (id text, customer_id text, status text, amount_paid bigint, currency text, billing_reason text,
            subscription_id text, livemode boolean, is_deleted boolean, created timestamptz, status_transitions_paid_at timestamptz)""",
        """INSERT INTO customer VALUES ('c1', 'a@x.test', '{"user_id": "u1"}'), ('c2', 'b@x.test', null), ('c3', 'c@x.test', null)""",
        """INSERT INTO invoice VALUES
            ('i0', 'c1', 'paid', 0, 'usd', 'subscription_create', 's', true, null, '2026-01-01', '2026-01-01'),
            ('i1', 'c1', 'paid', 114400, 'usd', 'subscription_cycle', 's', true, null, '2026-01-15', '2026-01-16'),
            ('i2', 'c1', 'paid', 114400, 'usd', 'subscription_cycle', 's', true, null, '2026-02-15', '2026-02-16'),
            ('i3', 'c2', 'paid', 2900, 'jpy', 'subscription_create', 's', true, false, '2026-01-03', null),
            ('i4', 'c3', 'open', 2900, 'usd', 'subscription_create', 's', true, false, '2026-01-03', null),
            ('i5', 'c3', 'paid', 2900, 'usd', 'subscription_create', 's', false, false, '2026-01-03', null),
            ('i6', 'c3', 'paid', 2900, 'usd', 'subscription_create', 's', true, true, '2026-01-03', null)""",
    )
    found = sorted(
        (row["email"], row["user_id"], str(row["converted_at"].date()), row["amount"], row["currency"]) for row in rows
    )
    assert found == [("a@x.test", "u1", "2026-01-16", 1144.0, "USD"), ("b@x.test", None, "2026-01-03", 2900.0, "JPY")]


def test_conversions_of_hubspot_are_won_deals_of_each_company(ask):
    rows = ask(
        "hubspot-fivetran",
        "conversions",
        """CREATE TABLE deal (deal_id bigint, deal_pipeline_id text, deal_pipeline_stage_id text, is_deleted boolean,
            property_closedate timestamptz, property_amount numeric, property_dealtype text)""",
        "CREATE TABLE deal_pipeline_stage (stage_id text, pipeline_id text, closed_won boolean)",
        "CREATE TABLE deal_company (deal_id bigint, company_id bigint)",
        "CREATE TABLE company (id bigint, property_domain text, is_deleted boolean)",
        "CREATE TABLE deal_contact (deal_id bigint, contact_id bigint)",
        "CREATE TABLE contact (id bigint, property_email text)",
        "INSERT INTO deal_pipeline_stage VALUES ('won', 'p', true), ('lost', 'p', false)",
        """INSERT INTO deal VALUES (1, 'p', 'won', null, '2026-01-19', 4900, 'newbusiness'), (2, 'p', 'lost', null, '2026-01-19', 1, null),
            (3, 'p', 'won', true, '2026-01-19', 1, null), (4, 'p', 'won', false, '2026-01-20', null, 'existingbusiness')""",
        "INSERT INTO deal_company VALUES (1, 503), (1, 504)",
        "INSERT INTO company VALUES (503, 'north.example', null), (504, 'labs.north.example', false)",
        "INSERT INTO deal_contact VALUES (1, 7), (1, 8)",
        "INSERT INTO contact VALUES (7, 'b@north.example'), (8, 'a@north.example')",
    )
    found = sorted(
        (row["deal_id"], row["domain"] or "", row["email"] or "", row["kind"], row["amount"] or 0) for row in rows
    )
    assert found == [
        (1, "labs.north.example", "a@north.example", "new", 4900),
        (1, "north.example", "a@north.example", "new", 4900),
        (4, "", "", "expansion", 0),
    ]


def test_conversions_of_salesforce_are_won_opportunities(ask):
    rows = ask(
        "salesforce-fivetran",
        "conversions",
        "CREATE TABLE account (id text, website text, is_deleted boolean)",
        """CREATE TABLE opportunity (id text, account_id text, is_won boolean, is_deleted boolean, close_date date,
            amount double precision, type text)""",
        "INSERT INTO account VALUES ('A', 'http://www.north.example', false)",
        """INSERT INTO opportunity VALUES ('1', 'A', true, false, '2026-01-19', 4900, 'New Business'), ('2', 'A', true, true, '2026-01-19', 1, null),
            ('3', 'A', false, false, '2026-01-19', 1, null), ('4', null, true, null, '2026-01-20', null, 'Existing Business')""",
    )
    found = sorted((row["opportunity_id"], row["domain"], row["kind"], row["amount"]) for row in rows)
    assert found == [("1", "http://www.north.example", "new", 4900.0), ("4", None, "expansion", None)]


def translated(name, table, *statements):
    """A query of a warehouse that is not here, in the dialect of DuckDB and over tables made there."""
    sql = recipe(name).tables[table].sql
    (query,) = sqlglot.transpile(
        sql.replace("`PROJECT.analytics_PROPERTY.events_*`", "events"), read=recipe(name).warehouses[0], write="duckdb"
    )
    with duckdb.connect() as connection:
        for statement in statements:
            connection.execute(statement)
        answer = connection.execute(query)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def test_an_event_of_ga4_has_its_time_and_parameters_of_the_range_of_days(tmp_path):
    value = "{'key': 'ga_session_id', 'value': {'string_value': NULL, 'int_value': 7}}, {'key': 'page_location', 'value': {'string_value': '/p', 'int_value': NULL}}"
    rows = translated(
        "bigquery-ga4",
        "events",
        f"""CREATE TABLE events AS SELECT 'u' user_id, 'd' user_pseudo_id, 'page_view' event_name, 1767312000000000 event_timestamp,
            [{value}] event_params, '20260102' _TABLE_SUFFIX UNION ALL SELECT 'u', 'd', 'page_view', 1, [{value}], 'intraday_20260102'""",
    )
    assert [(row["anonymous_id"], row["event"], row["ga_session_id"], row["page_location"]) for row in rows] == [
        ("d", "page_view", 7, "/p")
    ]
    assert rows[0]["timestamp"].isoformat().startswith("2026-01-02T00:00:00")


def test_identities_of_amplitude_follow_its_merges():
    rows = translated(
        "amplitude",
        "identities",
        "CREATE TABLE EVENTS_123456 (device_id text, amplitude_id bigint, user_id text, event_time timestamptz)",
        "CREATE TABLE MERGE_IDS_123456 (amplitude_id bigint, merged_amplitude_id bigint)",
        "INSERT INTO EVENTS_123456 VALUES ('d1', 1, NULL, '2026-01-02'), ('d2', 2, 'u', '2026-01-03'), (NULL, 3, NULL, '2026-01-04')",
        "INSERT INTO MERGE_IDS_123456 VALUES (1, 2)",
    )
    assert sorted((row["anonymous_id"], row["user_id"]) for row in rows) == [("d1", "u"), ("d2", "u")]
