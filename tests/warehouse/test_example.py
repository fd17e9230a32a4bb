"""The worked example: its commands run as printed, and print what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "warehouse"


def test_the_commands_of_the_page_print_what_it_says(tmp_path: Path) -> None:
    place = tmp_path / "warehouse"
    shutil.copytree(EXAMPLE, place)
    (place / "leads.sql").unlink()
    page = (EXAMPLE / "README.md").read_text()
    (commands,) = re.findall(r"```sh\n(.*?)```", page, re.S)
    (printed,) = re.findall(r"```text\n(.*?)```", page, re.S)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euc", commands], cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed
    assert (place / "leads.sql").read_text() == (EXAMPLE / "leads.sql").read_text()
