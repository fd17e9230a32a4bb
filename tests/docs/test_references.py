"""The pages of the project file and of definitions say every key, with a type, a meaning and an example that the reader takes."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from pqlkit.definitions.documents import check_definition
from pqlkit.definitions.expression import read_expression
from pqlkit.definitions.schema import definition_schema, form_schema
from pqlkit.definitions.yaml_source import parse
from pqlkit.errors import UsageError
from pqlkit.exports.project import check_project
from pqlkit.exports.project_form import ProjectForm
from pqlkit.options.commands import RECORDS, command_options
from tests.documentation.definition_page import grammar
from tests.documentation.project_page import example_of
from tests.documentation.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"definition.md": definition_schema(), "project-file.md": form_schema(ProjectForm)}
SHARED = set(Reference(definition_schema()).titles)


def sections(page: str) -> dict[str, list[list[str]]]:
    """Give the rows of each table of keys, by heading."""
    text = (DOCS / page).read_text(encoding="utf-8")
    parts = re.split(r"^##+ ", text[text.index("## Keys") :], flags=re.M)
    return {
        part.partition("\n")[0]: [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| `")]
        for part in parts
    }


def forms(page: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the forms that a page describes, by heading."""
    schema: Mapping[str, Any] = PAGES[page]
    yield "Keys", schema
    for form in schema["$defs"].values():
        if page == "definition.md" or form["description"] not in SHARED:
            yield form["description"].replace("``", "").rstrip("."), form


@pytest.mark.parametrize("page", PAGES)
def test_every_key_has_its_row(page: str) -> None:
    written = sections(page)
    for heading, form in forms(page):
        rows = written[heading]
        assert [row[0].strip("`") for row in rows] == list(form["properties"]), heading
        for _, kind, default, says, example in rows:
            assert kind
            assert says, heading
            assert example.count(":"), heading
            assert "; default" not in says + default


@pytest.mark.parametrize("page", PAGES)
def test_every_example_fits_its_key(page: str) -> None:
    schema: Mapping[str, Any] = PAGES[page]
    reference = Reference(schema)
    for heading, form in forms(page):
        for key, said in form["properties"].items():
            example = json.loads(json.dumps(reference.example(said)))
            validator = jsonschema.Draft202012Validator({**said, "$defs": schema["$defs"]})
            assert [error.message for error in validator.iter_errors(example)] == [], (heading, key)


@pytest.mark.parametrize("command", RECORDS)
def test_every_option_of_a_command_has_an_example_that_is_read(command: str) -> None:
    for option in command_options(command).values():
        if option.in_project:
            text = f"pqlkit: 1\n{command}:\n  {option.name}: {example_of(option)}\n"
            assert check_project(parse(text, "pqlkit.yml"))[1] == [], text


def test_every_option_of_every_command_has_its_row() -> None:
    rows = sections("project-file.md")["Options of commands"]
    told = {(row[0].strip("`"), command) for row in rows for command in row[1].split(", ")}
    for command in RECORDS:
        for option in command_options(command).values():
            if option.in_project:
                assert (option.name, command) in told, (option.name, command)


BLOCKS = [
    pytest.param(block, id=f"{path.stem}-{number}")
    for path in sorted({*DOCS.glob("**/*.md")} - {DOCS / "rules.md"})  # which shows what is wrong, too
    for number, block in enumerate(re.findall(r"^```yaml\n(pqlkit: .*?)^```$", path.read_text("utf-8"), re.M | re.S))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_whole_file_in_the_docs_is_without_faults(block: str) -> None:
    is_definition = "qualify" in yaml.safe_load(block)
    check: Callable[[Any], tuple[object, list[Any]]] = check_definition if is_definition else check_project
    read, diagnostics = check(parse(block, "example.yml"))
    assert diagnostics == []
    assert read is not None


# ---------------------------------------------------------------- the grammar of `try`, held to its reader

WORDS = {
    "name": ["login", "count", '"a b"', "$x"],
    "number": ["3", "-0.5"],
    "duration": ["14d"],
}
TOKENS = re.findall(r"\S+", "and or not ( ) [ ] , . = >= <= in rolling trailing ever any sum days login a-b 3 14d true")


def rules() -> dict[str, list[str]]:
    """Give each rule of the grammar as its parts."""
    parts = (line.split("=", 1) for line in grammar().splitlines())
    return {name.strip(): re.findall(r'"[^"]+"|\w+|[\[\]{}()|]', right) for name, right in parts}


RULES = rules()
RESERVED = {"and", "or", "not", "in", "rolling", "trailing", "ever"}


class Grammar:
    """Reads the rules as they are written: says where a list of tokens may end, and makes lists that it takes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def ends(self, name: str, tokens: list[str], at: int) -> set[int]:
        """Say at which places what a rule describes may end, if it begins at one."""
        if name in RULES:
            return self._either(RULES[name], tokens, at, inside=name)
        return {at + 1} if at < len(tokens) and terminal(name, tokens[at]) else set()

    def _either(self, parts: list[str], tokens: list[str], at: int, inside: str) -> set[int]:
        found: set[int] = set()
        for alternative in split(parts):
            places = {at}
            for kind, part in pieces(alternative):
                places = {end for place in places for end in self._piece(kind, part, tokens, place, inside)}
            found |= places
        return found

    def _piece(self, kind: str, part: list[str], tokens: list[str], at: int, inside: str) -> set[int]:
        if kind == "one":
            word = part[0]
            if word.startswith('"'):
                fits = at < len(tokens) and tokens[at].lower() == word.strip('"') and not tokens[at].startswith('"')
                return {at + 1} if fits else set()
            if word == "name" and inside == "event" and at < len(tokens) and tokens[at].lower() in {*RESERVED, "any"}:
                return set()
            return self.ends(word, tokens, at)
        ends = self._either(part, tokens, at, inside)
        if kind == "(":
            return ends
        reached, waiting = {at}, {at} if kind == "{" else set()
        if kind == "[":
            return reached | ends
        while waiting:
            waiting = {end for place in waiting for end in self._either(part, tokens, place, inside)} - reached
            reached |= waiting
        return reached

    def made(self, name: str, depth: int = 0) -> list[str]:
        """Make tokens that a rule describes."""
        if name not in RULES:
            return [self.random.choice(WORDS[name])]
        return self._made(RULES[name], depth)

    def _made(self, parts: list[str], depth: int) -> list[str]:
        alternatives = split(parts)
        alternative = alternatives[-1] if depth > 9 else self.random.choice(alternatives)
        tokens: list[str] = []
        for kind, part in pieces(alternative):
            if kind == "one":
                tokens += [part[0].strip('"')] if part[0].startswith('"') else self.made(part[0], depth + 1)
            elif kind == "(" or (depth < 9 and self.random.random() < 0.3):
                tokens += self._made(part, depth + 1)
        return tokens


def terminal(name: str, token: str) -> bool:
    match name:
        case "number":
            return re.fullmatch(r"-?\d+(\.\d+)?", token) is not None
        case "duration":
            return re.fullmatch(r"\d+[mhdw]", token) is not None
        case _:
            return token.startswith('"') or re.fullmatch(r"[A-Za-z_$][\w$-]*", token) is not None


def split(parts: list[str]) -> list[list[str]]:
    """Part alternatives at the bars that stand outside of brackets."""
    found: list[list[str]] = [[]]
    depth = 0
    for part in parts:
        depth += (part in "([{") - (part in ")]}")
        if part == "|" and depth == 0:
            found.append([])
        else:
            found[-1].append(part)
    return found


def pieces(parts: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Give what follows one another: a word or a name as ``one``, else what stands in brackets by the bracket."""
    at = 0
    while at < len(parts):
        if parts[at] not in {"(", "[", "{"}:
            yield "one", [parts[at]]
            at += 1
            continue
        end, depth = at + 1, 1
        while depth:
            depth += (parts[end] in "([{") - (parts[end] in ")]}")
            end += 1
        yield parts[at], parts[at + 1 : end - 1]
        at = end


def is_read(tokens: list[str]) -> bool:
    try:
        read_expression(" ".join(tokens))
    except UsageError:
        return False
    return True


def test_the_grammar_describes_what_is_read_and_nothing_else() -> None:
    taken = 0
    for seed in range(150):
        made = Grammar(seed)
        tokens = made.made("formula")
        assert is_read(tokens), " ".join(tokens)
        for _ in range(4):
            changed = list(tokens)
            at = made.random.randrange(len(changed))
            changed[at : at + made.random.choice([0, 1])] = made.random.choice([[], [made.random.choice(TOKENS)]])
            described = len(changed) in made.ends("formula", changed, 0) if changed else False
            assert described == is_read(changed), " ".join(changed)
            taken += described
    assert 50 < taken < 550
