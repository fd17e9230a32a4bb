"""The change: what differs in meaning between two versions of a definition, in words for a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.facts import ComparisonFacts
    from pqlkit.definitions.model import Definition


class Part(StrEnum):
    """The parts of a definition that make its meaning."""

    ENTITY = "entity"
    ANCHOR = "anchor"
    WINDOWS = "windows"
    ELIGIBLE = "eligible"
    QUALIFY = "qualify"
    OUTCOME = "outcome"
    POINTS = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference in meaning: `text` is a sentence, `before` and `after` the two sides (None = absent)."""

    part: Part
    text: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One definition against its base: `before` is None for a new one, `after` None for one that was removed."""

    path: str
    before: Definition | None
    after: Definition | None
    changes: tuple[Change, ...]
    comparison: ComparisonFacts | None = None

    @property
    def version_raised(self) -> bool:
        """The new version is greater than the old one."""
        return self.before is not None and self.after is not None and self.after.version > self.before.version


def changes(before: Definition, after: Definition) -> tuple[Change, ...]:
    """Say what changed in meaning; empty when both mean the same, however they are written."""
    raise NotImplementedError


def review_markdown(reviews: Sequence[Review]) -> str:
    """Render reviews as a Markdown block fit for a pull-request comment."""
    raise NotImplementedError


def base_source(base: str, path: str) -> bytes | None:
    """Find the bytes of `path` in a base: a file, a folder, or a git revision. None = it does not exist there.

    Raises
    ------
    UsageError
        `base` is neither a path nor a revision of the repository that holds `path`, or git is missing.
    """
    raise NotImplementedError
