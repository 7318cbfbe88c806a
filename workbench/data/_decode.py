"""Bytes of the user's own files as text."""

from __future__ import annotations

import codecs

from workbench.core.errors import BadInput

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FALLBACK = "cp1252"


def decode(data: bytes, name: str, encoding: str = "") -> tuple[str, str]:
    """Text, and the encoding that it was read in: the one that is stated, or else by the rule below.

    A byte-order mark decides; then UTF-8, if the bytes are; then UTF-16, if every second byte of most letters is zero;
    else Windows-1252 (or Latin-1 where it has no such byte), which the caller has to say. Raises BadInput for another
    encoding than stated, and for UTF-8 that is damaged.
    """
    if encoding:
        try:
            return data.decode(_with_mark(encoding)), encoding
        except LookupError as error:
            raise BadInput(f"encoding {encoding!r} is not known; expected a name such as utf-8 or cp1252") from error
        except UnicodeError as error:
            raise BadInput(f"{name} is not {encoding} text: {error}") from error
    for mark, found in _MARKS:
        if data.startswith(mark):
            return decode(data, name, found)[0], found.removesuffix("-sig")
    try:
        text = data.decode("utf-8")
        if "\0" not in text or not (wide := _wide(data)):
            return text, "utf-8"
        return decode(data, name, wide)[0], wide
    except UnicodeDecodeError as error:
        if wide := _wide(data):
            return decode(data, name, wide)[0], wide
        if _mostly_utf8(data):
            where = f"byte {error.start} is {data[error.start]:#04x}"
            raise BadInput(f"{name} is damaged UTF-8 text: {where}; name another encoding if it has one") from error
    try:
        return data.decode(FALLBACK), FALLBACK
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _with_mark(encoding: str) -> str:
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: the text of most languages has zeros in the same one of two bytes."""
    some = data[:4096]
    half = max(1, len(some) // 2)
    if len(data) % 2 == 0:
        if some[1::2].count(0) > 0.4 * half and not some[0::2].count(0):
            return "utf-16-le"
        if some[0::2].count(0) > 0.4 * half and not some[1::2].count(0):
            return "utf-16-be"
    return ""


def _mostly_utf8(data: bytes) -> bool:
    """Whether the bytes beyond ASCII form more whole letters of UTF-8 than fragments."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    return sum(not letter.isascii() for letter in text) > 2 * broken
