"""The boosting model: fitted on levels, read on others; where there is much to do, in a process of its own.

The search is one thread of many small steps, and a model in a thread beside it made it ten times slower. A process does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.scratch import scratch

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray
    from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = ["Boosting", "boosted"]

APART: Final = 10_000_000
"""Levels to read and fit from which on a process of its own pays for its start (about a second)."""

_CHUNK: Final = 1_024
"""Snapshots scored at once: their levels stay in fast memory, and it takes a quarter of the time of many more."""
_ASKED: Final = "asked.npz"
_FOUND: Final = "found.npz"


@dataclass(slots=True, kw_only=True, eq=False)
class Boosting:
    """A model that is being fitted.

    Leave it as a context manager: its process and its files end with it.

    Parameters
    ----------
    levels, y, read, seed
        As for `boosted`.
    """

    levels: NDArray[np.uint8]
    y: NDArray[np.bool_]
    read: NDArray[np.uint8]
    seed: int
    _folder: Path | None = None
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Boosting:
        """Begin, if that is worth a process and there is a core for it."""
        if self.levels.size + self.read.size >= APART and (os.cpu_count() or 1) > 1 and sys.executable:
            self._folder = folder = self._stack.enter_context(scratch())
            np.savez(folder / _ASKED, levels=self.levels, y=self.y, read=self.read, seed=np.array(self.seed))
            # -P: what happens to lie in the current folder is not imported.
            command = [sys.executable, "-P", "-m", "pqlkit.proposal.boosting", str(folder)]
            nothing = subprocess.DEVNULL
            self._process = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)  # noqa: S603  # no shell
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process if it still runs, and remove its files."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._stack.close()

    def scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Wait for the scores, as `boosted` gives them; fitted here after all if the process came to nothing."""
        if self._process is None or self._folder is None or self._process.wait():
            return boosted(self.levels, self.y, self.read, self.seed)
        with np.load(self._folder / _FOUND) as arrays:
            return arrays["fitted"], arrays["read"]


def boosted(
    levels: NDArray[np.uint8], y: NDArray[np.bool_], read: NDArray[np.uint8], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit gradient boosting on levels, and score these and others.

    Parameters
    ----------
    levels, y
        (snapshots, behaviours) and the outcome of each snapshot: what is fitted on.
    read
        (snapshots, behaviours): what else is scored.
    seed
        Of the model's own validation part.

    Returns
    -------
    tuple
        Scores of `levels` and of `read`.

    References
    ----------
    Ke, G. et al. (2017). LightGBM: a highly efficient gradient boosting decision tree. NeurIPS 30; the histogram method.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # what scikit-learn itself uses

    model = HistGradientBoostingClassifier(
        max_iter=200,
        learning_rate=0.1,  # half of it took twice as many trees for 0.0004 of AUC, and the same rate at the top
        max_leaf_nodes=15,
        max_bins=max(2, int(levels.max()) + 1),  # no column has more values, and smaller tables are faster
        early_stopping=True,
        random_state=seed,
    )
    # Its threads wait for each other by spinning: on a busy machine two were ten times slower than one.
    with threadpool_limits(limits=1, user_api="openmp"):
        model.fit(levels.astype(np.float32), y)
        return _scored(model, levels), _scored(model, read)


def _scored(model: HistGradientBoostingClassifier, rows: NDArray[np.uint8]) -> NDArray[np.float64]:
    parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    return np.concatenate([np.zeros(0), *(model.decision_function(part.astype(np.float32)) for part in parts)])


def main(folder: Path) -> None:
    """Answer what lies in a folder."""
    with np.load(folder / _ASKED) as asked:
        fitted, read = boosted(asked["levels"], asked["y"], asked["read"], int(asked["seed"]))
    np.savez(folder / _FOUND, fitted=fitted, read=read)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
