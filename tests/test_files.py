"""Output files are whole or not there."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pqlkit.errors import OutputError
from pqlkit.files import whole, write_text

if TYPE_CHECKING:
    from pathlib import Path


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_failure_inside_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "leads.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), whole(target) as path:
        path.write_text("half")
        _ = 1 / 0
    assert target.read_text() == "old"
    assert leftovers(tmp_path) == ["leads.csv"]


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "leads.csv") as path:
        path.write_text("half")
        raise KeyboardInterrupt
    assert leftovers(tmp_path) == []


def test_the_folder_is_made_and_permissions_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "new" / "leads.csv"
    write_text(target, "a\n")
    target.chmod(0o640)
    write_text(target, "b\n")
    assert target.read_text() == "b\n"
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a directory, not a file"):
        write_text(tmp_path, "x")


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*leads\.csv: (Not a directory|File exists)"):
        write_text(tmp_path / "file" / "leads.csv", "x")


def test_a_full_disk_is_a_clear_error_and_nothing_is_left(tmp_path: Path) -> None:
    """A real ENOSPC, made by a limit on file size in a process of its own (no mount needed)."""
    (tmp_path / "leads.csv").write_text("old")
    code = (
        "import resource, signal, sys\n"
        "from pqlkit.files import write_text\nfrom pqlkit.errors import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_text(sys.argv[1], 'x' * 5000)\nexcept OutputError as error:\n    print(error)\n"
    )
    target = tmp_path / "leads.csv"
    done = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True)
    assert "cannot write" in done.stdout
    assert target.read_text() == "old"
    assert leftovers(tmp_path) == ["leads.csv"]


def test_the_umask_is_obeyed(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "leads.csv", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "leads.csv").stat().st_mode & 0o777 == 0o640
