"""The intake report for people: each table's rows, the first offenders, what matches, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.inert import visible
from pqlkit.reporting.renderers.layout import wrapped
from pqlkit.reporting.renderers.tabular import to_csv, to_json, to_markdown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pqlkit.exports.intake import Intake, Matching, TableIntake

_FILES = 10
COLUMNS = ("table", "files", "read", "kept", "duplicate", "quarantined", "left out")


def as_json(intake: Intake) -> str:
    """Give the report as ``pqlkit/intake/2``."""
    return to_json(intake.to_json())


def as_csv(intake: Intake) -> str:
    """Give one row per table."""
    return to_csv([_row(table) for table in intake.tables.values()], COLUMNS)


def as_markdown(intake: Intake) -> str:
    """Give one row per table, and the offenders."""
    rows = [[str(value) for value in _row(table).values()] for table in intake.tables.values()]
    text = to_markdown(rows, COLUMNS, right=range(1, len(COLUMNS)))
    offenders = [
        [table.name, f"{o.file}:{o.line}", o.column or "", o.value or "", o.reason]
        for table in intake.tables.values()
        for o in table.offenders
    ]
    left_out = [
        [table.name, words, str(rows)] for table in intake.tables.values() for words, rows in table.left_out.items()
    ]
    if left_out:
        text += "\n" + to_markdown(left_out, ["table", "left out", "rows"], right=[2])
    if offenders:
        text += "\n" + to_markdown(offenders, ["table", "place", "column", "value", "reason"])
    return text


def as_table(intake: Intake) -> RenderableType:
    """Give what the terminal shows, at 80 columns."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if index else "left", overflow="fold")
    for part in intake.tables.values():
        table.add_row(*[f"{value:,}" if isinstance(value, int) else visible(value) for value in _row(part).values()])
    lines = [line for part in intake.tables.values() for line in (*_bad(part), *_null_values(part), *_not_read(part))]
    lines += _matching(intake.matching)
    lines += [f"  no rows of {gap.table} from {gap.first} to {gap.last} ({gap.days} days)" for gap in intake.gaps]
    for warning in intake.warnings:
        lines += wrapped(f"warning: {visible(warning, 400)}", "", "  ")
    if intake.quarantine is not None:
        lines.append(f"  every quarantined row: {intake.quarantine}")
    return Group(table, *[Text(line) for line in lines])


def _row(table: TableIntake) -> dict[str, Any]:
    left_out = sum(table.left_out.values())
    values = (table.name, table.files, table.read, table.kept, table.duplicate, table.quarantined, left_out)
    return dict(zip(COLUMNS, values, strict=True))


def _bad(table: TableIntake) -> list[str]:
    lines = []
    for reason, count in table.reasons.items():
        lines += wrapped(f"{visible(table.name)}: {count:,} rows {visible(reason)}", "  ", "    ")
    for words, count in table.left_out.items():
        lines += wrapped(f"{visible(table.name)}: {count:,} rows left out: {visible(words)}", "  ", "    ")
    if table.split:
        lines += wrapped(f"{visible(table.name)}: {table.split:,} rows more, of cells with several ids", "  ", "    ")
    for o in table.offenders:
        place = f"{visible(o.file, 60)}:{o.line}" + (f" {visible(o.column, 30)}" if o.column else "")
        lines += wrapped(f"{place}: {visible(o.value or '(empty)', 40)} - {visible(o.reason)}", "    ", "      ")
    return lines


def _not_read(table: TableIntake) -> list[str]:
    lines = []
    for skipped in table.not_read[:_FILES]:
        lines += wrapped(
            f"{visible(table.name)}: not read: {visible(skipped.file, 200)} ({visible(skipped.reason)})", "  ", "    "
        )
    if len(table.not_read) > _FILES:
        lines.append(
            f"  {visible(table.name)}: and {len(table.not_read) - _FILES:,} more files (--format json names them)"
        )
    return lines


def _null_values(table: TableIntake) -> list[str]:
    lines = []
    for column, counts in table.null_values.items():
        listed = ", ".join(f"{visible(text, 40)} ({rows:,})" for text, rows in counts.items())
        lines += wrapped(f"{visible(table.name)}: {visible(column, 40)} taken as empty: {listed}", "  ", "    ")
    return lines


def _matching(matching: Matching) -> list[str]:
    lines = []
    if matching.users is not None and matching.users_with_events is not None:
        lines.append(f"  {matching.users_with_events:,} of {matching.users:,} users have events")
    if matching.event_users_unknown:
        lines.append(
            f"  {matching.event_users_unknown:,} of {matching.event_users or 0:,} ids in events are unknown users "
            f"({matching.events_of_unknown_users or 0:,} events)"
        )
    if matching.events_of_accounts:
        lines.append(
            f"  {matching.events_of_accounts:,} events of {matching.event_accounts or 0:,} accounts have no user"
        )
    if matching.events_anonymous:
        lines.append(f"  {matching.events_anonymous:,} events are anonymous")
    if matching.accounts is not None and matching.accounts_with_events is not None:
        lines.append(f"  {matching.accounts_with_events:,} of {matching.accounts:,} accounts have events")
    if matching.conversions is not None and matching.conversions_matched is not None:
        lines.append(f"  {matching.conversions_matched:,} of {matching.conversions:,} conversions match")
    return lines
