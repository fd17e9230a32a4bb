"""The error tree that errors.py draws is the tree that exists."""

from __future__ import annotations

from pqlkit import errors


def drawn() -> dict[str, str]:
    lines = [line for line in (errors.__doc__ or "").splitlines() if "──" in line]
    return {line.split()[1]: "PqlkitError" for line in lines}


def test_the_drawn_tree_is_the_real_tree() -> None:
    real = {kind.__name__: kind.__base__.__name__ for kind in errors.PqlkitError.__subclasses__() if kind.__base__}
    assert {name: base for name, base in real.items() if hasattr(errors, name)} == drawn()


def test_a_message_says_what_where_and_what_to_do() -> None:
    error = errors.DataError("no column named usr_id", where="events.csv:1:3", hint="did you mean user_id?")
    assert str(error) == "events.csv:1:3: no column named usr_id\n  did you mean user_id?"
