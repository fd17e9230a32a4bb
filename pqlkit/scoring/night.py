"""The night: one unattended run over some definitions, from scored leads to files, ledger and alerts.

The order is what makes a crash harmless: every file is complete beside its place before the first is put there; then the
ledger commits, and with that the night has happened; then the outbox is delivered. A run that dies before the commit has told
nobody, and the next one finds the same leads new; one that fails before it takes its lists back.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.errors import OutputError, PqlkitError
from pqlkit.files import PRIVATE, together, whole
from pqlkit.scoring.crm import LARGEST
from pqlkit.scoring.guards import Guards, usual
from pqlkit.scoring.lead import LeadStatus
from pqlkit.scoring.lead_file import ROWS, LeadFormat, Shape, as_bytes, format_of
from pqlkit.scoring.ledger import Entry, Run
from pqlkit.scoring.news import news
from pqlkit.scoring.summary import Summary, leads_in, summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.durations import Duration
    from pqlkit.scoring.ledger import Ledger
    from pqlkit.scoring.memory import Memory
    from pqlkit.scoring.news import News
    from pqlkit.scoring.scoring import Leads
    from pqlkit.typing import Microseconds

_REMEMBERED: Final = 120
"""Nights that are looked at for comparable ones: eight weeks, also where a day has two."""

EXTRA = ("new_because", "changed")
"""Columns that a list has only when ``--columns`` names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a night is asked to do.

    Parameters
    ----------
    every
        A row for every entity; else those that are `pql`, `near`, new or changed.
    only_new
        Rows for new leads alone, without the control arm.
    since, control, suppressed, accepted
        As in `pqlkit.scoring.news.news`.
    guards
        Bounds on the night.
    shape
        Columns and names of the list.
    notify
        Put new leads into the outbox.
    """

    every: bool = False
    only_new: bool = False
    since: Duration | None = None
    control: float | None = None
    suppressed: frozenset[str] = frozenset()
    accepted: tuple[str, ...] | None = None
    guards: Guards = field(default_factory=Guards)
    shape: Shape = field(default_factory=Shape)
    notify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listing:
    """One definition's list.

    Parameters
    ----------
    news
        What it is drawn from.
    rows
        Those that are asked for.
    breaches
        The bounds that it breaks.
    keyless, doubled
        Rows that no CRM could import: they have no key, or that of a row above them.
    """

    news: News
    rows: pl.DataFrame
    breaches: tuple[str, ...]
    keyless: pl.DataFrame
    doubled: pl.DataFrame

    @property
    def columns(self) -> pl.DataFrame:
        """The rows in the contract's columns alone."""
        return self.rows.drop(EXTRA)


def listing(
    leads: Leads,
    memory: Memory | None,
    order: Order,
    *,
    nights: Sequence[tuple[Microseconds, int]] = (),
    now: Microseconds | None = None,
) -> Listing:
    """Compare tonight's leads with what was known, choose the rows, and judge the guards.

    Parameters
    ----------
    leads, memory, order
        What was scored, what was known, what is asked.
    nights
        `as_of` of earlier nights and how many were new, newest first.
    now
        What the age of the newest event is measured from; None = it is not.
    """
    tonight = news(
        leads,
        memory,
        since=order.since,
        control=order.control,
        suppressed=order.suppressed,
        notify=order.notify,
        accepted=order.accepted,
    )
    fresh = int(tonight.frame.get_column("newly_qualified").sum() or 0)
    breaches = [] if tonight.baseline else order.guards.on_new(fresh, usual(nights, leads.population.as_of), now)
    if now is not None:
        events = leads.population.dataset.tables.get("events")
        newest = min(events.last, leads.population.as_of) if events is not None and events.last is not None else None
        breaches += order.guards.on_age(newest, now)
    rows = _chosen(tonight, order, known=memory is not None)
    return _keyed(Listing(news=tonight, rows=rows, breaches=tuple(breaches), keyless=rows, doubled=rows), order.shape)


def _keyed(listing: Listing, shape: Shape) -> Listing:
    """Leave out the rows that no CRM could import: one row for each key."""
    rows, key = listing.rows, shape.key
    if key is None:
        return replace(listing, keyless=rows.clear(), doubled=rows.clear())
    keyed = rows.filter(pl.col(key).is_not_null())
    first = pl.col(key).is_first_distinct()
    return replace(
        listing, rows=keyed.filter(first), keyless=rows.filter(pl.col(key).is_null()), doubled=keyed.filter(~first)
    )


def _chosen(news: News, order: Order, *, known: bool) -> pl.DataFrame:
    if order.only_new:
        return news.new
    handed = news.frame
    if news.held.height:
        handed = handed.join(news.held, on=news.leads.key, how="anti", maintain_order="left")
    if order.every or not known:
        return handed
    listed = pl.col("status").is_in([LeadStatus.PQL.value, LeadStatus.NEAR.value])
    if order.shape.preset is not None:
        # A CRM keeps what it was told last: whoever was a lead is told of, also after an import that failed.
        listed |= pl.col("lead_id").is_not_null()
    return handed.filter(listed | pl.col("changed") | pl.col("newly_qualified").fill_null(value=False))


def aside(path: Path) -> Path:
    """Name the file that is written where a guard stops the night: ``leads.csv`` -> ``leads.held.csv``."""
    return path.with_name(f"{path.stem}.held{path.suffix}")


def changed(path: Path) -> Path:
    """Name the file of those who are new only because the definition changed: ``leads.csv`` -> ``leads.changed.csv``."""
    return path.with_name(f"{path.stem}.changed{path.suffix}")


def held_back(listing: Listing, shape: Shape) -> Listing:
    """Give the list of those alone who are new only because the definition changed."""
    return _keyed(replace(listing, rows=listing.news.held, breaches=()), shape)


def parts(path: Path, count: int) -> list[Path]:
    """Name the files of a list that is split: ``leads.csv``, ``leads.part2.csv`` ..."""
    return [path, *(path.with_name(f"{path.stem}.part{i}{path.suffix}") for i in range(2, count + 1))]


@dataclass(slots=True)
class Written:
    """What was written: the paths and a hash over all their bytes."""

    paths: tuple[str, ...]
    sha256: str


@contextmanager
def written_lists(targets: Sequence[tuple[Path, Listing]], shape: Shape) -> Iterator[list[Written]]:
    """Write lists: all of them complete beside their places first, then each put there in one step.

    Parameters
    ----------
    targets
        Path (its suffix is the format) and list. A CSV above `ROWS` rows is split, and one for a CRM above `LARGEST` bytes.
    shape
        Columns and names.

    Yields
    ------
    list of Written
        What is in place. If the block fails, every file is again as it was.

    Raises
    ------
    OutputError
        A folder cannot be written or the disk is full: every file is as it was.
    """
    pieces = [_pieces(listing, format_of(target), shape) for target, listing in targets]
    places = [parts(target, len(some)) for (target, _), some in zip(targets, pieces, strict=True)]
    with together([place for some in places for place in some]):
        done = []
        with ExitStack() as stack:
            for (target, listing), some, frames in zip(targets, places, pieces, strict=True):
                digest = hashlib.sha256()
                for place, piece in zip(some, frames, strict=True):
                    payload = rendered(piece, format_of(target), shape, listing)
                    digest.update(payload)
                    stack.enter_context(whole(place, mode=PRIVATE)).write_bytes(payload)
                done.append(Written(tuple(str(place) for place in some), digest.hexdigest()))
        yield done


def remove_later_parts(written: Sequence[Written]) -> None:
    """Remove the parts of an earlier, longer list, once the new one stands.

    Raises
    ------
    OutputError
        One cannot be removed.
    """
    for some in written:
        _remove_from(Path(some.paths[0]), len(some.paths) + 1)


def remove_set_aside(lists: Sequence[Path], written: Sequence[Path]) -> None:
    """Remove what an earlier night set apart from lists that stand now, but for what this night did.

    Whoever was held back is in the list now, or waits no more: the file would be taken for tonight's.

    Raises
    ------
    OutputError
        One cannot be removed.
    """
    for path in lists:
        for place in (aside(path), changed(path)):
            if place not in written:
                _remove_from(place, 1)


def _remove_from(path: Path, number: int) -> None:
    """Remove the parts of a list from one on."""
    while (place := parts(path, number)[-1]).is_file():
        try:
            place.unlink()
        except OSError as error:
            raise OutputError(f"cannot remove {place}: {error.strerror or error}") from error
        number += 1


def rendered(rows: pl.DataFrame, form: LeadFormat, shape: Shape, listing: Listing) -> bytes:
    """Write the rows of a list in a format."""
    from pqlkit.scoring.summary import spelled_moment

    asked = set(shape.columns or ())
    known = rows.drop(name for name in EXTRA if name not in asked)
    population = listing.news.leads.population
    return as_bytes(known, form, shape, as_of=spelled_moment(population.as_of), zone=population.world.zone)


def _pieces(listing: Listing, form: LeadFormat, shape: Shape) -> list[pl.DataFrame]:
    if form is not LeadFormat.CSV:
        return [listing.rows]
    pieces = list(listing.rows.iter_slices(ROWS)) or [listing.rows]
    if shape.preset is None:
        return pieces
    return [small for piece in pieces for small in _small_enough(piece, listing, shape)]


def _small_enough(rows: pl.DataFrame, listing: Listing, shape: Shape) -> list[pl.DataFrame]:
    size = len(rendered(rows, LeadFormat.CSV, shape, listing))
    if size <= LARGEST or rows.height == 1:
        return [rows]
    # Rows are not of one length: a piece that is still too large is cut again.
    pieces = rows.iter_slices(-(-rows.height // (size // LARGEST + 1)))
    return [small for piece in pieces for small in _small_enough(piece, listing, shape)]


def record(
    ledger: Ledger, listings: Sequence[Listing], written: Sequence[Written], *, notify: bool
) -> PqlkitError | None:
    """Commit the night to the ledger.

    Parameters
    ----------
    ledger
        Open.
    listings, written
        What was found and what was put in place (empty: it went to stdout).
    notify
        New leads go into the outbox, and the night is finished when that was delivered or tried.

    Returns
    -------
    PqlkitError or None
        The disk failed so that nobody can tell whether the night is in the ledger; None = it is.

    Raises
    ------
    OutputError
        The night is not in the ledger.
    """
    files = [*written] or [Written((), "")] * len(listings)
    ledger.record([_entry(listing, file, notify=notify) for listing, file in zip(listings, files, strict=True)])
    try:
        ledger.commit()
    except PqlkitError as error:
        # An error while the change is made final leaves open whether it was: what the file says counts.
        match ledger.has_recorded():
            case True:
                return None
            case False:
                raise
            case None:
                return error
    return None


def _entry(listing: Listing, file: Written, *, notify: bool) -> Entry:
    from pqlkit.scoring.alert import alerts

    leads, news = listing.news.leads, listing.news
    run = Run(
        definition=leads.definition.name,
        entity=leads.definition.entity.value,
        version=leads.definition.version,
        hash=leads.hash,
        accepted=news.accepted,
        as_of=leads.population.as_of,
        baseline=news.baseline,
        leads=leads_in(listing.rows),
        new=int(news.frame.get_column("newly_qualified").sum() or 0),
        alerted=news.starts.filter("queued").height,
        withheld=news.withheld,
        file=str(Path(file.paths[0]).absolute()) if file.paths else None,
        file_hash=file.sha256 or None,
        finished=not notify,
    )
    batches = alerts(news) if notify else ()
    return Entry(run=run, memory=news.memory, starts=news.starts, alerts=batches)


def is_known(ledger: Ledger, definition: str, path: Path) -> bool:
    """Say whether a lead file is the one that the last committed run wrote; true where there is nothing to compare."""
    name, digest = ledger.last_file(definition)
    if digest is None or name != str(path.absolute()) or not path.is_file():
        return True
    hashed = hashlib.sha256()
    for number in range(1, 1_000_000):
        place = parts(path, number)[-1]
        if not place.is_file():
            break
        hashed.update(place.read_bytes())
    return hashed.hexdigest() == digest


def summaries(listings: Sequence[Listing], written: Sequence[Written]) -> list[Summary]:
    """Sum up each list."""
    files = [*written] or [Written((), "")] * len(listings)
    return [
        summary(
            listing.news,
            listing.rows,
            breaches=listing.breaches,
            files=file.paths,
            without_key=listing.keyless.height,
            same_key=listing.doubled.height,
        )
        for listing, file in zip(listings, files, strict=True)
    ]


def nights_of(ledger: Ledger | None, definition: str) -> list[tuple[Microseconds, int]]:
    """Give `as_of` of a definition's earlier nights and how many were new, newest first."""
    return ledger.nightly_new(definition, _REMEMBERED) if ledger is not None else []
