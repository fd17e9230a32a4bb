"""The export: the sample product's tables written the way its systems would, with the project file that maps them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import (
    ACCOUNT_ID,
    CONVERTED_AT,
    ENTITY,
    EVENT,
    EVENT_ID,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
)
from pqlkit.demo.dirt import RECEIVED
from pqlkit.demo.project_file import Form, product_project
from pqlkit.errors import UsageError
from pqlkit.files import whole, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.demo.product import Product

PROPERTIES: Final = ("device", "format", "integration", "template", "invitee", "megabytes", "used", "allowed")
_INSTANT: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
_NAMES: Final = {EVENT_ID: "messageId", USER_ID: "userId", ACCOUNT_ID: "orgId", EVENT: "event", TIMESTAMP: "timestamp"}


def write_exports(product: Product, folder: Path | str, *, form: str = "jsonl") -> list[Path]:
    """Write the exports and a commented ``pqlkit.yml`` into `folder`; an older sample product there is replaced.

    Parameters
    ----------
    form
        Of the events, by the night of arrival: ``jsonl`` (``exports/events/2026-01-31.jsonl.gz``), ``csv`` (``....csv.gz``) or
        ``parquet``. All other exports are CSV: ``users``, ``accounts``, ``upgrades``, ``plan_history``, ``contacts``.

    Returns
    -------
    list[Path]
        The files written, sorted.

    Raises
    ------
    UsageError
        `form` is none of the three.
    OutputError
        The folder cannot be written.
    """
    if form not in tuple(Form):
        raise UsageError(f"{form!r} is not a form of export", hint=f"write one of {', '.join(Form)}")
    folder = Path(folder)
    written = [*_write_events(product.events, folder / "exports" / "events", Form(form))]
    for name, frame in _tables(product).items():
        target = folder / "exports" / f"{name}.csv"
        with whole(target) as path:
            frame.write_csv(path)
        written.append(target)
    write_text(folder / "pqlkit.yml", product_project(Form(form)))
    return sorted([*written, folder / "pqlkit.yml"])


def _write_events(events: pl.DataFrame, folder: Path, form: Form) -> Iterator[Path]:
    """Write one file for each day on which something arrived, and take away those of an older product."""
    nights = events.with_columns(night=pl.col(RECEIVED).dt.date()).partition_by("night", maintain_order=True)
    keep = set()
    for part in nights:
        target = folder / f"{part['night'][0].isoformat()}.{form.suffix}"
        with whole(target) as path:
            _write_night(part.drop("night", RECEIVED), path, form)
        keep.add(target)
        yield target
    for old in folder.glob("????-??-??.*"):
        if old not in keep:
            old.unlink()


def _write_night(part: pl.DataFrame, path: Path, form: Form) -> None:
    if form == Form.PARQUET:
        part.write_parquet(path, compression="zstd")
    elif form == Form.CSV:
        text = part.with_columns(pl.col(TIMESTAMP).dt.strftime(_INSTANT)).write_csv()
        path.write_bytes(gzip.compress(text.encode(), compresslevel=5, mtime=0))
    else:
        path.write_bytes(gzip.compress("".join(_lines(part)).encode(), compresslevel=5, mtime=0))


def _lines(part: pl.DataFrame) -> pl.Series:
    """Write events as JSON lines; a property that an event does not have is left out of it."""
    schema = part.schema
    written = pl.concat_str(
        [
            pl.format('"{}":{},', pl.lit(name), pl.format('"{}"', name) if schema[name] == pl.String else pl.col(name))
            for name in PROPERTIES
        ],
        ignore_nulls=True,
    )
    keys = [pl.format('"{}":"{}",', pl.lit(wire), _text(name)) for name, wire in _NAMES.items()]
    line = pl.concat_str(pl.lit("{"), *keys, pl.lit('"properties":{'), written.str.strip_suffix(","), pl.lit("}}\n"))
    return part.select(line=line)["line"]


def _text(name: str) -> pl.Expr:
    return pl.col(name).dt.strftime(_INSTANT) if name == TIMESTAMP else pl.col(name)


def _tables(product: Product) -> dict[str, pl.DataFrame]:
    """Give the small tables as the product's own systems name their columns."""
    users = product.users.rename({USER_ID: "id", ACCOUNT_ID: "org_id", SIGNED_UP_AT: "created_at"})
    accounts = product.accounts.rename({ACCOUNT_ID: "id", SIGNED_UP_AT: "created_at"})
    upgrades = product.upgrades.rename({ACCOUNT_ID: "org_id", CONVERTED_AT: "paid_at"})
    contacts = product.contacts.rename({ACCOUNT_ID: ENTITY})
    return {
        "users": _spelled(users),
        "accounts": _spelled(accounts),
        "upgrades": _spelled(upgrades),
        "plan_history": _spelled(product.plan_history),
        "contacts": _spelled(contacts),
    }


def _spelled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Datetime).dt.strftime(_INSTANT))
