"""The project file: ``pqlkit.yml``, read into frozen values with every default filled in.

The form as written, its types and its JSON Schema live in `project_form`; from here on there are only these values.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pqlkit.definitions import faults
from pqlkit.definitions.building import build_eligible
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.documents import read_document, refusal
from pqlkit.definitions.schema import form_schema
from pqlkit.definitions.shape import Form
from pqlkit.exports.days_off import DaysOff
from pqlkit.exports.mapping import Source
from pqlkit.exports.notation import Notation
from pqlkit.exports.nulls import NULL_VALUES
from pqlkit.exports.sources.address import inside, scheme
from pqlkit.exports.tables import HISTORY, NAMES
from pqlkit.exports.zones import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.model import Condition
    from pqlkit.definitions.yaml_source import Document
    from pqlkit.exports.project_form import ProjectForm, SourceForm, TraitsForm
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
    """What is known about an event name: sent by a machine (`automatic`), precedes the upgrade by construction, or is billed.

    `meter` names the property by the sum of which customers pay.
    """

    automatic: bool = False
    mechanical: bool = False
    meter: str | None = None


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
    require
        Exports without which no command runs.
    events_from
        The first day (or instant) of the events export, as written; None = the day of its first row.
    days_off
        When nothing is expected of the product or of its export.
    signup_event
        The first event of this name is the anchor where no users table says otherwise; None = the first event.
    outcome
        The mapping as written (``within``, ``where``, ``event``, ``definition``...): a definition's own keys win.
    definitions
        The folder of definition files, resolved.
    options
        Command name -> option (with underscores) -> value as written; the command line wins.
    null_values
        Texts that stand for no value, where a source does not state its own.
    """

    path: Path | None = None
    timezone: str = "UTC"
    entity: str = "auto"
    exports: Mapping[str, Source] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    events: Mapping[str, EventNote] = field(default_factory=dict)
    population: tuple[Condition, ...] = ()
    signup_event: str | None = None
    require: tuple[str, ...] = ()
    events_from: str | None = None
    days_off: DaysOff = field(default_factory=DaysOff)
    outcome: Mapping[str, Json] = field(default_factory=dict)
    definitions: Path = field(default_factory=lambda: Path("definitions"))
    options: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    null_values: frozenset[str] = NULL_VALUES

    def direct(self, path: str) -> Source:
        """Give the source of an export that is named directly: canonical columns, and the project's general rules."""
        place, sheet, table = inside(path)
        return Source(path=(place,), sheet=sheet, table=table, timezone=self.timezone, null_values=self.null_values)


def read_project(path: Path | str) -> Project:
    """Read a project file.

    Relative paths in it are resolved against its own folder.

    Raises
    ------
    DefinitionError
        The file cannot be read or has faults; its `diagnostics` list every one with line and column.
    """
    document = read_document(path)
    project, diagnostics = check_project(document)
    if project is None:
        raise refusal(diagnostics)
    return project


def check_project(document: Document) -> tuple[Project | None, list[Diagnostic]]:
    """Read a document; give the project (None if an error forbids it) and every fault, in file order.

    Parameters
    ----------
    document
        From `pqlkit.definitions.yaml_source.parse`; its own diagnostics are part of the result.

    Examples
    --------
    >>> from pqlkit.definitions.yaml_source import parse
    >>> project, found = check_project(parse("{pqlkit: 1, exports: {evnts: {path: a.csv}}}", "pqlkit.yml"))
    >>> [(one.line, one.column, one.code, one.hint) for one in found]
    [(1, 23, 'PQL101', 'did you mean events?')]
    """
    from pqlkit.definitions.shape import FormError
    from pqlkit.exports.project_form import FullProjectForm

    diagnostics = list(document.diagnostics)
    if document.broken:
        return None, diagnostics
    try:
        form = FullProjectForm.read(document.data)
    except FormError as error:
        diagnostics = sorted(
            [*diagnostics, *faults.diagnostics(document, error)],
            key=lambda diagnostic: (diagnostic.line, diagnostic.column, diagnostic.code),
        )
        return None, diagnostics
    if any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        return None, diagnostics
    return _project(form, document), diagnostics


def _project(form: ProjectForm, document: Document) -> Project:
    path = Path(document.path)
    places = _Places(
        folder=path.parent, timezone=form.timezone, null_values=_null_values(form.null_values, NULL_VALUES)
    )
    exports = form.exports
    named = {name: getattr(exports, name) for name in NAMES} if exports is not None else {}
    return Project(
        path=path,
        timezone=form.timezone,
        entity=form.entity,
        exports={name: places.source(source) for name, source in named.items() if source is not None},
        traits=places.traits(form.traits),
        events={
            name: EventNote(automatic=note.automatic, mechanical=note.mechanical, meter=note.meter)
            for name, note in (form.events or {}).items()
        },
        population=build_eligible(form.population or []),
        require=tuple(form.require or ()),
        events_from=form.events_from,
        days_off=DaysOff.parse(form.calendar.days_off if form.calendar is not None else (), form.timezone),
        signup_event=form.signup.event if form.signup is not None else None,
        outcome=_plain(faults.at(document.data, ("outcome",))) or {},
        definitions=places.folder / form.definitions,
        options=_options(form),
        null_values=places.null_values,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Where relative paths start, the zone of times without an offset, and what stands for no value."""

    folder: Path
    timezone: str
    null_values: frozenset[str]

    def traits(self, form: TraitsForm | None) -> Traits:
        if form is None:
            return Traits()
        history = {
            trait: Source(path=(self.path(value),), timezone=self.timezone, null_values=self.null_values)
            if isinstance(value, str)
            else self.source(value)
            for trait, value in (form.history or {}).items()
        }
        return Traits(fixed=tuple(form.fixed or ()), current=tuple(form.current or ()), history=history)

    def source(self, form: SourceForm) -> Source:
        from pqlkit.exports.preset import preset
        from pqlkit.exports.written_mapping import column_of, explode_of, lookup_of, names_of, newest_of, rule_of

        paths = (form.path,) if isinstance(form.path, str) else form.path or ()
        vendors = preset(form.format).timezone if form.format is not None else None
        zone = form.timezone or vendors or self.timezone
        return Source(
            path=tuple(self.path(path) for path in paths),
            format=form.format,
            columns={name: column_of(_written(value)) for name, value in (form.columns or {}).items()},
            rows=tuple(rule_of(_written(rule)) for rule in form.rows or ()),
            explode=explode_of(_written(form.explode)),
            lookup=lookup_of(_written(form.lookup)),
            newest=newest_of(_written(form.newest)),
            lookups={
                name: tuple(self.path(path) for path in names_of(paths)) for name, paths in (form.lookups or {}).items()
            },
            timezone=zone,
            complete_through=moment(form.complete_through, self.timezone) if form.complete_through else None,
            match=form.match,
            encoding=form.encoding,
            separator=form.separator,
            null_values=_null_values(form.null_values, self.null_values),
            notation=Notation.stated(decimal=form.decimal, thousands=form.thousands),
            sheet=form.sheet,
            table=form.table,
            query=form.query,
            connection=form.connection.env if form.connection is not None else None,
        )

    def path(self, text: str) -> str:
        if scheme(text) is not None:
            return text
        target = Path(text).expanduser()
        # Brackets in the folder's own name are no pattern.
        folder = Path(glob.escape(str(self.folder))) if glob.has_magic(text) else self.folder
        return str(target if target.is_absolute() else folder / target)


def _null_values(stated: list[str] | None, general: frozenset[str]) -> frozenset[str]:
    return general if stated is None else frozenset(stated)


def _written(value: Any) -> Any:
    """Give what a form says as it was written."""
    if isinstance(value, Form):
        return {key: _written(item) for key, item in value.plain().items() if item is not None}
    return [_written(item) for item in value] if isinstance(value, list) else value


def _options(form: ProjectForm) -> dict[str, dict[str, Json]]:
    options: dict[str, dict[str, Json]] = {}
    for name in form.fields():
        if name.endswith("_options") and (block := getattr(form, name)) is not None:
            options[name.removesuffix("_options")] = {
                key: value for key, value in block.plain().items() if value is not None
            }
    return options


def _plain(value: Any) -> Any:
    """Make what YAML holds JSON: dates become text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def project_schema() -> dict[str, Json]:
    """Give the JSON Schema (draft 2020-12) of ``pqlkit.yml``, for editors.

    Examples
    --------
    >>> project_schema()["required"]
    ['pqlkit']
    """
    from pqlkit.exports.project_form import FullProjectForm

    return {**form_schema(FullProjectForm), "title": "pqlkit project"}


def sources_of(project: Project) -> dict[str, Source]:
    """Give all of a project's sources by table name, ``history.<trait>`` included."""
    history = {HISTORY + trait: source for trait, source in sorted(project.traits.history.items())}
    return {**project.exports, **history}
