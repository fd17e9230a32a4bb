"""Loading: folders of definition files, whose refs are resolved by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.documents import Unresolved, check_definition, read_document, referred, refusal
from pqlkit.definitions.values import shown
from pqlkit.errors import DefinitionError, suggestion
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.model import Definition
    from pqlkit.definitions.yaml_source import Document

DEEPEST: Final = 10
"""Files that may hang on one another by refs."""

PROJECT_FILE: Final = "pqlkit.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One file: as read, what it means (None if faults forbid it), and its faults of form in file order."""

    document: Document
    definition: Definition | None
    diagnostics: tuple[Diagnostic, ...]


def load_definitions(paths: Iterable[Path | str], *, folders: Iterable[Path | str] = ()) -> tuple[Loaded, ...]:
    """Read files and folders of them; refs are looked up beside the file, then among `paths`, then in `folders`.

    Parameters
    ----------
    paths
        Files, or folders whose ``*.yml`` and ``*.yaml`` files are read (not deeper; project files left out).
    folders
        More folders to look names up in.

    Returns
    -------
    tuple of Loaded
        One per file, sorted by path; files that were only looked up in are not listed.

    Raises
    ------
    DefinitionError
        A path does not exist or cannot be read.
    """
    documents = {str(path): read_document(path) for path in sorted(_files(paths))}
    return load_documents(list(documents.values()), folders=folders)


def load_documents(documents: Sequence[Document], *, folders: Iterable[Path | str] = ()) -> tuple[Loaded, ...]:
    """Do the same for documents that have been parsed already; their `path` says what lies beside them."""
    library = _Library(documents, [Path(folder) for folder in folders])
    return tuple(library.loaded(document) for document in documents)


def load_definition(path: Path | str, *, folders: Iterable[Path | str] = ()) -> Definition:
    """Read one file whose refs lie beside it or in `folders`.

    Raises
    ------
    DefinitionError
        The file cannot be read or has faults; all of them are in `diagnostics`.

    Examples
    --------
    >>> from pqlkit.shipped import shipped
    >>> load_definition(shipped("definitions") / "minimum-viable.yml").criteria[0].at_least
    10
    """
    (loaded,) = load_documents([read_document(path)], folders=folders)
    if loaded.definition is None:
        raise refusal(list(loaded.diagnostics))
    return loaded.definition


def _files(paths: Iterable[Path | str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from _beside(path)
        elif path.exists():
            yield path
        else:
            raise DefinitionError(f"{visible(str(path), 400)} does not exist")


def _beside(folder: Path) -> list[Path]:
    """List the files of a folder that may hold definitions."""
    try:
        paths = [path for path in folder.iterdir() if path.suffix in {".yml", ".yaml"} and path.is_file()]
    except OSError:
        return []
    return sorted(path for path in paths if path.name != PROJECT_FILE)


@dataclass(slots=True)
class _Visit:
    """A document whose refs are being followed."""

    document: Document
    waiting: list[Document]


@dataclass(slots=True)
class _Library:
    """Documents by name, each checked once, those it hangs on before it: with a stack of its own, not by recursion."""

    documents: Sequence[Document]
    folders: list[Path]
    shelves: dict[Path, dict[str, Document]] = field(default_factory=dict)
    done: dict[str, Loaded] = field(default_factory=dict)
    depth: dict[str, int] = field(default_factory=dict)
    circles: dict[tuple[str, str], str] = field(default_factory=dict)
    given: dict[str, Document] = field(init=False)

    def __post_init__(self) -> None:
        self.given = _by_name(self.documents)

    def loaded(self, document: Document) -> Loaded:
        stack = [self._visit(document)] if document.path not in self.done else []
        while stack:
            visit = stack[-1]
            if not visit.waiting:
                self._finish(visit.document)
                stack.pop()
                continue
            following = visit.waiting.pop()
            trail = [earlier.document.path for earlier in stack]
            if following.path in trail:
                self._circle(visit.document, following, stack[trail.index(following.path) :])
            elif following.path not in self.done:
                stack.append(self._visit(following))
        return self.done[document.path]

    def _visit(self, document: Document) -> _Visit:
        targets = (self._find(document, name) for name in referred(document))
        return _Visit(document, [target for target in targets if target is not None])

    def _circle(self, document: Document, back: Document, trail: list[_Visit]) -> None:
        names = [_name(visit.document) or "?" for visit in trail]
        self.circles[document.path, back.path] = " -> ".join([*names, names[0]])

    def _finish(self, document: Document) -> None:
        targets = [self._find(document, name) for name in referred(document)]
        self.depth[document.path] = 1 + max((self.depth.get(t.path, 0) for t in targets if t is not None), default=0)
        definition, diagnostics = check_definition(document, lambda name: self._resolve(document, name))
        self.done[document.path] = Loaded(document=document, definition=definition, diagnostics=tuple(diagnostics))

    def _resolve(self, document: Document, name: str) -> Definition | Unresolved:
        target = self._find(document, name)
        if target is None:
            return self._unknown(document, name)
        circle = self.circles.get((document.path, target.path))
        if circle is not None:
            return Unresolved(f"{shown(name)} leads back to itself: {circle}", "a definition cannot hang on itself")
        if self.depth[document.path] > DEEPEST:
            return Unresolved(f"more than {DEEPEST} files hang on one another by refs", "write the criteria here")
        definition = self.done[target.path].definition
        if definition is None:
            return Unresolved(f"{shown(name)} has faults of its own", f"see {target.path}")
        return definition

    def _unknown(self, document: Document, name: str) -> Unresolved:
        hint = suggestion(
            name[:100], [other for shelf in self._reach(document) for other in shelf], "put its file beside this one"
        )
        return Unresolved(f"no definition is named {shown(name)}", hint)

    def _find(self, document: Document, name: str) -> Document | None:
        return next((shelf[name] for shelf in self._reach(document) if name in shelf), None)

    def _reach(self, document: Document) -> Iterator[dict[str, Document]]:
        """List where names are looked up, nearest first."""
        yield self._shelf(Path(document.path).parent)
        yield self.given
        for folder in self.folders:
            yield self._shelf(folder)

    def _shelf(self, folder: Path) -> dict[str, Document]:
        if folder not in self.shelves:
            given = {document.path: document for document in self.documents}
            documents = []
            for path in _beside(folder):
                try:
                    documents.append(given.get(str(path)) or read_document(path))
                except DefinitionError:
                    continue  # what cannot be opened cannot be meant
            self.shelves[folder] = _by_name(documents)
        return self.shelves[folder]


def _by_name(documents: Sequence[Document]) -> dict[str, Document]:
    """Index documents by name; of several with one name the first counts."""
    named: dict[str, Document] = {}
    for document in documents:
        name = _name(document)
        if name is not None:
            named.setdefault(name, document)
    return named


def _name(document: Document) -> str | None:
    """Give the name of a document that looks like a definition."""
    data = document.data
    name = data.get("name") if isinstance(data, dict) and "qualify" in data else None
    return str(name) if isinstance(name, str) else None
