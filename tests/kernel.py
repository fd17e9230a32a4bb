"""Run tests once more on another kernel of the linear algebra library, as another processor would: `python -m tests.kernel`.

Last digits of sums differ between kernels. What is printed may not, and no system may be singular on one of them alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Final

KERNELS: Final = ("PRESCOTT", "HASWELL", "NEOVERSEN1", "ARMV8")
SHORT: Final = (
    "tests/statistics/test_newton.py",
    "tests/statistics/test_adjusted.py",
    "tests/statistics/test_survival.py",
    "tests/statistics/test_collinearity.py",
    "tests/analysis/test_adjustment.py",
    "tests/proposal/test_points.py",
    "tests/reporting/test_shown.py",
)
ALL: Final = ("tests/statistics", "tests/analysis", "tests/proposal/test_points.py", "tests/reporting")
_ASK: Final = """
import numpy, threadpoolctl
print(*sorted({str(pool.get("architecture")) for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}))
"""


def main() -> None:
    """Find a kernel that this processor can run and does not choose by itself, and run the tests on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="the fixed selection that `make test` runs")
    tests = SHORT if parser.parse_args().short else ALL
    own = architecture(None)
    other = next((kernel for kernel in KERNELS if architecture(kernel) not in {own, ""}), None)
    if other is None:
        sys.stdout.write(f"no other kernel than {own or 'that of the system'} here: nothing run twice\n")
        return
    sys.stdout.write(f"once more on kernel {other} (this processor's own is {own}):\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", *tests]
    sys.exit(subprocess.run(command, env={**os.environ, "OPENBLAS_CORETYPE": other}, check=False).returncode)


def architecture(kernel: str | None) -> str:
    """Ask the library which kernel it runs when told to take this one; empty where it cannot run at all."""
    env = os.environ if kernel is None else {**os.environ, "OPENBLAS_CORETYPE": kernel}
    asked = subprocess.run([sys.executable, "-c", _ASK], env=env, capture_output=True, text=True, check=False)
    return asked.stdout.strip()


if __name__ == "__main__":
    main()
