"""The suppression list: ids that are never new leads, such as those that somebody works already."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from pqlkit.errors import DataError
from pqlkit.inert import uncell

if TYPE_CHECKING:
    from pathlib import Path

KEYS: Final = ("user_id", "account_id", "id")


def suppressed(path: Path) -> frozenset[str]:
    """Read a suppression list.

    Parameters
    ----------
    path
        UTF-8 text: one id a line, or a CSV whose head names ``user_id``, ``account_id`` or ``id``. Empty lines are nothing.

    Raises
    ------
    DataError
        It is missing or not UTF-8 text.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", where="--suppress") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text", where="--suppress") from None
    rows = [row for row in csv.reader(text.splitlines()) if row]
    place = next((i for i, name in enumerate(rows[0]) if name.strip() in KEYS), None) if rows else None
    if place is None:
        return frozenset(line.strip() for line in text.splitlines() if line.strip())
    return frozenset(uncell(row[place].strip()) for row in rows[1:] if len(row) > place and row[place].strip())
