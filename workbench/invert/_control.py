"""Positive control: does an inverter read these vectors as it reads its own embedder's vectors of known sentences?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.vectors import unit
from workbench.embed._embedder import Embedder

KNOWN = (
    "The train to the coast was late again this morning.",
    "My sister teaches mathematics at a small school.",
    "Please send me the invoice before the end of the month.",
    "Heavy rain is expected in the north tomorrow.",
    "The bank charged me twice for the same transfer.",
    "How do I change the password of my account?",
    "The old bridge was rebuilt after the war.",
    "She bought two tickets for the concert on Friday.",
    "Water freezes at zero degrees.",
    "The committee rejected the proposal by a narrow margin.",
    "He cooked soup with carrots and onions.",
    "The patient has complained of headaches for three weeks.",
    "Our team won the match in the last minute.",
    "The new phone has a better camera than the old one.",
    "I have never seen so many birds in one tree.",
    "The museum opens at nine and is closed on Mondays.",
    "They moved to a quiet village near the mountains.",
    "The company reported lower profits than last year.",
    "Could you recommend a good book about astronomy?",
    "The judge postponed the trial until the spring.",
    "A dog was sleeping under the kitchen table.",
    "The software crashes whenever I open a large file.",
    "Many farmers lost their harvest because of the drought.",
    "Thank you for your help with the translation.",
)
"""Sentences that were written for this control; no inverter was trained on them."""
ROWS = 32
"""Most vectors of a store that are looked at."""
FAR, NEAR = 0.25, 0.6
"""Places between strangers (0) and the embedder's own known sentences (1): below FAR vectors read like those of another
embedder, from NEAR on like the embedder's own. Measured by benchmarks/positive_control.py."""
_READS = 0.15
"""Least distance of cosines between known sentences and strangers at which the control can tell anything."""


_TEXTS = 16
"""Most texts that came with vectors and are embedded again."""
_AGREE, _ABOVE = 0.5, 0.2
"""Least mean cosine of texts to their own vectors, and least excess over those of other rows, at which they agree."""
_UNRELATED = 0.35
"""Least excess of texts whose vectors are the embedder's, however changed: noise of twice a vector's length leaves .45;
bge-small's vectors, whose axes are near MiniLM's own, have .27."""


Quick = Callable[[np.ndarray], Sequence[str]]
"""A text for each vector by the cheapest means that an inverter has."""


@dataclass(frozen=True)
class Levels:
    """Mean cosines of re-embedded texts: of the embedder's own vectors of KNOWN, and of the same vectors with their
    dimensions shuffled, which stand for those of any other embedder."""

    own: float
    strangers: float

    @property
    def reads(self) -> bool:
        """Whether the inverter reads its own embedder's vectors at all."""
        return self.own - self.strangers >= _READS


@dataclass(frozen=True)
class Nearness:
    """How near the re-embedded texts of n vectors come, next to the levels of the same inverter."""

    n: int
    cosine: float
    levels: Levels

    @property
    def place(self) -> float:
        """0 at the strangers' level, 1 at the own level; 1 where the inverter cannot tell them from each other."""
        if not self.levels.reads:
            return 1.0
        return (self.cosine - self.levels.strangers) / (self.levels.own - self.levels.strangers)

    @property
    def far(self) -> bool:
        """Whether the vectors read like those of another embedder."""
        return self.place < FAR

    @property
    def near(self) -> bool:
        """Whether they read like the embedder's own."""
        return self.place >= NEAR

    def words(self, embedder: str) -> str:
        """The measurement as a sentence without its end."""
        return (
            f"re-embedded texts of {self.n} vectors reach a mean cosine of {self.cosine:.2f}, where {embedder}'s own "
            f"known sentences reach {self.levels.own:.2f} and vectors of strangers {self.levels.strangers:.2f}"
        )

    def doubt(self, embedder: str) -> str:
        """What speaks against these vectors being the embedder's, in words; empty where nothing does."""
        if self.far:
            return f"these do not look like {embedder}'s vectors: {self.words(embedder)}"
        if not self.near:
            return f"these texts are uncertain: {self.words(embedder)}; the vectors may be changed, or of unusual texts"
        return ""


def measure_levels(embedder: Embedder, quick: Quick) -> Levels:
    """The levels of an inverter; embeds KNOWN and inverts it twice."""
    own = embedder.embed(list(KNOWN), what="embed known sentences")
    order = np.random.default_rng(0).permutation(own.shape[1])
    return Levels(_reached(embedder, quick, own), _reached(embedder, quick, own[:, order]))


def measure(
    embedder: Embedder, quick: Quick, levels: Levels, vectors: Float[np.ndarray, "n d"], seed: int = 0
) -> Nearness:
    """How near the texts of some of n vectors come."""
    rows = np.random.default_rng(seed).permutation(len(vectors))[:ROWS]
    return Nearness(len(rows), _reached(embedder, quick, vectors[np.sort(rows)]), levels)


def _reached(embedder: Embedder, quick: Quick, vectors: np.ndarray) -> float:
    texts = list(quick(vectors))
    return float((unit(vectors) * unit(embedder.embed(texts, what="re-embed"))).sum(1).mean())


@dataclass(frozen=True)
class KnownTexts:
    """Texts that came with vectors, embedded again: mean cosine to their own vectors, and to those of other rows."""

    n: int
    own: float
    others: float

    @property
    def same(self) -> bool:
        """Whether the vectors are surely the embedder's of these texts, though perhaps changed a little."""
        return self.own >= _AGREE and self.own - self.others >= _ABOVE

    @property
    def strangers(self) -> bool:
        """Whether the vectors have nothing to do with the embedder's of these texts."""
        return bool(self.own - self.others < _UNRELATED)

    def words(self, embedder: str) -> str:
        """The measurement as a sentence without its end."""
        return (
            f"{self.n} of their texts, embedded again by {embedder}, have a mean cosine of {self.own:.2f} to their "
            f"vectors and {self.others:.2f} to those of other texts"
        )


def compare_known_texts(embedder: Embedder, held: EmbeddingSet) -> KnownTexts | None:
    """Embed at most 16 different texts of a set again and compare; None where there are not two different ones."""
    assert held.texts is not None
    rows: dict[str, int] = {}
    for row in np.random.default_rng(0).permutation(len(held)).tolist():
        text = held.texts[row]
        if isinstance(text, str) and text.strip() and len(rows) < _TEXTS:
            rows.setdefault(text, row)
    if not rows:
        return None
    stored = unit(held.vectors[list(rows.values())])
    again = unit(embedder.embed(list(rows), what="embed known texts"))
    if stored.shape[1] != again.shape[1]:
        return None
    table = again @ stored.T
    own = float(np.diag(table).mean())
    n = len(rows)
    others = float((table.sum() - np.trace(table)) / (n * (n - 1))) if n > 1 else 0.0
    return KnownTexts(n, own, others)
