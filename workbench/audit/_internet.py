"""E-mail, IP and hardware addresses in text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

_LATIN = "A-Za-z\u00c0-\u024f"
_TOP = rf"(?:xn--[A-Za-z0-9-]{{2,59}}|[{_LATIN}]{{2,63}}|[^\W\d_{_LATIN}]{{2,63}})"
_EMAIL = re.compile(
    rf"(?<!\w)(?:\"[^\"\s@]{{1,64}}\"|\w[\w.+'&%#~!$*-]{{0,63}})@"
    rf"(?:(?:[\w-]{{1,63}}\.)+{_TOP}|\[[0-9A-Fa-f:.]{{7,45}}\])"
)
_SPELLED = re.compile(
    r"(?<!\w)\w[\w.+-]{0,63}(?: ?[\[({<] ?(?:at|@) ?[\])}>] ?\w[\w-]{0,62}"
    r"(?:(?:\.| ?[\[({<] ?(?:dot|\.) ?[\])}>] ?)\w[\w-]{0,62})+"
    r"| (?:at|AT) [\w-]{2,63}(?: (?:dot|DOT) [\w-]{2,63}){0,3} (?:dot|DOT) "
    r"(?:com|org|net|edu|gov|info|io|de|uk|fr|eu|ch|at))(?!\w)"
)
_GLUED = re.compile(rf"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?=[{_LATIN}\d])")
"""A word of a script that sets no blanks, right before an address in Latin letters."""

_FOUR = re.compile(r"(?<![0-9A-Za-z_.])(?<!\d[,-])\d{1,3}(?:\.\d{1,3}){3}(?![0-9A-Za-z_]|\.\d|-\d)")
_SIX = re.compile(
    r"(?<![0-9A-Za-z_:.])(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})(?:%[0-9a-z]{1,15})?"
    r"(?![0-9A-Za-z_:])",
    re.I,
)
_SIX_NETWORKS = tuple(
    map(ipaddress.IPv6Network, ("2000::/3", "fc00::/7", "fe80::/10", "::ffff:0:0/96", "64:ff9b::/96"))
)
_NUMBERED = re.compile(
    r"(?:(?<![a-z])(?:v|ver|vers|versions?|versionen|release[ds]?|rev|revision|build|firmware|patch|update[ds]?"
    r"|upgrade[ds]?|sections?|sect?|abschnitt|kapitel|chapters?|ch|clauses?|articles?|art|paragraphs?|para|figures?|fig|tables?|tab"
    r"|appendix|annex|steps?|items?|rules?|requirements?|page|oid|ec)\.?|§+)"
    r"[ :=#v]*(?:(?:to|from|and|or|,|-|\d[\d.]*) ?)*$"
    r"|[a-z][\w+.-]*/$|[a-z]-$",
    re.I,
)
_HEADING = re.compile(r"(?:^|\n) *$")
_TITLE = re.compile(r"\.? +[A-Z][a-z]")
_MAC = re.compile(
    r"(?<![0-9A-Za-z_:.-])(?:[0-9a-f]{2}(?P<by>[:-])(?:[0-9a-f]{2}(?P=by)){4}(?:[0-9a-f]{2}(?P=by)[0-9a-f]{2}(?P=by))?[0-9a-f]{2}"
    r"|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})(?![0-9A-Za-z_:-]|\.[0-9a-f])",
    re.I,
)
_CARD_WORD = re.compile(
    r"(?<![a-z])(?:mac|ether(?:net)?|hwaddr|bssid|wlan|wi-?fi|bluetooth)(?![a-z])[^\n]{0,20}$", re.I
)


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Spans of e-mail addresses in plain text, also those spelled out (`name [at] example [dot] com`)."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield _start(text, match), match.end()
    lower = text.lower()
    if "at" in lower and ("dot" in lower or "[at" in lower or "(at" in lower or "{at" in lower or "<at" in lower):
        for match in _SPELLED.finditer(text):
            yield _start(text, match), match.end()


def ip_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Spans of IPv4 and IPv6 addresses in plain text, without their port, zone or network.

    Four numbers after a word of versions or sections, after `name/`, or before a heading's title are no address. Of
    IPv6 only addresses that are given out count (global, local, link-local, mapped), so that `a::b` of a program does
    not.
    """
    last = -1
    for match in _SIX.finditer(text):
        bare = match[0].partition("%")[0]
        if _is_address(bare) and any(ipaddress.ip_address(bare) in network for network in _SIX_NETWORKS):
            last = match.start() + len(bare)
            yield match.start(), last
    for match in _FOUR.finditer(text):
        if match.end() > last and _is_address(match[0]) and not _is_numbering(text, match):
            yield match.span()


def hardware_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Spans of MAC addresses (EUI-48, EUI-64) in plain text: colons, hyphens, or Cisco's dots.

    With hyphens or dots, and digits alone, only after a word such as MAC; neither the empty nor the broadcast one.
    """
    for match in _MAC.finditer(text):
        bare = re.sub(r"[^0-9a-f]", "", match[0].lower())
        if len({*bare}) > 1 and (
            match["by"] == ":" or re.search("[a-f]", bare) or _CARD_WORD.search(text[: match.start()][-40:])
        ):
            yield match.span()


def _start(text: str, match: re.Match[str]) -> int:
    glued = _GLUED.match(text, match.start(), match.end())
    return glued.end() if glued else match.start()


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_numbering(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 40) : match.start()]
    if _NUMBERED.search(before):
        return True
    small = all(0 < int(part) < 30 for part in match[0].split("."))
    return small and bool(_HEADING.search(before)) and bool(_TITLE.match(text, match.end()))
