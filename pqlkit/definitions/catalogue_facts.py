"""The catalogue: a small file of event names, properties and traits that is committed beside the definitions.

``pqlkit load --catalogue FILE`` writes it; ``pqlkit validate --catalogue FILE`` checks names against it in CI, where the
data is not. It is JSON, one event a line, sorted, so that a pull request shows what came and went.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.definitions.facts import Facts, NameFacts


def catalogue_text(names: NameFacts, *, as_of: str | None) -> str:
    """Render the catalogue file: the same names give the same bytes, whatever their order."""
    raise NotImplementedError


def read_catalogue(path: Path | str) -> Facts:
    """Read a catalogue file as facts without figures.

    Raises
    ------
    DataError
        The file is missing, too large, not JSON, or not a ``pqlkit/catalogue/1``.
    """
    raise NotImplementedError
