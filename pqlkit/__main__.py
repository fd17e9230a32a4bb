"""`python -m pqlkit`: the same as the command."""

from pqlkit.cli import main

main()
