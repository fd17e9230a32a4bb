"""The base: the earlier version of definition files, from a file, a folder or a git revision."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.folders import load_documents
from pqlkit.definitions.yaml_source import LARGEST, parse
from pqlkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.definitions.model import Definition

_SUFFIXES: Final = (".yml", ".yaml")
_PATIENCE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Definitions as they were.

    Parameters
    ----------
    what
        What was asked for: shown in messages.
    definitions
        By name, refs resolved among themselves.
    paths
        Name -> path. In a git revision the path that the file has now, else its own.
    unreadable
        Paths of files with faults.
    by_path
        The paths are comparable with those of the files under check.
    """

    what: str
    definitions: Mapping[str, Definition]
    paths: Mapping[str, str]
    unreadable: frozenset[str]
    by_path: bool

    def earlier(self, definition: Definition, path: str, *, alone: bool) -> Definition | None:
        """Find the earlier version of a definition: by its name, else by its path, else the only one there is."""
        before = self.definitions.get(definition.name)
        if before is None and self.by_path:
            name = next((name for name, other in self.paths.items() if _same(other, path)), None)
            before = self.definitions.get(name) if name is not None else None
        if before is None and alone and not self.by_path and len(self.definitions) == 1:
            before = next(iter(self.definitions.values()))
        return before


def open_base(base: str, paths: Sequence[str]) -> Base:
    """Read the earlier version of `paths`.

    Parameters
    ----------
    base
        A file, a folder, or a git revision (branch, tag, commit) of the repository that holds `paths`.
    paths
        Files and folders under check.

    Raises
    ------
    UsageError
        `base` is none of these, or git is missing.
    """
    place = Path(base)
    if base and "\0" not in base and place.is_file():
        return _built(base, {base: _bounded(place)})
    if base and "\0" not in base and place.is_dir():
        files = (path for path in sorted(place.rglob("*")) if path.suffix in _SUFFIXES and path.is_file())
        return _built(base, {str(path): _bounded(path) for path in files})
    return _built(base, _revision(base, paths), prefix=f"{base}:")


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _built(what: str, sources: Mapping[str, bytes], *, prefix: str = "") -> Base:
    # With a prefix nothing lies beside these files, so that refs lead to their like of the same revision alone.
    documents = [parse(source, prefix + path) for path, source in sources.items()]
    definitions: dict[str, Definition] = {}
    paths: dict[str, str] = {}
    unreadable: set[str] = set()
    for loaded in load_documents(documents):
        path = loaded.document.path.removeprefix(prefix)
        if loaded.definition is None:
            unreadable.add(path)
        elif loaded.definition.name not in definitions:
            definitions[loaded.definition.name] = loaded.definition
            paths[loaded.definition.name] = path
    return Base(what=what, definitions=definitions, paths=paths, unreadable=frozenset(unreadable), by_path=bool(prefix))


def _revision(base: str, paths: Sequence[str]) -> dict[str, bytes]:
    sources: dict[str, bytes] = {}
    # Files beside the one under check come too: refs lead to them.
    for folder in sorted({Path(path) if Path(path).is_dir() else Path(path).parent for path in paths}):
        listed = dict(_listed(_commit(base, folder), folder))
        contents = _blobs(sorted(set(listed.values())), folder)
        sources |= {name: contents[blob] for name, blob in listed.items() if name not in sources}
    return sources


def _commit(base: str, folder: Path) -> str:
    """Resolve a revision to a commit id, so that nothing a user wrote reaches a later git command."""
    refusal = UsageError(
        f"--base {base!r} is neither a file, a folder, nor a git revision here",
        hint="name a file, or a branch, tag or commit of this repository (in CI, fetch it first)",
    )
    if base.startswith("-") or "\0" in base or not base:
        raise refusal
    done = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", base + "^{commit}")
    commit = done.decode("ascii", "replace").strip() if done is not None else ""
    if not commit or not all(character in "0123456789abcdef" for character in commit):
        raise refusal
    return commit


def _listed(commit: str, folder: Path) -> list[tuple[str, str]]:
    """List the definition files of a folder and below at a commit: the path as people write it now, and the blob."""
    listing = _git(folder, "ls-tree", "-r", "-z", commit, ".") or b""
    files: list[tuple[str, str]] = []
    for entry in listing.split(b"\0"):
        meta, _, raw = entry.partition(b"\t")
        fields = meta.split()
        name = raw.decode("utf-8", "surrogateescape")
        if len(fields) == 3 and fields[0].startswith(b"100") and name.endswith(_SUFFIXES):
            files.append((str(folder / name), fields[2].decode("ascii")))
    return files


def _blobs(blobs: Sequence[str], folder: Path) -> dict[str, bytes]:
    """Read blobs by their ids; git applies no filter, driver or pager to ``cat-file``."""
    stream = _git(folder, "cat-file", "--batch", fed="".join(f"{blob}\n" for blob in blobs)) or b""
    contents: dict[str, bytes] = {}
    at = 0
    for blob in blobs:
        # Each answer is "<id> blob <size>", a line end, the content, a line end.
        end = stream.index(b"\n", at)
        size = int(stream[at:end].split()[2])
        contents[blob] = stream[end + 1 : end + 1 + min(size, LARGEST + 1)]
        at = end + 2 + size
    return contents


def _git(folder: Path, *arguments: str, fed: str = "") -> bytes | None:
    command = ["git", "-C", str(folder.absolute()), "--no-optional-locks", "--literal-pathspecs", *arguments]
    try:
        done = subprocess.run(command, input=fed.encode(), capture_output=True, check=False, timeout=_PATIENCE)  # noqa: S603 - no shell, fixed verbs, ids alone
    except FileNotFoundError:
        raise UsageError(
            "--base with a revision needs git, which is not installed", hint="name a file instead"
        ) from None
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise UsageError(f"git did not answer: {error}", hint="name a file instead") from error
    return done.stdout if done.returncode == 0 else None


def _same(a: str, b: str) -> bool:
    return Path(a).absolute() == Path(b).absolute()
