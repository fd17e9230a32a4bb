"""The notation: with which signs a column writes numbers in text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_BLANKS: Final = r" \t\x{00A0}\x{202F}\x{2009}"
# Blanks (also the narrow ones of spreadsheets) and apostrophes are never decimal signs: they may part thousands anywhere.
_BETWEEN: Final = _BLANKS + r"'\x{2019}"
_CURRENCY: Final = r"(?:\p{Sc}|[A-Z]{1,3}\p{Sc}|[A-Z]{3}|kr\.?|zł|Kč|Ft|Fr\.?|lei|руб\.?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """The signs of written numbers: one before the decimals, and one between thousands or None.

    Examples
    --------
    >>> Notation.stated(decimal=",", thousands=None)
    Notation(decimal=',', thousands='.')
    """

    decimal: str = "."
    thousands: str | None = None

    @classmethod
    def stated(cls, *, decimal: str | None, thousands: str | None) -> Notation | None:
        """Make a notation of what a project file states, or None of nothing; the other sign follows from the stated one."""
        if decimal is None and thousands is None:
            return None
        other = {",": ".", ".": ","}
        return cls(
            decimal=decimal or other.get(thousands or "", "."), thousands=thousands or other.get(decimal or "", ",")
        )

    @property
    def between(self) -> str:
        """The signs that may stand between thousands, as in a class of a regular expression."""
        return _BETWEEN if self.thousands is None else _BETWEEN + "\\" + self.thousands

    @property
    def pattern(self) -> str:
        """The regular expression of one number; its groups are a sign and the digits with their signs."""
        grouped = rf"[0-9]{{1,3}}(?:[{self.between}][0-9]{{3}})+"
        digits = rf"(?:{grouped}|[0-9]+)(?:\{self.decimal}[0-9]*)?|\{self.decimal}[0-9]+"
        blank = rf"[{_BLANKS}]*"
        return (
            rf"^{blank}(?P<sign>[(+\-\x{{2212}}]?){blank}{_CURRENCY}?{blank}(?P<minus>[\-\x{{2212}}]?)"
            rf"(?P<digits>{digits})(?P<power>(?:[eE][+-]?[0-9]{{1,3}})?){blank}{_CURRENCY}?{blank}(?P<end>[)\-]?){blank}$"
        )


PLAIN: Final = Notation()
ENGLISH: Final = Notation(decimal=".", thousands=",")
CONTINENTAL: Final = Notation(decimal=",", thousands=".")
