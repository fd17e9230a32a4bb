"""The list of commands, in the order of the work."""

from __future__ import annotations

from pqlkit.cli.analyze import analyze
from pqlkit.cli.app import app, main, run
from pqlkit.cli.demo import demo
from pqlkit.cli.explain import explain
from pqlkit.cli.init import init
from pqlkit.cli.load import load
from pqlkit.cli.propose import propose
from pqlkit.cli.report import report
from pqlkit.cli.schema import schema
from pqlkit.cli.score import score
from pqlkit.cli.trying import attempt
from pqlkit.cli.validate import validate_command

__all__ = ["app", "main", "run"]

for command in (demo, init, load, analyze):
    app.command()(command)
app.command("try")(attempt)
app.command()(propose)
app.command("validate")(validate_command)
app.command()(score)
app.command()(report)
app.command()(explain)
app.command()(schema)
