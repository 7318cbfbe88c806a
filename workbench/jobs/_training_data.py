"""Texts, their vectors and their pieces, in batches of texts of one length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench import assets
from workbench.core.errors import BadInput
from workbench.data import corpora, personal
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.lm import Vocabulary


@dataclass(frozen=True)
class Source:
    """`texts` of one corpus that went into training, with what the card says of it."""

    name: str
    texts: list[str]
    vectors: Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class Pairs:
    """n texts, as piece ids too, with their vectors."""

    texts: list[str]
    ids: list[np.ndarray]
    vectors: Float[np.ndarray, "n d"]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def arrays(self) -> tuple[Float[np.ndarray, "n d"], list[np.ndarray]]:
        """Vectors and ids, as the closed-form fits take them."""
        return self.vectors, self.ids


def gather(
    embedder: Embedder,
    corpus: str,
    split: str,
    limit: int,
    planted: int,
    max_tokens: int,
    seed: int,
    skip: int = 0,
    long: bool = False,
) -> list[Source]:
    """`limit` texts of a corpus after the first `skip`, and `planted` records with personal data, without longer texts;
    or the longer ones alone (`long`), each cut short.

    `max_tokens` counts the embedder's own tokens, its specials included.
    """
    main = corpora.load(corpus, split, skip + limit).texts[skip:]
    if not main:
        raise BadInput(f"skip is {skip:,}, but the {split} split of {corpus} has no more texts than that")
    sources = {corpus: main}
    if planted:
        sources["personal"] = personal.load(split, planted, seed).corpus.texts
    found = []
    for name, texts in sources.items():
        chosen = _cut_short(embedder, texts, max_tokens, seed) if long else texts
        short = [text for text, t in zip(chosen, embedder.lengths(chosen), strict=True) if t <= max_tokens]
        if not short:
            raise BadInput(f"{name} ({split}) has no text {'over' if long else 'of at most'} {max_tokens} tokens")
        found.append(Source(name, short, cached_vectors(embedder, short, what=f"embed {name} ({split})")))
    return found


def _cut_short(embedder: Embedder, texts: Sequence[str], most: int, seed: int) -> list[str]:
    """The beginnings of the texts over `most` tokens, each of about as many words as make from 6 to `most` of them."""
    random = np.random.default_rng([seed, len(texts)])
    found = []
    for text, tokens in zip(texts, embedder.lengths(texts), strict=True):
        if tokens > most:
            words = text.split()
            found.append(" ".join(words[: max(1, int(len(words) * random.uniform(min(6, most), most) / tokens))]))
    return found


def account(name: str, texts: int, split: str = "train") -> dict[str, object]:
    """What a card says of a corpus that was learnt from: split, number of texts, and the licences of its parts."""
    card = assets.card(name)
    parts = [assets.card(member) for member in card.mix] or [card]
    licences = {part.name: f"{part.licence.id} ({part.licence.basis})" for part in parts}
    return {"name": name, "split": split, "texts": texts, "licences": licences}


def encode(sources: list[Source], vocabulary: Vocabulary, max_pieces: int) -> Pairs:
    """All sources' texts as pieces; texts that this vocabulary cuts into more than `max_pieces` are left out."""
    texts = [text for source in sources for text in source.texts]
    ids = [np.asarray(row, dtype=np.int64) for row in vocabulary.encode(texts)]
    vectors = np.concatenate([source.vectors for source in sources])
    kept = [place for place, row in enumerate(ids) if 0 < len(row) <= max_pieces]
    return Pairs([texts[place] for place in kept], [ids[place] for place in kept], vectors[kept])


def batches(pairs: Pairs, batch_tokens: int, seed: int, start: int = 0) -> Iterator[np.ndarray]:
    """Endless index arrays of texts of one length, about `batch_tokens` pieces each, in an order fixed by `seed`.

    `start` passes over that many batches, so that a resumed run sees what the unbroken one would have seen.
    """
    lengths = np.array([len(row) for row in pairs.ids])
    epoch = 0
    while True:
        random = np.random.default_rng([seed, epoch])
        order = random.permutation(len(lengths))
        order = order[np.argsort(lengths[order], kind="stable")]
        cuts = [0]
        while cuts[-1] < len(order):
            length = int(lengths[order[cuts[-1]]])
            last = int(np.searchsorted(lengths[order], length, side="right"))
            cuts.append(min(cuts[-1] + max(1, batch_tokens // (length + 1)), last))
        for number in random.permutation(len(cuts) - 1):
            if start:
                start -= 1
            else:
                yield order[cuts[number] : cuts[number + 1]]
        epoch += 1
