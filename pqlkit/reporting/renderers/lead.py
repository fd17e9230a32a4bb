"""One lead for people: as the rep gets it, how it came about, and how those who converted did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from pqlkit.durations import DAY, moment
from pqlkit.inert import visible
from pqlkit.reporting.next_command import Invocation, following
from pqlkit.reporting.renderers.layout import columns_of, headed, labelled, spread, styled, table, wrapped
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
"""Converters side by side on 80 columns."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD: Final = {
    Happening.ANCHOR: "* the clock starts",
    Happening.MET: "+ {} met",
    Happening.LAPSED: "- {} lapsed",
    Happening.OVER: "- {}: its window is over",
    Happening.QUALIFIED: "** QUALIFIES",
    Happening.UNQUALIFIED: "-- no longer qualifies",
    Happening.CONVERTED: "$$ CONVERTS",
}


_MARKS: Final = "*+-$"
_Date: TypeAlias = tuple[str, str, list[str]]


def as_table(
    card: Sequence[tuple[str, str]],
    story: Timeline,
    *,
    as_of: int,
    zone: str,
    call: Invocation | None = None,
    width: int = 80,
) -> RenderableType:
    """Give what the terminal shows: the card, each criterion's value, and the way there.

    Parameters
    ----------
    card
        `pqlkit.scoring.card.labelled_cards` of the lead.
    story
        Its timeline.
    as_of
        UTC microseconds.
    zone
        Where dates are counted.
    call
        How the command was called: commands that are printed repeat it.
    width
        Columns of the terminal.
    """
    columns = columns_of(width)
    head, *rest = card
    score = f"{rest[0][1].removeprefix('Score ')}" if rest and rest[0][0] == "Score" else ""
    rows = [(label, score if label == "Score" else text) for label, text in rest]
    lines = [*wrapped(head[1], "", "    ", columns), *labelled(rows, 12, columns)]
    lines += following([(call or Invocation()).next("explain", "--converters")], columns)
    return _group([*lines, "", *_timeline(story, as_of, ZoneInfo(zone), columns)])


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


def _timeline(story: Timeline, as_of: int, zone: ZoneInfo, width: int) -> list[str]:
    dates = _dates(story, zone)
    kept = _kept(dates)
    lines = [spread("TIMELINE", f"as of {day(as_of)}, days since {day(story.anchor)}", width)]
    for before, place in zip([-1, *kept], [*kept, len(dates)], strict=True):
        skipped = place - before - 1
        if skipped:
            lines.append(f"{'':24}... {skipped} more date{'' if skipped == 1 else 's'}")
        if place < len(dates):
            date, age, told = dates[place]
            for number, text in enumerate(told):
                lines += wrapped(text, f"  {date:<10}  {age:>8}  " if number == 0 else " " * 24, " " * 26, width)
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
    parts = [f"{visible(entry.name, 60)}{f' x{entry.count}' if entry.count > 1 else ''}" for entry in named]
    rest = sum(entry.count for entry in events) - sum(entry.count for entry in named)
    if rest:
        parts.append(f"{rest} other event{'' if rest == 1 else 's'}")
    told = [_TOLD[entry.what].format(visible(entry.name, 60)) for entry in moments if entry.what is not Happening.EVENT]
    return [*([", ".join(parts)] if parts else []), *told]


def converters_as_table(converters: Converters, *, call: Invocation | None = None, width: int = 80) -> RenderableType:
    """Give those who converted: side by side first, then one screen each."""
    columns = columns_of(width)
    lines = _beside(converters, columns)
    lines += following([(call or Invocation()).next("analyze")], columns)
    for number, converter in enumerate(converters.shown, start=1):
        lines += ["", *_screen(converter, number, len(converters.shown), columns)]
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
        [name, f"{count} of {len(converters.shown)}", f"{median:g}", *_counts(converters.shown[:BESIDE], name)]
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


def _counts(shown: Sequence[Converter], event: str) -> list[str]:
    return [str(next((e.count for e in converter.done if e.event == event), 0)) for converter in shown]


def _beside(converters: Converters, width: int) -> list[str]:
    newest = f"the newest {len(converters.shown)} of {converters.total:,}"
    lines = [spread("CONVERTERS, what they did before they converted", newest, width)]
    if not converters.shown:
        return [*lines, "  nobody yet"]
    common = converters.common[:15]
    # A wide terminal shows more of them beside each other, each in ten columns.
    most = max(BESIDE, (width - 18 - max((cell_len(visible(name, 60)) for name, _, _ in common), default=0)) // 12)
    shown = converters.shown[:most]
    rows = [("event", "converters", "median", *[visible(converter.id, 10) for converter in shown])]
    for name, count, median in common:
        rows.append((visible(name, 60), f"{count:,}", f"{median:g}", *_counts(shown, name)))
    lines += table(rows, width=width)
    if len(converters.common) > len(common):
        lines.append(f"  ... {len(converters.common) - len(common)} more events: --format csv")
    return [*lines, "  What they did, not why they converted: others did the same and did not."]


def _screen(converter: Converter, number: int, count: int, width: int) -> list[str]:
    name, when = f"CONVERTER {number} of {count}  {visible(converter.id, 60)}", f"converted {day(converter.converted)}"
    lines = headed(name, when, width)
    facts = (
        []
        if converter.anchor is None
        else [f"began {day(converter.anchor)}, {(converter.converted - converter.anchor) / DAY:.1f} days before"]
    )
    facts += [f"plan {visible(converter.plan, 60)}"] if converter.plan else []
    facts += [f"amount {converter.amount:g}"] if converter.amount is not None else []
    lines += wrapped("; ".join(facts), "  ", width=width) if facts else []
    if not converter.done:
        return [*lines, "  did nothing before it that the events know"]
    rows = [("event", *[name for name, _, _ in PERIODS], "days")]
    rows += [(visible(e.event, 60), *[f"{n or '.'}" for n in e.periods], f"{e.days}") for e in converter.done[:ROWS]]
    lines += table(rows, width=width)
    if len(converter.done) > ROWS:
        lines.append(f"  ... {len(converter.done) - ROWS} more events")
    return lines
