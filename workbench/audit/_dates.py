"""Dates in text: whole ones (day, month, year), and those of birth, which words near them tell apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

_MONTHS = (
    ("january", "jan", "januar", "jänner", "janvier", "enero", "gennaio"),
    ("february", "feb", "februar", "février", "febrero", "febbraio"),
    ("march", "mar", "märz", "mars", "marzo"),
    ("april", "apr", "avril", "abril", "aprile"),
    ("may", "mai", "mayo", "maggio"),
    ("june", "jun", "juni", "juin", "junio", "giugno"),
    ("july", "jul", "juli", "juillet", "julio", "luglio"),
    ("august", "aug", "août", "agosto"),
    ("september", "sep", "sept", "septembre", "septiembre", "settembre"),
    ("october", "oct", "oktober", "okt", "octobre", "octubre", "ottobre"),
    ("november", "nov", "novembre", "noviembre"),
    ("december", "dec", "dezember", "dez", "décembre", "diciembre", "dicembre"),
)
"""English, German, French, Spanish, Italian."""
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_NAME = "(?:" + "|".join(sorted(_MONTH_OF, key=len, reverse=True)) + ")"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"(?<![0-9a-z_/+])(?<!\d[.,-])(?:"
    rf"(?P<y1>{_YEAR})(?P<s1>[-/.])(?P<m1>\d\d?)(?P=s1)(?P<d1>\d\d?)"
    rf"|(?P<a>\d\d?)(?P<s2>[-/.]) ?(?P<b>\d\d?)(?P=s2) ?(?P<y2>{_YEAR}|\d\d)"
    rf"|(?P<d3>\d\d?)(?:st|nd|rd|th|er|\.)?[ -](?:of |de )?(?P<m3>{_NAME})\.?,?[ -](?:de )?(?P<y3>{_YEAR})"
    rf"|(?P<m4>{_NAME})\.? (?P<d4>\d\d?)(?:st|nd|rd|th)?,? (?P<y4>{_YEAR})"
    rf"|(?P<y5>{_YEAR}) ?[年년] ?(?P<m5>\d\d?) ?[月월] ?(?P<d5>\d\d?) ?[日일]"
    rf")(?![0-9a-su-z_]|t(?!\d)|[-/.]\d)",
    re.IGNORECASE,
)
_BIRTH = re.compile(
    r"(?<![a-z])born(?![a-z])|birth|(?<![a-z])d\.?o\.?b(?![a-z])|(?<![a-z])geb(?:\.|oren|urt)|(?<![a-z])née?(?![a-z])"
    r"|naissance|nacid[oa]|nacimiento|(?<![a-z])nat[oa] (?:il|a)|nascita|出生|生于|生年月日|誕生",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?]\s+(?=[A-Z])|\n")
_BEFORE, _AFTER = 60, 25


def is_birth(words: str) -> bool:
    """Whether words, such as a column's name, speak of a birth."""
    return bool(_BIRTH.search(words.replace("_", " ")))


def dates(text: str, birth: bool) -> Iterator[tuple[int, int]]:
    """Spans of the dates of birth in plain text, or of all other dates.

    A date of birth has a word of birth in its sentence, up to 60 characters before it or 25 after it. Years have four
    digits, from 1900 to 2099; those of dates of birth may have two.
    """
    for match in _DATE.finditer(text):
        if _is_day(match):
            before = _SENTENCE.split(text[max(0, match.start() - _BEFORE) : match.start()])[-1]
            after = _SENTENCE.split(text[match.end() : match.end() + _AFTER])[0]
            of_birth = is_birth(before) or is_birth(after)
            if of_birth == birth and (of_birth or len(match["y2"] or "0000") == 4):
                yield match.span()


def _is_day(match: re.Match[str]) -> bool:
    """Whether the numbers are a day of the calendar, in one order or the other."""
    if match["a"]:
        year = int(match["y2"])
        return _valid(year, match["a"], match["b"]) or _valid(year, match["b"], match["a"])
    if match["y1"]:
        return _valid(int(match["y1"]), match["m1"], match["d1"])
    if match["y5"]:
        return _valid(int(match["y5"]), match["m5"], match["d5"])
    name, day, year = (
        (match["m3"], match["d3"], match["y3"]) if match["m3"] else (match["m4"], match["d4"], match["y4"])
    )
    return _valid(int(year), str(_MONTH_OF[name.casefold()]), day)


def _valid(year: int, month: str, day: str) -> bool:
    try:
        date(year if year > 99 else 2000 + year, int(month), int(day))
    except ValueError:
        return False
    return True
