"""The list of commands, in the order of the work."""

from __future__ import annotations

from pqlkit.cli.analyze import analyze
from pqlkit.cli.app import app, main, run
from pqlkit.cli.load import load
from pqlkit.cli.propose import propose

__all__ = ["app", "main", "run"]

app.command()(load)
app.command()(analyze)
app.command()(propose)
