"""The light wheel: pqlkit-validate, the same modules with the few libraries that a check of files needs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import yaml

from pqlkit.shipped import LIGHT

ROOT: Final = Path(__file__).parents[2]
NEEDED: Final = ("backports.zstd", "pydantic", "pyyaml", "rich", "typer", "tzdata")
"""What `pqlkit validate` without data imports; a test runs it with nothing else installed."""


def light_wheel(folder: Path, scratch: Path) -> Path:
    """Build the wheel from this tree.

    Parameters
    ----------
    folder
        Where the wheel goes.
    scratch
        An empty folder for what hatchling reads.

    Returns
    -------
    Path
        The wheel.
    """
    from hatchling.builders.wheel import WheelBuilder

    (scratch / "pyproject.toml").write_text(_project(), encoding="utf-8")
    (scratch / "README.md").write_text(_README, encoding="utf-8")
    for name in ("pqlkit", "configs"):
        (scratch / name).symlink_to(ROOT / name)
    return Path(next(WheelBuilder(str(scratch)).build(directory=str(folder), versions=["standard"])))


def printed_hook() -> dict[str, Any]:
    """Read the hook that `docs/ci.md` prints."""
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    block = re.search(r"^## pre-commit\n\n```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    if block is None:
        raise ValueError("docs/ci.md prints no hook")
    hook: dict[str, Any] = yaml.safe_load(block[1])["repos"][0]["hooks"][0]
    return hook


_README: Final = """\
# pqlkit-validate

`pqlkit validate` and `pqlkit schema` of pqlkit, for hooks and CI. Every other command needs `pip install pqlkit`, in an environment of
its own: both hold the package `pqlkit`.
"""


def _project() -> str:
    """Write the project file of the light distribution: that of pqlkit, under another name and with fewer dependencies."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    kept = [line for line in project["dependencies"] if re.split(r"[^\w.-]", line)[0] in NEEDED]
    if len(kept) != len(NEEDED):
        raise ValueError(f"pyproject.toml does not have all of {', '.join(NEEDED)}")
    lines = [
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "[project]",
        f"name = {LIGHT!r}",
        f"version = {project['version']!r}",
        'description = "Check definitions of product-qualified leads: pqlkit validate, for hooks and CI."',
        'readme = "README.md"',
        f"requires-python = {project['requires-python']!r}",
        f"license = {project['license']!r}",
        f"dependencies = {kept!r}",
        "[project.scripts]",
        *(f"{name} = {target!r}" for name, target in project["scripts"].items()),
        "[tool.hatch.build.targets.wheel]",
        'packages = ["pqlkit"]',
        "[tool.hatch.build.targets.wheel.force-include]",
        '"configs" = "pqlkit/configs"',
    ]
    return "\n".join(lines) + "\n"
