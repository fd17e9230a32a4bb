"""The criterion's rates: each alone, and the rule without it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition, Node
    from pqlkit.population.population import Population
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.contingency import Contingency


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRates:
    """The snapshot view of one criterion ("28 % with a pipeline, 7 % without").

    Parameters
    ----------
    leaf
        Which.
    part
        It as the rule means it: the leaf, or `Not` of it where the rule turns it round.
    alone
        Snapshots that meet the part, whatever else, and the others.
    without_it
        Snapshots that meet the rule with this criterion struck out, and the others; None if nothing is left of the rule.
    mechanical
        It precedes the upgrade by construction.
    """

    leaf: Criterion | Ref
    part: Node
    alone: Contingency
    without_it: Contingency | None
    mechanical: bool


def criteria(
    population: Population,
    definition: Definition,
    seen: Snapshots,
    met: NDArray[np.bool_],
    *,
    design_effect: float = 1.0,
) -> tuple[CriterionRates, ...]:
    """Read each criterion alone, and the rule without it, at the definition's snapshots.

    Parameters
    ----------
    population, definition, seen
        As reported on.
    met
        Where the whole definition holds, one per snapshot.
    design_effect
        Of the snapshots.
    """
    parts = list(_parts(definition.qualify))
    if len(parts) == 1:
        leaf, part = parts[0]
        table = seen.table(met, design_effect=design_effect)
        return (CriterionRates(leaf=leaf, part=part, alone=table, without_it=None, mechanical=_mechanical(leaf)),)
    rests = [without(definition.qualify, leaf) for leaf, _ in parts]
    nodes = [part for _, part in parts] + [rest for rest in rests if rest is not None]
    tables = iter(_read(population, definition, nodes, seen, design_effect))
    alone = [next(tables) for _ in parts]
    return tuple(
        CriterionRates(
            leaf=leaf,
            part=part,
            alone=own,
            without_it=None if rest is None else next(tables),
            mechanical=_mechanical(leaf),
        )
        for (leaf, part), own, rest in zip(parts, alone, rests, strict=True)
    )


def _parts(node: Node, *, turned: bool = False) -> Iterator[tuple[Criterion | Ref, Node]]:
    """Walk the leaves, each with what it stands for under the `Not`s above it."""
    match node:
        case Criterion() | Ref():
            yield node, Not(part=node) if turned else node
        case Not(part=part):
            yield from _parts(part, turned=not turned)
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            for part in parts:
                yield from _parts(part, turned=turned)


def without_mechanical(
    population: Population, definition: Definition, seen: Snapshots, *, design_effect: float = 1.0
) -> Contingency | None:
    """Read the rule with every mechanical criterion struck out; None where it has none, or nothing else is left."""
    node: Node | None = definition.qualify
    struck = [leaf for leaf in leaves(definition.qualify) if _mechanical(leaf)]
    for leaf in struck:
        node = None if node is None else without(node, leaf)
    return _read(population, definition, [node], seen, design_effect)[0] if struck and node is not None else None


def without(node: Node, leaf: Criterion | Ref) -> Node | None:
    """Strike a leaf out of a formula; None if nothing is left. ``n_of`` then asks for one less, but at least one."""
    match node:
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            kept = tuple(rest for part in parts if (rest := without(part, leaf)) is not None)
            if not kept:
                return None
            if len(kept) == 1:
                return kept[0]
            lost = len(parts) - len(kept)
            return (
                replace(node, parts=kept, n=max(1, node.n - lost))
                if isinstance(node, NOf)
                else replace(node, parts=kept)
            )
        case Not(part=part):
            rest = without(part, leaf)
            return None if rest is None else Not(part=rest)
        case _:
            return None if node is leaf else node


def _read(
    population: Population, definition: Definition, nodes: Sequence[Node], seen: Snapshots, design_effect: float
) -> list[Contingency]:
    """Read formulas of the same criteria, which are measured once for all of them."""
    from pqlkit.measures.evaluation import spells_of_each
    from pqlkit.snapshots.matches import meets

    definitions = [replace(definition, qualify=node, score=None) for node in nodes]
    spells = spells_of_each(population.world, definitions, early=True)
    return [seen.table(meets(own, seen.frame), design_effect=design_effect) for own in spells]


def _mechanical(leaf: Criterion | Ref) -> bool:
    return isinstance(leaf, Criterion) and leaf.mechanical
