"""Writes the generated pages into a folder: ``python -m tests.documentation docs``."""

import sys
from pathlib import Path

from tests.documentation.pages import pages

if __name__ == "__main__":
    for name, text in pages().items():
        Path(sys.argv[1], name).write_text(text, encoding="utf-8")
