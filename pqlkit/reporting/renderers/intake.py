"""The intake report for people: what was loaded, what was not and why, what matches; then each table and the first rejected rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.inert import visible
from pqlkit.reporting.next_command import Invocation, following
from pqlkit.reporting.renderers.layout import columns_of, headed, styled, table, wrapped
from pqlkit.reporting.renderers.tabular import to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.words import plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from pqlkit.exports.intake import Gap, Intake, Matching, TableIntake

_FILES = 10
COLUMNS = ("table", "files", "read", "kept", "duplicate", "quarantined", "left out")
SHOWN: Final = tuple("rejected" if column == "quarantined" else column for column in COLUMNS)
"""The same for people."""
_COUNTED: Final = ("events", "users", "accounts", "conversions")
_READ: Final = frozenset({"events", "users", "accounts", "conversions", "identities", "map"})
"""Options of the exports, which the dataset stands for."""


def as_json(intake: Intake) -> str:
    """Give the report as ``pqlkit/intake/2``."""
    return to_json(intake.to_json())


def as_csv(intake: Intake) -> str:
    """Give one row per table."""
    return to_csv([_row(part) for part in intake.tables.values()], COLUMNS)


def as_markdown(intake: Intake) -> str:
    """Give one row per table, and the offenders."""
    rows = [[str(value) for value in _row(part).values()] for part in intake.tables.values()]
    text = to_markdown(rows, COLUMNS, right=range(1, len(COLUMNS)))
    offenders = [
        [part.name, f"{o.file}:{o.line}", o.column or "", o.value or "", o.reason]
        for part in intake.tables.values()
        for o in part.offenders
    ]
    left_out = [
        [part.name, words, str(rows)] for part in intake.tables.values() for words, rows in part.left_out.items()
    ]
    if left_out:
        text += "\n" + to_markdown(left_out, ["table", "left out", "rows"], right=[2])
    if offenders:
        text += "\n" + to_markdown(offenders, ["table", "place", "column", "value", "reason"])
    return text


def as_table(
    intake: Intake, folder: Path | None = None, *, call: Invocation | None = None, width: int = 80
) -> RenderableType:
    """Give what the terminal shows: what was loaded, what was not and why, what matches; then every table.

    Parameters
    ----------
    intake
        What one load read.
    folder
        Where it was written.
    call
        How the command was called: commands that are printed repeat it.
    width
        Columns of the terminal.
    """
    from rich.console import Group
    from rich.text import Text

    columns = columns_of(width)
    lines = [*_answer(intake, folder, call or Invocation(), columns), "", *_tables(intake, columns)]
    lines += [line for part in intake.tables.values() for line in _offenders(part, columns)]
    return Group(*[styled(Text(line)) for line in lines])


def _answer(intake: Intake, folder: Path | None, call: Invocation, width: int) -> list[str]:
    kept = [plural(part.kept, name.removesuffix("s")) for name, part in intake.tables.items() if name in _COUNTED]
    title = f"LOADED  {', '.join(kept) or 'nothing'}"
    written = "" if folder is None else f"written: {visible(str(folder), 200)}"
    lines = headed(title, written, width)
    for part in intake.tables.values():
        lines += [line for text in (*_unused(part), *_null_values(part)) for line in wrapped(text, "  ", "    ", width)]
        lines += _not_read(part, width)
    if intake.quarantine is not None:
        said = f"every rejected row with its file, line and reason: {visible(str(intake.quarantine), 200)}"
        lines += wrapped(said, "  ", "    ", width)
    for text in _matching(intake.matching):
        lines += wrapped(text, "  ", "    ", width)
    if intake.gaps:
        lines += wrapped(_gaps(intake.gaps), "  ", "    ", width)
    for warning in intake.warnings:
        lines += wrapped(f"warning: {visible(warning, 400)}", "", "  ", width)
    if folder is None:
        return lines
    return [*lines, *following([call.next("analyze", "--data", str(folder), without=_READ)], width)]


def _gaps(gaps: Sequence[Gap]) -> str:
    """Say where a table has no rows: of several gaps how many, how long, and which is the longest."""
    longest = max(gaps, key=lambda gap: gap.days)
    place = longest.first if longest.days == 1 else f"{longest.first} to {longest.last}"
    if len(gaps) == 1:
        return f"no rows of {longest.table} {'on' if longest.days == 1 else 'from'} {place} ({plural(longest.days, 'day')})"
    shortest = min(gap.days for gap in gaps)
    spans = plural(longest.days, "day") if shortest == longest.days else f"{shortest} to {longest.days:,} days"
    which = "first" if shortest == longest.days else "longest"
    return f"{len(gaps):,} gaps of {spans} without {longest.table}, the {which} {place} (--format json names them)"


def _unused(part: TableIntake) -> list[str]:
    """Say which rows of a table are not in the dataset, and why."""
    name, texts = visible(part.name), []
    if part.quarantined:
        reasons = ", ".join(f"{count:,} {visible(reason)}" for reason, count in part.reasons.items())
        texts.append(f"{part.quarantined:,} of {part.read:,} rows of {name} rejected: {reasons}")
    if part.duplicate:
        texts.append(f"{plural(part.duplicate, 'row')} of {name} twice: taken once")
    texts += [f"{plural(count, 'row')} of {name} left out: {visible(why)}" for why, count in part.left_out.items()]
    if part.split:
        texts.append(f"{plural(part.split, 'row')} of {name} more, of cells with several ids")
    return texts


def _tables(intake: Intake, width: int) -> list[str]:
    rows = [
        [f"{value:,}" if isinstance(value, int) else visible(value) for value in _row(part).values()]
        for part in intake.tables.values()
    ]
    return ["TABLES", *table([SHOWN, *rows], width=width)]


def _row(part: TableIntake) -> dict[str, Any]:
    left_out = sum(part.left_out.values())
    values = (part.name, part.files, part.read, part.kept, part.duplicate, part.quarantined, left_out)
    return dict(zip(COLUMNS, values, strict=True))


def _offenders(part: TableIntake, width: int) -> list[str]:
    """Show the first rejected rows of a table, each with its place."""
    lines = []
    for o in part.offenders:
        place = f"{visible(o.file, 200)}:{o.line}" + (f" {visible(o.column, 60)}" if o.column else "")
        said = f"{place}: {visible(o.value or '(empty)', 60)}: {visible(o.reason)}"
        lines += wrapped(said, "  ", "    ", width)
    more = part.quarantined - len(part.offenders)
    lines += [f"  ... {more:,} more"] if lines and more > 0 else []
    return ["", f"REJECTED  {visible(part.name)}", *lines] if lines else []


def _not_read(part: TableIntake, width: int) -> list[str]:
    lines = []
    for skipped in part.not_read[:_FILES]:
        said = f"{visible(part.name)}: not read: {visible(skipped.file, 200)} ({visible(skipped.reason)})"
        lines += wrapped(said, "  ", "    ", width)
    if len(part.not_read) > _FILES:
        more = len(part.not_read) - _FILES
        lines.append(f"  {visible(part.name)}: and {more:,} more files (--format json names them)")
    return lines


def _null_values(part: TableIntake) -> list[str]:
    texts = []
    for column, counts in part.null_values.items():
        listed = ", ".join(f"{visible(text, 60)} ({rows:,})" for text, rows in counts.items())
        texts.append(f"{visible(part.name)}: {visible(column, 60)} taken as empty: {listed}")
    return texts


def _matching(matching: Matching) -> list[str]:
    """Say how the tables find each other, what conversions belong to first."""
    texts = []
    if matching.conversions is not None and matching.conversions_matched is not None:
        named = f" ({matching.without_owner})" if matching.without_owner else ""
        texts.append(
            f"{matching.conversions_matched:,} of {matching.conversions:,} conversions match a user or account{named}"
        )
    if matching.users is not None and matching.users_with_events is not None:
        texts.append(f"{matching.users_with_events:,} of {matching.users:,} users have events")
    if matching.accounts is not None and matching.accounts_with_events is not None:
        texts.append(f"{matching.accounts_with_events:,} of {matching.accounts:,} accounts have events")
    if matching.event_users_unknown:
        texts.append(
            f"{matching.event_users_unknown:,} of {matching.event_users or 0:,} ids in events are unknown users "
            f"({plural(matching.events_of_unknown_users or 0, 'event')})"
        )
    if matching.events_of_accounts:
        accounts = plural(matching.event_accounts or 0, "account")
        texts.append(f"{plural(matching.events_of_accounts, 'event')} of {accounts} have no user")
    if matching.events_anonymous:
        texts.append(f"{plural(matching.events_anonymous, 'event')} are anonymous")
    return texts
