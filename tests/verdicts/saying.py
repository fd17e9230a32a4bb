"""The verdict: what pqlkit says of a world, held against what a careful analyst would say."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pqlkit import (
    ExtentOptions,
    ProposeOptions,
    Settings,
    analyze,
    as_record,
    load,
    open_dataset,
    population_of,
    propose,
    read_project,
    report,
)
from pqlkit.definitions.model import Criterion, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pqlkit import Analysis, Definition, Intake, Population, Proposal
    from tests.verdicts.product import Tables


class Verdict(StrEnum):
    """What became of a world: the analyst's conclusion, none where there could be one, or one that misleads."""

    RIGHT = "right"
    SHORT = "not right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A world as it is handed to pqlkit, and what is true of it.

    Parameters
    ----------
    tables
        Uncut: with what happens after the end of the data.
    settings, wishes, population
        Options as the command line spells them, as keyword arguments.
    truth
        Counted where the world was made.
    """

    tables: Tables
    settings: Mapping[str, Any] = field(default_factory=dict)
    wishes: Mapping[str, Any] = field(default_factory=dict)
    population: Mapping[str, Any] = field(default_factory=dict)
    truth: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One misleading world.

    Parameters
    ----------
    name
        Its key.
    conclusion
        What a careful analyst says of it.
    make
        Makes it from a seed.
    judge
        Holds what is said against the truth.
    """

    name: str
    conclusion: str
    make: Callable[[int], Case]
    judge: Callable[[Said], Verdict]

    def verdict(self, seed: int) -> Verdict:
        """Make the world, ask pqlkit, and judge what it says."""
        with said(self.make(seed)) as words:
            return self.judge(words)


class Said:
    """What pqlkit says of a case: asked for when it is read, so that a world costs no more than its question."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.truth = case.truth
        self._folder = folder

    @cached_property
    def population(self) -> Population:
        return self._of(self.case.tables.cut(), "cut")

    @cached_property
    def loaded(self) -> Intake:
        """What `load` says of the tables."""
        return load(read_project(self.case.tables.cut().write(self._folder / "exports")), self._folder / "dataset")

    @cached_property
    def later(self) -> Population:
        """Everybody, with what happened after the end of the data."""
        return self._of(self.case.tables, "whole", as_of=None)

    def _of(self, tables: Tables, name: str, **more: Any) -> Population:
        project = read_project(tables.write(self._folder / name))
        options = {"as_of": tables.as_of, **self.case.population, **more}
        extent = ExtentOptions(as_of=options.pop("as_of"))
        return population_of(open_dataset(project), project, extent, **options)

    @cached_property
    def analyzed(self) -> Analysis:
        return analyze(self.population, Settings(**self.case.settings))

    @cached_property
    def analysis(self) -> dict[str, Any]:
        return as_record(self.analyzed)

    @cached_property
    def proposed(self) -> Proposal:
        return propose(self.population, Settings(**self.case.settings), ProposeOptions(**self.case.wishes))

    @cached_property
    def proposal(self) -> dict[str, Any]:
        return as_record(self.proposed)

    @cached_property
    def screen(self) -> str:
        """The proposal as the terminal shows it, on one line: sentences are wrapped there."""
        from rich.console import Console

        from pqlkit.reporting.renderers.proposal import as_table

        console = Console(file=io.StringIO(), width=80, color_system=None)
        console.print(as_table(self.proposed, details=True))
        shown = console.file
        assert isinstance(shown, io.StringIO)
        return " ".join(shown.getvalue().split())

    @property
    def first(self) -> dict[str, Any] | None:
        """The first candidate's record; None where nothing is proposed."""
        candidates = self.proposal["candidates"]
        return candidates[0] if candidates else None

    @property
    def definition(self) -> Definition | None:
        """The first candidate's definition, as it is written."""
        return self.proposed.candidates[0].definition if self.proposed.candidates else None

    @property
    def named(self) -> frozenset[str]:
        """The events that the first candidate names; ``any event`` where it counts any."""
        return frozenset() if self.definition is None else events_of(self.definition)

    @property
    def leakage(self) -> dict[str, str]:
        """What is listed as leakage by the analysis, and why."""
        return {suspect["event"]: suspect["reason"] for suspect in self.analysis["leakage"]}

    def row(self, event: str) -> dict[str, Any] | None:
        """Give the analysis's first row of an event; None where it has none."""
        return next((row for row in self.analysis["behaviours"] if row["event"] == event), None)

    def reported(self, definition: Definition | None = None) -> dict[str, Any]:
        """Give the report of a definition, the first candidate's if none is named."""
        told = definition or self.definition
        assert told is not None
        return as_record(report(self.population, told))


def said(case: Case) -> _Asked:
    """Open a case; its files live as long as the block."""
    return _Asked(case)


class _Asked:
    def __init__(self, case: Case) -> None:
        self._case = case
        self._folder = TemporaryDirectory(prefix="pqlkit-verdict-")

    def __enter__(self) -> Said:
        from pathlib import Path

        return Said(self._case, Path(self._folder.__enter__()))

    def __exit__(self, *error: object) -> None:
        self._folder.__exit__(None, None, None)


def events_of(definition: Definition) -> frozenset[str]:
    """Name the events of a definition's criteria."""
    criteria = (leaf for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion))
    return frozenset(name for criterion in criteria for name in criterion.events or ("any event",))


def names(*planted: str, also: frozenset[str] = frozenset()) -> Callable[[Said], Verdict]:
    """Judge by the events of the first rule.

    All of `planted` and none but these and `also`: right. Nothing, or some of them: not right. None of them, or with another
    event beside them: wrong, for an analyst would call that event idle.
    """

    def judge(words: Said) -> Verdict:
        found = words.named
        if set(planted) <= found <= {*planted, *also}:
            return Verdict.RIGHT
        idle = found - {*planted, *also, "any event"}
        return Verdict.WRONG if found and (idle or not found & set(planted)) else Verdict.SHORT

    return judge


def nothing(words: Said) -> Verdict:
    """Judge a world in which there is nothing to propose."""
    return Verdict.RIGHT if words.first is None else Verdict.WRONG


def worst(*verdicts: Verdict) -> Verdict:
    """Give the worst of several verdicts on one world."""
    return max(verdicts, key=list(Verdict).index)


def only_if(*, right: bool, otherwise: Verdict = Verdict.SHORT) -> Verdict:
    """Give right, or what else."""
    return Verdict.RIGHT if right else otherwise
