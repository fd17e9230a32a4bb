"""Packed bits: at which snapshots each literal holds, 64 snapshots a word, converters and the others apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.shown import Counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Literal, Trait

MOST_CONTROLS: Final = 400_000
"""Snapshots without a conversion above which a sample of them is searched."""

_WORDS: Final = 512
_AT_ONCE: Final = 32_768  # words; a block of two operands stays in the second-level cache
_PAD: Final = 512  # bits; a block is folded eight words at a time
_BYTES: Final = np.uint64(0x00FF00FF00FF00FF)
_LANES: Final = np.uint64(0x0001000100010001)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Bits(Counted):
    """Where each literal holds among the searched snapshots.

    Parameters
    ----------
    hits
        uint64 (literals, words): snapshots that converted, in random order, padded with zeros.
    others
        The same for snapshots that did not; or, if `nested`, for all snapshots, the converted included.
    nested
        Whether `others` counts the hits too.
    snapshots
        Snapshot ids of `others`, bit by bit (without the padding).
    converters, controls
        How many snapshots of each kind are searched.
    weight
        How many snapshots each control stands for: 1 unless they were sampled.
    """

    hits: NDArray[np.uint64]
    others: NDArray[np.uint64]
    nested: bool
    snapshots: NDArray[np.uint32]
    converters: int
    controls: int
    weight: float

    def _many(self) -> int:
        return len(self.hits)


def pack(
    cube: Cube,
    literals: Sequence[Literal],
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    *,
    traits: Sequence[Trait] = (),
    seed: int = 0,
    most_controls: int | None = MOST_CONTROLS,
) -> Bits:
    """Pack the snapshots of the fit part, a seeded sample of the controls where there are more than `most_controls`.

    Parameters
    ----------
    cube, literals, traits
        What is measured, and the conditions on it that become one row of bits each.
    y, fit
        Of each snapshot: whether it converted, and whether the search may see it.
    seed
        Of the sample of controls.
    most_controls
        So many at most are kept; None = all.
    """
    random = np.random.default_rng(seed)
    hits = random.permutation(np.flatnonzero(fit & y).astype(np.uint32))
    controls = random.permutation(np.flatnonzero(fit & ~y).astype(np.uint32))
    total = len(controls)
    if most_controls is not None:
        controls = controls[:most_controls]
    start = _padded(len(hits))
    length = start + _padded(len(controls))
    # Snapshots outside the sample all land on one bit beyond the end, which is cut off.
    place = np.full(cube.snapshots, length, dtype=np.uint32)
    place[hits] = np.arange(len(hits), dtype=np.uint32)
    place[controls] = start + np.arange(len(controls), dtype=np.uint32)
    words = np.empty((len(literals), length // 64), dtype=np.uint64)
    for index, bits in enumerate(_columns(cube, literals, traits, place, length)):
        words[index] = np.packbits(bits, bitorder="little").view(np.uint64)
    return Bits(
        hits=words[:, : start // 64],
        others=words[:, start // 64 :],
        nested=False,
        snapshots=controls,
        converters=len(hits),
        controls=len(controls),
        weight=total / len(controls) if len(controls) else 1.0,
    )


def relabelled(bits: Bits, y: NDArray[np.bool_]) -> Bits:
    """Give the same snapshots another outcome; `bits` must hold no hits (packed with nobody converted) and no sample of weight.

    Parameters
    ----------
    bits
        All snapshots as controls.
    y
        The outcome of each snapshot of the cube.
    """
    at = np.flatnonzero(y[bits.snapshots])
    word, bit = at >> 6, (at & 63).astype(np.uint64)
    length = _padded(len(at))
    hits = np.zeros((len(bits.others), length // 64), dtype=np.uint64)
    taken = np.zeros(length, dtype=np.uint8)
    for index, row in enumerate(bits.others):
        taken[: len(at)] = (row[word] >> bit) & np.uint64(1)
        hits[index] = np.packbits(taken, bitorder="little").view(np.uint64)
    return Bits(
        hits=hits,
        others=bits.others,
        nested=True,
        snapshots=bits.snapshots,
        converters=len(at),
        controls=bits.controls - len(at),
        weight=1.0,
    )


def _padded(count: int) -> int:
    """Round up to whole blocks of words; at least one, so that nothing is empty."""
    return max(1, -(-count // _PAD)) * _PAD


def _columns(
    cube: Cube, literals: Sequence[Literal], traits: Sequence[Trait], place: NDArray[np.uint32], length: int
) -> Iterator[NDArray[np.bool_]]:
    """Give each literal's bits in the order of `literals`, scattering each column once where they stand together."""
    dense = np.zeros(length + 1, dtype=np.uint8)
    for (trait, column), group in groupby(literals, key=lambda literal: (literal.trait is not None, literal.column)):
        dense[:] = 0
        if trait:
            dense[place[np.flatnonzero(traits[column].holds)]] = 1
        else:
            rows, levels = cube.column(column)
            dense[place[rows]] = levels
        for literal in group:
            yield dense[:length] >= max(literal.level, 1)


def singles(bits: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count the snapshots at which each literal holds."""
    return np.array([int(np.bitwise_count(row).sum(dtype=np.int64)) for row in bits], dtype=np.int64)


def gram(bits: NDArray[np.uint64], wanted: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Count the snapshots at which each two literals hold together.

    Parameters
    ----------
    bits
        uint64 (literals, words).
    wanted
        Symmetric, bool (literals, literals): the pairs to count; None = all.

    Returns
    -------
    NDArray
        (literals, literals), symmetric, singles on the diagonal; 0 where not wanted.
    """
    count = len(bits)
    table = np.zeros((count, count), dtype=np.int64)
    partners = [
        np.arange(first + 1, count) if wanted is None else first + 1 + np.flatnonzero(wanted[first, first + 1 :])
        for first in range(count)
    ]
    for start in range(0, bits.shape[1], _WORDS):
        block = np.ascontiguousarray(bits[:, start : start + _WORDS])
        for first, others in enumerate(partners):
            for part in _slices(others, _AT_ONCE // block.shape[1]):
                table[first, part] += _folded(block[first] & block[part])
    table += table.T
    np.fill_diagonal(table, singles(bits))
    return table


def _slices(rows: NDArray[np.intp], most: int) -> Iterator[slice | NDArray[np.intp]]:
    """Cut rows into parts that fit the cache, as slices (no copy) where they are consecutive."""
    for start in range(0, len(rows), most):
        part = rows[start : start + most]
        together = int(part[-1] - part[0]) == len(part) - 1
        yield slice(int(part[0]), int(part[-1]) + 1) if together else part


def _folded(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count the bits of each row; at most 512 words, a multiple of 8."""
    # Adding bytes one by one costs more than counting the bits: eight counts of at most 64 are added at a time, as bytes
    # of a word, then as 16-bit lanes (512 words hold 32,768 bits, which fit).
    counts = np.bitwise_count(words).view(np.uint64)
    lanes = np.add.reduce((counts & _BYTES) + ((counts >> np.uint64(8)) & _BYTES), axis=1)
    totals: NDArray[np.int64] = ((lanes * _LANES) >> np.uint64(48)).astype(np.int64)
    return totals


def together(bits: NDArray[np.uint64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Count the snapshots at which all literals of each row of `rows` (n, size) hold."""
    counts = np.zeros(len(rows), dtype=np.int64)
    for start in range(0, bits.shape[1], 128):
        block = np.ascontiguousarray(bits[:, start : start + 128])
        step = _AT_ONCE // block.shape[1]
        for first in range(0, len(rows), step):
            part = rows[first : first + step]
            words = block[part[:, 0]]
            for other in range(1, rows.shape[1]):
                words &= block[part[:, other]]
            counts[first : first + step] += _folded(words)
    return counts
