"""The quoted example sentences in WordNet's data files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from workbench.data.readers._passage import Passage, open_text

__all__ = ["read_wordnet"]

_EXAMPLE = re.compile(r'"([^"]+)"')


def read_wordnet(paths: list[Path]) -> Iterator[Passage]:
    """One passage an example, with a full stop where the example has no closing mark, grouped by synset."""
    for path in paths:
        with open_text(path) as file:
            for line in file:
                entry, bar, gloss = line.partition(" | ")
                for example in _EXAMPLE.findall(gloss) if bar else ():
                    closed = example if example[-1:] in ".?!" else f"{example}."
                    yield Passage(closed, f"{path.suffix[1:]}:{entry.split(' ', 1)[0]}")
