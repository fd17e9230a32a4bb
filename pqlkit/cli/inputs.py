"""The inputs of a run: what the command line gave, the project file, and the exports they lead to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pqlkit.cli.step import using
from pqlkit.cli.targets import Target, check_targets
from pqlkit.errors import UsageError
from pqlkit.options.commands import command_options
from pqlkit.options.data import PROJECT, DataOptions, SourceOptions
from pqlkit.options.option import Role, filled
from pqlkit.options.output import PAGES, OutputOptions, PageOption, format_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pqlkit.cli.output import Output
    from pqlkit.definitions.model import Definition
    from pqlkit.engines.base import Cluster
    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project
    from pqlkit.population.population import Population
    from pqlkit.reporting.next_command import Invocation

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one command was given on the command line.

    Parameters
    ----------
    command
        The command's name.
    values
        Option -> value as typed, for those that were given.
    files
        The arguments that are files to read.
    """

    command: str
    values: Mapping[str, Any]
    files: tuple[Path, ...] = ()

    def naming(self, files: Sequence[Path] | None) -> Given:
        """Take files that stand alone on the command line for definitions, before those of ``-d``."""
        named = [*(files or ()), *self.values.get("definition", ())]
        return replace(self, values={**self.values, "definition": named}) if named else self

    def inputs(self) -> Inputs:
        """Find the project file.

        Raises
        ------
        DefinitionError
            The project file has faults.
        DataError
            A project file was named that is not there.
        """
        from pqlkit.exports.project import Project, read_project

        path = self.values.get("project") or (Path(PROJECT) if Path(PROJECT).is_file() else None)
        if path is not None and path.is_dir():
            path = path / PROJECT
        return Inputs(given=self, project=Project() if path is None else read_project(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What one command runs on.

    Parameters
    ----------
    given
        What the command line gave.
    project
        The project file's values, or the defaults of a run without one.
    """

    given: Given
    project: Project

    def __post_init__(self) -> None:
        """Refuse to write what the run reads, before it reads anything."""
        self.check()

    def check(self, more: Iterable[Target] = ()) -> None:
        """Hold what the run is about to write against all that it reads and writes.

        Parameters
        ----------
        more
            Paths that follow from an option or an argument without being its value.

        Raises
        ------
        UsageError
            As `pqlkit.cli.targets.check_targets`.
        """
        check_targets([*self._targets(), *more], self.project)

    def _targets(self) -> Iterator[Target]:
        for name, option in command_options(self.given.command).items():
            if option.role is not None:
                for value in self.written(name):
                    yield Target(named=option.flag, path=Path(str(value)), role=option.role)
        for path in self.given.files:
            yield Target(named="the file", path=path, role=Role.READS)

    def settle(self, record: type[Record]) -> Record:
        """Make an option record: the command line wins over the project file's section, which wins over the default.

        Raises
        ------
        UsageError
            An option cannot be read.
        """
        return filled(
            record, self.given.values, self._section, command=self.given.command, place=str(self.project.path)
        )

    def output(self, *, private: bool = False) -> Output:
        """Settle where results go and how they are written: as ``--format`` says, else as the name of the file of ``--out`` does.

        Parameters
        ----------
        private
            As of `Output`.

        Raises
        ------
        UsageError
            A page is asked for that the command has not, or is to be shown and none is written.
        """
        from pqlkit.cli.output import Output

        out, page = self.settle(OutputOptions), self.settle(PageOption)
        has_page = "html" in command_options(self.given.command)
        target, html = out.out, page.html
        if target is not None and target.suffix.lower() in PAGES and out.format is None:
            if not has_page:
                raise UsageError(
                    f"--out {target}: {self.given.command} has no page",
                    hint="write a name that ends in .json, .csv, .md or .txt",
                )
            target, html = None, target
        if page.open and html is None:
            raise UsageError("--open shows a page, and none is written", hint="add --html page.html")
        return Output(
            quiet=out.quiet,
            verbose=out.verbose,
            out=target,
            private=private,
            form=out.format or format_of(target),
            html=html,
            opens=page.open,
        )

    @property
    def call(self) -> Invocation:
        """How the command was called, for the commands that its result prints."""
        from pqlkit.reporting.next_command import Invocation

        return Invocation(command=self.given.command, given=self.given.values)

    def states(self, option: str) -> bool:
        """Whether the command line or the project file says anything of an option."""
        return option in self.given.values or self._section.get(option) is not None

    def written(self, option: str) -> list[Any]:
        """Give the values of an option as they were written: on the command line, else in the project file, else none."""
        value = self.given.values.get(option, self._section.get(option))
        return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]

    @property
    def data(self) -> DataOptions:
        """Where the data is, and what of it counts."""
        return self.settle(DataOptions)

    def dataset(self, progress: Callable[[str], None] | None = None) -> Dataset:
        """Read the exports.

        Raises
        ------
        UsageError
            Nothing says where the events are.
        DataError
            An export cannot be read.
        """
        from pqlkit.population.missing_tables import require_tables

        dataset = self._opened(progress)
        wanted = [*self.data.require, *self.project.require]
        require_tables(dataset, [name for names in wanted for name in names.split(",")])
        return dataset

    def _opened(self, progress: Callable[[str], None] | None) -> Dataset:
        from pqlkit.exports.dataset import open_dataset

        data = self.data
        if data.map and data.data is not None:
            raise UsageError(
                "--map names columns of exports; --data has its columns already",
                hint="pqlkit load --map TABLE.COLUMN=NAME --out DIR",
            )
        if data.map:
            return open_dataset(self.mapped(), progress=progress, cluster=self.cluster)
        if data.data is None and data.events is None and "events" not in self.project.exports:
            raise UsageError(
                f"no events given, no {PROJECT} here",
                hint=f"add --data DIR, or --events PATH, or make a {PROJECT}: pqlkit init EVENTS",
            )
        self.note()
        return open_dataset(
            self.project,
            data=data.data,
            events=data.events,
            users=data.users,
            accounts=data.accounts,
            conversions=data.conversions,
            identities=data.identities,
            progress=progress,
            cluster=self.cluster,
        )

    @property
    def cluster(self) -> Callable[[], Cluster] | None:
        """What begins a session where tables are asked for by name; None of an engine that runs here."""
        from pqlkit.engines.factory import cluster

        return cluster(self.data.engine, self.data.spark_remote)

    @property
    def source(self) -> str:
        """What to call the data: what somebody named, else the project file's events."""
        data = self.data
        events = self.project.exports.get("events")
        named = data.data or data.events or (", ".join(events.path) if events is not None else None)
        return str(named) if named is not None else "the data"

    def mapped(self) -> Project:
        """Give the project with the exports and columns that the command line names.

        Raises
        ------
        UsageError
            A column is mapped of no export.
        """
        from pqlkit.exports.dataset import with_sources
        from pqlkit.exports.maps import maps_of, with_maps

        exports = self.settle(SourceOptions)
        named = {name: getattr(exports, name) for name in ("events", "users", "accounts", "conversions", "identities")}
        project = with_sources(self.project, **{name: path for name, path in named.items() if path is not None})
        return with_maps(project, maps_of(exports.map))

    def population(
        self,
        dataset: Dataset,
        definition: Definition | None = None,
        *,
        entity: str = "auto",
        sample: float | None = None,
        bounded: bool = False,
    ) -> Population:
        """Say who exists in the exports.

        Parameters
        ----------
        dataset, definition, entity, sample, bounded
            As of `pqlkit.population.population.population_of`.
        """
        from pqlkit.population.population import population_of

        return population_of(
            dataset, self.project, self.data, entity=entity, definition=definition, sample=sample, bounded=bounded
        )

    def note(self, dataset: Path | None = None) -> None:
        """Note what is read, for the message of an error that nobody foresaw; `dataset` is one that ``--data`` does not name."""
        data = self.data
        named = [
            str(path)
            for path in (data.events, data.users, data.accounts, data.conversions, data.identities)
            if path is not None
        ]
        if data.data is not None:
            named, dataset = [str(data.data)], Path(data.data)
        using(*(named or [str(self.project.path)]), dataset=dataset)

    @property
    def _section(self) -> Mapping[str, Any]:
        return self.project.options.get(self.given.command, {})
