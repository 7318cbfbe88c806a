"""Patterns of personal data, by check digits, numbering plans and words around them where there are some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from workbench.audit._bank_numbers import cards, ibans
from workbench.audit._dates import dates, is_birth
from workbench.audit._internet import emails, hardware_addresses, ip_addresses
from workbench.audit._telephone import is_telephone, telephones
from workbench.audit._typography import mask, plain_text

__all__ = ["BIRTH", "DATE", "KINDS", "canonical", "is_birth", "is_telephone", "mask", "personal_data"]

BIRTH, DATE = "date of birth", "date"
_Finder = Callable[[str, str], Iterator[tuple[int, int]]]

_KEY = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|sk-[\w-]{20,}|xox[abp]-[\w-]{10,})|-BEGIN [A-Z ]*PRIVATE KEY"
)
_URL = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,15}://(?:[^\s/@]+@[^\s]+|[^\s?]*\?[^\s]*\b(?:user|username|login|e?mail|token)=[^\s]+)",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:/home/|/Users/|\b[A-Z]:\\Users\\)[^/\\\s]+")
_SSN = re.compile(
    r"(?<![0-9A-Za-z_+])(?<!\d[ .,/-])(?!000|666|9)\d{3}(?P<by>[- ])(?!00)\d\d(?P=by)(?!0000)\d{4}"
    r"(?![0-9A-Za-z_]|[-/ .,]\d)"
)
_SSN_NAMED = re.compile(
    r"(?:\bssn|social security)[^\d\n]{0,20}(?P<number>(?!000|666|9)\d{3}(?!00)\d\d(?!0000)\d{4})(?!\d)", re.IGNORECASE
)
_DIGIT = re.compile(r"\d")


def personal_data(text: str, column: str = "") -> Iterator[tuple[str, str]]:
    """Kind and value, as it is written, of what patterns find in a value of the column `column`.

    Each character is in one finding at most, by the order of `KINDS`. Typography does not matter: blanks, hyphens and
    apostrophes of any kind, full-width forms and digits of any script are taken as their ASCII forms. A date is of the
    kind `date of birth` near words of birth, and of the kind `date` otherwise.
    """
    plain, places = plain_text(text)
    digits = len(_DIGIT.findall(plain))
    for kind, (least, find) in _FINDERS.items():
        if digits < least:
            continue
        for start, end in [*find(plain, column)]:
            if "\n" in plain[start:end]:  # an earlier finding of the same kind lies in it
                continue
            first, last = (start, end) if places is None else (places[start], places[end - 1] + 1)
            yield kind, text[first:last]
            plain = plain[:start] + "\n" * (end - start) + plain[end:]


def canonical(kind: str, value: str) -> str:
    """One form for all the ways in which a value may be written; by it distinct values are counted."""
    plain = plain_text(value)[0].casefold()
    return re.sub(r"[^0-9a-z+]", "", plain) if kind in _NUMBERS else plain


def _all(pattern: re.Pattern[str]) -> _Finder:
    return lambda text, column: (match.span() for match in pattern.finditer(text))


def _only(find: Callable[[str], Iterator[tuple[int, int]]]) -> _Finder:
    return lambda text, column: find(text)


def _social_security(text: str, column: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _SSN.finditer(text))
    yield from (match.span("number") for match in _SSN_NAMED.finditer(text))


def _births(text: str, column: str) -> Iterator[tuple[int, int]]:
    yield from dates(text, birth=True)
    if is_birth(column):
        yield from dates(text, birth=False)


_FINDERS: dict[str, tuple[int, _Finder]] = {
    "access key": (0, _all(_KEY)),
    "URL with user": (0, lambda text, column: _all(_URL)(text, column) if "://" in text else iter(())),
    "user in a path": (0, _all(_PATH)),
    "e-mail": (0, _only(emails)),
    "IBAN": (10, _only(ibans)),
    "card number": (13, _only(cards)),
    "MAC address": (0, _only(hardware_addresses)),
    "IP address": (2, _only(ip_addresses)),
    "social security number": (9, _social_security),
    BIRTH: (4, _births),
    DATE: (5, lambda text, column: dates(text, birth=False)),
    "phone": (6, telephones),
}
"""Finders in the order in which characters are given to kinds, and the fewest digits that a text with one has."""
_NUMBERS = {"IBAN", "card number", "MAC address", "social security number", "phone"}
KINDS = tuple(_FINDERS)
