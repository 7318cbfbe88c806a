"""What identifiers say of themselves: order and gaps, moments inside of them, and the text that they are a hash of."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workbench.core.text import normalise, split_form

MOST = 0.95
"""Share of values that must be of a kind for a column to be called so."""
_ENDS_IN_NUMBER = re.compile(r"(\S*?)(\d{1,18})")
_HEX = re.compile(r"[0-9a-f]{8,128}", re.IGNORECASE)
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.IGNORECASE)
_CROCKFORD = {letter: place for place, letter in enumerate("0123456789ABCDEFGHJKMNPQRSTVWXYZ")}
_GREGORIAN = datetime(1582, 10, 15, tzinfo=UTC)
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_HASHES = {32: "MD5", 40: "SHA-1", 56: "SHA-224", 64: "SHA-256", 96: "SHA-384", 128: "SHA-512"}
_LOOKED_AT = 20


@dataclass(frozen=True)
class Identifiers:
    """The kind of a column of identifiers, what follows from it, and the moments that they hold."""

    kind: str
    note: str = ""
    moments: tuple[datetime, ...] = ()


def identify(values: Sequence[str]) -> Identifiers | None:
    """What kind of identifiers these are; None where they are of no kind that tells more than themselves."""
    return _uuids(values) or _ulids(values) or _object_ids(values) or _hashes(values) or _sequence(values)


def hashed_from(ids: Sequence[str], texts: Sequence[str]) -> str:
    """How ids follow from the texts of their rows: `sha256 of the text`, ...; empty where they do not, as far as common
    ways go. Of such ids, a guess at a text is confirmed without any embedder."""
    pairs = [(_bare(id), text) for id, text in zip(ids, texts, strict=True) if text][:_LOOKED_AT]
    pairs = [(bare, text) for bare, text in pairs if len(bare) >= 8]
    if len(pairs) < 2:
        return ""
    for form, shaped in _FORMS.items():
        for name, digest in _ways():
            hits = sum(digest(shaped(text)).startswith(bare) for bare, text in pairs)
            if hits >= MOST * len(pairs):
                return f"{name} of the {form}"
    return ""


_FORMS: dict[str, Callable[[str], str]] = {
    "text": str,
    "stripped text": str.strip,
    "lower-cased text": str.lower,
    "normal form of the text": normalise,
    "split form of the text": split_form,
}


def _bare(id: str) -> str:
    """The hexadecimal end of an id."""
    return id.rpartition(":")[2].replace("-", "").lower()


def _ways() -> Iterator[tuple[str, Callable[[str], str]]]:
    def digest(make: Callable[[bytes], str]) -> Callable[[str], str]:
        return lambda text: make(text.encode("utf-8", "surrogatepass"))

    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        yield name, digest(lambda raw, name=name: hashlib.new(name, raw, usedforsecurity=False).hexdigest())
    for size in (8, 16, 20, 32, 64):
        yield "blake2b", digest(lambda raw, size=size: hashlib.blake2b(raw, digest_size=size).hexdigest())
    for space in ("DNS", "URL", "OID", "X500"):
        named = getattr(uuid, f"NAMESPACE_{space}")
        for version, make in ((3, hashlib.md5), (5, hashlib.sha1)):
            hashed = digest(
                lambda raw, named=named, make=make, version=version: (
                    uuid.UUID(bytes=make(named.bytes + raw, usedforsecurity=False).digest()[:16], version=version).hex
                )
            )
            yield f"UUID v{version} ({space})", hashed


def _uuids(values: Sequence[str]) -> Identifiers | None:
    found = [_uuid(value) for value in values]
    known = [each for each in found if each is not None]
    versions = Counter(each.version for each in known)
    if len(known) < MOST * len(values):
        return None
    version = versions.most_common(1)[0][0]
    mine = [each for each in known if each.version == version]
    if version == 7:
        moments = tuple(_UNIX + timedelta(milliseconds=each.int >> 80) for each in mine)
        return Identifiers("UUID v7", "each holds the moment when it was made", moments)
    if version == 1:
        cards = {each.node for each in mine if not each.node >> 40 & 1}
        note = "each holds the moment when it was made" + (f", and one of {len(cards)} network cards" if cards else "")
        moments = tuple(_GREGORIAN + timedelta(microseconds=each.time // 10) for each in mine)
        return Identifiers("UUID v1", note, tuple(each for each in moments if each.year < 2200))
    if version in (3, 5):
        return Identifiers(f"UUID v{version}", "a hash of a name: whoever guesses the name can confirm it")
    return Identifiers(f"UUID v{version}" if version else "UUID")


def _uuid(value: str) -> uuid.UUID | None:
    """With its hyphens: 32 hexadecimal digits alone are as likely to be MD5."""
    if "-" not in value:
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def _ulids(values: Sequence[str]) -> Identifiers | None:
    if sum(bool(_ULID.fullmatch(value)) for value in values) < MOST * len(values) or values[0].isdigit():
        return None
    moments = []
    for value in values:
        if _ULID.fullmatch(value):
            milliseconds = 0
            for letter in value[:10].upper():
                milliseconds = 32 * milliseconds + _CROCKFORD[letter]
            moments.append(milliseconds)
    if not all(map(_plausible, moments)):
        return None
    held = tuple(_UNIX + timedelta(milliseconds=each) for each in moments)
    return Identifiers("ULID", "each holds the moment when it was made", held)


def _object_ids(values: Sequence[str]) -> Identifiers | None:
    mine = [value for value in values if len(value) == 24 and _HEX.fullmatch(value)]
    seconds = [int(value[:8], 16) for value in mine]
    if len(mine) < MOST * len(values) or not all(_plausible(1000 * each) for each in seconds):
        return None
    held = tuple(_UNIX + timedelta(seconds=each) for each in seconds)
    return Identifiers("ObjectId", "each holds the second when it was made, and the machine's number", held)


def _hashes(values: Sequence[str]) -> Identifiers | None:
    """Hexadecimal digits of one length, 16 at least, perhaps behind a prefix and a colon."""
    bare = [value.rpartition(":")[2] for value in values]
    sizes = Counter(len(each) for each in bare if _HEX.fullmatch(each) and len(each) >= 16)
    length, count = sizes.most_common(1)[0] if sizes else (0, 0)
    if count < MOST * len(values) or all(each.isdigit() for each in bare):
        return None
    name = _HASHES.get(length, f"{4 * length} bits")
    return Identifiers("hash", f"{name} by its length; if it is of the text, a guess can be confirmed")


def _sequence(values: Sequence[str]) -> Identifiers | None:
    """Whole numbers behind one prefix that leave few gaps."""
    found = [_ENDS_IN_NUMBER.fullmatch(value) for value in values]
    parts = [(match[1], int(match[2])) for match in found if match]
    prefixes = {prefix for prefix, _ in parts}
    if len(parts) < len(values) or len(prefixes) > max(1, len(values) // 20):
        return None
    numbers: dict[str, set[int]] = {}
    for prefix, number in parts:
        numbers.setdefault(prefix, set()).add(number)
    spans = sum(max(each) - min(each) + 1 for each in numbers.values())
    held = sum(map(len, numbers.values()))
    if held < max(2, spans // 2):
        return None
    ordered = [number for _, number in parts]
    order = "in order of their making" if ordered == sorted(ordered) else "shuffled"
    gaps = f"{spans - held:,} numbers of the range are missing" if spans > held else "no gap"
    return Identifiers("sequential", f"{order}, {gaps}")


def _plausible(milliseconds: int) -> bool:
    """From 2000 to 2040."""
    return 946_684_800_000 <= milliseconds < 2_208_988_800_000
