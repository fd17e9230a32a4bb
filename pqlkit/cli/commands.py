"""The list of commands, in the order of the work."""

from __future__ import annotations

from pqlkit.cli.app import app, main, run

__all__ = ["app", "main", "run"]
