"""The command: one file per command."""
