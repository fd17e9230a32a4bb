"""The rule: what a fault is, why it is bad, a bad and a good example, and for faults of meaning the check itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from pqlkit.definitions.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pqlkit.definitions.codes import Code
    from pqlkit.definitions.facts import DefinitionFacts, Facts
    from pqlkit.definitions.model import Definition
    from pqlkit.definitions.positions import Placed
    from pqlkit.definitions.yaml_source import Document
    from pqlkit.definitions.yaml_source import Path as YamlPath

EXAMPLE_DAY: Final = date(2026, 11, 23)
"""The day on which examples are checked."""


class Need(StrEnum):
    """What a rule must know besides the file. Where it is not known, the rule is not run."""

    FILE = "file"
    BASE = "base"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """One definition under check, and everything a rule may ask about.

    Parameters
    ----------
    definition, document
        What the file means, and where everything stands in it.
    placed
        Every node of the tree under `qualify` with its place, in the order written.
    today
        The day of the check.
    namesakes
        Of everything that is checked together: name -> the paths that claim it.
    base
        The version of this definition to compare with, or None.
    facts, figures
        What the data says, and what it says about this definition; None = not asked.
    """

    definition: Definition
    document: Document
    placed: tuple[Placed, ...]
    today: date
    namesakes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    base: Definition | None = None
    facts: Facts | None = None
    figures: DefinitionFacts | None = None

    @property
    def by_points(self) -> bool:
        """Points decide, so the parts of `qualify` are a plain list and not a formula."""
        return self.definition.score is not None and self.definition.score.pql_at is not None

    def in_flow(self, path: YamlPath) -> bool:
        """Say whether the mapping at `path` is written in braces."""
        mark = self.document.mark(path)
        line = re.split(r"\r\n|\r|\n", self.document.text)[mark.line - 1]
        return line[mark.column - 1 : mark.column] == "{"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found at a place of the document; `key` marks the key instead of the value.

    `whole` marks both. `severity` overrides the rule's own. `fix` replaces what is marked (``""`` removes it, and its line
    if nothing else stands there).
    """

    path: YamlPath
    message: str
    hint: str | None = None
    key: bool = False
    severity: Severity | None = None
    fix: str | None = None
    safe: bool = False
    whole: bool = False


Check: TypeAlias = "Callable[[Subject], Iterable[Finding]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A file that breaks a rule, or keeps it.

    Parameters
    ----------
    text
        What the page shows. Top-level keys that every definition needs are added below it, unless `complete`.
    complete
        `text` is the whole file.
    beside
        Other definition files that stand in the same folder.
    base
        The version to compare with.
    facts
        What the data says.
    note
        The same in a sentence, for the page.
    generated
        The real content, where it is too large or too strange to show; `text` then describes it.
    linked
        The file is a link to this place.
    """

    text: str
    complete: bool = False
    beside: tuple[str, ...] = ()
    base: str | None = None
    facts: Facts | None = None
    note: str = ""
    generated: bytes | None = None
    linked: str | None = None

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        if self.generated is not None:
            return self.generated
        return (self.text if self.complete else framed(self.text)).encode()


_FRAME: Final = {
    "pqlkit": "1",
    "name": "example",
    "entity": "user",
    "qualify": "{event: project_created, within: 14d}",
    "outcome": "{within: 30d}",
}


def framed(text: str) -> str:
    r"""Add the top-level keys that every definition needs and `text` does not have, below it.

    Examples
    --------
    >>> framed("entity: account\nqualify: {event: login, ever: true}\noutcome: {within: 30d}\nname: a\n")
    'entity: account\nqualify: {event: login, ever: true}\noutcome: {within: 30d}\nname: a\npqlkit: 1\n'
    """
    own = {line.split(":")[0] for line in text.splitlines() if line[:1].isalpha()}
    if "milestone" in text and "kind" in own:
        own.add("outcome")
    text = text if text.endswith("\n") else text + "\n"
    return text + "".join(f"{key}: {value}\n" for key, value in _FRAME.items() if key not in own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Parameters
    ----------
    code
        Code, name and severity.
    what, why, fix
        What it reports, why that is bad, and what to do: sentences of the page.
    bad, good
        Two examples. The bad one yields this code and no other fault, the good one none at all; a test runs both.
    check
        Finds the fault in a definition; None where reading the file finds it (form) or validation itself.
    need
        What must be known for `check`.
    """

    code: Code
    what: str
    why: str
    fix: str
    bad: Example
    good: Example
    check: Check | None = None
    need: Need = Need.FILE

    def diagnostics(self, subject: Subject) -> Iterable[Diagnostic]:
        """Run the check and place what it finds."""
        for finding in self.check(subject) if self.check is not None else ():
            yield self._placed(finding, subject.document)

    def _placed(self, finding: Finding, document: Document) -> Diagnostic:
        mark = document.key(finding.path) if finding.key else document.mark(finding.path)
        start = document.key(finding.path) if finding.whole else mark
        return Diagnostic(
            path=document.path,
            line=start.line,
            column=start.column,
            end_line=mark.end_line,
            end_column=mark.end_column,
            code=self.code.code,
            name=self.code.name,
            severity=finding.severity or self.code.severity,
            message=finding.message,
            hint=finding.hint,
            fix=finding.fix,
            safe=finding.safe,
        )
