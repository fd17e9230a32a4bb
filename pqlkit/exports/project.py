"""The project file: ``pqlkit.yml``, read into frozen values with every default filled in.

The form as written, its types and its JSON Schema live in `project_form`; from here on there are only these values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.definitions.model import Condition
    from pqlkit.exports.mapping import Source
    from pqlkit.typing import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What is known about the time at which a trait was true.

    `fixed` never changes after the anchor, `current` is today's value, `history` names a table (trait -> source with
    ``user_id`` or ``account_id``, ``valid_from`` and a column named as the trait).
    """

    fixed: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    history: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNote:
    """What is known about an event name: sent by a machine (`automatic`), or precedes the upgrade by construction."""

    automatic: bool = False
    mechanical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What ``pqlkit.yml`` says.

    Parameters
    ----------
    path
        The file, or None for the defaults of a run without one.
    timezone
        IANA name: dates and weeks are counted in it.
    entity
        ``auto``, ``user`` or ``account``.
    exports
        Table name (``events``, ``users``, ``accounts``, ``identities``, ``conversions``, ``contacts``) -> where it is.
    traits, events, population
        Declarations about traits and event names, and the filter on who exists at all (all conditions must hold).
    signup_event
        The first event of this name is the anchor where no users table says otherwise; None = the first event.
    outcome
        The mapping as written (``within``, ``where``, ``event``, ``definition``...): a definition's own keys win.
    definitions
        The folder of definition files, resolved.
    options
        Command name -> option (with underscores) -> value as written; the command line wins.
    """

    path: Path | None = None
    timezone: str = "UTC"
    entity: str = "auto"
    exports: Mapping[str, Source] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    events: Mapping[str, EventNote] = field(default_factory=dict)
    population: tuple[Condition, ...] = ()
    signup_event: str | None = None
    outcome: Mapping[str, Json] = field(default_factory=dict)
    definitions: Path = field(default_factory=lambda: Path("definitions"))
    options: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)


def read_project(path: Path | str) -> Project:
    """Read a project file.

    Relative paths in it are resolved against its own folder.

    Raises
    ------
    DefinitionError
        The file has faults; its `diagnostics` list every one with line and column.
    DataError
        There is no such file.
    """
    raise NotImplementedError


def project_schema() -> dict[str, Json]:
    """Give the JSON Schema of ``pqlkit.yml``, for editors."""
    raise NotImplementedError
