"""The summary of a run: how many leads of each standing, who is new and why, and what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.scoring.lead import ORDER, LeadStatus

if TYPE_CHECKING:
    from pqlkit.definitions.model import Near
    from pqlkit.scoring.news import News
    from pqlkit.typing import Json

SCHEMA: Final = "pqlkit/score-summary/2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One definition's run in numbers.

    Parameters
    ----------
    definition, version, hash, fresh_for
        What was scored, and how long its leads stay fresh, in words; None = for ever.
    kind, near
        ``user`` or ``account``, and what near means, in words.
    as_of
        ISO 8601 UTC.
    entities
        How many were scored, and in `statuses` how many of each.
    rows, leads
        Rows of the list, and how many of them are leads: fresh ones.
    without_key, same_key
        Rows that were left out of the list, since no CRM could import them.
    new, new_because_definition, withheld, withdrawn
        Newly qualified (None where nothing says what was before); of these because the definition changed; of these in the
        control arm; taken back tonight.
    held
        Would be new, but only because of a change of the definition that is not accepted.
    baseline
        The first run of a ledger.
    breaches
        What a guard found: the list was written aside and nobody was alerted.
    files
        What was written.
    """

    definition: str
    version: int
    hash: str
    fresh_for: str | None
    kind: str
    near: str
    as_of: str
    entities: int
    statuses: dict[str, int]
    rows: int
    leads: int
    without_key: int
    same_key: int
    new: int | None
    new_because_definition: int
    withheld: int
    withdrawn: int
    held: int
    baseline: bool
    breaches: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The run in one line."""
        fresh, stale, near = (self.statuses.get(name, 0) for name in ("pql", "expired", "near"))
        current = f"{fresh:,} current"
        if self.fresh_for is not None:
            why = f" (status expired: has met it for longer than {self.fresh_for})" if stale else ""
            current += f", {stale:,} stale{why}"
        parts = [current, f"{near:,} near ({self.near})"]
        if self.new is not None:
            first = ": the first run is the baseline" if self.baseline else ""
            why = (
                f" ({self.new_because_definition:,} because the definition changed)"
                if self.new_because_definition
                else ""
            )
            parts.insert(0, f"{self.new:,} new lead{'' if self.new == 1 else 's'}{why}{first}")
        if self.held:
            parts.append(f"{self.held:,} held: new only because the definition changed")
        if self.withheld:
            parts.append(f"{self.withheld:,} withheld (control)")
        if self.withdrawn:
            parts.append(f"{self.withdrawn:,} withdrawn")
        every = f", one per {self.kind}" if self.rows == self.entities else ""
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}{every}"
        written = f"Wrote {', '.join(self.files)}: {rows}" if self.files else rows
        moment = self.as_of[:16].replace("T", " ")
        return f"{self.definition} v{self.version}, as of {moment} UTC: {'; '.join(parts)}. {written}."


def spelled_moment(at: int) -> str:
    """Spell an instant (UTC microseconds) as the lists do.

    Examples
    --------
    >>> spelled_moment(0), spelled_moment(1_500_000)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500000Z')
    """
    from pqlkit.scoring.lead_file import spelled

    frame = pl.DataFrame({"at": [at]}, schema={"at": pl.Int64}).cast(pl.Datetime("us", "UTC"))
    return str(spelled(frame).item())


def near_in_words(near: Near) -> str:
    """Say who is near.

    Examples
    --------
    >>> from pqlkit.definitions.model import Near
    >>> near_in_words(Near())
    '80% of the way, active in 14 days'
    """
    return f"{100 * near.at_least:.6g}% of the way, active in {near.active_within.in_words}"


def summary(
    news: News,
    rows: pl.DataFrame,
    *,
    breaches: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    without_key: int = 0,
    same_key: int = 0,
) -> Summary:
    """Count one definition's run.

    Parameters
    ----------
    news
        The run.
    rows
        Of the list that was written.
    breaches, files, without_key, same_key
        As in `Summary`.
    """
    leads, frame = news.leads, news.frame
    lead = leads.definition.lead
    counted = dict(frame.group_by("status").len().iter_rows())
    newly = frame.get_column("newly_qualified")
    return Summary(
        definition=leads.definition.name,
        version=leads.definition.version,
        hash=leads.hash,
        fresh_for=None if lead is None or lead.fresh_for is None else lead.fresh_for.in_words,
        kind=leads.population.kind.value,
        near=near_in_words(leads.definition.near),
        as_of=spelled_moment(leads.population.as_of),
        entities=frame.height,
        statuses={status.value: counted.get(status.value, 0) for status in ORDER},
        rows=rows.height,
        leads=leads_in(rows),
        without_key=without_key,
        same_key=same_key,
        new=int(newly.sum()) if news.says_new else None,
        new_because_definition=frame.filter(pl.col("new_because") == "definition").height,
        withheld=news.withheld,
        withdrawn=frame.filter("changed", pl.col("status") == "withdrawn").height,
        held=news.held.height,
        baseline=news.baseline,
        breaches=breaches,
        files=files,
    )


def leads_in(rows: pl.DataFrame) -> int:
    """Count the leads among the rows of a list."""
    return rows.filter(pl.col("status") == LeadStatus.PQL.value).height


def document(
    summaries: list[Summary], *, alerts: dict[str, int] | None, overlap: list[dict[str, Json]]
) -> dict[str, Json]:
    """Give ``pqlkit/score-summary/2``: one record per definition, what became of the alerts, and the overlap."""
    return {
        "schema": SCHEMA,
        "runs": [
            {
                "definition": summary.definition,
                "version": summary.version,
                "hash": summary.hash,
                "as_of": summary.as_of,
                "entities": summary.entities,
                "statuses": dict(summary.statuses),
                "rows": summary.rows,
                "leads": summary.leads,
                "without_key": summary.without_key,
                "same_key": summary.same_key,
                "new": summary.new,
                "new_because_definition": summary.new_because_definition,
                "withheld": summary.withheld,
                "withdrawn": summary.withdrawn,
                "held": summary.held,
                "baseline": summary.baseline,
                "breaches": list(summary.breaches),
                "files": list(summary.files),
            }
            for summary in summaries
        ],
        "alerts": dict(alerts) if alerts is not None else None,
        "overlap": list(overlap),
    }
