"""Patterns of personal data, with check digits where there are some, and masks that show no value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

_RUNS = re.compile(r"[^\W\d_]+|\d+")
_DATE = re.compile(r"(?:19|20)\d\d[-./ ]\d\d?(?!\d)|\d\d?[-./ ]\d\d?[-./ ](?:19|20)\d\d(?!\d)")


def mask(value: str, most: int = 40) -> str:
    """The shape of a value: x for letters and 9 for digits, runs cut to three, at most `most` characters."""
    shape = _RUNS.sub(lambda run: ("9" if run[0].isdigit() else "x") * min(3, len(run[0])), value[:400])
    return shape if len(shape) <= most else shape[: most - 3] + "..."


def personal_data(text: str) -> Iterator[tuple[str, str]]:
    """Kind and value of what patterns find, each character in one finding at most; kinds in the order below."""
    for kind, (pattern, value_of) in _KINDS.items():
        spans = [(match.start(), found) for match in pattern.finditer(text) if (found := value_of(match[0]))]
        for start, found in reversed(spans):
            yield kind, found
            text = text[:start] + "\n" * len(found) + text[start + len(found) :]


def _as_is(value: str) -> str:
    return value


def _address(value: str) -> str:
    try:
        return value if ipaddress.ip_address(value.strip(".")) and not value.startswith("::") else ""
    except ValueError:
        return ""


def _iban(value: str) -> str:
    """The longest beginning, cut between its groups, that has the check digits of ISO 13616 (97-10)."""
    while len(bare := value.replace(" ", "")) >= 15:
        if int("".join(str(int(character, 36)) for character in bare[4:] + bare[:4])) % 97 == 1:
            return value
        value = value[:-1].rpartition(" ")[0] if " " in value else value[:-1]
    return ""


def _card(value: str) -> str:
    """A number with the check digit of ISO 7812 (Luhn's)."""
    digits = [int(character) for character in value if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return value if digits[0] in range(2, 7) and len({*digits}) > 1 and sum(doubled) % 10 == 0 else ""


def _phone(value: str) -> str:
    digits = sum(character.isdigit() for character in value)
    least, most = (7, 15) if value.startswith("+") else (9, 11)
    return value if least <= digits <= most and not _DATE.match(value) else ""


_KINDS: dict[str, tuple[re.Pattern[str], Callable[[str], str]]] = {
    "access key": (
        re.compile(
            r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|sk-[\w-]{20,}|xox[abp]-[\w-]{10,})|-BEGIN [A-Z ]*PRIVATE KEY"
        ),
        _as_is,
    ),
    "URL with user": (
        re.compile(
            r"\b[a-z][a-z0-9+.-]{1,15}://(?:[^\s/@]+@[^\s]+|[^\s?]*\?[^\s]*\b(?:user|username|login|e?mail|token)=[^\s]+)",
            re.IGNORECASE,
        ),
        _as_is,
    ),
    "user in a path": (re.compile(r"(?:/home/|/Users/|\b[A-Z]:\\Users\\)[^/\\\s]+"), _as_is),
    "e-mail": (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,}"), _as_is),
    "IBAN": (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _iban),
    "card number": (re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-])"), _card),
    "IP address": (
        re.compile(
            r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:]))",
            re.IGNORECASE,
        ),
        _address,
    ),
    "social security number": (re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])"), _as_is),
    "phone": (
        re.compile(
            r"(?<![\w.,-])(?:\+\d[\d ().-]{5,18}\d|(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){1,4})"
            r"(?!\w|[-.,]\d)"
        ),
        _phone,
    ),
}
KINDS = tuple(_KINDS)
