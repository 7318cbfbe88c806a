"""Text in plain typography for matching, with the place that each character had, and masks that show no value."""

from __future__ import annotations

import re
import unicodedata

_REPLACED = {
    **dict.fromkeys("\u2028\u2029\u0085", "\n"),
    **dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\uff07", "'"),
    **dict.fromkeys("\u2212\u02d7\u2043\u2010\u2011\u2012\u2013\ufe63\uff0d\u2e1a\u1806\u05be", "-"),
    **dict.fromkeys("\u2044\u2215", "/"),
    "\t": " ",
    "\ufe6b": "@",
    "\ufe62": "+",
    "\u2024": ".",
}
"""The long dashes (U+2014, U+2015) stay: they part words, and never the groups of a number."""
_LETTER = "\u00aa"
"""Stands for a combining mark, so that a word of any script is a run of letters."""
_UNSEEN = {"\u20e3", "\u034f", "\u180b", "\u180c", "\u180d", *map(chr, range(0xFE00, 0xFE10))}
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_RUNS = re.compile(r"x+|9+")
_LOOKED_AT = 400


class _Plain(dict[int, str | None]):
    """For `str.translate`: each character becomes one character, or none where it takes no place."""

    def __missing__(self, code: int) -> str | None:
        self[code] = found = _plain_character(chr(code))
        return found


class _Shape(dict[int, str]):
    """For `str.translate`: x, 9, a blank, or the punctuation itself."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _shape_character(chr(code))
        return found


_PLAIN, _SHAPE = _Plain(), _Shape()


def plain_text(text: str) -> tuple[str, list[int] | None]:
    """The text in plain typography, and the place in `text` of each of its characters (None: all are the same).

    Blanks, hyphens, apostrophes, slashes, digits of any script, and full-width or styled letters become their ASCII
    forms, one for one; invisible characters (soft hyphens, zero-width blanks, direction marks) are left out.
    """
    if text.isascii() and "\t" not in text:
        return text, None
    plain = text.translate(_PLAIN)
    if len(plain) == len(text):
        return plain, None
    return plain, [place for place, character in enumerate(text) if _PLAIN[ord(character)] is not None]


def mask(value: str, most: int = 40) -> str:
    """The shape of a value: x for letters, marks and symbols, 9 for digits; runs cut to three, `most` characters.

    By Unicode category: only punctuation, ASCII symbols and blanks are shown; what is neither (letters, marks, emoji
    and their modifiers, format and private-use characters) is x, what is a number of any script is 9.
    """
    shape = _RUNS.sub(lambda run: run[0][:3], value[:_LOOKED_AT].translate(_SHAPE))
    return shape if len(shape) <= most else shape[: most - 3] + "..."


def _plain_character(character: str) -> str | None:
    if character in _REPLACED:
        return _REPLACED[character]
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Cf" or character in _UNSEEN:
        return None
    if category == "Zs":
        return " "
    if ord(character) in _FULL_WIDTH:
        return chr(ord(character) - 0xFEE0)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category[0] == "M":
        return _LETTER
    if category in ("Lu", "Ll") and len(folded := unicodedata.normalize("NFKC", character)) == 1:
        return folded
    return character


def _shape_character(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "N":
        return "9"
    if category[0] == "Z" or character in "\t\n\r":
        return " "
    if category[0] == "P" or (category[0] == "S" and character.isascii()):
        return character
    return "x"
