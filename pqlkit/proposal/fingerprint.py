"""The fingerprint: which search it was, and how often its holdout was read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.evidence_figures import span

if TYPE_CHECKING:
    from pqlkit.proposal.brief import Brief

__all__ = ["search_hash", "times_read"]


def search_hash(brief: Brief) -> str:
    """Name this search: eight hexadecimal digits of a hash of its options and of the snapshots it saw."""
    observed, wishes = brief.observed, brief.wishes
    frame = observed.snapshots.frame
    seen = hashlib.blake2b(digest_size=8)
    for column in ("entity", "cutoff", "y"):
        seen.update(np.ascontiguousarray(frame.get_column(column).to_numpy()).data)
    cube = brief.cube
    for array in (cube.offsets, cube.rows, cube.levels):
        seen.update(np.ascontiguousarray(array).data)
    asked = {
        "behaviours": [repr(behaviour) for behaviour in cube.behaviours],
        "snapshots": observed.snapshots.text,
        "windows": [str(window) for window in observed.snapshots.design.windows],
        "conversion_window": str(observed.snapshots.design.conversion_window),
        "excluded": sorted(brief.exclusions.events),
        "gap": str(observed.snapshots.design.gap),
        "exposure": observed.settings.exposure.value,
        "wishes": [
            wishes.max_criteria, wishes.objective, wishes.value, wishes.cost, wishes.capacity, wishes.min_share,
            wishes.min_recall, wishes.min_rate, wishes.holdout, wishes.holdout_from, wishes.use_traits, wishes.seed,
            *([] if brief.since is None else [brief.since]),
        ],
        "data": seen.hexdigest(),
    }  # fmt: skip
    return hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=4).hexdigest()


def times_read(brief: Brief, fingerprint: str) -> int:
    """Count the distinct searches, this one included, that definitions in the output folder tell of this holdout.

    Where later snapshots had a say in since when rules are chosen, that was one reading more.
    """
    from pqlkit.definitions.evidence import evidences

    seen = {fingerprint}
    holdout = span(brief.observed, brief.parts.holdout)
    ends = {"from": str(holdout["start"]), "through": str(holdout["through"])}
    folder = brief.wishes.out_dir
    for written in evidences(folder) if folder is not None and folder.is_dir() else ():
        part = written.get("holdout")
        # Files give dates as dates, whatever they were written from.
        if isinstance(part, dict) and all(str(part.get(key)) == day for key, day in ends.items()):
            seen.add(str(written.get("search")))
    return len(seen) + brief.known_later
