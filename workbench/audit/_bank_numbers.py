"""Numbers of bank accounts (IBAN) and of cards, by length and check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
        "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
        "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
        "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
        "YE30",
    )
}
"""Characters of an IBAN by country, from the registry of ISO 13616."""
_START = re.compile(r"(?:(?<=iban)|(?<![0-9a-z]))(?=[a-z]{2}[ .-]?\d[ .-]?\d)", re.IGNORECASE)
_NEXT = re.compile(r"[ ./-]{0,2}([0-9A-Za-z])")
_CARD = re.compile(
    r"(?<![0-9A-Za-z_+])(?<!\d[ ./,-])(?:\d{4}(?P<by>[ .-]?)\d{4}(?P=by)\d{4}(?P=by)\d{1,4}(?:(?P=by)\d{3})?"
    r"|\d{4}(?P<and>[ .-])\d{6}(?P=and)\d{4,5}|\d{13,19})(?![0-9A-Za-z_]|[ .,/-]\d)"
)
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|09|[689]\d)\d{11,16}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d|8[01]\d\d)\d{12,15}"  # Discover, UnionPay
    r"|(?:50|5[6-8]|6\d)\d{11,17}"  # Maestro and national schemes
)


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """Spans of IBANs in plain text: of their country's length, with valid check digits (ISO 7064, 97-10).

    Groups may be parted by up to two blanks, hyphens, dots or slashes; the country may be in lower case.
    """
    last = 0
    for match in _START.finditer(text):
        length = _LENGTHS.get(text[match.start() : match.start() + 2].upper())
        if length and match.start() >= last and (end := _end(text, match.start(), length)):
            bare = re.sub(r"[^0-9A-Za-z]", "", text[match.start() : end])
            if int("".join(str(int(character, 36)) for character in bare[4:] + bare[:4])) % 97 == 1:
                yield match.start(), end
                last = end


def cards(text: str) -> Iterator[tuple[int, int]]:
    """Spans of card numbers in plain text: an issuer's prefix and length, and the check digit of ISO 7812 (Luhn's)."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _ISSUERS.fullmatch(digits) and len({*digits}) > 1 and _luhn(digits):
            yield match.span()


def _end(text: str, start: int, length: int) -> int:
    """Where the first `length` letters and digits from `start` end; 0 where they break off or go on."""
    place = start
    for _ in range(length):
        found = _NEXT.match(text, place)
        if found is None:
            return 0
        place = found.end()
    return 0 if text[place : place + 1].isalnum() and text[place].isascii() else place


def _luhn(digits: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) if place % 2 else int(digit) for place, digit in enumerate(digits[::-1])]
    return sum(doubled) % 10 == 0
