"""The rule PQL219: a link that leads out of the folder. Validation itself finds it."""

from __future__ import annotations

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.rules.lint_rule import Example, Rule

CODE = Code("PQL219", "outside-link", Severity.WARNING)

RULE = Rule(
    code=CODE,
    what="A symbolic link in a folder under check that leads out of that folder. It is not followed.",
    why="In CI a pull request could make the check read, and quote in its report, any file of the machine.",
    fix="Copy the file into the folder, or name the link's target on the command line.",
    bad=Example(text="# definitions/shared.yml -> ../../elsewhere/shared.yml\n", linked="../elsewhere/shared.yml"),
    good=Example(text="# definitions/shared.yml is a file\n"),
)
