"""Emitting: a definition becomes the YAML text that a person would have written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from pqlkit.typing import Json


def emit(definition: Definition) -> str:
    """Write a definition as YAML, in a stable order, durations in days where whole; reading it gives the same back."""
    raise NotImplementedError


def plain(definition: Definition) -> dict[str, Json]:
    """Give the same mapping as data that JSON can hold (for ``definition`` in proposals)."""
    raise NotImplementedError
