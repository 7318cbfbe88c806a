"""Attributor: what a text's pieces give to a cosine. One matrix a text; every question is then a product."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from jaxtyping import Float, Int

from workbench.attribute._contributions import LEVELS, Contributions, Level
from workbench.attribute._reading import TextReading, read_text, shortened, unit_vectors
from workbench.core.access import Access
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput, UnknownName
from workbench.core.progress import progress
from workbench.embed._embedder import Embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.results.attribution import Attribution, HitAttributions, PairAttribution

AUTO = 64
"""Tokens up to which the level `auto` is `token`."""
_KEPT = 4096
"""Texts whose contributions are remembered."""


@dataclass(frozen=True)
class Options:
    """How contributions are made: the layer whose states are moved, from where, and how exact the sum must be."""

    layer: int = 0
    reference: str = "pad"
    """pad, mask, or a text."""
    tolerance: float = 1e-2
    """Most that a text's contributions may miss its vector by, before what they miss is shared out over the pieces."""
    nodes: int = 0
    """Places of the path that are visited; 0 takes the fewest that keep the tolerance."""

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1:
            raise BadInput(f"tolerance is {self.tolerance}; expected more than 0 and less than 1")
        if self.nodes < 0:
            raise BadInput(f"nodes is {self.nodes}; expected 1 or more, or 0 for as many as the tolerance needs")


@dataclass(frozen=True, eq=False)
class Directed:
    """What each of n pieces gives to a text's unit vector times a direction; `border` is the reference's part."""

    names: tuple[str, ...]
    spans: Int[np.ndarray, "n 2"]
    values: Float[np.ndarray, " n"]
    border: float
    score: float
    rule: str
    nodes: int
    missed: float = 0.0
    """What the rule missed of the score before it was shared out over the pieces."""


class Attributor(ABC):
    """A member gives `contribute`: what each piece of a text gives to its unit vector.

    With P the pieces' vectors and r the reference's, [P_a; r_a] [P_b; r_b]^T sums to cos(a, b) as exactly as P and r
    sum to g: the bordered matrix. Towards a direction u it is P u and r u.
    """

    name: ClassVar[str]
    needs: ClassVar[Access] = Access.WEIGHTS
    merges: ClassVar[bool] = True
    """Whether the contribution of a word or sentence is the sum of its tokens'."""

    def __init__(self, embedder: Embedder, options: Options | None = None) -> None:
        self.embedder, self.options = embedder, options or Options()
        self._memo: OrderedDict[tuple[str, Level], Contributions] = OrderedDict()
        self._read: dict[str, TextReading] = {}

    @abstractmethod
    def contribute(self, text: str, level: Level) -> Contributions:
        """The contributions of one text, made anew."""

    @final
    def contributions(self, text: str, level: Level = "token") -> Contributions:
        """The contributions of one text; made once."""
        if level not in LEVELS:
            raise UnknownName("level", level, LEVELS)
        if not isinstance(text, str):
            raise BadInput(f"text is {text!r}; expected a string")
        self._require_tokens(text)
        level = self.level_for([text], level)
        key = (text, level)
        if key not in self._memo:
            whole = self._memo.get((text, "token"))
            self._memo[key] = whole.merged(level) if whole and self.merges else self.contribute(text, level)
            while len(self._memo) > _KEPT:
                self._memo.popitem(last=False)
        self._memo.move_to_end(key)
        return self._memo[key]

    @final
    def toward(
        self, text: str, direction: Float[np.ndarray, " d"], level: Level = "token", about: str = ""
    ) -> Attribution:
        """What each piece gives to g(text) . direction, `about` in words: a probe's weights, a difference, a dimension.

        Raises BadInput for a direction of another dimension, or one that is not finite, and for a text without tokens.
        """
        began = time.monotonic()
        direction = self._checked(direction)
        self._require_tokens(text)
        found = self.directed(text, direction, level)
        reading = self.reading(text)
        return Attribution(
            method=self.name,
            embedder=self.embedder.spec.name,
            text=text,
            about=about,
            tokens=found.names,
            spans=found.spans,
            values=found.values,
            border=found.border,
            score=found.score,
            completeness_error=max(abs(float(found.values.sum()) + found.border - found.score), abs(found.missed)),
            rule=found.rule,
            nodes=found.nodes,
            seconds=time.monotonic() - began,
            read=reading.end,
            tokens_cut=reading.tokens_cut,
            notes=self._notes([("The text", reading)]),
        )

    def directed(self, text: str, direction: Float[np.ndarray, " d"], level: Level) -> Directed:
        """What each piece gives towards a checked direction."""
        found = self.contributions(text, level)
        return Directed(
            found.names,
            found.spans,
            found.matrix @ direction,
            float(found.reference @ direction),
            float(found.vector @ direction),
            found.rule,
            found.nodes,
            0.0 if found.missed is None else float(found.missed @ direction),
        )

    @final
    def level_for(self, texts: Sequence[str], level: Level) -> Level:
        """What `auto` means for these texts: pairs of tokens of long texts are slow to find, and so large a grid
        cannot be read."""
        if level != "auto":
            return level
        read = (self.reading(text) for text in texts)
        return "phrase" if max(each.tokens - each.tokens_cut for each in read) > AUTO else "token"

    @final
    def reading(self, text: str) -> TextReading:
        """Which part of a text the model reads, and how many of its tokens the tokenizer knows."""
        if text not in self._read:
            while len(self._read) >= _KEPT:
                self._read.pop(next(iter(self._read)))
            self._read[text] = read_text(self.embedder, text)
        return self._read[text]

    def _require_tokens(self, text: str) -> None:
        if not isinstance(text, str):
            raise BadInput(f"text is {text!r}; expected a string")
        if not self.reading(text).content:
            raise BadInput(
                f"{self.embedder.spec.name} reads no token of the text {shortened(text)!r}, so there is nothing to "
                f"attribute; {self.reading(text).why}"
            )

    def _notes(self, readings: Sequence[tuple[str, TextReading]]) -> tuple[str, ...]:
        name, limit = self.embedder.spec.name, self.embedder.spec.max_tokens
        out = [
            f"{which} has {each.tokens:,} tokens, of which {name} read the first {each.tokens - each.tokens_cut:,} "
            f"(its limit is {limit:,}): {each.tokens_cut:,} tokens were not read."
            for which, each in readings
            if each.tokens_cut
        ]
        for which, each in readings:
            if each.known == 0:
                out.append(
                    f"{which} consists of tokens that {name}'s tokenizer does not know (or of special tokens): its "
                    "vector is that of any such text, and the score says nothing about its words."
                )
            elif each.known < each.tokens:
                out.append(
                    f"{name}'s tokenizer does not know {each.tokens - each.known:,} of the {each.tokens:,} tokens of "
                    f"{which[0].lower()}{which[1:]} (or they are special tokens or blanks)."
                )
        return tuple(out)

    @final
    def pair(self, a: str, b: str, level: Level = "token", contrast: str = "") -> PairAttribution:
        """The cosine of two texts as a bordered matrix; with `contrast`, also why b rather than that text."""
        began = time.monotonic()
        for text in (a, b, *([contrast] if contrast else [])):
            self._require_tokens(text)
        level = self.level_for([a, b], level)
        one, two = self.contributions(a, level), self.contributions(b, level)
        matrix = one.bordered @ two.bordered.T
        score = float(one.vector @ two.vector)
        return PairAttribution(
            method=self.name,
            embedder=self.embedder.spec.name,
            text_a=a,
            text_b=b,
            tokens_a=one.names,
            tokens_b=two.names,
            spans_a=one.spans,
            spans_b=two.spans,
            matrix=matrix,
            score=score,
            completeness_error=max(
                abs(float(matrix.sum()) - score), abs(float(one.unshared @ two.unshared - one.vector @ two.vector))
            ),
            rule=" and ".join(dict.fromkeys(filter(None, (one.rule, two.rule)))),
            nodes=max(one.nodes, two.nodes),
            layer=self.options.layer,
            reference=self.options.reference,
            contrast=self.contrast(a, b, contrast, level) if contrast else None,
            seconds=time.monotonic() - began,
            read_a=self.reading(a).end,
            read_b=self.reading(b).end,
            tokens_cut_a=self.reading(a).tokens_cut,
            tokens_cut_b=self.reading(b).tokens_cut,
            level=level,
            notes=self._notes([("The first text", self.reading(a)), ("The second text", self.reading(b))]),
        )

    @final
    def contrast(self, a: str, b: str, c: str, level: Level = "token") -> Attribution:
        """Why a is closer to b than to c: what each piece of a gives to cos(a, b) - cos(a, c)."""
        for text in (a, b, c):
            self._require_tokens(text)
        toward = self.vectors([b]) - self.vectors([c])
        return self.toward(a, toward[0], level, f"cosine with {b!r} less cosine with {c!r}")

    @final
    def hits(self, query: str, store: SetLike, top: int = 10, level: Level = "word") -> HitAttributions:
        """The `top` vectors of a store that are nearest to a query, and what each piece of the query gives to each."""
        store = EmbeddingSet.of(store)
        if top < 1:
            raise BadInput(f"top is {top}; expected 1 or more")
        store.require_dim(self.embedder.spec.dim, self.embedder.spec.name)
        self._require_tokens(query)
        norms = np.linalg.norm(store.vectors, axis=1, keepdims=True)
        vectors = store.vectors / np.maximum(norms, 1e-12)
        scores = vectors @ self.vectors([query])[0]
        best = np.argsort(-scores, kind="stable")[:top]
        items = []
        with progress("attribute hits", len(best), "hits") as advance:
            for row in best.tolist():
                items.append(self.toward(query, vectors[row].astype(np.float64), level, str(store.ids[row])))
                advance(1)
        texts = tuple("" if store.texts is None else str(store.texts[row]) for row in best)
        return HitAttributions(
            query, tuple(str(store.ids[row]) for row in best), texts, tuple(items), self.name, self.embedder.spec.name
        )

    def vectors(self, texts: Sequence[str]) -> Float[np.ndarray, "n d"]:
        """Unit vectors of texts."""
        return unit_vectors(self.embedder, texts)

    def _checked(self, direction: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        direction = np.asarray(direction, dtype=np.float64)
        if direction.shape != (self.embedder.spec.dim,) or not np.isfinite(direction).all():
            raise BadInput(
                f"direction has shape {direction.shape}; expected ({self.embedder.spec.dim},), finite: "
                f"the dimension of {self.embedder.spec.name}"
            )
        return direction


class OpenAttributor(Attributor):
    """A member that needs the embedder's insides. Raises BadInput for an embedder that has none to show."""

    def __init__(self, embedder: Embedder, options: Options | None = None) -> None:
        super().__init__(embedder, options)
        if not isinstance(embedder, GradEmbedder):
            raise BadInput(
                f"{self.name} needs gradients, which {embedder.spec.name} does not give; use occlusion with it"
            )
        self._open = embedder
