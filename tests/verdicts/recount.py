"""The recount: what a proposal promises, counted again by `report` from the file that `propose` writes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from pqlkit import emit, load_definition, report
from pqlkit.durations import moment

if TYPE_CHECKING:
    from tests.verdicts.saying import Said


def recounted(words: Said) -> dict[str, Any]:
    """Give the new PQLs of the later test period, the complete ones and those converted: promised, and reported."""
    first, definition = words.first, words.definition
    if first is None or definition is None:
        return {"proposed": False}
    later = first["qualifications"]["holdout"]
    with TemporaryDirectory(prefix="pqlkit-recount-") as folder:
        file = Path(folder) / "definition.yml"
        file.write_text(emit(definition), encoding="utf-8")
        starts = report(words.population, load_definition(file)).starts
    begun = [moment(at) for at in starts.get_column("on").to_list()]
    later_starts = starts.filter(
        pl.Series([at >= words.proposal["split"]["holdout"]["from"] for at in begun], dtype=pl.Boolean)
    )
    complete = later_starts.filter("mature")
    return {
        "proposed": True,
        "promised": [later["starts"], later["qualified"], later["converted"]],
        "reported": [later_starts.height, complete.height, int(complete["y"].sum())],
    }
