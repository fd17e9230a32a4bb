"""Packed bits: at which looks each literal holds, 64 looks a word, converters and the others apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Literal, Trait

MOST_CONTROLS: Final = 400_000
"""Looks without a conversion above which a sample of them is searched."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bits:
    """Where each literal holds among the searched looks.

    Parameters
    ----------
    hits
        uint64 (literals, words): looks that converted, in random order, padded with zeros.
    others
        The same for looks that did not; or, if `nested`, for all looks, the converted included.
    nested
        Whether `others` counts the hits too.
    converters, controls
        How many looks of each kind are searched.
    weight
        How many looks each control stands for: 1 unless they were sampled.
    """

    hits: NDArray[np.uint64]
    others: NDArray[np.uint64]
    nested: bool
    converters: int
    controls: int
    weight: float


def pack(
    cube: Cube,
    literals: Sequence[Literal],
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    *,
    traits: Sequence[Trait] = (),
    seed: int = 0,
    most_controls: int = MOST_CONTROLS,
) -> Bits:
    """Pack the looks of the fit part, a seeded sample of the controls where there are more than `most_controls`."""
    raise NotImplementedError


def gram(bits: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count the looks at which each two literals hold together: (literals, literals), symmetric, singles on the diagonal."""
    raise NotImplementedError


def together(bits: NDArray[np.uint64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Count the looks at which all literals of each row of `rows` (n, size) hold."""
    raise NotImplementedError
