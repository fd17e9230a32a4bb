"""The proposal of a project file: what a look at the exports says they are, for ``pqlkit init``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.exports.intake import Matching
    from pqlkit.exports.mapping import Source
    from pqlkit.exports.project import EventNote


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """What the exports look like.

    `sources` maps table names to a guess that can be read; `vendor` is the events' recognised preset or None; `notes` are
    sentences for a person; `events` are names that look automatic or mechanical.
    """

    sources: dict[str, Source]
    vendor: str | None
    matching: Matching
    events: dict[str, EventNote] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def sniff(
    events: str, *, users: str | None = None, accounts: str | None = None, conversions: str | None = None
) -> Sniffed:
    """Look at exports: vendor, columns, how well users and conversions match.

    Raises
    ------
    DataError
        A file is missing or unreadable, or no column can be the user, the event or the time.
    """
    raise NotImplementedError


def project_text(sniffed: Sniffed, folder: Path) -> str:
    """Write a commented ``pqlkit.yml`` (to lie in `folder`) that `pqlkit.exports.project.read_project` accepts."""
    raise NotImplementedError
