"""Embedder: text in, vectors out. Query access, and no more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from typing import final

import numpy as np
from jaxtyping import Float, Int

from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import as_texts
from workbench.core.progress import progress
from workbench.embed._reading import Reading, Tally, record

_MEMO_TEXTS = 50_000
_TALLIED = 4096


@dataclass(frozen=True)
class EmbedderSpec:
    """What an embedder says of itself; `max_tokens` counts special tokens, 0 means no limit.

    `normalised` says whether the vectors of a few texts have length 1; a set of vectors measures its own.
    """

    name: str
    revision: str
    dim: int
    normalised: bool
    max_tokens: int


class Embedder(ABC):
    """A function from text to vectors. A member gives `spec`, `lengths` and `forward`; the rest is done here.

    `embed` embeds no text twice: duplicates within a call and texts of former calls come from a memo by content hash.
    """

    spec: EmbedderSpec
    batch_tokens: int = 4096
    batch_texts: int = 128
    """Most tokens and most texts that `forward` is given at once."""

    def __init__(self) -> None:
        self._memo: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self.queries = 0
        """Texts that the model was asked for so far; what the memo answers does not count."""

    @abstractmethod
    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Number of tokens of each text, specials included, before any truncation."""

    def reading(self, texts: Sequence[str]) -> Reading:
        """What the model reads of each text. For an embedder whose tokenizer is not open: a text of blanks has no
        token, and every other token counts as known."""
        lengths = np.asarray(self.lengths(texts), dtype=np.int64)
        own = np.maximum(lengths - int(self.lengths([""])[0]), 0) if len(texts) else lengths
        limit = self.spec.max_tokens
        cut = np.minimum(np.maximum(lengths - limit, 0), own) if limit else np.zeros_like(lengths)
        says = np.array([bool(text.strip()) for text in texts], dtype=bool)
        return Reading(lengths, cut, np.where(says, np.maximum(own, 1), 0), np.where(says, np.maximum(own, 1), 0))

    @abstractmethod
    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """Vectors of one batch of texts of about the same length, float32."""

    def rough(self) -> Embedder:
        """The same model, quicker and less exact by far less than two texts differ; itself where none is quicker.

        For a search, which asks for many texts and needs their order alone. It counts its own queries.
        """
        return self

    def estimate(self, texts: Sequence[str]) -> str:
        """What embedding these texts would cost, in words, to be shown before; empty where it costs time alone."""
        return ""

    @final
    def embed(self, texts: Sequence[str], what: str = "embed") -> Float[np.ndarray, "n d"]:
        """Vectors of any number of texts, in order, float32. `what` stands before the progress bar.

        Raises BadInput for a single string, and for what is no string among the texts.
        """
        texts = as_texts(texts)
        keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        found = {key: self._memo[key] for key in set(keys) if key in self._memo}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            fresh = self._embed_distinct(list(missing.values()), what)
            found |= zip(missing, fresh, strict=True)
            self._remember(dict(zip(missing, fresh, strict=True)))
        if not keys:
            return np.empty((0, self.spec.dim), np.float32)
        return np.stack([found[key] for key in keys])

    @final
    def embed_set(self, ids: Sequence[str], texts: Sequence[str], seed: int | None = None) -> EmbeddingSet:
        """Texts and their vectors as an EmbeddingSet with provenance."""
        return EmbeddingSet(
            ids=np.asarray(ids, dtype=object),
            vectors=self.embed(texts),
            texts=np.asarray(texts, dtype=object),
            provenance=self.provenance(seed, texts),
        )

    @final
    def provenance(self, seed: int | None = None, texts: Sequence[str] = ()) -> Provenance:
        """What to write next to vectors of this embedder; with their texts, also how many of these it did not read.

        Whether vectors are of length 1 is measured on them, not stated here.
        """
        packages = ("embedding-workbench", "torch", "transformers", "sentence-transformers")
        return Provenance(
            embedder=self.spec.name,
            revision=self.spec.revision,
            seed=seed,
            versions={package: version(package) for package in packages},
            notes=self.unread(texts),
        )

    def unread(self, texts: Sequence[str]) -> tuple[str, ...]:
        """In sentences: how many of these texts, and of their tokens, the model's limit cuts off, and how many texts
        have no token that the tokenizer knows. Empty where all is read."""
        return tuple(self.tally(texts).lines(self.spec.name, self.spec.max_tokens).values()) if len(texts) else ()

    @final
    def tally(self, texts: Sequence[str]) -> Tally:
        """The counts behind `unread`; a text that is given twice counts once."""
        found = Tally()
        for start in range(0, len(texts), _TALLIED):
            part = [str(text) for text in texts[start : start + _TALLIED]]
            found.add(part, self.reading(part))
        return found

    def _embed_distinct(self, texts: list[str], what: str) -> np.ndarray:
        reading = self.reading(texts)
        record(self.spec.name, self.spec.max_tokens, texts, reading)
        lengths = np.minimum(reading.lengths, self.spec.max_tokens or np.iinfo(np.int64).max)
        out = np.empty((len(texts), self.spec.dim), np.float32)
        self.queries += len(texts)
        with progress(what, len(texts), "texts") as advance:
            for batch in length_batches(lengths, self.batch_tokens, self.batch_texts):
                out[batch] = self.forward([texts[i] for i in batch])
                advance(len(batch))
        return out

    @final
    def forget(self) -> None:
        """Empty the memo: every text is asked for anew, as by an attacker or a method that begins."""
        self._memo.clear()

    def _remember(self, fresh: dict[bytes, np.ndarray]) -> None:
        if len(fresh) > _MEMO_TEXTS:
            return  # a bulk run would only push out what is asked for again and again
        self._memo.update(fresh)
        while len(self._memo) > _MEMO_TEXTS:
            self._memo.popitem(last=False)


def length_batches(lengths: np.ndarray, most_tokens: int, most_texts: int) -> Iterator[np.ndarray]:
    """Index arrays that cover all texts, longest first (so that memory peaks at once), each of nearly one length."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = int(np.clip(most_tokens // max(int(lengths[order[start]]), 1), 1, most_texts))
        yield order[start : start + size]
        start += size
