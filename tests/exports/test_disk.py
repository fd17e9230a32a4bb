from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from pqlkit.errors import OutputError
from pqlkit.exports.disk import writing_to

CODE = """
import resource, signal, sys
import polars
from pqlkit.errors import OutputError
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.loading import load
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    {call}
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "call",
    ["open_dataset(events=sys.argv[1])", "load(with_sources(events=sys.argv[1]), sys.argv[2])"],
    ids=["open", "load"],
)
def test_a_disk_that_takes_no_more_is_an_output_error_and_leaves_nothing(exports, tmp_path, call):
    lines = "".join(f"u{n * 7919 % 1009},e{n % 97},2026-01-0{1 + n % 9}\n" for n in range(5000))
    events = exports.write("e.csv", "user_id,event,timestamp\n" + lines)
    out = tmp_path / "out"
    command = [sys.executable, "-c", CODE.format(call=call), events, str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert "cannot write" in done.stdout
    assert "File too large" in done.stdout
    assert done.stderr == ""
    assert not out.exists() or not list(out.iterdir())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "full"), "cannot write {folder}: full"),
        (OSError(errno.EIO, "broken"), "cannot read or write {folder}: broken"),
        (OSError(errno.EACCES, "denied", "{folder}/events/a.parquet"), "cannot write {folder}: denied"),
    ],
    ids=["full", "broken", "within"],
)
def test_an_error_that_names_no_other_place_is_about_the_folder(tmp_path, error, said):
    if error.filename is not None:
        error.filename = error.filename.format(folder=tmp_path)
    with pytest.raises(OutputError) as told, writing_to(tmp_path):
        raise error
    assert str(told.value).startswith(said.format(folder=tmp_path))


def test_an_error_about_a_file_elsewhere_is_not_told_of_the_folder(tmp_path):
    broken = OSError(errno.EIO, "broken", str(tmp_path / "events.csv"))
    with pytest.raises(OSError, match="broken") as passed, writing_to(tmp_path / "data"):
        raise broken
    assert passed.value is broken
