"""Whether two neighbouring words have changed places."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from workbench.core.text import split_key
from workbench.data.rules._item import Item, sentences

__all__ = ["label_bigram_shift"]


def label_bigram_shift(source: Sequence[str], limit: int = 20_000) -> Iterator[Item]:
    """Half the sentences are `shifted`, half are `as written`; no sentence is there in both ways.

    First and last word stay, so that neither the capital nor the closing mark betrays anything (SentEval's bigram
    shift). Two words that are alike are not exchanged.
    """
    for text, group in sentences(source, limit):
        words, chance = text.split(), random.Random(split_key(text))
        places = [i for i in range(1, len(words) - 2) if words[i].casefold() != words[i + 1].casefold()]
        if not places:
            continue
        if chance.random() < 0.5:
            yield Item(text, "as written", group)
            continue
        place = chance.choice(places)
        words[place], words[place + 1] = words[place + 1], words[place]
        yield Item(" ".join(words), "shifted", group)
