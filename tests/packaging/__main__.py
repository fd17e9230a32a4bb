"""``python -m tests.packaging dist`` builds the light wheel."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.packaging.light_wheel import light_wheel

with TemporaryDirectory() as scratch:
    print(light_wheel(Path(sys.argv[1]), Path(scratch)))
