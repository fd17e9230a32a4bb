"""The habit: how often the people of a simulated product do each thing, and the events that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.demo.randomness import stream
from pqlkit.durations import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES: Final = (
    "api_key_created",
    "app_installed",
    "automation_built",
    "board_archived",
    "board_created",
    "calendar_connected",
    "card_moved",
    "chart_viewed",
    "checklist_ticked",
    "column_added",
    "comment_posted",
    "contact_imported",
    "csv_imported",
    "dark_mode_set",
    "dashboard_built",
    "deadline_set",
    "email_digest_opened",
    "emoji_reacted",
    "feedback_sent",
    "field_added",
    "file_exported",
    "file_uploaded",
    "filter_saved",
    "folder_created",
    "form_answered",
    "form_published",
    "gantt_opened",
    "goal_set",
    "guest_added",
    "help_opened",
    "import_mapped",
    "integration_connected",
    "invoice_drafted",
    "label_created",
    "link_shared",
    "list_sorted",
    "login",
    "mention_made",
    "milestone_reached",
    "mobile_login",
    "note_written",
    "notification_muted",
    "page_printed",
    "poll_started",
    "profile_completed",
    "project_created",
    "report_scheduled",
    "search_used",
    "settings_customised",
    "slide_presented",
    "sprint_started",
    "status_changed",
    "subtask_added",
    "tag_created",
    "task_completed",
    "teammate_invited",
    "template_used",
    "timer_started",
    "tour_seen",
    "webhook_added",
)
"""The sixty behaviours of the recipe."""

COMMON: Final = "dashboard_viewed"
WINDOW: Final = 14 * DAY
CHUNK: Final = 20_000
"""Entities made at a time: bounds the memory, and is part of what the seed means."""

_LIKELY: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Habits:
    """What the sixty behaviours (and the common one, last) are like; arrays run over the 61 names.

    Parameters
    ----------
    names
        The first ones are candidates for the planted rule: done by about half, little tied to activity.
    reach
        Log odds of ever doing it, for a person of average activity.
    loading
        How much a standard deviation of activity adds to that.
    persona
        3 x 61: what each of three kinds of people adds to it.
    volume
        Mean of the negative binomial count beyond the first time.
    early
        Share that falls into the first 14 days.
    front
        How much of that comes first: the offset is 14 d x u ** front.
    """

    names: tuple[str, ...]
    reach: NDArray[np.float64]
    loading: NDArray[np.float64]
    persona: NDArray[np.float64]
    volume: NDArray[np.float64]
    early: NDArray[np.float64]
    front: NDArray[np.float64]

    @property
    def candidates(self) -> range:
        """The codes of the behaviours that may be planted."""
        return range(_LIKELY)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Usage:
    """What a chunk of entities did, without any upgrade.

    Parameters
    ----------
    activity
        One latent standard normal per entity.
    owner
        Int64, one per event: the entity's number in the chunk, ascending.
    code
        Int64, one per event: the name's number.
    offset
        Int64 microseconds since the anchor, one per event, at least 0.
    """

    activity: NDArray[np.float64]
    owner: NDArray[np.int64]
    code: NDArray[np.int64]
    offset: NDArray[np.int64]


def draw_habits(seed: int) -> Habits:
    """Draw what the behaviours of a world are like: about 45 events an entity in all."""
    rng = stream(seed, "habits")
    n = len(NAMES)
    likely = np.arange(n) < _LIKELY
    names = tuple(NAMES[i] for i in rng.permutation(n))
    reach = np.where(likely, rng.uniform(-0.5, 0.4, n), rng.normal(-2.6, 0.5, n))
    loading = np.where(likely, rng.uniform(0.4, 1.0, n), rng.uniform(0.5, 1.0, n))
    persona = rng.normal(0.0, 1.0, (3, n)) * np.where(likely, 0.6, 0.45)
    volume = np.where(likely, rng.uniform(1.5, 4.5, n), rng.uniform(0.3, 1.3, n))
    early = np.where(likely, rng.uniform(0.75, 0.9, n), rng.uniform(0.5, 0.85, n))
    front = rng.uniform(1.0, 2.2, n)
    return Habits(
        names=(*names, COMMON),
        reach=np.append(reach, 3.6),
        loading=np.append(loading, 0.2),
        persona=np.append(persona, np.zeros((3, 1)), axis=1),
        volume=np.append(volume, 1.0),
        early=np.append(early, 0.9),
        front=np.append(front, 2.0),
    )


def draw_usage(habits: Habits, entities: int, rng: np.random.Generator) -> Usage:
    """Draw the events of `entities` entities: zero-inflated 1 + negative binomial counts, tied by activity and persona."""
    activity = rng.standard_normal(entities)
    kinds = rng.integers(0, 3, entities)
    odds = habits.reach + activity[:, None] * habits.loading + habits.persona[kinds]
    does = rng.random((entities, len(habits.names)), dtype=np.float32) * (1.0 + np.exp(-odds)) < 1.0
    who, what = np.nonzero(does)
    pace = habits.volume[what] * np.exp(0.35 * activity[who] - 0.06)
    counts = 1 + rng.poisson(rng.standard_gamma(0.8, who.size) / 0.8 * pace)
    code = np.repeat(what, counts)
    return Usage(activity=activity, owner=np.repeat(who, counts), code=code, offset=draw_offsets(habits, code, rng))


def draw_offsets(habits: Habits, code: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw when events happen, in microseconds since the anchor: mostly in the first 14 days, then ever more rarely."""
    soon = WINDOW * rng.random(code.size) ** habits.front[code]
    late = WINDOW + rng.standard_exponential(code.size) * (20 * DAY)
    return np.where(rng.random(code.size) < habits.early[code], soon, late).astype(np.int64)
