"""The permutation: outcomes shuffled among rows that could have swapped them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pqlkit.statistics.arrays import Numbers, floats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Scalar = TypeVar("Scalar", bound=np.generic)

__all__ = ["permutation_p_value", "shuffled", "shuffles"]


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


def shuffles(
    outcome: NDArray[Scalar], block: NDArray[np.generic], *, times: int, seed: int
) -> Iterator[NDArray[Scalar]]:
    """Shuffle outcomes within blocks, several times, reproducibly.

    Parameters
    ----------
    outcome, block
        As in `shuffled`.
    times
        How many shuffles; 19 suffice for p <= 0.05.
    seed
        The same seed gives the same shuffles.

    Yields
    ------
    ndarray
        One shuffle after the other; the i-th does not depend on `times`.

    References
    ----------
    Good, P. (2005). Permutation, Parametric and Bootstrap Tests of Hypotheses, 3rd edition. Springer, New York.

    Examples
    --------
    >>> len(list(shuffles(np.array([1, 0]), np.array([1, 1]), times=3, seed=1)))
    3
    """
    labels, home = _ranked(block)
    generator = np.random.default_rng(seed)
    for _ in range(times):
        yield _shuffle(outcome, labels, home, generator)


def permutation_p_value(observed: float, permuted: Numbers) -> float:
    """Place the best score found among the best scores of shuffled outcomes.

    Parameters
    ----------
    observed
        The score of the best rule on the real outcomes; larger is better.
    permuted
        The score of the best rule of each shuffle, found by the same search. NaN (nothing found) counts as worse.

    Returns
    -------
    float
        (1 + shuffles at least as good) / (1 + shuffles): never 0, and at most the nominal level too often. As the best of
        the whole search is compared, it allows for every rule that was tried.

    References
    ----------
    Phipson, B. and Smyth, G. K. (2010). Permutation P-values should never be zero: calculating exact P-values when
    permutations are randomly drawn. Statistical Applications in Genetics and Molecular Biology 9, Article 39.

    Westfall, P. H. and Young, S. S. (1993). Resampling-Based Multiple Testing: Examples and Methods for p-Value
    Adjustment. Wiley, New York.

    Examples
    --------
    >>> permutation_p_value(0.3, [0.1, 0.2, 0.35, 0.05])
    0.4
    """
    scores = floats(permuted).ravel()
    return (1 + int((scores >= observed).sum())) / (1 + len(scores))
