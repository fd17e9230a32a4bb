"""Real processes: exit codes, streams, signals, terminals, full disks, folders that may not be written."""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import LINES, SOURCES, write_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PQLKIT = (sys.executable, "-m", "pqlkit")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample that takes a command long enough to be interrupted in."""
    folder = tmp_path_factory.mktemp("large")
    write_sample(folder)
    head, *rows = (folder / "events.csv").read_text().splitlines()
    with (folder / "events.csv").open("w") as text:
        text.write(head + "\n")
        for copy in range(400):
            text.writelines(f"{row.replace(':', f':{copy % 60:02}:', 1)[:-4]}Z\n" for row in rows)
    return folder


def copied(source: Path, target: Path) -> Path:
    for file in source.iterdir():
        (target / file.name).symlink_to(file)
    return target


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "FORCE_COLOR"}}
    return {**kept, "TERM": "xterm", **more}


def ran(
    *arguments: str, cwd: Path, before: Callable[[], None] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PQLKIT, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=before,
        env=environment(**options),
    )


def test_exit_code_0_data_on_stdout_and_nothing_on_stderr_when_quiet(sample: Path, tmp_path: Path) -> None:
    done = ran(*LINES["analyze"], "--quiet", cwd=copied(sample, tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["schema"] == "pqlkit/analysis/2"


def test_exit_code_1_for_findings(sample: Path, tmp_path: Path) -> None:
    done = ran(*LINES["report"], "--fail-under", "100%", cwd=copied(sample, tmp_path))
    assert done.returncode == 1
    assert json.loads(done.stdout)["schema"] == "pqlkit/report/2"
    assert "below --fail-under 100%" in done.stderr


def test_exit_code_2_for_what_cannot_run(tmp_path: Path) -> None:
    done = ran("analyze", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no events given, no pqlkit.yml here\n  Fix: add --data DIR")


def test_verbose_names_the_steps_and_no_terminal_gets_no_progress(sample: Path, tmp_path: Path) -> None:
    done = ran(*LINES["analyze"], "--verbose", cwd=copied(sample, tmp_path))
    assert done.returncode == 0
    assert "reading events\n" in done.stderr
    assert "\x1b" not in done.stderr + done.stdout
    assert "\r" not in done.stderr


class TestTerminal:
    """Progress and colours are for terminals."""

    def seen(self, place: Path, *arguments: str, **options: str) -> tuple[int, str]:
        """Run on a pseudo-terminal of 80 columns and give all that it showed."""
        import fcntl
        import pty
        import struct
        import termios

        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        child = subprocess.Popen(
            [*PQLKIT, *arguments], cwd=place, stdin=inner, stdout=inner, stderr=inner, env=environment(**options)
        )
        os.close(inner)
        shown = bytearray()
        while True:
            try:
                part = os.read(outer, 65_536)
            except OSError:
                break
            if not part:
                break
            shown += part
        os.close(outer)
        return child.wait(timeout=60), shown.decode()

    def test_progress_is_shown(self, sample: Path, tmp_path: Path) -> None:
        code, shown = self.seen(copied(sample, tmp_path), "analyze", *SOURCES)
        assert code == 0
        assert re.search(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]\S* (reading|writing|measuring|choosing)", COLOUR.sub("", shown))
        assert COLOUR.search(shown)

    def test_no_color_is_obeyed(self, sample: Path, tmp_path: Path) -> None:
        code, shown = self.seen(copied(sample, tmp_path), "analyze", *SOURCES, NO_COLOR="1")
        assert code == 0
        assert "Users with invite" in shown
        coloured = [one for one in COLOUR.findall(shown) if re.search(r"\[(3\d|4\d|9\d|10\d)", one)]
        assert not coloured

    def test_quiet_shows_the_result_alone(self, sample: Path, tmp_path: Path) -> None:
        code, shown = self.seen(copied(sample, tmp_path), "analyze", *SOURCES, "--quiet")
        assert code == 0
        assert COLOUR.sub("", shown).startswith("Users with invite on 2+ days")


class TestStreams:
    """Streams that are closed, full or narrow."""

    def test_a_reader_that_left_is_quiet(self, sample: Path, tmp_path: Path) -> None:
        place = copied(sample, tmp_path)
        line = " ".join([sys.executable, "-m", "pqlkit", "analyze", *SOURCES, "--format", "csv"])
        for reader in ("head -1", "true"):
            done = subprocess.run(
                ["bash", "-c", f"{line} --quiet | {reader}; echo ${{PIPESTATUS[0]}} >&2"],
                cwd=place,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.stderr == "0\n"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
    def test_a_full_disk_behind_stdout(self, tmp_path: Path) -> None:
        done = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m pqlkit schema > /dev/full"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr == "error: cannot write the output: No space left on device\n"

    def test_closed_streams(self, tmp_path: Path) -> None:
        for closed in (">&-", "2>&-", ">&- 2>&-"):
            line = f"{sys.executable} -m pqlkit schema {closed}"
            done = subprocess.run(
                ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )
            assert (done.returncode, done.stderr) == (0, "")

    def test_an_encoding_without_the_letters(self, tmp_path: Path) -> None:
        done = ran("try", "größe >", "--events", "größe.csv", cwd=tmp_path, PYTHONIOENCODING="ascii")
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


class TestInterrupt:
    """Ctrl-C, or SIGTERM from systemd, Airflow or Kubernetes, in the middle."""

    @pytest.mark.parametrize(
        ("command", "number", "code", "word"),
        [
            ("load", signal.SIGINT, 130, "interrupted"),
            ("analyze", signal.SIGINT, 130, "interrupted"),
            ("propose", signal.SIGINT, 130, "interrupted"),
            ("load", signal.SIGTERM, 143, "terminated"),
            ("analyze", signal.SIGTERM, 143, "terminated"),
        ],
    )
    def test_it_leaves_nothing_half_written(
        self, command: str, number: signal.Signals, code: int, word: str, large: Path, tmp_path: Path
    ) -> None:
        place, scratch = copied(large, tmp_path), tmp_path / "scratch"
        scratch.mkdir()
        before = {path.name for path in place.iterdir()}
        child = subprocess.Popen(
            [*PQLKIT, *LINES[command], "--verbose"],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(TMPDIR=str(scratch)),
        )
        assert child.stderr is not None
        assert any("reading" in line for line in iter(child.stderr.readline, ""))
        time.sleep(0.1)
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
        assert "Traceback" not in err
        assert (child.returncode, out) == (code, ""), err
        assert err.endswith(f"{word}\n")
        assert not list(scratch.iterdir()), "what was staged is gone"
        assert {path.name for path in place.iterdir()} == before

    @pytest.mark.parametrize(
        ("number", "code", "word"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "terminated")]
    )
    def test_while_python_still_imports(self, number: str, code: int, word: str, tmp_path: Path) -> None:
        child = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import os, signal, sys\nfrom pqlkit.cli import main\n"
                "class Finder:\n    def find_spec(self, name, path=None, target=None):\n"
                f"        if name == 'typer':\n            os.kill(os.getpid(), signal.{number})\n"
                "sys.meta_path.insert(0, Finder())\nsys.argv = ['pqlkit', '--help']\nmain()",
            ],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = child.communicate(timeout=60)
        assert (child.returncode, out, err) == (code, "", f"{word}\n")


def limited() -> None:
    """Let no file grow beyond 2 kB: what a full disk does, without needing to be root."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))


class TestFullDisk:
    """Nothing half-written, and a clear error."""

    @pytest.fixture
    def full(self, tmp_path: Path) -> Iterator[Path | None]:
        """A file system of 64 kB, or None where none can be mounted."""
        folder = tmp_path / "full"
        folder.mkdir()
        mounted = (
            os.geteuid() == 0
            and not subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
            ).returncode
        )
        yield folder if mounted else None
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)

    @pytest.mark.parametrize("command", ["load", "analyze", "score"])
    def test_no_file_may_grow(self, command: str, sample: Path, tmp_path: Path) -> None:
        place = copied(sample, tmp_path)
        before = {path.name for path in place.iterdir()}
        out = () if command == "load" else ("--out", "result.json")
        done = ran(*LINES[command], *out, cwd=place, before=limited)
        assert "Traceback" not in done.stderr
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("error: ")
        left = {path.name for path in place.iterdir()} - before
        assert not left or (left == {"data"} and not list((place / "data").rglob("*.parquet")))

    def test_a_small_file_system(self, full: Path | None, large: Path, tmp_path: Path) -> None:
        if full is None:
            assert not (os.environ.get("CI") and os.geteuid() == 0), "no tmpfs can be mounted"
            # The limit on file sizes above stands in for it where nothing may be mounted.
            full = tmp_path / "full"
        before = None if os.path.ismount(full) else limited
        place = tmp_path / "place"
        place.mkdir()
        copied(large, place)
        done = ran(*LINES["load"][:-1], str(full / "data"), cwd=place, before=before)
        assert "Traceback" not in done.stderr
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("error: ")
        assert not [one for one in full.rglob("*") if one.is_file() and one.suffix != ".lock"]
        again = ran(*LINES["analyze"], cwd=place, before=before, TMPDIR=str(full))
        assert "Traceback" not in again.stderr
        assert again.returncode == 2, again.stderr
        assert not list(full.rglob("*.parquet"))


def powerless() -> None:
    """Make root obey file permissions like everybody."""
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.mark.parametrize("command", ["load", "analyze", "propose", "score"])
def test_a_folder_that_may_not_be_written(command: str, sample: Path, tmp_path: Path) -> None:
    place = copied(sample, tmp_path)
    locked = place / "locked"
    locked.mkdir(mode=0o555)
    arguments = {
        "load": (*LINES["load"][:-1], "locked/data"),
        "propose": (*LINES["propose"], "--out-dir", "locked/definitions"),
    }.get(command, (*LINES[command], "--out", "locked/result.json"))
    done = ran(*arguments, cwd=place, before=powerless)
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "locked" in done.stderr
    assert not list(locked.iterdir())


def test_temporary_files_of_a_run_are_gone(sample: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert ran(*LINES["score"], cwd=copied(sample, tmp_path), TMPDIR=str(scratch)).returncode == 0
    assert not list(scratch.iterdir())
    assert tempfile.gettempdir()
