"""The leak: an event that is part of the upgrade, follows it, or all but decides it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.analysis.associations import Levels
    from pqlkit.measures.surroundings import Surroundings

FEWEST: Final = 20
RATIO: Final = 10.0
HEADS: Final = 20
SUSPECT_RATIO: Final = 5.0
SUSPECT_HEADS: Final = 10
WITHIN_A_DAY: Final = 0.25
LATE: Final = 0.8
EVER: Final = 0.5
DETERMINISTIC: Final = 0.8
DETERMINISTIC_HEADS: Final = 30
NAMES: Final = ("invoice", "billing", "checkout", "payment", "upgrade", "subscri", "plan_", "trial_")


class LeakReason(StrEnum):
    """Why an event (or trait) is suspected; all but `SUSPECT` keep it out of the search."""

    PART_OF_CONVERSION = "part-of-conversion"
    FOLLOWS_CONVERSION = "follows-conversion"
    NEAR_DETERMINISTIC = "near-deterministic"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One suspected event or trait.

    Parameters
    ----------
    event
        Its name.
    reason
        The first that fits, in the order of `LeakReason`.
    evidence
        The numbers, in a sentence.
    kept
        ``--keep-event`` overrules: it stays in, and is shown.
    named
        Its name sounds like paying. A hint only, never a ground for leaving it out.
    trait
        It is a trait, not an event.
    """

    event: str
    reason: LeakReason
    evidence: str
    kept: bool = False
    named: bool = False
    trait: bool = False

    @property
    def excluded(self) -> bool:
        """Whether it is left out of the search."""
        return self.reason is not LeakReason.SUSPECT and not self.kept


def sounds_like_paying(event: str) -> bool:
    """Say whether a name sounds like paying: a hint to look at, never a ground for exclusion.

    Examples
    --------
    >>> sounds_like_paying("Billing page viewed"), sounds_like_paying("login")
    (True, False)
    """
    return any(part in event.casefold() for part in NAMES)


def leaks(around: Surroundings, levels: Levels | None = None) -> tuple[Suspect, ...]:
    """Judge every event by what happened around the conversions.

    Parameters
    ----------
    around
        Counts of entities per event, on the data before any cut.
    levels
        Of the snapshots, for the near-deterministic test; None judges entities alone.

    Returns
    -------
    tuple of Suspect
        By event name. Events of fewer than 20 entities are never judged.

    Notes
    -----
    The hazard window is the hour before the conversion (its own second included); the control windows are the same hour one,
    two and three days earlier, of the same entities: a case-crossover comparison. ``ratio = (hazard + 0.5) / (control + 0.5)``.

    * ``part-of-conversion``: ratio >= 10, 20 converters in the hazard window, and a conversion within a day of the first one in
      a quarter of all who do it (and 5 times what a day at random brings).
    * ``follows-conversion``: 80 % of its converting users do it for the first time in the hour before the conversion or later, and
      at least half of its users convert (10 times the base rate, or with a fifth of the others' failures).
    * ``near-deterministic``: 80 % of 30 or more snapshots that do it convert, and at most a quarter as many fail to as usual
      (which says more where the base rate is above 20 %); or so do entities that do it before that hour, for whoever
      converts late has many snapshots that nothing follows.
    * ``suspect``: the ratio is 5 times that of any activity at all, with 10 converters in the hazard window. Where people
      upgrade in the middle of a session, everything they do has a high ratio; what stands out from that is suspect.

    Bounds that multiply a base rate would pass 1 where many convert, and then nothing could be caught: hence the failures.

    References
    ----------
    Maclure, M. (1991). The case-crossover design: a method for studying transient effects on the risk of acute events.
    American Journal of Epidemiology 133, 144-153.
    """
    certain = {**_of_entities(around), **(_near_deterministic(levels) if levels is not None else {})}
    leakage = [
        Suspect(
            event=event,
            reason=LeakReason.NEAR_DETERMINISTIC,
            evidence=certain[event],
            named=sounds_like_paying(event),
        )
        for event in sorted(set(certain) - set(around.events))
    ]
    base = around.converters / around.entities if around.entities else 0.0
    daily = around.converters / around.days_at_risk if around.days_at_risk else 0.0
    ratio = (around.hazard + 0.5) / (around.control + 0.5)
    usual = (around.active_hazard + 0.5) / (around.active_control + 0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        day = around.within_a_day / around.users
        ever = around.users_converted / around.users
        late = around.first_late / around.users_converted
    for index, event in enumerate(around.events):
        hazard = int(around.hazard[index])
        reason = None
        if around.users[index] < FEWEST and event not in certain:
            continue
        if ratio[index] >= RATIO and hazard >= HEADS and day[index] >= max(WITHIN_A_DAY, 5 * daily):
            reason = LeakReason.PART_OF_CONVERSION
        elif late[index] >= LATE and ever[index] >= max(EVER, min(10 * base, _few_failures(base))):
            reason = LeakReason.FOLLOWS_CONVERSION
        elif event in certain:
            reason = LeakReason.NEAR_DETERMINISTIC
        elif ratio[index] >= SUSPECT_RATIO * max(1.0, usual) and hazard >= SUSPECT_HEADS:
            reason = LeakReason.SUSPECT
        if reason is not None:
            evidence = certain[event] if reason is LeakReason.NEAR_DETERMINISTIC else _evidence(reason, around, index)
            leakage.append(Suspect(event=event, reason=reason, evidence=evidence, named=sounds_like_paying(event)))
    return tuple(sorted(leakage, key=lambda suspect: suspect.event))


def _few_failures(base: float) -> float:
    """Give the rate at which only a fifth as many fail to convert as usual."""
    return 1 - (1 - base) / 5


def nearly_all(base: float) -> float:
    """Give the rate from which on something all but decides the outcome, at a base rate; none does where everybody converts.

    Examples
    --------
    >>> nearly_all(0.04), round(nearly_all(0.5), 3), nearly_all(1.0)
    (0.8, 0.875, inf)
    """
    return max(DETERMINISTIC, 1 - (1 - base) / 4) if base < 1 else math.inf


def _evidence(reason: LeakReason, around: Surroundings, index: int) -> str:
    if reason is LeakReason.FOLLOWS_CONVERSION:
        converted, late = int(around.users_converted[index]), int(around.first_late[index])
        users = int(around.users[index])
        return (
            f"first seen with or after paying in {late} of {converted} ({late / converted:.0%}); "
            f"{converted} of {users} who do it pay ({converted / users:.0%})"
        )
    hazard, control = int(around.hazard[index]), float(around.control[index])
    day, users = int(around.within_a_day[index]), int(around.users[index])
    return (
        f"{hazard} of {around.converters} converters do it in the hour before ({control:.1f} in the same hour of the days "
        f"before); {day} of {users} convert within a day of their first ({day / users:.0%})"
    )


def _of_entities(around: Surroundings) -> dict[str, str]:
    """Find events after which nearly all of 30 or more entities convert, however long it takes."""
    bound = nearly_all(around.converters / around.entities if around.entities else 0.0)
    users, did = around.users - around.first_late, around.users_converted - around.first_late
    return {
        around.events[index]: f"{did[index]} of {users[index]} who do it before the hour of paying pay "
        f"({did[index] / users[index]:.0%})"
        for index in _certain(did, users, bound)
    }


def _certain(did: NDArray[np.int64], users: NDArray[np.int64], bound: float) -> NDArray[np.intp]:
    """Find where at least the bound's share of 30 or more convert."""
    enough = np.flatnonzero(users >= DETERMINISTIC_HEADS)
    return enough[did[enough] >= bound * users[enough]]


def _near_deterministic(levels: Levels) -> dict[str, str]:
    """Find events after which nearly all of 30 or more snapshots convert, whatever the time."""
    did = levels.positive[:, 1:].sum(axis=1)
    users = did + levels.negative[:, 1:].sum(axis=1)
    if not len(did):
        return {}
    total = levels.positive[0].sum() + levels.negative[0].sum()
    bound = nearly_all(float(levels.positive[0].sum() / total) if total else 0.0)
    evidence: dict[str, str] = {}
    for index in _certain(did, users, bound):
        event = levels.behaviours[int(index)].event
        if event is not None and event not in evidence:
            evidence[event] = f"{did[index]} of {users[index]} who do it convert ({did[index] / users[index]:.0%})"
    return evidence


def overruled(leakage: Sequence[Suspect], keep: Sequence[str]) -> tuple[Suspect, ...]:
    """Mark the suspects that ``--keep-event`` keeps (globs, case-sensitive)."""
    from dataclasses import replace
    from fnmatch import fnmatchcase

    return tuple(
        replace(suspect, kept=True) if any(fnmatchcase(suspect.event, pattern) for pattern in keep) else suspect
        for suspect in leakage
    )
