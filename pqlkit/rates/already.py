"""The outcome that was there already: everybody had met it before qualifying, so that a rate says something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.columns import CONVERTED, ENTITY, ON
from pqlkit.definitions.model import ANY_EVENT
from pqlkit.inert import visible

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population


def met_before(
    population: Population, definition: Definition, spells: pl.DataFrame, counted: pl.DataFrame
) -> tuple[str, ...]:
    """Say that everybody who qualified had met the outcome before.

    Parameters
    ----------
    population, definition
        The outcome is an event or another definition; of a purchase nothing is said, and nothing of any event.
    spells
        When the definition held.
    counted
        The counted starts.
    """
    outcome = population.outcome
    if outcome.event == ANY_EVENT or (outcome.event is None and outcome.definition is None):
        return ()
    if population.recurring is not None:
        had = population.recurring().before(counted[ENTITY].to_numpy(), counted[ON].to_numpy())
        if not len(had) or not had.all():
            return ()
        did = visible(outcome.event or "", 60)
        return (
            f"all {len(had):,} had done {did} before they qualified: the rate says who did it again, not who began to",
        )
    # Events after a conversion do not exist: whoever did it first never meets the definition.
    converted = population.entities.height - population.entities[CONVERTED].null_count()
    if spells.height or not converted:
        return ()
    if outcome.definition is not None:
        return (
            f"nobody met {definition.name} before {outcome.definition.name} ({converted:,} met that): there is no rate",
        )
    did = visible(outcome.event or "", 60)
    return (
        f"nobody met {definition.name} before having done {did} ({converted:,} had): there is no rate. Who does it later on: write "
        f"outcome: {{event: {did}, after: 7d, within: {outcome.within}}}",
    )
