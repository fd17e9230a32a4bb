"""The JSON Schema of a definition file, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.typing import Json


def definition_schema() -> dict[str, Json]:
    """Give the JSON Schema (draft 2020-12) of a definition file."""
    raise NotImplementedError
