"""The inputs of a run: the project file, its block for the command, and the exports they lead to."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pqlkit.cli.options import DataOptions, EngineName, settle, unknown_options
from pqlkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project

PROJECT: Final = "pqlkit.yml"
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What one command runs on.

    Parameters
    ----------
    command
        The command's name.
    project
        The project file's values, or the defaults of a run without one.
    data
        The data options, settled.
    """

    command: str
    project: Project
    data: DataOptions

    def settle(self, options: Record) -> Record:
        """Fill a record from the command's block of the project file; the command line wins."""
        return settle(options, self._block, command=self.command, place=str(self.project.path))

    @property
    def engine(self) -> str:
        """The engine's name."""
        return (self.data.engine or EngineName.POLARS).value

    @property
    def trust_current(self) -> tuple[str, ...]:
        """The traits whose present value is trusted for the past."""
        return tuple(self.data.trust_current or ())

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
        if data.map:
            return open_dataset(self.mapped(), progress=progress)
        if data.data is None and data.events is None and "events" not in self.project.exports:
            raise UsageError(
                "no events to read",
                hint=f"name them with --events PATH or --data DIR, or make a {PROJECT} with `pqlkit init EVENTS`",
            )
        return open_dataset(
            self.project,
            data=data.data,
            events=data.events,
            users=data.users,
            accounts=data.accounts,
            conversions=data.conversions,
            progress=progress,
        )

    def mapped(self) -> Project:
        """Give the project with the exports and columns that the command line names.

        Raises
        ------
        UsageError
            A column is mapped of a dataset that is loaded already, or of no export.
        """
        from pqlkit.exports.dataset import with_sources
        from pqlkit.exports.maps import maps_of, with_maps

        data = self.data
        if data.map and data.data is not None:
            raise UsageError(
                "--map names columns of exports; --data has its columns already", hint="pqlkit load --map ..."
            )
        named = {name: getattr(data, name) for name in ("events", "users", "accounts", "conversions")}
        project = with_sources(self.project, **{name: path for name, path in named.items() if path is not None})
        return with_maps(project, maps_of(data.map or ()))

    @property
    def _block(self) -> dict[str, Any]:
        return dict(self.project.options.get(self.command, {}))


def inputs(command: str, data: DataOptions, *records: type[Any]) -> Inputs:
    """Find the project file and settle the data options.

    Parameters
    ----------
    command
        The command's name: its block of the project file supplies what the command line left out.
    data
        As given on the command line.
    records
        All option records of the command: other names in its block are refused.

    Raises
    ------
    DefinitionError
        The project file has faults.
    DataError
        A project file was named that is not there.
    """
    from pqlkit.exports.project import Project, read_project

    path = data.project or (Path(PROJECT) if Path(PROJECT).is_file() else None)
    if path is not None and path.is_dir():
        path = path / PROJECT
    project = Project() if path is None else read_project(path)
    block = dict(project.options.get(command, {}))
    if records:
        kinds: tuple[type[Any], ...] = (DataOptions, *records)
        known = {field.name for kind in kinds for field in fields(kind)}
        unknown_options(block, known, command=command, place=str(path))
    found = Inputs(command=command, project=project, data=data)
    return replace(found, data=found.settle(data))
