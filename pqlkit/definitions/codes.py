"""Rule codes: what a fault in the form of a file is called, each spelled once.

Form faults (PQL1xx) are found in `yaml_source` and `reading`. Faults of meaning (PQL2xx) and against data (PQL3xx) are
rules with a file each in `rules`; the one of them that reading must report itself, a ref that leads nowhere, stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pqlkit.definitions.diagnostics import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of fault; `name` reads as "allow <name>"."""

    code: str
    name: str
    severity: Severity = Severity.ERROR


UNKNOWN_KEY: Final = Code("PQL101", "unknown-key")
INVALID_YAML: Final = Code("PQL102", "invalid-yaml")
WRONG_TYPE: Final = Code("PQL103", "wrong-type")
INVALID_DURATION: Final = Code("PQL104", "invalid-duration")
MISSING_KEY: Final = Code("PQL105", "missing-key")
DUPLICATE_KEY: Final = Code("PQL106", "duplicate-key")
DUPLICATE_ID: Final = Code("PQL107", "duplicate-id")
MISSING_WINDOW: Final = Code("PQL108", "missing-window")
UNSUPPORTED_FORMAT: Final = Code("PQL109", "unsupported-format")
YAML_SURPRISE: Final = Code("PQL110", "yaml-surprise")
FILE_TOO_LARGE: Final = Code("PQL111", "file-too-large")
NESTED_TOO_DEEP: Final = Code("PQL112", "nested-too-deep")
INVALID_RATE: Final = Code("PQL113", "invalid-rate")
INVALID_VALUE: Final = Code("PQL114", "invalid-value")
INVALID_REGEX: Final = Code("PQL115", "invalid-regex")
ALIAS_OR_TAG: Final = Code("PQL116", "alias-or-tag")
UNKNOWN_REF: Final = Code("PQL207", "unknown-ref")  # unknown or circular

FORM: Final[dict[str, Code]] = {
    code.code: code
    for code in (
        UNKNOWN_KEY,
        INVALID_YAML,
        WRONG_TYPE,
        INVALID_DURATION,
        MISSING_KEY,
        DUPLICATE_KEY,
        DUPLICATE_ID,
        MISSING_WINDOW,
        UNSUPPORTED_FORMAT,
        YAML_SURPRISE,
        FILE_TOO_LARGE,
        NESTED_TOO_DEEP,
        INVALID_RATE,
        INVALID_VALUE,
        INVALID_REGEX,
        ALIAS_OR_TAG,
        UNKNOWN_REF,
    )
}
"""Every code that reading a file can raise."""
