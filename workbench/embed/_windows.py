"""Long texts as windows of known length, as document stores chunk them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.errors import BadInput
from workbench.embed._embedder import Embedder


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
