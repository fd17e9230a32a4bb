"""The sample: a small product's exports as files, for tests that run commands on them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 1, tzinfo=UTC)
DEFINITION = """\
pqlkit: 1
name: inviters
entity: user
qualify: {event: invite, at_least: 2, within: 7d}
outcome: {within: 14d}
"""
SOURCES = ("--events", "events.csv", "--users", "users.csv", "--conversions", "conversions.csv")
LINES = {
    "load": ("load", *SOURCES, "--out", "data"),
    "analyze": ("analyze", *SOURCES, "--conversion-window", "14d", "--format", "json"),
    "try": ("try", "invite >= 2 in 7d", *SOURCES, "--conversion-window", "14d", "--format", "json"),
    "propose": (
        "propose",
        *SOURCES,
        "--conversion-window",
        "14d",
        "--permutations",
        "0",
        "--format",
        "json",
    ),
    "score": ("score", "-d", "inviters.yml", *SOURCES, "--format", "json"),
    "report": ("report", "-d", "inviters.yml", *SOURCES, "--format", "json"),
}
"""One line of each command that reads data."""


def write_sample(folder: Path, users: int = 360) -> None:
    """Write ``events.csv``, ``users.csv``, ``conversions.csv`` and ``inviters.yml``; inviters convert more often."""
    dice = random.Random(5)
    events, people, upgrades = ["user_id,event,timestamp"], ["user_id,signed_up_at,plan"], ["user_id,converted_at"]
    for number in range(users):
        name, signup = f"u{number:03}", START + timedelta(hours=number * 6)
        people.append(f"{name},{signup:%Y-%m-%dT%H:%M:%SZ},free")
        keen = dice.random() < 0.4
        for event, most in (("login", 8), ("invite", 6 if keen else 1), ("export", 2)):
            for _ in range(dice.randrange(most + 1)):
                at = signup + timedelta(minutes=dice.randrange(10, 14 * 1440))
                events.append(f"{name},{event},{at:%Y-%m-%dT%H:%M:%SZ}")
        if dice.random() < (0.8 if keen else 0.04):
            at = signup + timedelta(days=dice.randrange(15, 26))
            upgrades.append(f"{name},{at:%Y-%m-%dT%H:%M:%SZ}")
    folder.mkdir(parents=True, exist_ok=True)
    for file, lines in (("events.csv", events), ("users.csv", people), ("conversions.csv", upgrades)):
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "inviters.yml").write_text(DEFINITION)
