"""`pqlkit validate` from start to finish: one file beside bare imports, a thousand files beside reading them with PyYAML.

    python tests/benchmarks/bench_validate.py

Ratios, not seconds, carry over to other machines.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES = 1_000
REPEAT = 7
DEFINITION = """\
pqlkit: 1
name: crm-trial-{number}
version: 3
title: Trial users who brought their contacts and built a pipeline
owner: growth@example.com
entity: user
within: 14d
eligible:
  - {{trait: signup_plan, in: [free, trial]}}
  - {{trait: email, not_matching: "@example\\\\.com$"}}
qualify:
  all:
    - id: contacts
      event: contacts_imported
      measure: {{sum: contacts}}
      at_least: 50
    - id: pipeline
      event: pipeline_created
    - {{id: login_days, event: login, measure: days, at_least: 5}}
outcome:
  within: 30d
  where: {{amount: {{at_least: 2}}}}
lead: {{fresh_for: 30d, cooldown: 90d}}
"""
VALIDATE = "from pqlkit.cli import main; main()"
PLAIN = "import sys; from pqlkit.cli.plain_check import plain_check; sys.exit(plain_check(sys.argv[1:]))"
TYPER = "import typer, sys\nfrom pathlib import Path\nsys.argv[1:] = sys.argv[2:]\ndef check(files: list[Path]) -> None: pass\ntyper.run(check)"
IMPORTS = "import pydantic, yaml, typer"
MODELS = "import yaml, typer\nfrom pydantic import BaseModel\nclass Form(BaseModel):\n    name: str"
PURE = "import sys, yaml, pathlib\nfor p in sorted(pathlib.Path(sys.argv[1]).iterdir()): yaml.safe_load(p.read_bytes())"
LIBYAML = PURE.replace("yaml.safe_load(p.read_bytes())", "yaml.load(p.read_bytes(), yaml.CSafeLoader)")


def seconds(code: str, *arguments: str) -> float:
    """Time a fresh interpreter: the best of several runs."""
    best = float("inf")
    for _ in range(REPEAT):
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        best = min(best, time.perf_counter() - begin)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
    return best


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FILES):
            Path(folder, f"definition_{number}.yml").write_text(DEFINITION.format(number=number))
        one = str(Path(folder, "definition_0.yml"))
        imports = seconds(IMPORTS)
        pure = seconds(PURE, folder)
        rows = [
            ("one file: import pydantic, yaml, typer (bare)", imports, imports),
            ("one file: the same, and one pydantic model", seconds(MODELS), imports),
            ("one file: a typer command that does nothing", seconds(TYPER, "validate", one), imports),
            ("one file: the check without a command line", seconds(PLAIN, "validate", one), imports),
            ("one file: pqlkit validate", seconds(VALIDATE, "validate", one), imports),
            (f"{FILES:,} files: PyYAML alone, pure Python", pure, pure),
            (f"{FILES:,} files: PyYAML alone, libyaml", seconds(LIBYAML, folder), pure),
            (f"{FILES:,} files: pqlkit validate", seconds(VALIDATE, "validate", folder), pure),
        ]
    print("| what | seconds | ratio |\n|---|---|---|")
    for what, took, base in rows:
        print(f"| {what} | {took:.2f} | {took / base:.2f} |")


if __name__ == "__main__":
    main()
