"""The trial: what a hypothesis without a window means, and where its errors point."""

from __future__ import annotations

import json

import pytest

from pqlkit.cli.output import plain
from pqlkit.definitions.expression import parse_expression
from pqlkit.durations import DAY, Duration
from pqlkit.errors import DataError
from pqlkit.options.settings import Settings
from pqlkit.proposal.trying import try_
from pqlkit.reporting.renderers.trial import as_json, as_table
from tests.analysis.canonical import in_memory


def people():
    users = [{"id": f"u{n}", "anchor": n, "converted": 320 * DAY if n == 3 else None} for n in range(9)]
    events = [(f"u{n}", name, day * DAY) for n in range(9) for day in range(1, 400, 6) for name in ("login", "invite")]
    return in_memory(users, events, as_of=400 * DAY)


@pytest.mark.parametrize(
    ("settings", "text", "completed"),
    [
        (Settings(snapshots="once"), "login", "login in 14d"),
        (Settings(snapshots="once:7d"), "login >= 2", "login >= 2 in 7d"),
        (Settings(snapshots="age:1d,3d"), "login", "login in 3d"),
        (Settings(snapshots="every:28d"), "login >= 2", "login >= 2 trailing 84d"),
        (Settings(snapshots="every:28d", windows=(Duration(7, "d"), Duration(28, "d"))), "login", "login trailing 28d"),
        (Settings(snapshots="every:28d"), "login >= 2 and invite ever", "login >= 2 ever and invite ever"),
        (Settings(snapshots="every:28d"), "login in 7d and invite trailing 7d", None),
    ],
)
def test_a_term_without_a_window_has_the_only_one_named_else_that_of_the_snapshots(settings, text, completed):
    tried = try_(people(), text, settings=settings)
    assert tried.completed == completed
    assert tried.definition.qualify == parse_expression(completed or text)
    shown = " ".join(plain(as_table(tried)).split())
    assert (f"read as: {completed}" in shown) is (completed is not None)
    assert f'"completed": {"null" if completed is None else chr(34) + completed + chr(34)}' in as_json(tried)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "login  and logn >= 10",
            "no event is called logn (character 12). The data has: invite, login",
            "login and logn >= 10\n          ^",
        ),
        (
            "sum(login.amont) >= 3",
            "no property is called amont (character 11). The data has: none",
            "sum(login.amont) >= 3\n          ^",
        ),
    ],
)
def test_an_unknown_name_is_pointed_at(text, message, hint):
    with pytest.raises(DataError) as caught:
        try_(people(), text, settings=Settings(snapshots="once:14d"))
    assert caught.value.message == message
    assert (caught.value.hint or "").startswith(hint)
    with pytest.raises(DataError, match="no event is called logn"):
        try_(people(), "as written", parse_expression("logn in 7d"))


def test_where_everybody_converted_the_rates_are_the_same():
    """Seven of seven against three of three is once, not what half counts make of it."""
    users = [{"id": f"u{n}", "anchor": n * DAY, "converted": (n + 20) * DAY} for n in range(10)]
    events = [(f"u{n}", "login", n * DAY + 1) for n in range(10)] + [(f"u{n}", "invite", n * DAY + 2) for n in range(7)]
    tried = try_(in_memory(users, events, as_of=150 * DAY), "invite in 14d", settings=Settings(snapshots="once:14d"))
    assert tried.table.cells == (7, 0, 3, 0)
    text = " ".join(plain(as_table(tried)).split())
    assert text.startswith(
        "Snapshots that meet it may convert as often as the others: 100% against 100% within 30 days."
    )
    assert "relative risk 1.00 [0.65, 2.3]" in text
    assert json.loads(as_json(tried))["relative_risk"] == 1


def test_a_rate_over_nobodys_is_told_by_its_lower_end():
    users = [{"id": f"u{n}", "anchor": n, "converted": 20 * DAY if n < 9 else None} for n in range(60)]
    events = [(f"u{n}", "login", DAY) for n in range(60)] + [(f"u{n}", "invite", DAY) for n in range(12)]
    tried = try_(in_memory(users, events, as_of=150 * DAY), "invite in 14d", settings=Settings(snapshots="once:14d"))
    assert tried.table.cells == (9, 3, 0, 48)
    risk = tried.table.relative_risk()
    assert risk.low is not None
    assert risk.low > 5
    shown = plain(as_table(tried))
    assert shown.startswith(
        f"Snapshots that meet it converted at least {risk.low:.1f} times as often: 75.0% against 0%"
    )
    written = json.loads(as_json(tried))
    assert (written["relative_risk"], written["relative_risk_low"], written["relative_risk_high"]) == (
        None,
        risk.low,
        None,
    )


def late(meets):
    """Thirty users who convert soon after signup, and sixty who do one thing a day and meet a rule on the day that is asked."""
    start = 1_767_225_600_000_000
    begun = {f"{kind}{n:02d}": start + n * DAY for kind, size in (("c", 30), ("u", 60)) for n in range(size)}
    bought = {f"c{n:02d}": 20 * DAY for n in range(30)} | {f"u{n:02d}": 130 * DAY for n in range(10)}
    users = [
        {"id": name, "anchor": at, "converted": at + bought[name] if name in bought else None}
        for name, at in begun.items()
    ]
    events = [(name, "open", at + day * DAY + 1) for name, at in begun.items() for day in range(0, 250, 2)]
    events += [(f"u{n:02d}", "act", begun[f"u{n:02d}"] + meets * DAY + 1 + i) for n in range(40) for i in range(20)]
    return in_memory(users, events, as_of=start + 300 * DAY, history_from=start)


@pytest.mark.parametrize(
    ("meets", "text", "settings", "snapshots"),
    [
        (100, "act >= 20 ever", Settings(), "every:28d"),
        (100, "act >= 20 trailing 28d", Settings(), "every:28d"),
        (40, "act >= 20 in 60d", Settings(), "once:60d"),
        (3, "act >= 20 ever", Settings(), "once:14d"),  # they can be seen
        (100, "act >= 20 ever", Settings(snapshots="once:14d"), "once:14d"),  # as somebody said
        (100, "act >= 20", Settings(), "once:14d"),  # is about the first 14 days
        (100, "act >= 20 ever and open", Settings(), "every:28d"),
    ],
)
def test_a_rule_that_is_met_late_is_read_at_snapshots_that_see_it(meets, text, settings, snapshots):
    tried = try_(late(meets), text, settings=settings)
    assert tried.observed.snapshots.text == snapshots
    told = [warning for warning in tried.warnings if "which can see the others" in warning]
    assert len(told) == (snapshots not in {"once:14d", settings.snapshots})
    if told:
        assert told[0].startswith("0 of the 40 users that ever meet it do so by day 14")
        assert tried.table.with_.denominator > 0
