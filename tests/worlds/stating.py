"""The statement: a simulated world's truth, counted from every entity's own moments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.demo.series import named
from pqlkit.demo.truth import Traps, Truth
from pqlkit.durations import DAY
from tests.worlds.classes import CLASSES, classify
from tests.worlds.planting import CONVERSION_WINDOW, as_definition
from tests.worlds.simulated import SimulatedWorld, write_parts, write_tables
from tests.worlds.simulation import STRANGERS, make_chunk
from tests.worlds.traps import AFTER, BEFORE, proxy_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds
    from tests.worlds.simulation import Chunk, Simulation


def simulate(simulation: Simulation) -> SimulatedWorld:
    """Make a whole world in memory."""
    chunks = [make_chunk(simulation, index) for index in range(simulation.chunks)]
    events = pl.concat([chunk.events for chunk in chunks])
    tables = gather(chunks)
    conversions, entities = tables["conversions"], tables["entities"]
    return SimulatedWorld(
        kind=simulation.kind,
        events=events,
        users=tables["users"],
        accounts=tables.get("accounts"),
        conversions=conversions,
        truth=state_truth(simulation, entities, conversions, newest(events, conversions)),
    )


def write_simulation(simulation: Simulation, folder: Path) -> Truth:
    """Write a world of any size, holding one chunk's events at a time; gives its truth."""
    chunks: list[Chunk] = []
    as_of = 0

    def parts() -> Iterator[pl.DataFrame]:
        nonlocal as_of
        for index in range(simulation.chunks):
            chunk = make_chunk(simulation, index)
            as_of = max(as_of, newest(chunk.events, chunk.conversions))
            yield chunk.events
            chunks.append(replace(chunk, events=chunk.events.clear()))

    write_parts(folder, parts())
    tables = gather(chunks)
    truth = state_truth(simulation, tables["entities"], tables["conversions"], as_of)
    write_tables(folder, {n: t for n, t in tables.items() if n != "entities"}, entity=simulation.kind)
    return truth


def gather(chunks: Sequence[Chunk]) -> dict[str, pl.DataFrame]:
    """Join the chunks' tables, all but the events; conversions in time order."""
    tables = {
        "users": pl.concat([chunk.users for chunk in chunks]),
        "conversions": pl.concat([chunk.conversions for chunk in chunks]).sort("converted_at", maintain_order=True),
        "entities": pl.concat([chunk.entities for chunk in chunks]),
    }
    accounts = [chunk.accounts for chunk in chunks if chunk.accounts is not None]
    return tables | ({"accounts": pl.concat(accounts)} if accounts else {})


def newest(events: pl.DataFrame, conversions: pl.DataFrame) -> Microseconds:
    """Find the newest row, in microseconds: what a tool takes as the end of the data."""
    moments = [events["timestamp"].dt.epoch("us").max(), conversions["converted_at"].dt.epoch("us").max()]
    return max(int(moment) for moment in moments if isinstance(moment, int))


def state_truth(
    simulation: Simulation, entities: pl.DataFrame, conversions: pl.DataFrame, as_of: Microseconds
) -> Truth:
    """Count the classes and places of a whole world, and write down what was planted."""
    anchor = entities["anchor"].to_numpy()
    converted = entities["converted"].to_numpy()
    code = classify(anchor, converted, cutoffs=simulation.cutoffs, conversion_window=CONVERSION_WINDOW, as_of=as_of)
    used = code >= CLASSES.index("converted")
    held = entities["held"].to_numpy()
    chance = entities["chance"].to_numpy()
    rule = as_definition(simulation.habits.names, simulation.literals, simulation.kind, name=simulation.name)
    frame = pl.DataFrame(
        {
            "entity": entities["entity"],
            "class": named(CLASSES, code),
            "meets": held,
            "chance": chance,
        }
    ).with_columns(pl.when(pl.Series(used)).then(pl.col("meets")).alias("meets"))
    traps = Traps()
    if simulation.traps:
        true = simulation.habits.names[simulation.literals[0].code]
        common = simulation.habits.names[-1]
        traps = Traps(before=BEFORE, after=AFTER, common=common, proxy=proxy_of(true), more_after=true)
    qualified = held & used
    obeyed = simulation.planted in {"rule", "thin"}
    return Truth(
        rule=rule if simulation.planted != "none" else None,
        rate=float(chance[qualified].mean()) if obeyed and qualified.any() else None,
        base_rate=float(chance[used].mean()),
        snapshots=_snapshots(simulation.cutoffs),
        conversion_window=CONVERSION_WINDOW,
        as_of=as_of,
        # Who signs up after the newest row, and does nothing, does not exist yet.
        classes={name: int((code[anchor <= as_of] == position).sum()) for position, name in enumerate(CLASSES)},
        places=_places(code, converted, as_of, conversions),
        entities=frame,
        traps=traps,
        points=simulation.points,
        drift_from=simulation.drift_from,
    )


def _snapshots(cutoffs: Sequence[Microseconds]) -> str:
    ages = ",".join(f"{cutoff // DAY}d" for cutoff in cutoffs)
    return f"{'once' if len(cutoffs) == 1 else 'age'}:{ages}"


def _places(
    code: NDArray[np.int64], converted: NDArray[np.int64], as_of: Microseconds, conversions: pl.DataFrame
) -> Mapping[str, int]:
    paid = converted <= as_of
    key = conversions.columns[0]
    strangers = int((conversions[key] > STRANGERS).sum())
    where = {name: int((paid & (code == position)).sum()) for position, name in enumerate(CLASSES)}
    first = int(paid.sum())
    return {
        "rows": conversions.height,
        "first": first,
        "repeats": conversions.height - strangers - first,
        "filtered": 0,
        "unknown_entity": strangers,
        "used": where["converted"],
        "before_first_snapshot": where["early"],
        "later": where["not_converted"],
        "in_progress": where["in_progress"],
        "customer_already": where["customer_already"],
    }
