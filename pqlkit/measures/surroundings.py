"""The surroundings of the conversion: which events happen in the hour before it, and which begin after it.

The one measurement that looks at events at and after the conversion, on purpose: it finds the events that would leak the
outcome, so that nothing else has to fear them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


SECOND: Final = 1_000_000
CONTROL_DAYS: Final = (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """Counts of entities per event, on events that no conversion cuts off.

    Parameters
    ----------
    events
        Event names, sorted; one per cell of the arrays.
    entities, converters
        Of all entities asked about, whatever they did.
    users
        Entities that do the event at least once.
    users_converted
        Of these, how many convert at or before `as_of`.
    first_after
        Of these, how many do it for the first time after the conversion's second.
    within_a_day
        Entities whose conversion comes at most 24 hours after their first one (not before it).
    hazard
        Converters who do it in the hour before the conversion, its own second included.
    control
        The mean, over one, two and three days earlier, of the converters who do it in the same hour, [c - d - 1h, c - d).
        Converters who had not begun by then cannot have done it.
    """

    events: tuple[str, ...]
    entities: int
    converters: int
    users: NDArray[np.int64]
    users_converted: NDArray[np.int64]
    first_after: NDArray[np.int64]
    within_a_day: NDArray[np.int64]
    hazard: NDArray[np.int64]
    control: NDArray[np.float64]
