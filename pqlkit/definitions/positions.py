"""The place: where in the document each node of a definition's tree stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.definitions.model import All, Any, NOf, Not

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.model import Definition, Node
    from pqlkit.definitions.yaml_source import Document, Path, Yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A node and the path of its mapping in the document; `parts` are its children, `parent` is None at the top."""

    node: Node
    path: Path
    parts: tuple[Placed, ...] = ()


def placed(definition: Definition, document: Document) -> tuple[Placed, ...]:
    """Find the place of every node under ``qualify``, parents before their parts, in the order written."""
    top = _placed(definition.qualify, ("qualify",), _at(document.data, "qualify"))
    return tuple(_walk(top))


def _walk(top: Placed) -> Iterator[Placed]:
    yield top
    for part in top.parts:
        yield from _walk(part)


def _placed(node: Node, path: Path, data: Yaml) -> Placed:
    match node:
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            inner, items = _list_of(node, path, data)
            children = (_placed(part, (*inner, i), _at(items, i)) for i, part in enumerate(parts))
            return Placed(node=node, path=path, parts=tuple(children))
        case Not(part=part):
            return Placed(node=node, path=path, parts=(_placed(part, (*path, "not"), _at(data, "not")),))
        case _:
            return Placed(node=node, path=path)


def _list_of(node: All | Any | NOf, path: Path, data: Yaml) -> tuple[Path, Yaml]:
    """Find the list that holds the parts: a plain list (points), or below ``all``, ``any``, ``n_of.of``."""
    if isinstance(data, list):
        return path, data
    match node:
        case NOf():
            return (*path, "n_of", "of"), _at(_at(data, "n_of"), "of")
        case All():
            return (*path, "all"), _at(data, "all")
        case Any():
            return (*path, "any"), _at(data, "any")


def _at(data: Yaml, key: str | int) -> Yaml:
    if isinstance(data, dict) and isinstance(key, str):
        return data.get(key)
    if isinstance(data, list) and isinstance(key, int) and key < len(data):
        return data[key]
    return None
