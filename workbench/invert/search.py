"""Hypotheses by beam search, then small edits that the embedder scores, round by round; the best is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from workbench.core.access import Access
from workbench.core.errors import BadInput, UnknownName
from workbench.embed._embedder import Embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.invert._crossing import crossed
from workbench.invert._edits import Edit, Editor, applied, together
from workbench.invert._inverter import Attacker, Inverter
from workbench.invert._pool import Kept, Limits, Pieces, Pool
from workbench.invert._slopes import Slopes
from workbench.invert._writer import Writer, open_text_model
from workbench.lm import TextModel

__all__ = ["Search"]


@dataclass(frozen=True)
class Preset:
    """How hard to search."""

    beams: int
    """Hypotheses a vector."""
    rounds: int
    """Most rounds of edits."""
    edits: int
    """Edits that are tried of each kept text in a round."""
    width: int = 1
    """Texts of each vector that are kept and edited."""
    recompose: int = 0
    """Beams of the last round, in which the decoder says anew the words that the edits found; 0 for none."""
    parents: int = 0
    """Kept texts that are edited in a round; 0 for all."""
    heat: float = 0.0
    """Radians by which a text may be worse and still be kept and edited; 0 keeps the best. Above 0 exchanges give way
    to texts that begin as one kept text and end as another."""
    patience: int = 2
    """Rounds without gain after which a vector is let go."""


PRESETS = {
    "fast": Preset(beams=8, rounds=0, edits=0),
    "default": Preset(beams=32, rounds=6, edits=32, width=2, recompose=32),
    "best": Preset(beams=64, rounds=40, edits=16, width=12, recompose=64, parents=3, heat=0.01, patience=20),
}
_HINT = 8.0
"""Nats by which a word that the edits found is made likelier when the text is recomposed."""
_FLUENCY = 0.033
"""Radians that a nat of log-probability per piece is worth when texts are chosen."""
_CROSSED = 5
"""Texts that are crossed from each parent and others in a round with heat."""


def named_preset(name: str) -> Preset:
    """One of PRESETS. Raises UnknownName."""
    if name not in PRESETS:
        raise UnknownName("preset", name, PRESETS)
    return PRESETS[name]


def preset_of(attacker: Attacker) -> Preset:
    """The preset that the attacker named, with its beams where it set them. Raises UnknownName."""
    preset = named_preset(attacker.preset)
    return replace(preset, beams=attacker.beams) if attacker.beams else preset


class Search(Inverter):
    """Beam search, then rounds of edits: replace, insert, delete, exchange; and sets of edits at once.

    Edits are ranked by where a closed-form model of the embedder foretells the vector to go (where the threat model
    grants weights, gradients too) and by the decoder's probability, so few need to be embedded. Sets of them are chosen
    by what each did to the vector. A vector is done when its text has cosine .9999 or its rounds gain nothing.

    Climbing alone ends where no small change helps. With a preset's `heat` many texts of each vector are kept, worse
    ones too, crossed with each other and edited: a population, from which the best is never lost.

    The embedder hardly minds the order of words, so by cosine alone a search ends in texts that nobody would write.
    Texts are therefore ranked by their angle and a little of the decoder's log-probability, and in the last round the
    decoder writes anew what is not yet found, told which words to use.
    """

    name: ClassVar[str] = "search"
    needs: ClassVar[Access] = Access.QUERY

    def __init__(
        self,
        embedder: Embedder,
        model: TextModel,
        preset: Preset = PRESETS["default"],
        limits: Limits | None = None,
        slopes: bool = False,
    ) -> None:
        if model.shifts is None:
            raise BadInput("this checkpoint holds no word shifts, which edits are ranked by; use `hypothesis` with it")
        self.embedder, self.dim = embedder.rough(), model.bag.weight.shape[0]
        self._writer, self._vocabulary = Writer(model), model.vocabulary
        self._preset, self._limits, self._longest = preset, limits, model.decoder.max_tokens
        self._takes_hints = model.decoder.takes_hints
        found = _slopes(embedder, model) if slopes else None
        self._editor = Editor(model.decoder, model.vocabulary, model.shifts, found, model.lexicon)

    @classmethod
    def open(cls, attacker: Attacker) -> Search:
        """Load the attacker's checkpoint."""
        preset, granted = preset_of(attacker), attacker.threat.grants >= Access.WEIGHTS
        return cls(attacker.embedder, open_text_model(attacker), preset, attacker.limits, slopes=granted)

    def rounds(self, vectors: Float[np.ndarray, "n d"]) -> Iterator[tuple[str, Sequence[str]]]:
        """The hypotheses, then each round of edits while any vector still gains."""
        yield from self._rounds(vectors, self._writer.hypotheses(vectors, self._preset.beams))

    def quick(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """The decoder's greedy text of each vector."""
        return self._writer.greedy(vectors)

    def rounds_from(
        self, vectors: Float[np.ndarray, "n d"], texts: Sequence[str]
    ) -> Iterator[tuple[str, Sequence[str]]]:
        """The better of a given text and the decoder's likeliest, for each vector, then the rounds of edits.

        Given texts are cut to what the decoder can hold.
        """
        pieces = [tuple(row[: self._longest]) for row in self._vocabulary.encode(texts)]
        written = self._writer.hypotheses(vectors, 1)
        yield from self._rounds(vectors, [[given, *own] for given, own in zip(pieces, written, strict=True)])

    def _rounds(self, vectors: np.ndarray, starts: Sequence[Sequence[Pieces]]) -> Iterator[tuple[str, Sequence[str]]]:
        p = self._preset

        def fluency(rows: Sequence[int], texts: Sequence[Pieces]) -> Float[np.ndarray, " n"]:
            return _FLUENCY * self._writer.fluency(pool.vectors[list(rows)], texts)

        pool = Pool(self.embedder, self._vocabulary, vectors, p.width, p.patience, self._limits, fluency, p.heat)
        pool.offer(range(len(vectors)), starts)
        yield "hypothesis", pool.texts()
        done: list[set[Pieces]] = [set() for _ in vectors]
        for number, rows in enumerate(pool.rounds(p.rounds, "search"), 1):
            self._edit(pool, rows, done)
            yield f"edits {number}", pool.texts()
        if p.recompose and self._takes_hints and (rows := pool.unsolved()):
            self._recompose(pool, rows)
            yield "recompose", pool.texts()

    def _edit(self, pool: Pool, rows: list[int], done: list[set[Pieces]]) -> None:
        """One round: single edits of every kept text, then the best of them together."""
        p = self._preset
        parents = [(row, kept) for row in rows for kept in pool.drawn(row, pool.kept[row], p.parents or p.width)]
        proposed = self._propose(pool, parents, done)
        by_row = self._cross(pool, parents) if p.heat else {}
        tried = self._offer(pool, parents, proposed)
        joined = [
            together(kept.pieces, edits, vectors, kept.vector, pool.vectors[row], self._longest)
            for (row, kept), edits, vectors in zip(parents, proposed, tried, strict=True)
        ]
        for (row, _), pieces in zip(parents, joined, strict=True):
            by_row.setdefault(row, []).extend(pieces)
        pool.offer(list(by_row), list(by_row.values()))

    def _recompose(self, pool: Pool, rows: list[int]) -> None:
        """The decoder's own texts of the words that were found."""
        found = self._writer.recompositions(
            pool.vectors[rows],
            [set().union(*(each.pieces for each in pool.kept[row])) for row in rows],
            self._preset.recompose,
            _HINT,
        )
        pool.offer(rows, found)

    def _propose(self, pool: Pool, parents: list[tuple[int, Kept]], done: list[set[Pieces]]) -> list[list[Edit]]:
        vectors = pool.vectors[[row for row, _ in parents]]
        own = np.stack([kept.vector for _, kept in parents])
        texts = [kept.pieces for _, kept in parents]
        known = [done[row] for row, _ in parents]
        found = self._editor.propose(vectors, texts, own, self._preset.edits, known)
        for (row, kept), edits in zip(parents, found, strict=True):
            if not self._preset.heat:
                edits.extend(self._editor.exchanges(kept.pieces, done[row]))
            done[row].update(applied(kept.pieces, edit) for edit in edits)
        return found

    def _cross(self, pool: Pool, parents: list[tuple[int, Kept]]) -> dict[int, list[Pieces]]:
        """For each vector texts that begin as one of its parents and end as another of its kept texts."""
        out: dict[int, list[Pieces]] = {}
        for row, kept in parents:
            random = pool.draws[row]
            others = random.integers(len(pool.kept[row]), size=_CROSSED)
            out.setdefault(row, []).extend(
                crossed(kept.pieces, pool.kept[row][other].pieces, self._vocabulary.continues, self._longest, random)
                for other in others
            )
        return out

    @staticmethod
    def _offer(pool: Pool, parents: list[tuple[int, Kept]], proposed: list[list[Edit]]) -> list[np.ndarray]:
        rows = [row for row, _ in parents]
        texts = [
            [applied(kept.pieces, edit) for edit in edits] for (_, kept), edits in zip(parents, proposed, strict=True)
        ]
        return pool.offer(rows, texts)


def _slopes(embedder: Embedder, model: TextModel) -> Slopes:
    if not isinstance(embedder, GradEmbedder):
        raise BadInput(f"{embedder.spec.name} gives no gradients to follow; search without access to its weights")
    return Slopes(embedder, model.vocabulary)
