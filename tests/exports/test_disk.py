from __future__ import annotations

import subprocess
import sys

import pytest

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
