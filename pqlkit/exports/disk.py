"""Disk errors: say as an output error what fails while tables are written."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSTEM: Final = re.compile(r"([A-Z][^:]*) \(os error \d+\)")


@contextmanager
def writing_to(folder: Path, hint: str | None = None) -> Iterator[None]:
    """Turn a full disk, a missing right and the like into an error about `folder`; other errors pass.

    What failed at a file that lies elsewhere, such as an export that is read, passes: it names its file. A broken disk may have
    failed at a read as well, and is told so.

    Raises
    ------
    OutputError
        The system refused to write.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None and not _is_about(Path(error.filename).absolute(), folder.absolute()):
            raise
        doing = "cannot read or write" if error.errno == errno.EIO else "cannot write"
        raise OutputError(f"{doing} {folder}: {_reason(str(error)) or error.strerror or error}", hint=hint) from error
    except pl.exceptions.PolarsError as error:
        reason = _reason(str(error))
        if reason is None:
            raise
        raise OutputError(f"cannot write {folder}: {reason}", hint=hint) from error


def _is_about(file: Path, folder: Path) -> bool:
    """Whether a file is in the folder, or what stands in its way."""
    return file.is_relative_to(folder) or folder.is_relative_to(file)


def _reason(message: str) -> str | None:
    # Polars wraps the system's words in its own.
    match = _SYSTEM.search(message)
    return match[1] if match else None
