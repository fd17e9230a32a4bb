"""One user in several accounts: no duplicate, but a row that the users table cannot hold, counted and named."""

from __future__ import annotations

from pqlkit.exports.dataset import open_dataset

DAY = "2026-01-01"


def read(exports, kind, users: list[str], accounts: list[str | None], days: list[str]):
    events = exports.written(kind, "events", user_id=["u1"], event=["a"], timestamp=[DAY])
    people = exports.written(kind, "users", user_id=users, account_id=accounts, signed_up_at=days)
    return open_dataset(events=events, users=people)


def test_a_further_account_is_counted_and_named(exports, kind, table_rows):
    dataset = read(
        exports,
        kind,
        ["u1", "u1", "u1", "u2", "u3", "u1"],
        ["a1", "a2", "a1", "a1", "a3", "a2"],
        ["2026-01-01", "2026-01-02", "2026-01-03", DAY, DAY, "2026-01-04"],
    )
    assert table_rows(dataset, "users", "user_id", "account_id") == [("u1", "a1"), ("u2", "a1"), ("u3", "a3")]
    intake = dataset.intake.tables["users"]
    assert (intake.read, intake.kept, intake.duplicate) == (6, 3, 2)
    assert intake.left_out == {"a further account of a user": 1}
    (warning,) = dataset.intake.warnings
    assert warning.startswith("users: users in several accounts: 1, like 'u1' (of 'a1', and of 'a2')")
    assert "without an account id" in warning


def test_the_same_account_twice_is_a_duplicate(exports, kind):
    dataset = read(exports, kind, ["u1", "u1", "u1"], ["a1", "a1", None], [DAY, "2026-01-02", "2026-01-03"])
    intake = dataset.intake.tables["users"]
    assert (intake.kept, intake.duplicate, intake.left_out, dataset.intake.warnings) == (1, 2, {}, ())


def test_the_load_says_it_too(exports):
    events = exports.write("e.csv", f"user_id,event,timestamp\nu1,a,{DAY}\n")
    people = exports.write("u.csv", f"user_id,account_id,signed_up_at\nu1,,{DAY}\nu1,a2,2026-01-02\n")
    report = exports.load(events=events, users=people)
    assert report.tables["users"].left_out == {"a further account of a user": 1}
    assert any("(of none, and of 'a2')" in warning for warning in report.warnings)
