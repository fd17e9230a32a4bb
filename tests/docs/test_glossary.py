"""Words that the glossary replaced stand nowhere: not in code, options, keys, screens or docs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN = {
    "tests/docs/test_glossary.py",
    "tests/reporting/test_words_of_screens.py",
    "tests/architecture/test_layers.py",
    "pqlkit/definitions/old_words.py",
    "tests/definitions/test_old_words.py",
    "tests/definitions/test_evidence.py",
}
"""Files that must know the old words: this one, and those by which an old spelling is told its new one."""

LOOK_AS_A_NOUN = (
    r"\b(of|the|these|those|all|every|each|per|many|few|more|other|later|earlier|same|active|dormant|\d[\d,]*) looks?\b"
    r"(?! (like|for|at (events|data|pages)|back))|\ba look at (the|a|an) (account|user|entity|cutoff)\b|--looks\b"
    r"|(?<!it)(?<!that)_looks?\b|\blooks?_(?!like|up|ahead)[a-z]|\bLooks?(?=[A-Z])|\bLOOKS?\b|\bLOOKS?_|\blooks:"
)
FORBIDDEN = {
    "look": LOOK_AS_A_NOUN,
    "horizon": r"(?<![A-Za-z])horizons?(?![A-Za-z])",
    "trigger rate": r"trigger[ _-](rate|view)|view: trigger|\"trigger\"",
    "look rate": r"look[ _-]rate",
    "coverage": r"(?<![A-Za-z])(?<!interval )(?<!interval's )coverage(?![A-Za-z])(?! of (the|an|its) (interval|promise))",
    "opener": r"(?<![A-Za-z_])openers?(?![A-Za-z])",
    "effect-decayed": r"effect[-_]decayed",
    "base-rate-shift": r"base[-_]rate[-_]shift",
    "volume-drift": r"volume[-_]drift",
    "part-of-upgrade": r"part[-_]of[-_]upgrade",
    "NOT INDEPENDENT": r"NOT INDEPENDENT",
    "unmeasured trait": r"unmeasured trait",
    "beyond activity": r"beyond activity",
}
STATISTICIANS = re.compile(r"^(tests/statistics/test_coverage|tests/simulation/|pqlkit/statistics/|tests/statistics/)")
"""Where coverage is that of an interval."""


def flags(word: str) -> re.RegexFlag:
    """Case tells a name from a sentence in two of the patterns."""
    return re.NOFLAG if word in {"NOT INDEPENDENT", "look"} else re.IGNORECASE


def texts() -> dict[str, str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [
        name for name in listed.split("\0") if name and name not in OWN and not name.endswith((".lock", ".parquet"))
    ]
    found = {}
    for name in names:
        try:
            found[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return found


def test_words_that_were_replaced_stand_nowhere() -> None:
    wrong = []
    for name, text in texts().items():
        for word, pattern in FORBIDDEN.items():
            if word == "coverage" and STATISTICIANS.match(name):
                continue
            for match in re.finditer(pattern, text, flags(word)):
                line = text.count("\n", 0, match.start()) + 1
                wrong.append(f"{name}:{line}: {word}: {text[max(0, match.start() - 30) : match.end() + 30]!r}")
    assert not wrong, "\n".join(wrong)


def test_each_forbidden_word_would_be_found() -> None:
    """The patterns are not blind: each finds the old word in a sentence, and leaves ordinary English alone."""
    sentences = {
        "look": ["of 16,179 looks", "each look", "--looks auto", "LookOptions", "look_with"],
        "horizon": ["--horizon 30d", "the horizon", "HORIZON"],
        "trigger rate": ["the trigger rate", "view: trigger"],
        "look rate": ["the look rate"],
        "coverage": ["coverage: 0.2", "coverage 51.5%"],
        "opener": ["an opener"],
        "effect-decayed": ["effect-decayed"],
        "base-rate-shift": ["BASE_RATE_SHIFT"],
        "volume-drift": ["volume-drift"],
        "part-of-upgrade": ["part-of-upgrade"],
        "NOT INDEPENDENT": ["NOT INDEPENDENT"],
        "unmeasured trait": ["an unmeasured trait"],
        "beyond activity": ["beyond activity"],
    }
    assert set(sentences) == set(FORBIDDEN)
    for word, examples in sentences.items():
        for example in examples:
            assert re.search(FORBIDDEN[word], example, flags(word)), (word, example)
    for plain in (
        "it looks like a leak",
        "looks at the report",
        "look up the trait",
        "horizontal",
        "the interval coverage",
    ):
        assert not any(re.search(pattern, plain, flags(word)) for word, pattern in FORBIDDEN.items()), plain
