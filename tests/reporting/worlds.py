"""Small worlds for tests of what people read: every result of the library, once with plain names and once with hostile ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pqlkit.analysis.analyzing import analyze
from pqlkit.definitions.expression import expression
from pqlkit.definitions.model import (
    All,
    Criterion,
    Definition,
    EntityKind,
    Measure,
    MeasureKind,
    Outcome,
    Window,
    WindowKind,
)
from pqlkit.durations import DAY, Duration
from pqlkit.exports.intake import Gap, Intake, Matching, Offender, TableIntake
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.proposing import propose
from pqlkit.proposal.trying import try_
from pqlkit.rates.report import report
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.population.population import Population
    from pqlkit.proposal.proposed import Proposal
    from pqlkit.proposal.trying import Trial
    from pqlkit.rates.report import Report

SCRIPT = "<script>document.title='owned'</script>"
HOSTILE: Mapping[str, str] = {
    "invite": SCRIPT,
    "login": '"><img src=x onerror="document.title=\'owned\'">',
    "export": "=cmd|' /C calc'!A0",
    "report": "\u202e\u2066gnp.exe\u2069 🚀 | pipe ` ** [a](javascript:alert(1))",
    "search": "\x1b[31mred\x1b[0m\nsecond line",
    "long": "x" * 10_000,
    "pricing": "</title></style></script><!-- --><b>",
    "channel": "<b onmouseover=alert(1)>channel</b>",
    "ads": "</td></tr><script>document.title='owned'</script>",
    "organic": "+1+1",
    "title": "\"'<svg onload=document.title='owned'>\u202e",
}
"""What exports have held: markup, formulas, control characters, direction marks, and much too much."""

PLAIN = {name: name for name in HOSTILE}
START = 20_000 * DAY
USERS = 1_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One of each."""

    analysis: Analysis
    proposal: Proposal
    trial: Trial
    report: Report
    other: Report


@cache
def results(hostile: bool = False) -> Results:
    """Look at 1,800 users who sign up over 150 days; those who invite three times or more convert more often."""
    names = HOSTILE if hostile else PLAIN
    people = population(names)
    node = definition(names, 3).qualify
    text = f"{names['invite']} >= 3 in 14d and {names['login']} >= 2 in 14d"
    compare = (names["invite"], names["login"])
    by = ("signup_month", names["channel"], expression(part(names["invite"], 3, days=7)))
    settings = Settings(
        snapshots="once:14d", windows=(Duration(3, "d"), Duration(14, "d")), conversion_window=Duration(30, "d")
    )
    return Results(
        analysis=analyze(people, Settings(by=by, compare=compare, snapshots="once:14d")),
        proposal=propose(people, settings, ProposeOptions(permutations=0, out_dir=Path("nowhere"))),
        trial=try_(people, text, node, settings),
        report=report(people, definition(names, 3), by=("signup_month", names["channel"])),
        other=report(people, definition(names, 1, "other")),
    )


def definition(names: Mapping[str, str], threshold: int, name: str = "inviters") -> Definition:
    within = Window(kind=WindowKind.WITHIN, length=Duration(14, "d"))
    count = Measure(kind=MeasureKind.COUNT)
    parts = (
        Criterion(id="invite", events=(names["invite"],), measure=count, window=within, at_least=threshold),
        Criterion(id="login", events=(names["login"],), measure=count, window=within, at_least=2),
    )
    return Definition(
        name=name,
        title=names["title"],
        entity=EntityKind.USER,
        qualify=All(parts=parts),
        outcome=Outcome(within=Duration(30, "d")),
    )


def population(names: Mapping[str, str]) -> Population:
    """Make users by arithmetic alone: no dice, so that the golden files stay as they are."""
    users, events, channels = [], [], []
    for number in range(USERS):
        name = f"{number:04}"
        anchor = START + number * DAY // 12
        invites = number * 7 % 5
        keen = invites >= 3 and number * 11 % 10 < 4
        lucky = number * 13 % 100 < 4
        users.append(
            {"id": name, "anchor": anchor, "converted": anchor + (15 + number % 20) * DAY if keen or lucky else None}
        )
        channels.append(names["ads"] if number % 3 else names["organic"])
        events += [(name, names["invite"], anchor + (1 + index) * DAY + 1) for index in range(invites)]
        events += [(name, names["login"], anchor + index * DAY // 2 + 2) for index in range(number * 3 % 8)]
        events += [(name, names["export"], anchor + 3 * DAY)] * (number * 17 % 3)
        events += [(name, names["report"], anchor + 4 * DAY)] * (number * 19 % 4)
        events += [(name, names["search"], anchor + 5 * DAY)] * (number * 23 % 2)
        events += [(name, names["long"], anchor + 6 * DAY)] * (number * 29 % 7)
        if keen or lucky:
            events.append((name, names["pricing"], anchor + (15 + number % 20) * DAY - 60_000_000))
    return in_memory(
        users,
        events,
        as_of=START + 200 * DAY,
        history_from=START,
        fixed={names["channel"]: channels},
    )


def intake(hostile: bool = False) -> Intake:
    """A load that kept most, with offenders, a gap and a warning."""
    names = HOSTILE if hostile else PLAIN
    bad = Offender(file="events.csv", line=7, column=names["channel"], value=names["export"], reason="no such time")
    events = TableIntake(
        name="events",
        files=2,
        read=12_345,
        kept=12_340,
        duplicate=3,
        quarantined=2,
        reasons={"no such time": 2},
        offenders=(
            bad,
            Offender(file="events.csv", line=9, column=None, value=names["search"], reason="too few cells"),
        ),
    )
    return Intake(
        tables={
            "events": events,
            "users": TableIntake(name="users", files=1, read=9, kept=9, duplicate=0, quarantined=0),
        },
        matching=Matching(
            users=9,
            users_with_events=8,
            users_without_events=1,
            event_users=9,
            event_users_unknown=1,
            events_of_unknown_users=4,
        ),
        gaps=(Gap(table="events", first="2026-03-01", last="2026-03-04", days=4),),
        quarantine=Path("data/quarantine.jsonl"),
        warnings=(f"property {names['long']} is mostly empty",),
    )
