"""The idle world: nothing foretells anything, for each way of looking and each way of there being nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tests.verdicts.plain_worlds import active, bursts, chance, convert_after, planted, slow
from tests.verdicts.product import Product
from tests.verdicts.saying import Case, World, nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def _size(seed: int) -> int:
    """Every other world has enough conversions for some to be set aside."""
    return 2_000 if seed % 2 else 4_000


def once(seed: int) -> Case:
    """Everybody converts with the same chance in the month after a fortnight."""
    product = Product(seed=[401, seed], users=_size(seed))
    active(product)
    product.convert(product.rng.random(product.users) < 0.08)
    return Case(tables=product.tables(), settings={"snapshots": "once:14d"})


def age(seed: int) -> Case:
    """Everybody converts with the same chance on each day of a trial of 30."""
    product = Product(seed=[402, seed], users=_size(seed))
    active(product)
    product.convert(product.rng.random(product.users) < 0.12, 0.0, 30.0)
    return Case(tables=product.tables(), settings={"snapshots": "age:1d,3d,7d"})


def every(seed: int) -> Case:
    """Everybody converts with the same chance on each day of 280."""
    product = Product(seed=[403, seed], users=_size(seed) // 2, days=240.0, ripe=60.0)
    slow(product)
    product.convert(product.rng.random(product.users) < 0.3, 0.0, 280.0)
    return Case(tables=product.tables(), settings={"snapshots": "every:28d"})


def permuted(seed: int) -> Case:
    """A rule is planted, and then everybody is given somebody else's conversion."""
    product, hit = planted([404, seed], users=_size(seed))
    rng = product.rng
    buys = rng.permutation(chance(product, hit))
    product.convert(buys)
    return Case(tables=product.tables(), settings={"snapshots": "once:14d"})


def permuted_age(seed: int) -> Case:
    """A rule is planted in the first week of a trial, and then everybody is given somebody else's conversion."""
    product, hit = planted([405, seed], users=_size(seed))
    buys = product.rng.permutation(chance(product, hit, 0.3, 0.06))
    product.convert(buys, 0.0, 30.0)
    return Case(tables=product.tables(), settings={"snapshots": "age:1d,3d,7d"})


def permuted_every(seed: int) -> Case:
    """A fortnight is planted, and then everybody is given somebody else's conversion: its age, too."""
    product = Product(seed=[406, seed], users=_size(seed) // 2, days=240.0, ripe=60.0)
    ages: NDArray[np.float64] = product.rng.permutation(slow(product, rate=0.7))
    who = np.flatnonzero(np.isfinite(ages))
    product.convert_at(who, ages[who])
    return Case(tables=product.tables(), settings={"snapshots": "every:28d"})


def activity_driven(seed: int) -> Case:
    """Any event may be followed by a conversion, with the same chance whosever it is."""
    product = Product(seed=[407, seed], users=_size(seed) // 4, days=200.0, ripe=120.0)
    convert_after(product, *bursts(product), per_event=0.006)
    return Case(tables=product.tables(), settings={"snapshots": "every:28d"})


PERMUTED: Final[tuple[Callable[[int], Case], ...]] = (permuted, permuted_age, permuted_every)

KINDS: Final[dict[str, Callable[[int], Case]]] = {
    "once": once,
    "age": age,
    "every": every,
    "permuted": lambda seed: PERMUTED[seed % 3](seed),
    "activity-driven": activity_driven,
}

WORLDS = tuple(
    World(name=f"nothing ({name})", conclusion="Nothing is to be proposed.", make=make, judge=nothing)
    for name, make in {
        "once": once,
        "age": age,
        "every": every,
        "once, permuted": permuted,
        "age, permuted": permuted_age,
        "every, permuted": permuted_every,
    }.items()
)
