"""Long texts as windows of known length, as document stores chunk them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import BadInput
from workbench.embed._embedder import Embedder
from workbench.embed._reading import Reading, count


def split_windows(embedder: Embedder, texts: Sequence[str], size: int) -> tuple[list[str], list[int]]:
    """Every text as consecutive windows of whole words, at most `size` of the embedder's tokens with its specials.

    Gives all windows and, for each, the place of its text. A word that alone is longer than `size` is a window of its
    own; a text without words is one empty window.
    """
    frame = int(embedder.lengths([""])[0])
    if size <= frame:
        raise BadInput(f"window is {size} tokens; {embedder.spec.name} needs {frame} of them for itself")
    windows, owners = [], []
    for place, text in enumerate(texts):
        words = text.split()
        lengths = embedder.lengths(words) - frame if words else np.empty(0, np.int64)
        window: list[str] = []
        used = frame
        for word, length in zip(words, lengths.tolist(), strict=True):
            if window and used + length > size:
                windows.append(" ".join(window))
                owners.append(place)
                window, used = [], frame
            window.append(word)
            used += length
        windows.append(" ".join(window))
        owners.append(place)
    return windows, owners


class WindowedEmbedder(Embedder):
    """An embedder that reads long texts whole: a text's vector is the mean of its windows', weighted by their tokens.

    Windows are consecutive and do not overlap; a word that is longer than a window is cut into parts that fit, as
    texts of scripts without spaces are. Each window's vector enters as the embedder gives it; where the embedder
    normalises, so is the mean. A text that fits into one window has the embedder's own vector.
    """

    def __init__(self, embedder: Embedder, size: int = 0) -> None:
        super().__init__()
        limit = embedder.spec.max_tokens
        self.size = size or limit
        if not self.size:
            raise BadInput(f"{embedder.spec.name} states no limit of tokens; give the size of a window")
        if limit and self.size > limit:
            raise BadInput(f"window is {self.size} tokens; {embedder.spec.name} reads {limit} at most")
        split_windows(embedder, [""], self.size)  # a window must have room for a word
        self._embedder = embedder
        name, revision = embedder.spec.name, f"{embedder.spec.revision}, windows of {self.size} tokens"
        self.spec = replace(embedder.spec, name=name, revision=revision, max_tokens=0)

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Tokens of each text, specials counted once."""
        return self.reading(texts).lengths

    def reading(self, texts: Sequence[str]) -> Reading:
        """As the embedder's own, with nothing cut."""
        found = self._embedder.reading(texts)
        return replace(found, cut=np.zeros_like(found.cut))

    def unread(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Adds how many texts took several windows."""
        if not len(texts):
            return ()
        several = int((self.lengths(texts) > self.size).sum())
        mean = f"windows of at most {self.size} tokens: {count(several, 'text')} of {len(texts):,} "
        mean += "took several, and the vector is their mean, weighted by tokens"
        return (mean, *super().unread(texts))

    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """Means of windows' vectors."""
        parts, owners = fitting_windows(self._embedder, texts, self.size)
        vectors = self._embedder.embed(parts).astype(np.float64)
        frame = int(self._embedder.lengths([""])[0])
        weights = np.maximum(self._embedder.lengths(parts) - frame, 1).astype(np.float64)
        out = np.zeros((len(texts), self.spec.dim))
        np.add.at(out, owners, vectors * weights[:, None])
        out /= np.bincount(owners, weights, len(texts))[:, None]
        if self.spec.normalised:
            out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
        return out.astype(np.float32)


def fitting_windows(embedder: Embedder, texts: Sequence[str], size: int) -> tuple[list[str], list[int]]:
    """Windows as `split_windows` makes them, with those that are longer than `size` (a single long word) halved until
    they fit; a text that fits as it is stays as it is."""
    fits = embedder.lengths(texts) <= size
    windows: list[str] = []
    owners: list[int] = []
    for place, (text, whole) in enumerate(zip(texts, fits, strict=True)):
        parts = [text] if whole else split_windows(embedder, [text], size)[0]
        while len(parts) and (long := embedder.lengths(parts) > size).any():
            halved: list[str] = []
            for part, over in zip(parts, long, strict=True):
                middle = len(part) // 2
                halved += [part[:middle], part[middle:]] if over and middle else [part]
            if halved == parts:
                break  # one character that is longer than a window
            parts = halved
        windows += parts
        owners += [place] * len(parts)
    return windows, owners
