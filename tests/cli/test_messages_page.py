"""Every error and warning of the source on one page, which people read before it is committed.

`PQLKIT_GOLDEN=write pytest tests/cli/test_messages_page.py` writes the page anew. The source is read, not run: no message can be
missed because no test comes to it.
"""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pqlkit
from pqlkit import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = Path(__file__).parent / "messages.txt"
SOURCE: Final = Path(pqlkit.__file__).parent
ERRORS: Final = {
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.PqlkitError)
}
SAID: Final = {"warn": "warning", "failed": "failed", "fail": "error"}
"""Methods that say something."""
FACTS: Final = re.compile(r"^(there (is|are)|known are|one of|it has|they have|see )")


@dataclass(frozen=True, order=True)
class Message:
    """What the source says in one place; what stands in braces is put in when it runs."""

    file: str
    line: int
    kind: str
    raises: str
    text: str
    fix: str | None


def spelled(node: ast.expr, names: dict[str, list[ast.expr]]) -> str:
    """Write a text of the source; a name stands for all texts that its function gives it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(spelled(part, names) for part in parts)
        case ast.FormattedValue(value=value):
            return f"{{{ast.unparse(value)}}}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return spelled(left, names) + spelled(right, names)
        case ast.IfExp(body=body, orelse=orelse):
            return " | ".join(spelled(each, names) for each in (body, orelse))
        case ast.Name(id=name) if name in names:
            return " | ".join(dict.fromkeys(spelled(each, {}) for each in names[name]))
        case _:
            return f"{{{ast.unparse(node)}}}"


def assigned(function: ast.AST) -> dict[str, list[ast.expr]]:
    names: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names.setdefault(node.targets[0].id, []).append(node.value)
    return names


@cache
def messages() -> tuple[Message, ...]:
    return tuple(read())


def read() -> Iterator[Message]:
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {
            id(node): function
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            kind = "error" if called in ERRORS else SAID.get(called)
            if kind is None or id(node) not in inside:
                continue
            names = assigned(inside[id(node)])
            said = {word.arg: spelled(word.value, names) for word in node.keywords}
            where = (
                f"{said['where'].replace('{', '').replace('}', '')}: "
                if said.get("where", "--").startswith("--") and "where" in said
                else ""
            )
            file = path.relative_to(SOURCE).as_posix()
            yield Message(file, node.lineno, kind, called, where + spelled(node.args[0], names), said.get("hint"))


def page() -> str:
    lines: list[str] = []
    before = ""
    for message in sorted(messages()):
        if message.file != before:
            lines += ["", message.file]
            before = message.file
        lines.append(f"  {message.kind}: {message.text}")
        lines += [f"    Fix: {message.fix}"] if message.fix else []
    return "\n".join(lines[1:]) + "\n"


def test_every_message_is_on_the_page() -> None:
    text = page()
    if os.environ.get("PQLKIT_GOLDEN") == "write":
        PAGE.write_text(text, encoding="utf-8")
    assert text == PAGE.read_text(encoding="utf-8")


def test_a_message_is_no_sentence_with_a_full_stop_and_a_fix_is_something_to_do() -> None:
    for message in messages():
        assert message.raises == "fail" or re.search(r"[^.]\.$", message.text) is None, message
        assert not FACTS.match(message.fix or ""), message


def test_whoever_asks_for_what_cannot_be_is_told_what_to_write() -> None:
    lacking = [
        f"{message.file}: {message.text}"
        for message in messages()
        if message.raises == "UsageError" and not message.fix
    ]
    assert lacking == []
