"""Values that a condition compares with a number and that are none: every command that uses the condition counts them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from pqlkit.cli.app import run

DATA: Final = ("--events", "events.csv", "--users", "users.csv", "--conversions", "conversions.csv")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    days = [f"2026-01-{day:02}T10:00:00Z" for day in range(1, 29)]
    people = [f"u{number}" for number in range(40)]
    events = [f"{user},login,{day},{'1.200' if day < '2026-01-02' else '3'}" for user in people for day in days[::7]]
    Path("events.csv").write_text("\n".join(["user_id,event,timestamp,size", *events]) + "\n")
    users = [f'{user},2026-01-01,"{"1,200" if number % 2 else 12}"' for number, user in enumerate(people)]
    Path("users.csv").write_text("\n".join(["user_id,signed_up_at,seats", *users]) + "\n")
    sold = [f'{user},2026-02-01,"{amount}"' for user, amount in zip(people, ("1,200.00", "12,50", "20"), strict=False)]
    Path("conversions.csv").write_text("\n".join(["user_id,converted_at,amount", *sold]) + "\n")
    Path("pqlkit.yml").write_text(
        "pqlkit: 1\ntraits: {fixed: [seats]}\noutcome: {within: 30d, where: {amount: {at_least: 2}}}\n"
    )
    Path("d.yml").write_text(
        "pqlkit: 1\nname: d\nentity: user\neligible: [{trait: seats, at_least: 5}]\n"
        "qualify: {event: login, at_least: 1, ever: true}\noutcome: {within: 30d}\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        ["report", "-d", "d.yml", "--format", "json"],
        ["score", "-d", "d.yml", "--format", "csv"],
        ["validate", "d.yml"],
    ],
    ids=lambda command: command[0],
)
def test_commands_with_a_definition_count_outcome_and_eligibility(command, capsys):
    run([*command, *DATA])
    said = capsys.readouterr().err
    assert "the outcome: amount is not a number in 2 of 3 conversions, like '1,200.00'" in said
    assert "d: eligible: seats is not a number in 20 of 40 users, like '1,200'" in said
    assert 'seats: {column: seats, thousands: ","}' in said


@pytest.mark.parametrize(
    "command",
    [["analyze", "--format", "json"], ["try", "login >= 2 in 14d", "--format", "json"]],
    ids=["analyze", "try"],
)
def test_commands_without_one_count_the_outcome(command, capsys):
    run([*command, *DATA])
    assert "the outcome: amount is not a number in 2 of 3 conversions" in capsys.readouterr().err


def test_a_stated_notation_is_read_and_nothing_is_left_to_say(capsys):
    Path("conversions.csv").write_text('user_id,converted_at,amount\nu1,2026-02-01,"1.200"\n')
    Path("pqlkit.yml").write_text(
        "pqlkit: 1\noutcome: {within: 30d, where: {amount: {at_least: 1000}}}\ntraits: {fixed: [seats]}\n"
        "exports:\n  events: {path: events.csv}\n"
        '  users: {path: users.csv, columns: {seats: {column: seats, thousands: ","}}}\n'
        '  conversions: {path: conversions.csv, thousands: "."}\n'
    )
    assert run(["score", "-d", "d.yml", "--all", "--format", "csv", "--columns", "user_id,status"]) == 0
    said = capsys.readouterr()
    assert "not a number" not in said.err
    assert "u1,customer" in said.out
    assert "ineligible" not in said.out
