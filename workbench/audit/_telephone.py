"""Telephone numbers in text, by their written form, by the numbering plans, and by the words around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_EXTENSION = r"(?:,? ?(?:ext(?:ension|n)?\b\.?|x|durchwahl|dw\.?) ?:? ?\d{1,6}(?!\d))?"
_START, _END = r"(?<![0-9a-z_+])(?<!\d[.,:/-])", r"(?![0-9a-z_]|[-.,/:]\d|@)"
_INTERNATIONAL = re.compile(
    rf"(?<![0-9a-z_+])(?:\+ ?|(?<!\d[ -])00 ?|011[ -])(?=[1-9(])[\d ()/.-]{{5,24}}\d{_EXTENSION}", re.I
)
_NORTH_AMERICAN = re.compile(
    rf"{_START}(?<!\d )(?:1[ .-])?(?:\([2-9]\d\d\) ?[.-]?|[2-9]\d\d(?: ?[-./] ?| ))[2-9]\d\d(?: ?[-.] ?| )\d{{4}}"
    rf"{_EXTENSION}{_END}(?! \d{{3}})",
    re.I,
)
_TRUNK = re.compile(
    rf"{_START}(?<!\d )(?P<area>\(0\d{{1,5}}\)|0\d{{1,5}})(?P<by> ?[/-] ?|[ .]|(?<=\)))"
    rf"\d{{1,8}}(?:(?: ?[/-] ?|[ .])\d{{1,8}}){{0,5}}{_EXTENSION}{_END}",
    re.I,
)
_BARE = re.compile(rf"{_START}(?:1?[2-9]\d{{9}}|0\d{{8,11}}){_EXTENSION}{_END}", re.I)
_NAMED = re.compile(rf"{_START}\(?\d[\d ()/.-]{{4,17}}\d{_EXTENSION}{_END}", re.I)
_GROUP = re.compile(r"[ ()/.-]+\d")
_MONTH_AND_YEAR = re.compile(r"(?:0[1-9]|1[0-2]) ?[/.-] ?(?:19|20)\d\d\b")
_HOURS = re.compile(r"[012]\d[.:][0-5]\d ?- ?[012]\d[.:][0-5]\d$")

_PHONE_WORD = (
    r"tel|tele(?:phone|fon|fono|phon|fax)\w*|phones?|mobile|mobil(?:e|nummer|telefon)?|handy\w*|cell(?:phone)?|fax|call"
    r"|calling|dial|ring|text me|sms|whats ?app|reach(?:ed|able)?|contact|hotline|voicemail|ruf\w*|anruf\w*|rückruf\w*"
    r"|(?:my|his|her|our|their|your) (?:new |old )?number|appelez|portable|móvil|celular|cellulare|teléfono|téléphone"
)
_OTHER_WORD = (
    r"orders?|invoices?|accounts?|acct|ref|reference|tickets?|tracking|serials?|cases?|isbn|issn|parts?|sku|items?|models?"
    r"|ids?|uid|guid|users?|timestamps?|epoch|unix|versions?|keys?|codes?|hash|contracts?|customers?|polic(?:y|ies)"
    r"|claims?|transactions?|receipts?|batch|jobs?|runs?|rows?|records?|docs?|documents?|sessions?|bestell\w*|rechnung\w*"
    r"|konto\w*|kunden\w*|auftrag\w*|artikel\w*|serien\w*|vertrag\w*|population|total|price|cost|amount|size|seed"
)
_CONTEXT = re.compile(
    rf"(?<![^\W\d_])(?:(?P<phone>{_PHONE_WORD})|(?P<other>{_OTHER_WORD}))(?![^\W\d_])|(?P<sign>[=$€£#]) ?$|[☎📞📱]",
    re.I,
)
_CLAUSE = re.compile(r"[;!?\n]\s|,\s(?=\D)")
_UNIT = re.compile(
    r" ?(?:[kmgt]?i?b(?:ytes?|its?)?|[mnµ]?s|seconds?|people|inhabitants|euros?|dollars?|usd|eur|gbp|k?hz|k?m|rows?"
    r"|records?|views?|users?|times|years?|points?)\b|[%€$£]",
    re.I,
)
_BEFORE = 40
_REGIONS = ("DE", "FR", "GB", "CH", "AT", "NL", "BE", "IE", "SE", "FI", "AU", "NZ", "JP", "KR", "CN", "IN", "ZA", "TR")
"""Whose trunk prefix is 0; a number without a country is looked up in their plans."""
_LEAST, _MOST = 7, 15
_OF_PHONES = ("phone", "column")


def is_telephone(name: str) -> bool:
    """Whether words, such as a column's name, speak of a telephone."""
    return _topic(re.sub(r"[_.-]|(?<=[a-z])(?=[A-Z])", " ", name)) == "phone"


def telephones(text: str, column: str = "") -> Iterator[tuple[int, int]]:
    """Spans of telephone numbers in plain text, the value of the column `column`.

    A number counts that is written internationally (`+`, `00`) with a known country and one of its lengths; in the
    North American form; with a trunk 0 and groups, where the area code stands in parentheses or before a slash, or a
    plan of `_REGIONS` has the number; or in groups of any form right after a word of telephones. Bare digits count if a
    plan has them (North American area codes of ten digits, or a trunk 0 after a word of telephones) and the last word
    before them, or the column's name, is not of another kind of number (order, id, timestamp, ...), nor a unit follows.
    """
    last = 0
    for start, end in sorted(_candidates(text, column), key=lambda span: (span[0], -span[1])):
        if start >= last:
            yield start, end
            last = end


def _candidates(text: str, column: str) -> Iterator[tuple[int, int]]:
    named = is_telephone(column)
    for match in _INTERNATIONAL.finditer(text):
        if end := _international(match[0]):
            yield match.start(), match.start() + end
    for pattern, rule in (
        (_NORTH_AMERICAN, _is_north_american),
        (_TRUNK, _is_trunk),
        (_BARE, _is_bare),
        (_NAMED, _is_named),
    ):
        for match in pattern.finditer(text):
            before = _CLAUSE.split(text[max(0, match.start() - _BEFORE) : match.start()])[-1]
            topic = "column" if named else _topic(before)
            if not topic and column:
                topic = _topic(re.sub(r"[_.-]", " ", column))
            if not _UNIT.match(text, match.end()) and rule(match[0], topic):
                yield match.span()


def _topic(before: str) -> str:
    """phone, other, or empty: what the last word before a number that tells of its kind speaks of."""
    words = [*_CONTEXT.finditer(before)]
    if not words:
        return ""
    found = words[-1]
    if found["sign"]:  # a hash after the word phone is still a phone's
        return _topic(before[: found.start()]) or "other"
    return "other" if found["other"] else "phone"


def _international(value: str) -> int:
    """How many characters of a value are a number of a known country; 0 where none are."""
    ends = [len(value), *(match.start() for match in reversed([*_GROUP.finditer(value)]))]
    return next((end for end in ends if _is_possible(value[:end])), 0)


def _is_possible(value: str) -> bool:
    import phonenumbers

    digits = _digits(re.sub(r"^(?:00|011[ -])", "", value).replace("(0)", ""))
    if not (_LEAST <= len(digits) <= _MOST and _balanced(value)):
        return False
    try:
        found = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False
    return found == phonenumbers.ValidationResult.IS_POSSIBLE


def _balanced(value: str) -> bool:
    return value.count("(") == value.count(")")


def _is_north_american(value: str, topic: str) -> bool:
    return topic != "other" or value.startswith("(")


def _is_trunk(value: str, topic: str) -> bool:
    digits = _digits(value)
    if not _LEAST <= len(digits) <= 12 or _MONTH_AND_YEAR.match(value) or _HOURS.match(value):
        return False
    if topic:
        return topic in _OF_PHONES
    if re.match(r"\(0\d+\)|0\d{2,} ?/", value):
        return True
    return not re.fullmatch(r"\d+\.\d+", value) and _in_a_plan(digits, _REGIONS)


def _is_bare(value: str, topic: str) -> bool:
    if topic == "other":
        return False
    digits = _digits(value)
    if digits[0] == "0":
        return topic in _OF_PHONES and _in_a_plan(digits, _REGIONS)
    return topic in _OF_PHONES or _in_a_plan(digits, ("US",))


def _is_named(value: str, topic: str) -> bool:
    digits = _digits(value)
    grouped = re.search(r"\d[ ()/.-]+\d", value)
    told = topic == "column" or (topic == "phone" and grouped)
    return bool(told) and _LEAST <= len(digits) <= _MOST and _balanced(value)


def _digits(value: str) -> str:
    """The digits before an extension."""
    return re.sub(r"\D", "", re.split(r"[,a-z]", value, maxsplit=1, flags=re.I)[0])


def _in_a_plan(digits: str, regions: tuple[str, ...]) -> bool:
    """Whether the numbering plan of one of the regions has the number."""
    return any(_is_valid(digits, region) for region in regions)


@lru_cache(4096)
def _is_valid(digits: str, region: str) -> bool:
    import phonenumbers

    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return False
    home = phonenumbers.country_code_for_region(region)
    return number.country_code == home and phonenumbers.is_valid_number(number)
