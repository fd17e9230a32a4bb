"""Damage: what disks, transfers and hands do to files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import random
    from pathlib import Path

SENSELESS: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    "",
    "x",
    "../../etc/passwd",
    "\0",
    "ü",
    [],
    {},
    [None],
    {"a": []},
    ["x"] * 3,
)


def bytes_of(content: bytes, dice: random.Random) -> bytes:
    """Damage a file's content in one of the ways in which files are damaged."""
    data = bytearray(content)
    match dice.randrange(6):
        case 0:
            del data[dice.randrange(len(data) + 1) :]
        case 1:
            for _ in range(dice.choice([1, 3, 30])):
                if data:
                    data[dice.randrange(len(data))] = dice.randrange(256)
        case 2:
            start = dice.randrange(len(data) + 1)
            data[start : start + 512] = bytes(len(data[start : start + 512]))
        case 3:
            start = dice.randrange(len(data) + 1)
            del data[start : start + dice.choice([1, 64])]
        case 4:
            start = dice.randrange(len(data) + 1)
            data[start:start] = dice.randbytes(dice.choice([1, 64]))
        case _:
            # The end of the file: where Parquet and ZIP keep what is where.
            for _ in range(8):
                if data:
                    data[-1 - dice.randrange(min(len(data), 400))] = dice.randrange(256)
    return bytes(data)


def json_of(content: bytes, dice: random.Random) -> bytes:
    """Put a senseless value somewhere into a JSON file, or take something out of it."""
    tree: Any = json.loads(content)
    here, path = tree, []
    while isinstance(here, dict | list) and here:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        path.append((here, dice.choice(keys)))
        here = here[path[-1][1]]
        if dice.random() < 0.25:
            break
    parent, key = path[-1]
    if dice.random() < 0.2:
        del parent[key]
    else:
        parent[key] = dice.choice(SENSELESS)
    return json.dumps(tree).encode()


def file(path: Path, dice: random.Random) -> str:
    """Damage a file on disk; say how."""
    match dice.randrange(12):
        case 0:
            path.unlink()
            return "gone"
        case 1:
            path.write_bytes(b"")
            return "empty"
        case 2:
            path.unlink()
            path.mkdir()
            return "a folder"
        case _:
            damage = json_of if path.suffix == ".json" and dice.random() < 0.8 else bytes_of
            path.write_bytes(damage(path.read_bytes(), dice))
            return "damaged"
