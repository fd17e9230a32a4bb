"""The validation: definition and project files read, every rule run over them, all faults in one report."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from pqlkit.definitions.diagnostics import Diagnostic, Severity
from pqlkit.definitions.discovery import discover
from pqlkit.definitions.folders import load_documents
from pqlkit.definitions.ignoring import apply_ignores
from pqlkit.definitions.positions import placed
from pqlkit.definitions.rules.lint_rule import Need, Subject
from pqlkit.definitions.rules.pql219_outside_link import CODE as OUTSIDE_LINK
from pqlkit.definitions.rules.registry import checks
from pqlkit.definitions.yaml_source import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from pqlkit.definitions.changes import Review
    from pqlkit.definitions.discovery import Outside
    from pqlkit.definitions.earlier_version import Base
    from pqlkit.definitions.facts import ComparisonFacts, Facts
    from pqlkit.definitions.folders import Loaded
    from pqlkit.definitions.model import Definition
    from pqlkit.definitions.rules.lint_rule import Rule
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
    definitions
        What could be read, in order of the paths.
    reviews
        With a base: one per definition file that is new, removed or changed in meaning; else None.
    """

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    definitions: tuple[Definition, ...] = ()
    reviews: tuple[Review, ...] | None = None

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
    folders: Sequence[Path | str] = (),
    project_checker: ProjectChecker | None = None,
    compare: Compare | None = None,
) -> Report:
    """Check definition and project files.

    Parameters
    ----------
    paths
        Files and folders; a folder means every ``*.yml`` and ``*.yaml`` below it that looks like pqlkit's, hidden folders
        left out. Links that lead out of a folder are not followed.
    today
        For `review_by`.
    facts
        What the data says, or a function that finds it out.
    base
        A file, a folder or a git revision to compare with.
    folders
        More folders in which refs are looked up.
    project_checker
        Checks project files (``pqlkit.yml``, or a file with an ``exports`` key).
    compare
        With a base: measures old against new.

    Raises
    ------
    UsageError
        A path does not exist, a folder holds no definition, or `base` cannot be found.
    """
    files, outside = discover(paths)
    documents = {file.path: parse(file.content, file.path) for file in files}
    report = validate_documents(
        [documents[file.path] for file in files if not file.project],
        today=today,
        facts=facts,
        base=_base(base, paths) if base is not None else None,
        folders=folders,
        compare=compare,
        roots=[Path(path) for path in paths],
    )
    extra = [_outside(link) for link in outside]
    for path in (file.path for file in files if file.project):
        own = documents[path].diagnostics if project_checker is None else project_checker(documents[path])
        extra += apply_ignores(documents[path], own, judged=())
    sources = {d.path: documents[d.path].text for d in extra if d.path in documents}
    return replace(
        report,
        files=tuple(file.path for file in files),
        diagnostics=_sorted([*report.diagnostics, *extra]),
        sources={**report.sources, **sources},
    )


def validate_documents(
    documents: Sequence[Document],
    *,
    today: date,
    facts: Facts | FactsOf | None = None,
    base: Base | None = None,
    folders: Sequence[Path | str] = (),
    compare: Compare | None = None,
    roots: Sequence[Path] = (),
) -> Report:
    """Check definitions that have been parsed already; see `validate`.

    Parameters
    ----------
    documents
        Definition files; their `path` says what lies beside them.
    roots
        With a base: definitions that were in one of these folders and are gone are told.
    """
    loaded = load_documents(documents, folders=folders)
    definitions = {file.document.path: file.definition for file in loaded if file.definition is not None}
    known = facts(tuple(definitions.values())) if callable(facts) else facts
    check = _Check(today, known, base, _namesakes(definitions), alone=len(loaded) == 1)
    diagnostics = _sorted([diagnostic for file in loaded for diagnostic in check.file(file)])
    faulty = {diagnostic.path for diagnostic in diagnostics}
    return Report(
        files=tuple(document.path for document in documents),
        diagnostics=diagnostics,
        sources={document.path: document.text for document in documents if document.path in faulty},
        definitions=tuple(definitions.values()),
        reviews=_reviews(definitions, base, roots, compare) if base is not None else None,
    )


MOST_TOLD: Final = 500
"""Faults of one file that are told: a file of 1 MiB can hold 50,000, and who made it gets no log of 10 MB for it."""


def _sorted(diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    ordered = sorted(set(diagnostics), key=lambda d: (d.path, d.line, d.column, d.code, d.message))
    return tuple(
        diagnostic for _, group in groupby(ordered, key=lambda d: d.path) for diagnostic in _bounded(list(group))
    )


def _bounded(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """Keep at most `MOST_TOLD`, errors before warnings; the last says how many more there are."""
    more = len(diagnostics) - MOST_TOLD
    if more <= 0:
        return diagnostics
    first = {id(d) for d in sorted(diagnostics, key=lambda d: d.severity is not Severity.ERROR)[:MOST_TOLD]}
    kept = [d for d in diagnostics if id(d) in first]
    return [*kept[:-1], replace(kept[-1], message=f"{kept[-1].message} (and {more:,} more faults in this file)")]


@dataclass(slots=True)
class _Check:
    """What is the same for every file of one run."""

    today: date
    facts: Facts | None
    base: Base | None
    namesakes: Mapping[str, Sequence[str]]
    alone: bool
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        needs = [Need.FILE]
        needs += [Need.BASE] if self.base is not None else []
        needs += [Need.DATA] if self.facts is not None else []
        self.rules = checks(*needs)

    def file(self, loaded: Loaded) -> tuple[Diagnostic, ...]:
        diagnostics = list(loaded.diagnostics)
        judged: list[str] = []
        if loaded.definition is not None:
            subject = self._subject(loaded.definition, loaded.document)
            judged = [rule.code.code for rule in self.rules if self._knows(rule, subject)]
            for rule in self.rules:
                diagnostics += rule.diagnostics(subject)
        return apply_ignores(loaded.document, diagnostics, judged=judged)

    def _subject(self, definition: Definition, document: Document) -> Subject:
        earlier = self.base.earlier(definition, document.path, alone=self.alone) if self.base is not None else None
        return Subject(
            definition=definition,
            document=document,
            placed=placed(definition, document),
            today=self.today,
            namesakes=self.namesakes,
            base=earlier,
            facts=self.facts,
            figures=self.facts.definitions.get(definition.name) if self.facts is not None else None,
        )

    def _knows(self, rule: Rule, subject: Subject) -> bool:
        """Say whether a rule could judge: names may be known where figures are not."""
        return rule.need is not Need.DATA or subject.figures is not None


def _base(base: str, paths: Sequence[Path | str]) -> Base:
    from pqlkit.definitions.earlier_version import open_base

    return open_base(base, [str(path) for path in paths])


def _namesakes(definitions: Mapping[str, Definition]) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for path, definition in definitions.items():
        paths.setdefault(definition.name, []).append(path)
    return paths


def _outside(link: Outside) -> Diagnostic:
    return Diagnostic(
        path=link.path,
        line=1,
        column=1,
        end_line=1,
        end_column=1,
        code=OUTSIDE_LINK.code,
        name=OUTSIDE_LINK.name,
        severity=OUTSIDE_LINK.severity,
        message=f"a link to {link.target}, outside the folder, was not followed",
        hint="name its target on the command line if it belongs to the check",
    )


def _reviews(
    definitions: Mapping[str, Definition], base: Base, paths: Sequence[Path], compare: Compare | None
) -> tuple[Review, ...]:
    from pqlkit.definitions.changes import Review

    reviews: list[Review] = []
    seen: set[str] = set()
    for path, definition in definitions.items():
        before = base.earlier(definition, path, alone=len(definitions) == 1)
        if before is not None:
            seen.add(before.name)
        reviews += _review(path, before, definition, base, compare)
    roots = [path.absolute() for path in paths if path.is_dir()]
    for name, path in sorted(base.paths.items()):
        gone = name not in seen and not Path(path).exists() and base.by_path
        if gone and any(Path(path).absolute().is_relative_to(root) for root in roots):
            reviews.append(Review(path=path, before=base.definitions[name], after=None))
    return tuple(sorted(reviews, key=lambda review: review.path))


def _review(
    path: str, before: Definition | None, after: Definition, base: Base, compare: Compare | None
) -> Iterator[Review]:
    from pqlkit.definitions.changes import Review, changes

    if before is None:
        unreadable = base.by_path and any(Path(p).absolute() == Path(path).absolute() for p in base.unreadable)
        yield Review(path=path, before=None, after=after, unreadable=unreadable)
        return
    changed = changes(before, after)
    if changed or before.version != after.version:
        comparison = compare(before, after) if compare is not None and changed else None
        yield Review(path=path, before=before, after=after, changes=changed, comparison=comparison)
