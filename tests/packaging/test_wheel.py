"""The wheel carries what the package needs, and finds it when it is installed elsewhere."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("dist")
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


def test_it_carries_configs_types_and_every_module(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "pqlkit", "configs"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    for file in tracked.stdout.split():
        if (ROOT / file).is_file():
            assert (f"pqlkit/{file}" if file.startswith("configs/") else file) in names
    assert "pqlkit/py.typed" in names
    assert any(name.startswith("pqlkit/configs/definitions/") for name in names)
    assert any(name.startswith("pqlkit/configs/exports/") for name in names)
    assert not any(name.startswith(("tests/", "examples/")) or name.endswith((".pyc", ".part")) for name in names)


def test_installed_in_a_fresh_environment_it_finds_its_configs(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin" / "python"
    install = [str(UV)] if UV.exists() else ["uv"]
    subprocess.run(
        [*install, "pip", "install", "--quiet", "--no-deps", "--offline", "--python", str(python), str(wheel)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    code = (
        "import pqlkit, pqlkit.shipped as shipped\n"
        "folder = shipped.shipped('definitions').parent\n"
        "print(pqlkit.__file__)\nprint(pqlkit.__version__)\n"
        "print(sum(1 for one in folder.rglob('*.yml')), folder)"
    )
    done = subprocess.run([str(python), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    module, version, found = done.stdout.splitlines()
    assert module.startswith(str(place))
    assert version in wheel.name
    count, _, folder = found.partition(" ")
    assert folder.startswith(str(place))
    assert int(count) == len(list((ROOT / "configs").rglob("*.yml")))
