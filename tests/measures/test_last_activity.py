"""Activity: when an entity did something last, and who of an account does most."""

from __future__ import annotations

import polars as pl

from pqlkit.definitions.model import EntityKind
from pqlkit.durations import DAY
from pqlkit.engines import engine
from pqlkit.measures.last_activity import last_active
from pqlkit.measures.world import World
from tests.analysis.canonical import in_memory

AS_OF = 100 * DAY


def account(*events: tuple[str | None, int]) -> list[dict[str, object]]:
    """Look at one account whose users are a and b."""
    frame = pl.DataFrame(
        [{"user_id": user, "account_id": "x", "event": "e", "at": at} for user, at in events],
        schema={"user_id": pl.String, "account_id": pl.String, "event": pl.String, "at": pl.Int64},
    )
    world = World(
        engine=engine(),
        kind=EntityKind.ACCOUNT,
        events=engine().lift(frame),
        entities=pl.DataFrame(
            {"entity": [0], "anchor": [0], "converted": [None], "since": [None]},
            schema=dict.fromkeys(["entity", "anchor", "converted", "since"], pl.Int64),
        ),
        members=pl.DataFrame({"user_id": ["a", "b"], "entity": [0, 0]}, schema_overrides={"entity": pl.Int64}),
        accounts=pl.DataFrame({"account_id": ["x"], "entity": [0]}, schema_overrides={"entity": pl.Int64}),
        as_of=AS_OF,
    )
    return last_active(world).to_dicts()


def test_users_have_a_last_moment_also_after_they_converted():
    people = in_memory(
        [{"id": "a", "anchor": 0, "converted": 5}, {"id": "b", "anchor": 0}],
        [("a", "e", 3), ("a", "e", 9)],
        as_of=AS_OF,
    )
    assert last_active(people.world).to_dicts() == [{"entity": 0, "last_active": 9, "who": None}]


def test_rows_after_as_of_do_not_exist():
    assert account(("a", AS_OF), ("b", AS_OF + 1))[0]["last_active"] == AS_OF


def test_who_did_most_lately_counts_before_who_did_most_ever():
    old = [("a", DAY)] * 5
    assert account(*old, ("b", AS_OF - 28 * DAY + 1))[0]["who"] == "b"
    assert account(*old, ("b", AS_OF - 28 * DAY))[0]["who"] == "a"


def test_ties_go_to_the_smaller_id_and_nobody_is_null():
    assert account(("b", AS_OF), ("a", AS_OF))[0]["who"] == "a"
    assert account((None, AS_OF))[0] == {"entity": 0, "last_active": AS_OF, "who": None}
