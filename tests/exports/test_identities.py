from __future__ import annotations

import polars as pl

from pqlkit.exports.identities import resolve, stitched


def pairs(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"anonymous_id": pl.String, "user_id": pl.String}, orient="row")


def test_chains_lead_to_their_end():
    assert resolve([pairs(("a", "b"), ("b", "c"), ("c", "d"))]).known.rows() == [("a", "d"), ("b", "d"), ("c", "d")]


def test_an_id_of_two_users_is_nobodys_and_counted():
    found = resolve([pairs(("x", "u"), ("x", "v"), ("y", "u"))])
    assert found.known.rows() == [("y", "u")]
    assert found.ambiguous == 1


def test_circles_are_counted_and_not_followed():
    found = resolve([pairs(("a", "b"), ("b", "a"), ("c", "u"))])
    assert found.known.rows() == [("c", "u")]
    assert found.circular == 2


def test_the_order_and_repetition_of_pairs_do_not_matter():
    some = [("a", "b"), ("b", "c"), ("x", "u"), ("x", "v")]
    assert resolve([pairs(*some)]).known.equals(resolve([pairs(*some[::-1]), pairs(*some)]).known)


def test_events_take_the_user_of_their_anonymous_id():
    events = pl.DataFrame(
        {"user_id": ["u", None, None, "b"], "anonymous_id": ["b", "b", "z", None], "n": [1, 2, 3, 4]},
        schema={"user_id": pl.String, "anonymous_id": pl.String, "n": pl.Int64},
    )
    found = stitched(events, resolve([pairs(("b", "w"))]))
    assert found.rows() == [("u", "b", 1), ("w", "b", 2), (None, "z", 3), ("w", None, 4)]
