"""The YAML document: plain data, and the place of every key and value in the file.

One reader serves definitions and project files. It stands on the *events* of libyaml (nothing recursive runs before size
and depth are known), builds only what JSON and dates can hold, and says of every fault where it is. Keys are text, always.
Anchors, aliases, merge keys, tags and second documents are refused. `yaml_scalars` says what bare text stands for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import yaml

from pqlkit.definitions.codes import (
    ALIAS_OR_TAG,
    DUPLICATE_KEY,
    FILE_TOO_LARGE,
    INVALID_YAML,
    NESTED_TOO_DEEP,
)
from pqlkit.definitions.diagnostics import Diagnostic
from pqlkit.definitions.yaml_scalars import Surprise, Yaml, meaning_of, resolve
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pqlkit.definitions.codes import Code

__all__ = ["DEEPEST", "LARGEST", "MOST", "Document", "Mark", "Path", "Surprise", "Yaml", "parse"]

LARGEST: Final = 1024 * 1024
"""Bytes of a file."""

DEEPEST: Final = 50
"""Levels of nesting."""

MOST: Final = 50_000
"""Values in a file: bounds the memory that a hostile file of 1 MiB can take."""

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and list positions from the root of the document to a value."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the file. Lines and columns start at 1 and count characters; `end_column` is one past the last."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML file as read.

    Parameters
    ----------
    path
        The file's name, as shown in diagnostics.
    text
        The decoded text (without byte order mark); empty if it is not UTF-8 or too large.
    data
        Plain data; None if the file is empty or `broken`.
    diagnostics
        Faults of the YAML itself, in file order.
    broken
        The data cannot be trusted (syntax, size, depth, aliases or tags): read no further.
    values
        Place of each value by path.
    keys
        Place of each key by path (the path of its value).
    """

    path: str
    text: str
    data: Yaml = None
    diagnostics: tuple[Diagnostic, ...] = ()
    broken: bool = False
    values: Mapping[Path, Mark] = field(default_factory=dict)
    keys: Mapping[Path, Mark] = field(default_factory=dict)

    def mark(self, path: Path) -> Mark:
        """Find the value at `path`, or the nearest thing around it that exists."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Mark(1, 1, 1, 1))

    def key(self, path: Path) -> Mark:
        """Find the key of `path`; of list items their value, of what does not exist the nearest key around it."""
        while path:
            if path in self.keys:
                return self.keys[path]
            if path in self.values:
                return self.values[path]
            path = path[:-1]
        return self.mark(())

    def diagnostic(
        self,
        code: Code,
        path: Path,
        message: str,
        *,
        key: bool = False,
        hint: str | None = None,
        fix: str | None = None,
        safe: bool = False,
    ) -> Diagnostic:
        """Make a diagnostic at the value of `path`, or at its key.

        Parameters
        ----------
        code, message, hint
            What is wrong, as the diagnostic says it.
        path
            The value it is about.
        key
            Point at the key instead of the value.
        fix, safe
            The text that would mend it, and whether `--fix` may write it.
        """
        mark = self.key(path) if key else self.mark(path)
        return _diagnostic(self.path, code, mark, message, hint=hint, fix=fix, safe=safe)


def parse(text: bytes | str, path: str) -> Document:
    r"""Read one YAML document; never raises on any input.

    Parameters
    ----------
    text
        The file's content: bytes (UTF-8, with or without byte order mark) or text.
    path
        The file's name, for diagnostics.

    Examples
    --------
    >>> document = parse("event: login\nat_least: 010", "login.yml")
    >>> document.data
    {'event': 'login', 'at_least': '010'}
    >>> document.mark(("at_least",)), document.data["at_least"].meaning
    (Mark(line=2, column=11, end_line=2, end_column=14), 'the number 8')
    """
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(content) > LARGEST:
        message = f"the file has {len(content):,} bytes; at most {LARGEST:,} are read"
        return _refused(path, FILE_TOO_LARGE, Mark(1, 1, 1, 1), message, hint="keep one definition per file")
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _Lines(content[: error.start].decode("utf-8-sig", "replace")).end
        return _refused(path, INVALID_YAML, place, "the file is not UTF-8 text", hint="save it as UTF-8")
    return _Builder(decoded, path).build()


class _Stop(Exception):  # noqa: N818 - never leaves this module: it ends the loop over events
    """Reading cannot go on."""


class _Lines:
    """Lines and columns of character positions, as editors count them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def mark(self, start: int, end: int) -> Mark:
        line, column = self._place(start)
        end_line, end_column = self._place(max(start, end))
        return Mark(line, column, end_line, end_column)

    @property
    def end(self) -> Mark:
        return self.mark(len(self.text), len(self.text))

    def _place(self, index: int) -> tuple[int, int]:
        line = bisect_right(self.starts, index)
        return line, index - self.starts[line - 1] + 1


@dataclass(slots=True)
class _Frame:
    """A collection being filled. `lost` frames hold what stands under a refused key: read, but kept nowhere."""

    container: dict[str, Yaml] | list[Yaml]
    path: Path
    start: int
    end: int
    block: bool
    lost: bool
    key: str | None = None
    key_lost: bool = False


class _Builder:
    """Builds the data of one document from libyaml's events, with a stack of its own."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.lines = _Lines(text)
        self.diagnostics: list[Diagnostic] = []
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self.stack: list[_Frame] = []
        self.data: Yaml = None
        self.documents = 0
        self.read = 0
        self.broken = False

    def build(self) -> Document:
        try:
            for event in self._events():
                self._take(event)
        except _Stop:
            self.broken = True
        return Document(
            path=self.path,
            text=self.text,
            data=None if self.broken else self.data,
            diagnostics=tuple(sorted(self.diagnostics, key=lambda d: (d.line, d.column))),
            broken=self.broken,
            values=self.values,
            keys=self.keys,
        )

    def _events(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self.lines.mark(mark.index, mark.index) if mark else self.lines.end
            message = ", ".join(part for part in (error.context, error.problem) if part)
            self._fault(INVALID_YAML, place, f"this is not YAML: {visible(message)}", hint=_hint(message))
            raise _Stop from error
        except yaml.YAMLError as error:
            position, character = _unreadable(error, self.text)
            message = f"this is not YAML: the character U+{character:04X} is not allowed"
            self._fault(INVALID_YAML, self.lines.mark(position, position + 1), message, hint="remove it")
            raise _Stop from error

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._document(event)
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._open(event, {})
            case yaml.SequenceStartEvent():
                self._open(event, [])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close(event)
            case yaml.AliasEvent():
                self._refuse(event, f"alias *{visible(event.anchor or '')}", "write out what it stands for")
                self._place(None, *_span(event))

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            mark = self._mark(*_span(event))
            self._fault(INVALID_YAML, mark, "a second document begins here", hint="keep one definition per file")
            raise _Stop

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._check(event)
        start, end = _span(event)
        end = self._trimmed(start, end)
        if self._awaits_key():
            self._name(event, start, end)
            return
        bare = not event.style and event.tag is None
        self._place(resolve(event.value) if bare else event.value, start, end)

    def _awaits_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].container, dict) and self.stack[-1].key is None

    def _name(self, event: yaml.ScalarEvent, start: int, end: int) -> None:
        frame = self.stack[-1]
        meant = resolve(event.value) if not event.style else event.value
        frame.key = meant if isinstance(meant, str) else Surprise.of(event.value, meaning_of(meant))
        mark = self._mark(start, end)
        if event.value == "<<" and not event.style:
            self._fault(ALIAS_OR_TAG, mark, "merge keys are not read", hint="write out the keys it stands for")
            self.broken = True
        frame.key_lost = frame.key in frame.container
        if frame.key_lost:
            first = self.keys.get((*frame.path, frame.key))
            where = f" (first in line {first.line})" if first else ""
            message = f"the key {visible(event.value)!r} stands here a second time{where}"
            self._fault(DUPLICATE_KEY, mark, message, hint="remove one of them")
        elif not frame.lost:
            self.keys[(*frame.path, frame.key)] = mark

    def _open(
        self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, container: dict[str, Yaml] | list[Yaml]
    ) -> None:
        self._check(event)
        start, end = _span(event)
        if len(self.stack) >= DEEPEST:
            message = f"the file is nested more than {DEEPEST} levels deep"
            self._fault(NESTED_TOO_DEEP, self._mark(start, end), message, hint="a definition needs far fewer")
            raise _Stop
        lost = self._awaits_key()
        if lost:
            mark = self._mark(start, start + 1)
            self._fault(INVALID_YAML, mark, "a key must be text", hint="quote it, or check the brackets and colons")
        path, inside_lost = self._path()
        block = not event.flow_style
        self.stack.append(_Frame(container, path, start, start, block=block, lost=lost or inside_lost))

    def _close(self, event: yaml.Event) -> None:
        frame = self.stack.pop()
        end = frame.end if frame.block else _span(event)[1]
        if self._awaits_key():
            self.stack[-1].key, self.stack[-1].key_lost = "", True
            return
        self._place(frame.container, frame.start, end)

    def _place(self, value: Yaml, start: int, end: int) -> None:
        """Put a finished value where it belongs, and remember where it stands."""
        self.read += 1
        if self.read > MOST:
            mark = self._mark(start, end)
            self._fault(FILE_TOO_LARGE, mark, f"the file holds more than {MOST:,} values")
            raise _Stop
        path, lost = self._path()
        if not lost:
            self.values[path] = self._mark(start, end)
        if not self.stack:
            self.data = value
            return
        frame = self.stack[-1]
        frame.end = max(frame.end, end)
        if isinstance(frame.container, list):
            frame.container.append(value)
            return
        if not frame.key_lost and frame.key is not None:
            frame.container[frame.key] = value
        frame.key, frame.key_lost = None, False

    def _path(self) -> tuple[Path, bool]:
        """Give the path of the value that comes next, and whether it will be kept."""
        if not self.stack:
            return (), False
        frame = self.stack[-1]
        if isinstance(frame.container, list):
            return (*frame.path, len(frame.container)), frame.lost
        return (*frame.path, frame.key or ""), frame.lost or frame.key_lost

    def _check(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            self._refuse(event, f"tag {visible(event.tag)}", "quote text instead of tagging it")
        if event.anchor is not None:
            self._refuse(event, f"anchor &{visible(event.anchor)}", "write the value out where it is needed")

    def _refuse(self, event: yaml.NodeEvent, what: str, hint: str) -> None:
        mark = self._mark(*_span(event))
        self._fault(ALIAS_OR_TAG, mark, f"the {what} is not read", hint=hint)
        self.broken = True

    def _trimmed(self, start: int, end: int) -> int:
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return end

    def _mark(self, start: int, end: int) -> Mark:
        return self.lines.mark(start, self._trimmed(start, end))

    def _fault(self, code: Code, mark: Mark, message: str, *, hint: str | None = None) -> None:
        self.diagnostics.append(_diagnostic(self.path, code, mark, message, hint=hint))


_UNREADABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def _span(event: yaml.Event) -> tuple[int, int]:
    """Give the character positions of an event's first character and of the one after its last."""
    start, end = event.start_mark, event.end_mark
    return (start.index if start else 0), (end.index if end else 0)


def _hint(message: str) -> str | None:
    """Turn libyaml's words for the commonest slips into advice."""
    if "cannot start any token" in message:
        return "indent with spaces, not tabs, and quote text that begins with @, ` or %"
    if "mapping values are not allowed" in message:
        return "quote text that holds ': ', and check the indentation"
    if "did not find expected" in message or "could not find expected" in message:
        return "check quotes, brackets and the indentation of this line and the one before"
    return None


def _unreadable(error: yaml.YAMLError, text: str) -> tuple[int, int]:
    """Find the character that libyaml refused, and where it stands."""
    match = _UNREADABLE.search(text)
    if match:
        return match.start(), ord(match[0])
    return 0, int(getattr(error, "character", 0) or 0)


def _diagnostic(
    path: str,
    code: Code,
    mark: Mark,
    message: str,
    *,
    hint: str | None = None,
    fix: str | None = None,
    safe: bool = False,
) -> Diagnostic:
    return Diagnostic(
        path=path,
        line=mark.line,
        column=mark.column,
        end_line=mark.end_line,
        end_column=mark.end_column,
        code=code.code,
        name=code.name,
        severity=code.severity,
        message=message,
        hint=hint,
        fix=fix,
        safe=safe,
    )


def _refused(path: str, code: Code, mark: Mark, message: str, *, hint: str) -> Document:
    return Document(path=path, text="", diagnostics=(_diagnostic(path, code, mark, message, hint=hint),), broken=True)
