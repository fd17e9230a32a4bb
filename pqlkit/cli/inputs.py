"""The inputs of a run: what the command line gave, the project file, and the exports they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pqlkit.cli.step import using
from pqlkit.errors import UsageError
from pqlkit.options.data import PROJECT, DataOptions
from pqlkit.options.option import filled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project

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
    """

    command: str
    values: Mapping[str, Any]

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

    def states(self, option: str) -> bool:
        """Whether the command line or the project file says anything of an option."""
        return option in self.given.values or self._section.get(option) is not None

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
        from pqlkit.exports.dataset import open_dataset

        data = self.data
        if data.data is None and data.events is None and "events" not in self.project.exports:
            raise UsageError(
                "no events to read",
                hint=f"name them with --events PATH or --data DIR, or make a {PROJECT} with `pqlkit init EVENTS`",
            )
        self.note()
        return open_dataset(
            self.project,
            data=data.data,
            events=data.events,
            users=data.users,
            accounts=data.accounts,
            conversions=data.conversions,
            progress=progress,
        )

    def note(self, dataset: Path | None = None) -> None:
        """Note what is read, for the message of an error that nobody foresaw; `dataset` is one that ``--data`` does not name."""
        data = self.data
        named = [str(path) for path in (data.events, data.users, data.accounts, data.conversions) if path is not None]
        if data.data is not None:
            named, dataset = [str(data.data)], Path(data.data)
        using(*(named or [str(self.project.path)]), dataset=dataset)

    @property
    def _section(self) -> Mapping[str, Any]:
        return self.project.options.get(self.given.command, {})
