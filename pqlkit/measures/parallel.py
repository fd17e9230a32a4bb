"""Parallel work: a few threads work through a list, and its results come in the order of the list."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

__all__ = ["worked"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def worked(work: Callable[[Item], Result], items: Iterable[Item], *, hands: int | None = None) -> Iterator[Result]:
    """Do a piece of work for each item, several at once, and give the results in the order of the items.

    For work that spends its time in NumPy or Polars, which leave the interpreter to others meanwhile.

    Parameters
    ----------
    work
        What is done; what it raises is raised where its result would come.
    items
        Taken one by one, and no more than `hands` ahead of the results that were taken: neither is held whole.
    hands
        How many threads; None = one per processor, four at most.

    Examples
    --------
    >>> list(worked(lambda number: number * number, range(4)))
    [0, 1, 4, 9]
    """
    hands = min(os.cpu_count() or 1, 4) if hands is None else hands
    if hands < 2:
        yield from map(work, items)
        return
    begun: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(hands)
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) >= hands:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
