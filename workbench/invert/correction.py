"""vec2text's second stage: a model rewrites its hypothesis, told where the vector of that lies; the best is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from workbench.core.access import Access
from workbench.core.errors import BadInput
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import Attacker, Inverter
from workbench.invert._pool import Limits, Pieces, Pool
from workbench.invert._writer import Writer, open_text_model
from workbench.lm import TextModel

__all__ = ["Correction"]


class Correction(Inverter):
    """Rounds of correction with a sequence beam (Morris et al. 2023).

    Each of the `beams` best texts of a vector is rewritten into `beams` texts; all are embedded, and the `beams` best
    of all go on. A vector leaves the rounds when its text has cosine .9999 or two rounds gain nothing; the best text
    ever seen is kept, so the cosine never falls. Needs a checkpoint that was trained with `--correction`.
    """

    name: ClassVar[str] = "correction"
    needs: ClassVar[Access] = Access.QUERY

    def __init__(
        self, embedder: Embedder, model: TextModel, beams: int = 4, rounds: int = 8, limits: Limits | None = None
    ) -> None:
        if not model.decoder.corrects:
            raise BadInput(
                "this checkpoint cannot rewrite drafts; train one: workbench train inverter --correction 0.5"
            )
        self.embedder, self.dim = embedder.rough(), model.bag.weight.shape[0]
        self._writer, self._vocabulary = Writer(model), model.vocabulary
        self._beams, self._rounds, self._limits = beams, rounds, limits

    @classmethod
    def open(cls, attacker: Attacker) -> Correction:
        """Load the attacker's checkpoint."""
        return cls(attacker.embedder, open_text_model(attacker), attacker.beams or 4, limits=attacker.limits)

    def quick(self, vectors: Float[np.ndarray, "n d"]) -> Sequence[str]:
        """The decoder's greedy text of each vector."""
        return self._writer.greedy(vectors)

    def rounds(self, vectors: Float[np.ndarray, "n d"]) -> Iterator[tuple[str, Sequence[str]]]:
        """The hypothesis, then each round of correction while any vector still gains."""
        pool = Pool(self.embedder, self._vocabulary, vectors, self._beams, limits=self._limits)
        pool.offer(range(len(vectors)), self._writer.hypotheses(vectors, self._beams))
        yield "hypothesis", pool.texts()
        done: set[tuple[int, Pieces]] = set()  # a draft that is rewritten again is rewritten alike
        for number, rows in enumerate(pool.rounds(self._rounds, "correct"), 1):
            parents = [(row, kept) for row in rows for kept in pool.kept[row] if (row, kept.pieces) not in done]
            if not parents:
                break
            done.update((row, kept.pieces) for row, kept in parents)
            rewritten = self._writer.rewrites(pool, parents, self._beams)
            pool.offer(list(rewritten), list(rewritten.values()))
            yield f"correction {number}", pool.texts()
