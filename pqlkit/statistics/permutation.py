"""The permutation: outcomes shuffled among rows that could have swapped them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scalar = TypeVar("Scalar", bound=np.generic)

__all__ = ["shuffled"]


def shuffled(
    outcome: NDArray[Scalar], block: NDArray[np.generic], *, generator: np.random.Generator
) -> NDArray[Scalar]:
    """Shuffle outcomes within blocks, once.

    Parameters
    ----------
    outcome
        One value a row.
    block
        Label of the row's block (calendar block x age band): outcomes never leave it, so a base rate that changes over
        time or with age stays what it was.
    generator
        Source of randomness; the result depends on it and on the order of rows alone.

    Returns
    -------
    ndarray
        The outcomes, in the order of rows; each block keeps its number of converters.

    References
    ----------
    Good, P. (2005). Permutation, Parametric and Bootstrap Tests of Hypotheses, 3rd edition. Springer, New York.

    Examples
    --------
    >>> y, month = np.array([1, 0, 0, 1, 1]), np.array([1, 1, 1, 2, 2])
    >>> new = shuffled(y, month, generator=np.random.default_rng(1))
    >>> new[:3].sum(), new[3:]
    (np.int64(1), array([1, 1]))
    """
    return _shuffle(outcome, *_ranked(block), generator)


def _ranked(block: NDArray[np.generic]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Count the blocks off, and list the rows block by block."""
    _, labels = np.unique(block, return_inverse=True)
    return labels, np.argsort(labels, kind="stable")


def _shuffle(
    outcome: NDArray[Scalar], labels: NDArray[np.intp], home: NDArray[np.intp], generator: np.random.Generator
) -> NDArray[Scalar]:
    drawn = np.lexsort((generator.random(len(outcome)), labels))
    result = np.empty_like(outcome)
    result[home] = outcome[drawn]
    return result
