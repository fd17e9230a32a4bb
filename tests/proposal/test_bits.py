"""Packed bits count what boolean arrays count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.proposal.bits import gram, pack, relabelled, singles, together
from pqlkit.proposal.literals import Floors, literals
from pqlkit.proposal.rule import holds
from tests.proposal.worlds import behaviour, cube_of

LOOSE = Floors(entities=1, converters=0, reach=1.0, apart=0.0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), snapshots=st.integers(1, 3_000), rate=st.sampled_from([0.02, 0.5]))
def test_singles_pairs_and_triples(seed, snapshots, rate):
    random = np.random.default_rng(seed)
    cube = cube_of({behaviour(f"e{i}"): random.poisson(1.0, snapshots) for i in range(4)})
    y, fit = random.random(snapshots) < rate, random.random(snapshots) < 0.7
    columns = literals(cube, y, fit, floors=LOOSE)
    if not columns:
        return
    bits = pack(cube, columns, y, fit, seed=seed)
    met = np.array([holds(cube, [literal]) & fit for literal in columns])
    assert (bits.converters, bits.controls, bits.weight) == ((fit & y).sum(), (fit & ~y).sum(), 1.0)
    for words, outcome in ((bits.hits, y), (bits.others, ~y)):
        seen = (met & outcome).astype(np.int64)
        np.testing.assert_array_equal(gram(words), seen @ seen.T)
        np.testing.assert_array_equal(singles(words), seen.sum(axis=1))
        rows = random.integers(0, len(columns), (40, 3))
        np.testing.assert_array_equal(
            together(words, rows), (seen[rows[:, 0]] * seen[rows[:, 1]] * seen[rows[:, 2]]).sum(1)
        )


def test_every_bit_set_in_a_whole_block_is_counted():
    full = np.full((2, 512), 2**64 - 1, dtype=np.uint64)
    assert gram(full).tolist() == [[512 * 64] * 2] * 2


def test_only_wanted_pairs_are_counted():
    random = np.random.default_rng(1)
    words = random.integers(0, 2**63, (200, 24), dtype=np.uint64)
    wanted = random.random((200, 200)) < 0.3
    wanted |= wanted.T
    np.fill_diagonal(wanted, True)
    np.testing.assert_array_equal(gram(words, wanted), np.where(wanted, gram(words), 0))


def test_sampled_controls_carry_their_weight():
    cube = cube_of({behaviour("a"): np.arange(10_000) % 5})
    y = np.arange(10_000) < 400
    fit = np.ones(10_000, dtype=bool)
    columns = literals(cube, y, fit, floors=LOOSE)
    bits = pack(cube, columns, y, fit, most_controls=2_400)
    assert (bits.converters, bits.controls, bits.weight) == (400, 2_400, 4.0)
    assert len(set(bits.snapshots.tolist())) == 2_400
    assert singles(bits.hits).tolist() == [holds(cube, [x])[:400].sum() for x in columns]
    assert singles(bits.others).tolist() == [holds(cube, [x])[bits.snapshots].sum() for x in columns]


def test_another_outcome_of_the_same_snapshots():
    random = np.random.default_rng(3)
    cube = cube_of({behaviour(f"e{i}"): random.poisson(1.0, 1_000) for i in range(3)})
    fit, nobody = random.random(1_000) < 0.8, np.zeros(1_000, dtype=bool)
    columns = literals(cube, nobody, fit, floors=LOOSE)
    y = random.random(1_000) < 0.1
    bits = relabelled(pack(cube, columns, nobody, fit, most_controls=None), y)
    direct = pack(cube, columns, y, fit)
    assert (bits.converters, bits.controls) == (direct.converters, direct.controls)
    np.testing.assert_array_equal(gram(bits.hits), gram(direct.hits))
    np.testing.assert_array_equal(gram(bits.others) - gram(bits.hits), gram(direct.others))


@pytest.mark.parametrize("snapshots", [1, 63, 64, 65, 511, 512, 513, 4096])
def test_the_last_snapshot_is_not_lost(snapshots):
    cube = cube_of({behaviour("a"): np.ones(snapshots, dtype=np.int64)})
    fit, y = np.ones(snapshots, dtype=bool), np.zeros(snapshots, dtype=bool)
    bits = pack(cube, literals(cube, y, fit, floors=LOOSE), y, fit)
    assert singles(bits.others).tolist() == [snapshots]
    assert singles(bits.hits).tolist() == [0]
