"""The light wheel, installed with nothing but what it names, checks files as hooks and CI jobs print it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml

from pqlkit.shipped import LIGHT, version
from tests.packaging.light_wheel import NEEDED, ROOT, light_wheel, printed_hook

UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return light_wheel(tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("scratch"))


def test_it_is_small_and_names_few_libraries(wheel: Path) -> None:
    assert wheel.name == f"{LIGHT.replace('-', '_')}-{version()}-py3-none-any.whl"
    assert wheel.stat().st_size < 2_000_000
    with zipfile.ZipFile(wheel) as packed:
        place = next(name for name in packed.namelist() if name.endswith("METADATA"))
        told = Parser().parsestr(packed.read(place).decode())
        names = packed.namelist()
    asked = told.get_all("Requires-Dist") or []
    assert sorted(re.split(r"[<>=; ]", line)[0] for line in asked) == sorted(name.replace(".", "-") for name in NEEDED)
    assert told["Requires-Python"] == ">=3.11"
    assert "pqlkit/cli/validate.py" in names
    assert any(name.startswith("pqlkit/configs/definitions/") for name in names)


@pytest.fixture(scope="module")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and what it needs, from the package index."""
    place = tmp_path_factory.mktemp("light") / "env"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    command = [
        str(place / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return place / "bin"


def run(light: Path, line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(line)
    return subprocess.run(
        [light / program, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with two definitions, one of them faulty in the working tree."""
    folder = tmp_path / "definitions"
    folder.mkdir()
    good = (ROOT / "configs" / "definitions" / "team-rollout.yml").read_text(encoding="utf-8")
    (folder / "team-rollout.yml").write_text(good, encoding="utf-8")
    (tmp_path / "pqlkit.yml").write_text("pqlkit: 1\ntimezone: Europe/Berlin\n", encoding="utf-8")
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.test"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.slow
def test_the_printed_hook_runs_with_nothing_else_installed(light: Path, project: Path) -> None:
    installed = run(light, "python -m pip list --format json", project).stdout
    assert not {row["name"] for row in json.loads(installed)} & {"polars", "numpy", "scipy", "altair", "narwhals"}
    hook = printed_hook()
    files = [path.relative_to(project).as_posix() for path in project.rglob("*.yml")]
    seen = sorted(file for file in files if re.search(hook["files"], file))
    assert seen == ["definitions/team-rollout.yml", "pqlkit.yml"]
    done = run(light, f"{hook['entry']} {shlex.join(seen)}", project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 files checked: no faults" in done.stdout
    path = project / "definitions" / "team-rollout.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("qualify:", "qualifies:", 1), encoding="utf-8")
    failed = run(light, f"{hook['entry']} {shlex.join(seen)}", project)
    assert failed.returncode == 1
    assert "PQL101" in failed.stdout


@pytest.mark.slow
def test_the_printed_jobs_run_with_it(light: Path, project: Path) -> None:
    catalogue = "definitions pqlkit.yml --strict"
    for form, name in (("github", None), ("junit", "report.xml"), ("sarif", "pqlkit.sarif"), ("json", "report.json")):
        out = "" if name is None else f" --out {name}"
        done = run(light, f"pqlkit validate {catalogue} --format {form}{out}", project)
        assert done.returncode == 0, done.stderr
        assert name is None or (project / name).stat().st_size > 10
    path = project / "definitions" / "team-rollout.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("at_least: 4", "at_least: 5", 1), encoding="utf-8")
    done = run(light, "pqlkit validate definitions --base main --format json", project)
    assert done.returncode in {0, 1}, done.stderr
    assert "team-rollout" in json.loads(done.stdout)["review_markdown"]
    assert run(light, "pqlkit schema", project).returncode == 0
    assert run(light, "pqlkit -V", project).stdout == f"pqlkit {version()}\n"


@pytest.mark.slow
def test_the_action_runs_with_it(light: Path, project: Path) -> None:
    action = yaml.safe_load((ROOT / ".github/actions/validate/action.yml").read_text(encoding="utf-8"))
    assert action["inputs"]["package"]["default"] == LIGHT
    script = action["runs"]["steps"][1]["run"]
    variables = {"PATHS": "definitions pqlkit.yml", "OPTIONS": "--strict", "BASE": "", "PATH": f"{light}:/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=project, env=variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_another_command_says_what_is_missing_and_what_to_install(light: Path, project: Path) -> None:
    done = run(light, "pqlkit analyze --data dataset", project)
    assert done.returncode == 2
    assert done.stderr.startswith("error: analyze needs the library ")
    assert "pip install pqlkit" in done.stderr
    assert "Traceback" not in done.stderr
