"""One lead for people: as the rep gets it, how it came about, and how those who converted did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from pqlkit.durations import DAY, moment
from pqlkit.inert import visible
from pqlkit.reporting.renderers.layout import spread, styled, wrapped
from pqlkit.reporting.renderers.tabular import escape_markdown, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.words import day
from pqlkit.scoring.converters import PERIODS
from pqlkit.scoring.timeline import Happening

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from pqlkit.scoring.converters import Converter, Converters
    from pqlkit.scoring.timeline import Moment, Timeline

LINES: Final = 24
"""Dates of a timeline on one screen."""

ROWS: Final = 12
"""Events of a converter on one screen."""

BESIDE: Final = 4
"""Converters side by side."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD: Final = {
    Happening.ANCHOR: "* the clock starts",
    Happening.MET: "+ {} met",
    Happening.LAPSED: "- {} lapsed",
    Happening.OVER: "- {}: its window is over",
    Happening.QUALIFIED: "** QUALIFIES",
    Happening.UNQUALIFIED: "-- no longer qualifies",
    Happening.CONVERTED: "$$ UPGRADES",
}


_MARKS: Final = "*+-$"
_Date: TypeAlias = tuple[str, str, list[str]]


def as_table(card: Sequence[str], row: dict[str, Any], story: Timeline, *, as_of: int, zone: str) -> RenderableType:
    """Give what the terminal shows: the card, each criterion's value, and the way there.

    Parameters
    ----------
    card
        `pqlkit.scoring.card.cards` of the lead.
    row
        Its row of the list.
    story
        Its timeline.
    as_of
        UTC microseconds.
    zone
        Where dates are counted.
    """
    lines = [*_wrapped_card(card), "", *_timeline(story, as_of, ZoneInfo(zone))]
    return _group(lines)


def as_markdown(card: Sequence[str], row: dict[str, Any], story: Timeline, *, zone: str) -> str:
    """Give the card as a list and the timeline as a table."""
    head = f"**{escape_markdown(card[0])}**\n\n" + "".join(f"- {escape_markdown(line)}\n" for line in card[1:])
    rows = [[date, age, "; ".join(told)] for date, age, told in _dates(story, ZoneInfo(zone))]
    return f"{head}\n{to_markdown(rows, ['date', 'day', 'what'], right=[1])}"


def as_json(card: Sequence[str], row: dict[str, Any], story: Timeline, parts: Mapping[str, float]) -> str:
    """Give ``pqlkit/lead/2``: the row of the list, what its score is made of, the card, and the timeline."""
    return to_json(
        {
            "schema": "pqlkit/lead/2",
            "lead": row,
            "score_parts": dict(parts),
            "card": list(card),
            "timeline": [
                {"at": moment(entry.at), "what": entry.what.value, "name": entry.name or None, "count": entry.count}
                for entry in story.moments
            ],
        }
    )


def as_csv(story: Timeline) -> str:
    """Give the timeline, a row per moment."""
    rows = [
        {
            "at": moment(entry.at),
            "what": entry.what.value,
            "name": entry.name or None,
            "count": entry.count,
            "users": entry.users,
        }
        for entry in story.moments
    ]
    return to_csv(rows, ["at", "what", "name", "count", "users"])


def _group(lines: Sequence[str]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    return Group(*[styled(Text(line)) for line in lines])


def _wrapped_card(card: Sequence[str]) -> list[str]:
    lines = wrapped(card[0], "", "    ")
    for line in card[1:]:
        lines += wrapped(line, "  ", "    ")
    return lines


def _timeline(story: Timeline, as_of: int, zone: ZoneInfo) -> list[str]:
    dates = _dates(story, zone)
    kept = _kept(dates)
    lines = [spread("TIMELINE", f"as of {day(as_of)}, days since {day(story.anchor)}")]
    for before, place in zip([-1, *kept], [*kept, len(dates)], strict=True):
        skipped = place - before - 1
        if skipped:
            lines.append(f"{'':24}... {skipped} more date{'' if skipped == 1 else 's'}")
        if place < len(dates):
            date, age, told = dates[place]
            for number, text in enumerate(told):
                lines += wrapped(text, f"  {date:<10}  {age:>8}  " if number == 0 else " " * 24, " " * 26)
    return lines


def _kept(dates: Sequence[_Date]) -> list[int]:
    """Choose the dates that fit: the first, those on which something came about, then others, the newest first."""
    telling = [i for i, date in enumerate(dates) if date[2][-1][:1] in _MARKS]
    others = [i for i in range(len(dates)) if i not in set(telling)]
    chosen: set[int] = set(range(len(dates))[:1])
    room = LINES
    for place in [*reversed(telling), *reversed(others)]:
        room -= len(dates[place][2])
        if room < 0:
            break
        chosen.add(place)
    return sorted(chosen)


def _dates(story: Timeline, zone: ZoneInfo) -> list[_Date]:
    """Tell each date: events that matter by name, the others counted, then a line for each thing that came about."""
    by_date: dict[str, list[Moment]] = {}
    for entry in story.moments:
        local = (_EPOCH + timedelta(microseconds=entry.at)).astimezone(zone)
        by_date.setdefault(local.date().isoformat(), []).append(entry)
    rows = []
    for date, moments in by_date.items():
        age = "" if story.anchor is None else f"day {(moments[0].at - story.anchor) // DAY}"
        rows.append((date, age, _told(moments, story.relevant)))
    return rows


def _told(moments: Sequence[Moment], relevant: frozenset[str]) -> list[str]:
    events = [entry for entry in moments if entry.what is Happening.EVENT]
    named = [entry for entry in events if not relevant or entry.name in relevant][:6]
    parts = [f"{visible(entry.name, 40)}{f' x{entry.count}' if entry.count > 1 else ''}" for entry in named]
    rest = sum(entry.count for entry in events) - sum(entry.count for entry in named)
    if rest:
        parts.append(f"{rest} other event{'' if rest == 1 else 's'}")
    told = [_TOLD[entry.what].format(visible(entry.name, 40)) for entry in moments if entry.what is not Happening.EVENT]
    return [*([", ".join(parts)] if parts else []), *told]


def converters_as_table(converters: Converters) -> RenderableType:
    """Give those who converted: side by side first, then one screen each."""
    lines = _beside(converters)
    for number, converter in enumerate(converters.shown, start=1):
        lines += ["", *_screen(converter, number, len(converters.shown))]
    return _group(lines)


def converters_as_markdown(converters: Converters) -> str:
    """Give the comparison as a table."""
    header = [
        "before they converted",
        "did it",
        "median",
        *[visible(converter.id, 20) for converter in converters.shown[:BESIDE]],
    ]
    rows = [
        [name, f"{count} of {len(converters.shown)}", f"{median:g}", *_counts(converters, name)]
        for name, count, median in converters.common[:30]
    ]
    return to_markdown(rows, header, right=range(1, len(header)))


def converters_as_json(converters: Converters) -> str:
    """Give ``pqlkit/converters/2``."""
    return to_json(
        {
            "schema": "pqlkit/converters/2",
            "total": converters.total,
            "converters": [
                {
                    "id": converter.id,
                    "anchor": moment(converter.anchor),
                    "converted_at": moment(converter.converted),
                    "plan": converter.plan,
                    "amount": converter.amount,
                    "before": [
                        {"event": e.event, "count": e.count, "days": e.days}
                        | {name: n for (name, _, _), n in zip(PERIODS, e.periods, strict=True)}
                        for e in converter.done
                    ],
                }
                for converter in converters.shown
            ],
        }
    )


def converters_as_csv(converters: Converters) -> str:
    """Give a row per converter and event."""
    names = [name for name, _, _ in PERIODS]
    rows = [
        {
            "id": converter.id,
            "converted_at": moment(converter.converted),
            "event": e.event,
            "count": e.count,
            "days": e.days,
        }
        | dict(zip(names, e.periods, strict=True))
        for converter in converters.shown
        for e in converter.done
    ]
    return to_csv(rows, ["id", "converted_at", "event", "count", "days", *names])


def _counts(converters: Converters, event: str) -> list[str]:
    return [
        str(next((e.count for e in converter.done if e.event == event), 0)) for converter in converters.shown[:BESIDE]
    ]


def _beside(converters: Converters) -> list[str]:
    lines = [spread("THOSE WHO UPGRADED", f"the newest {len(converters.shown)} of {converters.total:,}")]
    if not converters.shown:
        return [*lines, "  nobody yet"]
    heads = "".join(f"{visible(converter.id, 9):>10}" for converter in converters.shown[:BESIDE])
    lines.append(f"  {'before the upgrade':<20}{'did it':>8}{'median':>7}{heads}")
    for name, count, median in converters.common[:15]:
        cells = "".join(f"{text:>10}" for text in _counts(converters, name))
        lines.append(f"  {visible(name, 20):<20}{count:>8}{median:>7g}{cells}")
    if len(converters.common) > 15:
        lines.append(f"  ... {len(converters.common) - 15} more events: --format csv")
    return [*lines, "  What they did, not why they paid: others did the same and did not."]


def _screen(converter: Converter, number: int, count: int) -> list[str]:
    lines = [
        spread(f"CONVERTER {number} of {count}  {visible(converter.id, 40)}", f"upgraded {day(converter.converted)}")
    ]
    facts = (
        []
        if converter.anchor is None
        else [f"began {day(converter.anchor)}, {(converter.converted - converter.anchor) / DAY:.1f} days before"]
    )
    facts += [f"plan {visible(converter.plan, 30)}"] if converter.plan else []
    facts += [f"amount {converter.amount:g}"] if converter.amount is not None else []
    lines += wrapped("; ".join(facts), "  ") if facts else []
    if not converter.done:
        return [*lines, "  did nothing before it that the events know"]
    lines.append(f"  {'':<24}" + "".join(f"{name:>8}" for name, _, _ in PERIODS) + f"{'days':>6}")
    for e in converter.done[:ROWS]:
        cells = "".join(f"{n or '.':>8}" for n in e.periods)
        lines.append(f"  {visible(e.event, 24):<24}{cells}{e.days:>6}")
    if len(converter.done) > ROWS:
        lines.append(f"  ... {len(converter.done) - ROWS} more events")
    return lines
