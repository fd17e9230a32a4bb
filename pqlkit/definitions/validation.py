"""The validation: definition and project files read, every rule run over them, all faults in one report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pqlkit.definitions.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from pqlkit.definitions.changes import Review
    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.facts import ComparisonFacts, Facts
    from pqlkit.definitions.model import Definition
    from pqlkit.definitions.yaml_source import Document

ProjectChecker: TypeAlias = "Callable[[Document], Sequence[Diagnostic]]"
"""Checks a project file: given by a higher row, because `exports` owns its form."""

FactsOf: TypeAlias = "Callable[[Sequence[Definition]], Facts]"
"""Measures definitions against data: given by a higher row, called once with every definition that could be read."""

Compare: TypeAlias = "Callable[[Definition, Definition], ComparisonFacts | None]"
"""Measures an old against a new definition: given by a higher row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What validation found.

    Parameters
    ----------
    files
        The files that were checked, as the user wrote them, sorted.
    diagnostics
        Every fault, sorted by path, line, column and code.
    sources
        The text of each file that has a fault, for excerpts and fixes.
    reviews
        With a base: one per definition file that is new, removed or changed in meaning.
    """

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    reviews: tuple[Review, ...] = ()

    @property
    def errors(self) -> int:
        """How many faults are errors."""
        return sum(d.severity is Severity.ERROR for d in self.diagnostics)

    @property
    def warnings(self) -> int:
        """How many faults are warnings."""
        return len(self.diagnostics) - self.errors

    def failed(self, *, strict: bool = False) -> bool:
        """Say whether the exit code is 1: an error, or with `strict` a warning."""
        return bool(self.diagnostics) if strict else self.errors > 0


def validate(
    paths: Sequence[Path | str],
    *,
    today: date,
    facts: Facts | FactsOf | None = None,
    base: str | None = None,
    project_checker: ProjectChecker | None = None,
    compare: Compare | None = None,
) -> Report:
    """Check definition and project files.

    Parameters
    ----------
    paths
        Files and folders; a folder means every ``*.yml`` and ``*.yaml`` below it, hidden folders left out. Links that
        lead out of a folder are not followed.
    today
        For `review_by`.
    facts
        What the data says, or a function that finds it out.
    base
        A file, a folder or a git revision to compare with.
    project_checker
        Checks files that are project files (``pqlkit.yml``, or a file with an ``exports`` key).
    compare
        With a base: measures old against new.

    Raises
    ------
    UsageError
        A path does not exist, a folder holds no definition, or `base` cannot be found.
    """
    raise NotImplementedError
