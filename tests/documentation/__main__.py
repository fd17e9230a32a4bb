"""Writes the generated pages into a folder: ``python -m tests.documentation docs``."""

import sys
from pathlib import Path

from tests.documentation.pages import NAMES, page

if __name__ == "__main__":
    for name in NAMES:
        Path(sys.argv[1], name).write_text(page(name), encoding="utf-8")
