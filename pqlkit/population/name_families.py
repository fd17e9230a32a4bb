"""The family of names: event names that are one name with an id in it, and how many names can be looked at."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from pqlkit.errors import DataError
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MOST", "families", "looked_at"]

MOST: Final = 5_000
"""Event names that are looked at. Products have hundreds; where there are more, names hold ids, and each is done by hardly anybody."""

_SHOWN: Final = 3
_FEW: Final = 20
"""Names of one pattern that may be no family: `step_1` to `step_9`."""

_ID: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|(?<![0-9A-Za-z])(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}(?![0-9A-Za-z])"
    r"|[0-9]+"
)
_SPECIAL: Final = re.compile(r"[*?\[]")


def families(names: Iterable[str]) -> list[tuple[str, int]]:
    """Find the patterns of names that hold ids, each with how many names it has, the largest first.

    Parameters
    ----------
    names
        Each once.

    Examples
    --------
    >>> families([*(f"/users/{number}" for number in range(30)), "login", "step_1"])
    [('/users/*', 30)]
    """
    counts = Counter(pattern for name in names if (pattern := _pattern(name)) is not None)
    return sorted(
        ((pattern, count) for pattern, count in counts.items() if count > _FEW), key=lambda pair: (-pair[1], pair[0])
    )


def _pattern(name: str) -> str | None:
    """Write a name as a glob with a star for each id; None where it has none."""
    parts = _ID.split(name)
    return "*".join(_SPECIAL.sub("?", part) for part in parts) if len(parts) > 1 else None


def looked_at(names: Iterable[str], excluded: Sequence[str]) -> list[str]:
    """Give the names that are not left out, sorted.

    Parameters
    ----------
    names
        All that occur.
    excluded
        Globs.

    Raises
    ------
    DataError
        There are more than `MOST`; the families among them are named, and how to leave them out.
    """
    kept = sorted(name for name in names if not any(fnmatchcase(name, pattern) for pattern in excluded))
    if len(kept) <= MOST:
        return kept
    shown = families(kept)[:_SHOWN]
    options = " ".join(f"--exclude-event '{visible(pattern, 80)}'" for pattern, _ in shown)
    told = ", ".join(f"{visible(pattern, 80)} ({count:,} names)" for pattern, count in shown)
    raise DataError(
        f"the events have {len(kept):,} different names, more than the {MOST:,} that can be looked at"
        + (f"; as if they held ids: {told}" if shown else ""),
        hint=f"leave them out: {options}\nor take the ids out of the names in the export"
        if shown
        else "leave names out: --exclude-event 'page *' (a glob; repeatable), or exclude_event in pqlkit.yml",
    )
