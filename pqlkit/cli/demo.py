"""`pqlkit demo`: a sample product's exports, and every step run on them."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.commands import DemoOptions

if TYPE_CHECKING:
    from pqlkit.demo.product import Product

FOLDER: Final = Path("pqlkit-demo")
MARKER: Final = ".pqlkit-demo"
"""The file that tells a folder that the demo made, and may replace."""

HYPOTHESIS: Final = "teammate_invited >= 4 trailing 28d"
STEPS: Final = (
    ("Read and check the exports", "load --out dataset"),
    ("Which behaviours go with converting?", "analyze --data dataset"),
    ("Find a rule on earlier accounts, and hold it to later ones", "propose --data dataset --name first"),
    ("Check the definition as CI would", "validate definitions"),
    ("Tonight's leads", "score -d definitions/first.yml --data dataset --out leads.csv"),
    ("Did leads become customers, quarter by quarter?", "report -d definitions/first.yml --data dataset"),
)


@takes_options("demo")
def demo(
    given: Given,
    folder: Annotated[Path, typer.Argument(help="Where the exports go.", metavar="DIR")] = FOLDER,
) -> None:
    """Make a sample product's exports and run every step on them, showing each command and its result.

    The product is made up and the same for the same seed; its truth is known and told at the end.

    **Examples**

    `pqlkit demo`

    `pqlkit demo /tmp/sample --accounts 20000 --seed 7`
    """
    from pqlkit.cli.output import Output
    from pqlkit.cli.targets import Target
    from pqlkit.demo.exporting import write_exports
    from pqlkit.demo.product import make_product
    from pqlkit.errors import UsageError
    from pqlkit.options.option import Role

    inputs = given.inputs()
    inputs.check([Target(named="DIR", path=folder, role=Role.FILLS)])
    output, options = Output(), inputs.settle(DemoOptions)
    accounts, seed = options.accounts, options.seed
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise UsageError(f"{folder} is not empty and was not made by `pqlkit demo`", hint="name another folder")
    with output.working("making a product"):
        product = make_product(accounts=accounts, seed=seed)
        clear(folder)
        write_exports(product, folder)
    head = f"A made-up product with {accounts:,} accounts (seed {seed}): its exports and pqlkit.yml are in {folder}/"
    sys.stdout.write(f"{head}\n\n$ cd {folder}\n")
    code = steps(folder)
    if code:
        raise typer.Exit(code)
    sys.stdout.write(closing(product, folder))


def clear(folder: Path) -> None:
    """Remove what an earlier demo wrote, so that the steps begin from nothing.

    The marker comes first and stays: a demo that was killed at any moment can be run again.
    """
    import shutil

    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("made by pqlkit demo; may be replaced by it\n")
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left.name != MARKER:
            left.unlink()


def steps(folder: Path) -> int:
    """Run each step as a person would, in the folder; the first exit code that is not 0 ends it."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        for number, (what, command) in enumerate(STEPS, 1):
            sys.stdout.write(f"\n{number}. {what}\n")
            code = step(command)
            if code == 0 and command.startswith("propose") and not Path("definitions/first.yml").exists():
                sys.stdout.write("\nNo search found a rule, so a written hypothesis stands in for it\n")
                code = step(f"try {shlex.quote(HYPOTHESIS)} --data dataset --save definitions/first.yml")
            if code != 0:
                sys.stderr.write(f"`pqlkit {command}` ended with {code}\n")
                return code
            if command.startswith("score"):
                preview(Path("leads.csv"))
    finally:
        os.chdir(before)
    return 0


def step(command: str) -> int:
    """Show a command line and run it; give its exit code."""
    from pqlkit.cli.app import run

    sys.stdout.write(f"$ pqlkit {command}\n")
    sys.stdout.flush()
    return run(shlex.split(command))


def preview(path: Path) -> None:
    """Show the first leads of a file with their reasons."""
    import csv
    import textwrap

    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = [row for _, row in zip(range(4), csv.DictReader(lines), strict=False)]
    for row in rows:
        key = row.get("account_id") or row.get("user_id")
        text = f"{key}  {row['status']}  score {row['score']}  {row['evidence'] or row['missing']}"
        sys.stdout.write(textwrap.fill(text, 79, initial_indent="  ", subsequent_indent="    ") + "\n")


def closing(product: Product, folder: Path) -> str:
    """Say what was planted, and what to try next."""
    import textwrap

    from pqlkit.definitions.describing import describe

    rule = describe(product.truth.rule) if product.truth.rule is not None else "nothing"
    return (
        f"\n{textwrap.fill(f'The truth that was planted: {rule}', 79)}\n"
        f"\nNext, in {folder}/:\n"
        '  pqlkit try "teammate_invited >= 4 trailing 28d" --data dataset\n'
        "  pqlkit explain --converters --data dataset\n"
        "  pqlkit report -d definitions/first.yml --data dataset --html report.html\n"
        "Then your own exports: pqlkit init EVENTS --users USERS --conversions CONVERSIONS\n"
    )
