"""Files: output that appears whole or not at all.

Everything pqlkit writes goes through `whole`: a temporary file beside the target, fsync, rename, fsync of the folder. A
crash or a full disk leaves the old file, or none.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pqlkit.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def whole(target: Path | str) -> Iterator[Path]:
    """Give a temporary path beside `target`; when the block ends well, it becomes `target` in one step.

    Parameters
    ----------
    target
        The file to make or replace. Its folder is made if missing.

    Yields
    ------
    Path
        An empty file to fill. On any exception it is removed and `target` stays as it was.

    Raises
    ------
    OutputError
        The folder cannot be written, the disk is full, or `target` is a directory.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole(folder / "leads.csv") as path:
    ...     _ = path.write_text("user_id")
    >>> (folder / "leads.csv").read_text()
    'user_id'
    """
    target = Path(target)
    temporary: Path | None = None
    try:
        if target.is_dir():
            raise OutputError(f"{target} is a directory, not a file", hint="name a file in it")
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = (target.stat().st_mode & 0o777) if target.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".part", dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(mode)
        yield temporary
        sync(temporary)
        temporary.replace(target)
        sync(target.parent)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_text(target: Path | str, text: str) -> None:
    r"""Write `text` as UTF-8 with ``\n`` line ends, whole or not at all."""
    with whole(target) as path:
        path.write_bytes(text.encode())


def sync(path: Path) -> None:
    """Make what was written to `path` (a file or a folder) survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
