"""Life tables from one row an entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.statistics.arrays import floats
from pqlkit.statistics.survival import LifeTable

if TYPE_CHECKING:
    from pqlkit.statistics.arrays import Numbers


def from_rows(duration: Numbers, converted: Numbers) -> LifeTable:
    """Time to the conversion, or time observed without one, and whether it ends with a conversion."""
    event = floats(converted)
    return LifeTable.of(duration, event, 1 - event)
