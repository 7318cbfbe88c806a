"""How near a text comes to holding a value: the fewest edits that make some stretch of the text the value."""

from __future__ import annotations

from workbench.core.text import normalise, unspaced

NEAR = 0.8
"""Normalised edit similarity from which a value counts as nearly found: two edits in ten characters."""


def similarity(text: str, value: str) -> float:
    """1 less the edits for each character of the value, between their normal forms; 0 for no likeness, 1 for `holds`.

    Edits are insertions, deletions and substitutions against the best stretch of `text`. The blanks around a value are
    part of it, so a number that stands inside of a longer one costs two edits; in a script that sets no blanks between
    words there are none around it.
    """
    wanted, held = normalise(value), normalise(text)
    if not wanted:
        return 0.0
    letters = unspaced(wanted)
    before = "" if letters and wanted.startswith(letters[0]) else " "
    after = "" if letters and wanted.endswith(letters[-1]) else " "
    return max(0.0, 1.0 - fewest_edits(f" {held} ", f"{before}{wanted}{after}") / len(wanted))


def fewest_edits(text: str, pattern: str) -> int:
    """Levenshtein distance of `pattern` to the substring of `text` that is nearest to it.

    Myers (1999, "A fast bit-vector algorithm for approximate string matching"): a column of the table of distances is
    two whole numbers, the places where it rises and where it falls, so a character of the text costs a few operations.
    """
    m = len(pattern)
    if not m:
        return 0
    places: dict[str, int] = {}
    for place, character in enumerate(pattern):
        places[character] = places.get(character, 0) | 1 << place
    full, last = (1 << m) - 1, 1 << (m - 1)
    rises, falls, edits = full, 0, m
    best = m
    for character in text:
        same = places.get(character, 0)
        across = (((same & rises) + rises) ^ rises) | same
        level = same | falls
        up, down = (falls | ~(across | rises)) & full, rises & across
        edits += bool(up & last) - bool(down & last)
        best = min(best, edits)
        up, down = up << 1 & full, down << 1 & full
        rises, falls = (down | ~(level | up)) & full, up & level
    return best
