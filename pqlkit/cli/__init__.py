"""The command: one file per command; parse, call one library function, render, return a code."""

from pqlkit.cli.app import main

__all__ = ["main"]
