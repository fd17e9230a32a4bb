"""Reading: a YAML document becomes a definition, or the list of everything that is wrong with its form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pqlkit.columns import LEAD_COLUMNS
from pqlkit.definitions import faults
from pqlkit.definitions.building import build_definition, build_outcome
from pqlkit.definitions.codes import (
    DUPLICATE_ID,
    INVALID_VALUE,
    MISSING_KEY,
    MISSING_WINDOW,
    UNKNOWN_REF,
    UNSUPPORTED_FORMAT,
    WRONG_TYPE,
)
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.form import DefinitionForm, ProjectOutcomeForm
from pqlkit.definitions.formula_form import WINDOWS
from pqlkit.definitions.model import EntityKind, leaves
from pqlkit.definitions.shape import FormError
from pqlkit.definitions.values import FORMAT, kind_of, shown
from pqlkit.definitions.yaml_source import LARGEST, parse
from pqlkit.errors import DefinitionError, suggestion
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.model import Definition, Outcome
    from pqlkit.definitions.yaml_source import Document, Yaml
    from pqlkit.definitions.yaml_source import Path as YamlPath
    from pqlkit.durations import Duration

SHOWN: Final = 6
"""Files of a folder that are named where another is asked for."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a ref leads nowhere: `reason` is a whole message, `hint` what to do."""

    reason: str
    hint: str | None = None


Resolver: TypeAlias = "Callable[[str], Definition | Unresolved]"
"""Finds the definition or milestone of a name."""


def check_definition(
    document: Document, resolver: Resolver | None = None
) -> tuple[Definition | None, list[Diagnostic]]:
    """Read a document; give the definition (None if an error forbids it) and every fault of its form, in file order.

    Parameters
    ----------
    document
        From `yaml_source.parse`; its own diagnostics are part of the result.
    resolver
        Finds what ``ref`` and ``outcome.definition`` name. None: nothing can be found.

    Examples
    --------
    >>> text = "pqlkit: 1, name: logins, entity: user, qualify: {event: login, ever: true}, outcome: {within: 30d}"
    >>> definition, found = check_definition(parse("{" + text + "}", "logins.yml"))
    >>> definition.criteria[0].id, found
    ('login', [])
    """
    diagnostics = list(document.diagnostics)
    if document.broken:
        return None, diagnostics
    data = document.data
    if not isinstance(data, dict):
        message = "the file is empty" if data is None else f"a definition is a mapping, not {kind_of(data)}"
        code = MISSING_KEY if data is None else WRONG_TYPE
        return None, [*diagnostics, document.diagnostic(code, (), message, hint="begin with pqlkit: 1")]
    if "pqlkit" in data and data["pqlkit"] != FORMAT:
        # What a file of another format means is not known: its other keys are not judged.
        return None, [*diagnostics, _format_fault(document, data)]
    reading = _Reading(document, data, resolver)
    definition = reading.run()
    diagnostics = sorted([*diagnostics, *reading.found], key=lambda d: (d.line, d.column, d.code, d.message))
    return definition if not _errors(diagnostics) else None, diagnostics


def referred(document: Document) -> tuple[str, ...]:
    """List the names that a document's refs and ``outcome.definition`` lead to, however faulty it is otherwise."""
    data = document.data
    if not isinstance(data, dict):
        return ()
    names = [leaf.get("ref") for _, leaf in _leaves(data.get("qualify"), ())]
    outcome = data.get("outcome")
    names.append(outcome.get("definition") if isinstance(outcome, dict) else None)
    return tuple(dict.fromkeys(str(name) for name in names if isinstance(name, str)))


def read_document(path: Path | str) -> Document:
    """Read one YAML file; of a file that is too large no more than the limit is read.

    Raises
    ------
    DefinitionError
        The file cannot be opened.
    """
    try:
        with Path(path).open("rb") as file:
            return parse(file.read(LARGEST + 1), str(path))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, FileNotFoundError):
            raise DefinitionError(f"{visible(str(path), 400)} does not exist{_there(Path(path).parent)}") from None
        raise DefinitionError(f"cannot read the file: {reason}", where=str(path)) from error


def _there(folder: Path) -> str:
    """Say which definition files a folder has."""
    names = sorted(path.name for path in folder.glob("*.y*ml")) if folder.is_dir() else []
    return (
        f". There: {', '.join(visible(name, 60) for name in names[:SHOWN])}{', ..' if len(names) > SHOWN else ''}"
        if names
        else ""
    )


def refusal(diagnostics: list[Diagnostic]) -> DefinitionError:
    """Make the error that carries faults: its message is the first of them."""
    errors = _errors(diagnostics) or diagnostics
    first, more = errors[0], len(errors) - 1
    message = f"{first.code} {first.message}" + (f" (and {more} more)" if more else "")
    where = f"{first.path}:{first.line}:{first.column}"
    return DefinitionError(message, diagnostics=diagnostics, where=where, hint=first.hint)


def read_outcome(written: Mapping[str, Any], *, within: Duration, resolver: Resolver | None = None) -> Outcome:
    """Read an ``outcome`` mapping in which ``within`` may be missing (the project file's, whose form has been checked).

    Parameters
    ----------
    written
        Plain data as `yaml_source.parse` gives it.
    within
        The conversion window where the mapping has none.
    resolver
        Finds what ``definition`` names.

    Raises
    ------
    DefinitionError
        The mapping has faults, or ``definition`` names nothing that is known.
    """
    try:
        form = ProjectOutcomeForm.read(dict(written))
    except FormError as error:
        raise DefinitionError(f"outcome: {error}") from error
    target = _resolve(form.definition, resolver) if form.definition is not None else None
    if isinstance(target, Unresolved):
        raise DefinitionError(target.reason, hint=target.hint)
    return build_outcome(form, form.within or within, {form.definition: target}.__getitem__)  # type: ignore[arg-type]


def _errors(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    return [diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]


def _format_fault(document: Document, data: dict[str, Yaml]) -> Diagnostic:
    message = f"this pqlkit reads files of format {FORMAT}, not {shown(data['pqlkit'])}"
    hint = f"write pqlkit: {FORMAT}, or install a newer pqlkit"
    return document.diagnostic(UNSUPPORTED_FORMAT, ("pqlkit",), message, hint=hint)


def _resolve(name: str, resolver: Resolver | None) -> Definition | Unresolved:
    if resolver is None:
        return Unresolved(f"no definition is named {shown(name)}", "put its file beside this one")
    return resolver(name)


class _Reading:
    """One pass over one mapping: checks that need more than one key work on the plain data, so that a fault hides none."""

    def __init__(self, document: Document, data: dict[str, Yaml], resolver: Resolver | None) -> None:
        self.document = document
        self.data = data
        self.resolver = resolver
        self.found: list[Diagnostic] = []
        self.targets: dict[str, Definition] = {}
        self.leaves = list(_leaves(data.get("qualify"), ("qualify",)))

    def run(self) -> Definition | None:
        form = self._form()
        self._milestone()
        self._points_or_formula()
        self._windows()
        self._ids()
        self._refs()
        if form is None or _errors(self.found):
            return None
        definition = build_definition(form, self.targets.__getitem__, self.document.path)
        self._points(definition)
        return definition

    def _form(self) -> DefinitionForm | None:
        try:
            return DefinitionForm.read(self.data)
        except FormError as error:
            self.found += faults.diagnostics(self.document, error)
            return None

    def _milestone(self) -> None:
        if self.data.get("kind") == "milestone":
            for key in ("outcome", "score", "expect"):
                if key in self.data:
                    self._say(INVALID_VALUE, (key,), f"a milestone has no {key}", hint="remove it, or kind: milestone")
        elif "outcome" not in self.data:
            self.found.append(faults.missing(self.document, (), "outcome"))

    def _points_or_formula(self) -> None:
        qualify, score = self.data.get("qualify"), self.data.get("score")
        decided = isinstance(score, dict) and score.get("pql_at") is not None
        if isinstance(qualify, list) and not decided:
            hint = "write all: or any: before the list, or score.pql_at"
            self._say(WRONG_TYPE, ("qualify",), "a plain list needs points that decide", hint=hint)
        if isinstance(qualify, dict) and decided:
            hint = "write the criteria as a plain list, or leave pql_at out"
            self._say(WRONG_TYPE, ("qualify",), "with score.pql_at the points decide, not a formula", hint=hint)

    def _windows(self) -> None:
        if self.data.get("within") is not None:
            return
        for path, leaf in self.leaves:
            if "event" in leaf and not any(key in leaf for key in WINDOWS):
                hint = "write within: 14d here, or once for the whole definition"
                self._say(MISSING_WINDOW, (*path, "event"), "this criterion has no window", hint=hint)

    def _ids(self) -> None:
        seen: dict[str, YamlPath] = {}
        for path, leaf in self.leaves:
            name = leaf.get("id")
            if not isinstance(name, str):
                continue
            place = (*path, "id")
            if name in LEAD_COLUMNS:
                message = f"the id {shown(name)} is a column of every lead list"
                self._say(DUPLICATE_ID, place, message, hint=f"choose another, such as {name}_done", key=False)
            elif name in seen:
                line = self.document.mark(seen[name]).line
                message = f"the id {shown(name)} is taken (line {line})"
                self._say(DUPLICATE_ID, place, message, hint="ids are unique within a definition", key=False)
            seen.setdefault(name, place)

    def _refs(self) -> None:
        named = [((*path, "ref"), leaf) for path, leaf in self.leaves if "ref" in leaf]
        for place, leaf in named:
            target = self._target(place, leaf["ref"])
            if target is not None:
                self._fits(place, leaf, target)
        outcome = self.data.get("outcome")
        if isinstance(outcome, dict) and "definition" in outcome:
            self._target(("outcome", "definition"), outcome["definition"])

    def _target(self, place: YamlPath, name: Yaml) -> Definition | None:
        if not isinstance(name, str):
            return None
        target = self.targets.get(name) or _resolve(str(name), self.resolver)
        if isinstance(target, Unresolved):
            self._say(UNKNOWN_REF, place, target.reason, hint=target.hint, key=False)
            return None
        self.targets[str(name)] = target
        return target

    def _fits(self, place: YamlPath, leaf: dict[str, Yaml], target: Definition) -> None:
        entity = self.data.get("entity")
        if entity == EntityKind.USER and target.entity is EntityKind.ACCOUNT:
            message = f"{shown(target.name)} is about accounts; a user's definition cannot hold it"
            self._say(INVALID_VALUE, place, message, key=False)
        for key in ("measure", "at_least"):
            if key in leaf and entity == target.entity:
                message = f"{key} counts the users of an account; {shown(target.name)} is about {entity}s itself"
                self._say(INVALID_VALUE, (*place[:-1], key), message, hint="remove it")

    def _points(self, definition: Definition) -> None:
        known = [leaf.id for leaf in leaves(definition.qualify)]
        for name in definition.score.points if definition.score is not None else ():
            if name not in known:
                hint = suggestion(name, known, f"the ids are {', '.join(known)}")
                self._say(INVALID_VALUE, ("score", "points", name), f"no criterion has the id {name}", hint=hint)

    def _say(self, code: Any, path: YamlPath, message: str, *, hint: str | None = None, key: bool = True) -> None:
        self.found.append(self.document.diagnostic(code, path, message, key=key, hint=hint))


def _leaves(node: Yaml, path: YamlPath) -> Iterator[tuple[YamlPath, dict[str, Yaml]]]:
    """Walk the criteria and refs of a tree as written, however faulty."""
    if isinstance(node, list):
        for index, part in enumerate(node):
            yield from _leaves(part, (*path, index))
    if not isinstance(node, dict):
        return
    if "event" in node or "ref" in node:
        yield path, node
        return
    for key in ("all", "any", "not", "n_of", "of"):
        if key in node:
            yield from _leaves(node[key], (*path, key))
