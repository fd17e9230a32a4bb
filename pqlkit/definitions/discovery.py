"""Discovery: which files a check looks at, of the files and folders that were named."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.yaml_source import LARGEST
from pqlkit.errors import UsageError
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIXES: Final = (".yml", ".yaml")
PROJECT_NAMES: Final = ("pqlkit.yml", "pqlkit.yaml")
_OURS: Final = re.compile(rb"""^[{ \t]*["']?(pqlkit|qualify)["']?[ \t]*:""", re.MULTILINE)
_PROJECT: Final = re.compile(rb"""^["']?exports["']?[ \t]*:""", re.MULTILINE)
_QUALIFY: Final = re.compile(rb"""^["']?qualify["']?[ \t]*:""", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One file to check: as the user would write its path, its first bytes, and whether it is a project file.

    Of a file beyond the size limit only the limit and one byte are here: the reader refuses it.
    """

    path: str
    content: bytes
    project: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A link in a folder that leads out of it: not followed."""

    path: str
    target: str


def discover(paths: Sequence[Path | str]) -> tuple[tuple[Found, ...], tuple[Outside, ...]]:
    """Find the files to check.

    Parameters
    ----------
    paths
        A file is checked whatever it holds. Of a folder, every ``*.yml`` and ``*.yaml`` file below it that looks like
        pqlkit's (a top-level ``pqlkit`` or ``qualify`` key); hidden folders are left out, links that lead out of the
        folder are not followed.

    Returns
    -------
    tuple
        Files sorted by path, each once; and the links that were not followed.

    Raises
    ------
    UsageError
        A path does not exist, is neither file nor folder, cannot be read, or a folder holds nothing to check.
    """
    files: dict[str, Found] = {}
    outside: dict[str, Outside] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside, links = _folder(path)
            if not inside and not links:
                raise UsageError(
                    f"no definition or project file in the folder {visible(str(path), 400)}",
                    hint="name one with files that end in .yml or .yaml and begin with `pqlkit: 1`",
                )
            files |= {link.path: link for link in inside}
            outside |= {link.path: link for link in links}
        else:
            files[str(path)] = _file(path)
    return tuple(files[key] for key in sorted(files)), tuple(outside[key] for key in sorted(outside))


def _file(path: Path) -> Found:
    shown = visible(str(path), 400)
    try:
        if not path.exists():
            raise UsageError(
                f"there is no file {shown} (a pattern that matches nothing is passed on by the shell)",
                hint="name a file, or a folder of definitions",
            )
        if not path.is_file():
            raise UsageError(f"{shown} is neither a file nor a folder", hint="name a file, or a folder of definitions")
        return _read(path)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read {shown}: {getattr(error, 'strerror', None) or error}",
            hint="name another, or ask for the right to read it",
        ) from error


def _read(path: Path) -> Found:
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    named = path.name in PROJECT_NAMES
    return Found(
        path=str(path),
        content=content,
        project=named or (_PROJECT.search(content) is not None and _QUALIFY.search(content) is None),
    )


def _folder(folder: Path) -> tuple[list[Found], list[Outside]]:
    inside: list[Found] = []
    links: list[Outside] = []
    root = folder.resolve()
    for path in _below(folder):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            links.append(Outside(path=str(path), target=str(path.readlink())))
        elif path.suffix in SUFFIXES and path.is_file():
            file = _file(path)
            if file.project or _OURS.search(file.content.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf")):
                inside.append(file)
    return inside, links


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, followlinks=False):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in links)
        for name in sorted([*files, *links]):
            if not name.startswith("."):
                yield Path(parent, name)
