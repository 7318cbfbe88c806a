"""The normal form of a text: which characters make two texts different, decided by their Unicode categories.

`docs/metrics.md` states the rule for readers. The patterns below follow it in the same order.
"""

from __future__ import annotations

import re
import unicodedata

import regex

_WORD = r"[\p{L}\p{M}\p{N}\p{Co}\p{Cn}\p{Cf}]"
_UNSPACED = (
    r"[[\p{LB=SA}\p{Balinese}\p{Javanese}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Yi}]"
    r"&&[\p{L}\p{Nl}]]"
)
"""Letters of scripts that set no blanks between words; Unicode's line breaking (UAX 14) needs a dictionary for SA."""
SPACED = rf"[{_WORD}--{_UNSPACED}]"
"""Characters of words in scripts that set blanks, digits of every script, and marks."""
CLUSTER = rf"{_UNSPACED}\p{{M}}*"
"""A letter of a script without blanks, with its marks."""
RUN = rf"{SPACED}+(?:(?<=\d)[.,:/\u066b\u066c](?=\d){SPACED}+)*"
"""A word, or a number with what separates its digits: 1.5, 1,200, 10:30, 03/15/2019."""

_CLOSED = rf"{SPACED}|[\p{{Pe}}\p{{Pf}}\p{{Pd}}.!?\u2212]"
_MINUS = (
    rf"(?:(?<!{_CLOSED})(?:[-\u2010](?!(?<=\d\s+[-\u2010])\s)(?=\s*\p{{Sc}}?\s*\.?\d)|[\u2012\u2013](?=\p{{Sc}}?\.?\d))"
    r"|\u2212(?=\s*\p{Sc}?\s*\.?\d))"
)
"""A hyphen before a number, if nothing is joined to its left side and no number stands apart there (7 - 10 days)."""
_TOKEN = regex.compile(
    rf"(?P<minus>{_MINUS}\s*(?:\p{{Sc}}|\.?{RUN}))"
    rf"|(?<!{SPACED}|[\p{{Pe}}\p{{Pf}}\p{{Pd}}.!?,;:])\.(?=\d){RUN}"
    rf"|{RUN}|(?:{CLUSTER})+"
    r"|!\s*=|[-\u2010]\s*[=>]|(?<=[=<>]\s*)[-\u2010]"
    r"|[%\u2030\u2031\u066a\u0609\u060a&@*\#\u00a7\u00b6\u2020\u2021\u2032/\\]\p{M}*"
    r"|[\U0001f1e6-\U0001f1ff]{2}|[\p{S}--[`]][\U0001f3fb-\U0001f3ff]?[\p{M}\U000e0020-\U000e007f]*",
    regex.V1,
)
_CLUSTER = regex.compile(CLUSTER, regex.V1)
_INNER_BLANK = regex.compile(rf"(?<={CLUSTER}) (?={_UNSPACED})", regex.V1)
_SEPARATOR = regex.compile(r"(?<=\d)(?=[.,:/\u066b\u066c]\d)", regex.V1)
_PIECE = regex.compile(rf"{CLUSTER}|{RUN}|[\p{{S}}\p{{P}}]\p{{M}}*|[^\p{{L}}\p{{M}}\p{{N}}\p{{S}}\p{{P}}]+", regex.V1)
_WORD_PIECE = regex.compile(rf"{CLUSTER}|(?:(?!{_UNSPACED}).)+", regex.V1 | regex.DOTALL)
_COUNTED = regex.compile(rf"{CLUSTER}|{SPACED}+", regex.V1)

_ASCII_SIGN = re.compile(r"[0-9$+<=>^|~%&@*#/\\]")
_ASCII_WORD = re.compile(r"[a-z]+")

_UNSEEN = regex.compile(
    r"\U0001f3f4[\U000e0020-\U000e007f]+(*SKIP)(*FAIL)|[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]", regex.V1
)
"""Characters without a shape; tags stay in the flags that they make (Scotland, Wales)."""
_ACCENT = regex.compile(
    "[`\u00a8\u00af\u00b4\u00b8\u02d8-\u02dd\u0384\u0385\u1fbd\u1fbf-\u1fc1\u1fcd-\u1fcf\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd\u1ffe\uffe3]"
)
"""Accents that stand alone, as in don\u00b4t: NFKC would make a blank and a mark of them."""
_RAISED_DIGIT = r"[\p{No}&&[\p{dt=super}\p{dt=sub}\p{dt=fraction}\p{dt=circle}\p{dt=compat}]]"
_RAISED = regex.compile(
    rf"(?<=[\p{{N}}--{_RAISED_DIGIT}])(?={_RAISED_DIGIT})|(?<={_RAISED_DIGIT})(?=[\p{{N}}--{_RAISED_DIGIT}])", regex.V1
)
"""Between a digit and a raised one or a fraction: 10\u00b2 is not 102, and 5\u00bd is not 51/2."""
_SLASHES = str.maketrans("\u2044\u2215", "//")


def fold(text: str) -> str:
    """Apply NFKC and casefolding until nothing changes; characters without a shape are left out."""
    if text.isascii():
        return text.casefold()
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", unicodedata.normalize("NFC", text)))
    text = _RAISED.sub(" ", _ACCENT.sub("`", text))
    for _ in range(8):
        last = text
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = _UNSEEN.sub("", text)
        if text == last:
            break
    return text.translate(_SLASHES)


def normal_form(text: str) -> str:
    """The tokens of a text with one blank between them; the folded text where it has no token."""
    folded = " ".join(fold(text).split())
    if text.isascii() and not _ASCII_SIGN.search(text):  # most English sentences, and ten times faster
        return " ".join(_ASCII_WORD.findall(folded)) or folded
    found = [_written(match) for match in _TOKEN.finditer(folded)]
    if not found:
        return folded
    joined = " ".join(found)
    return joined if joined.isascii() else _INNER_BLANK.sub("", joined)


def _written(match: regex.Match[str]) -> str:
    token = "".join(match[0].split())
    return f"-{token[1:]}" if match["minus"] else token


def units(form: str) -> list[str]:
    """Words, numbers and signs of a normal form, and each letter, with its marks, of a script without blanks."""
    if form.isascii():
        return form.split()
    return [unit for word in form.split() for unit in (_CLUSTER.findall(word) or [word])]


def tokens_of(form: str) -> list[str]:
    """The units of a normal form, numbers cut before each separator: 1.5 becomes 1 and .5."""
    return [token for unit in units(form) for token in ([unit] if unit.isalpha() else _SEPARATOR.split(unit))]


def pieces(text: str) -> list[str]:
    """Cut a text, as it is written, into words, signs and what lies between them; joined they are the text."""
    return _PIECE.findall(text)


def counted(chunk: str) -> int:
    """Words of a text, where each letter of a script without blanks counts as one."""
    if chunk.isascii() or not _CLUSTER.search(chunk):
        return len(chunk.split())
    return len(_COUNTED.findall(chunk))


def word_pieces(text: str) -> list[str]:
    """What stands between blanks, cut at letters of scripts without blanks."""
    return [piece for chunk in text.split() for piece in _WORD_PIECE.findall(chunk)]


def unspaced(text: str) -> list[str]:
    """The letters, with their marks, of scripts that set no blanks between words."""
    return [] if text.isascii() else _CLUSTER.findall(text)
