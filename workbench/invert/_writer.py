"""Writer: a checkpoint's decoder as an attacker uses it: first hypotheses, rewritten drafts, texts of given words."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from workbench.embed._torch import pick_device, rough_products
from workbench.invert._inverter import Attacker
from workbench.invert._pool import Kept, Pieces, Pool
from workbench.lm import Draft, TextModel, generate
from workbench.lm.text_decoder import EOS, padded

_ROWS = 64
"""Texts for which logits over the whole vocabulary are held at once."""


def open_text_model(attacker: Attacker) -> TextModel:
    """The attacker's checkpoint on its device."""
    folder, card = attacker.open_checkpoint()
    config: dict[str, Any] = dict(card.config)
    return TextModel.load(folder, config, pick_device(attacker.device))


class Writer:
    """Writes pieces; no text begins with the continuation of a word."""

    def __init__(self, model: TextModel) -> None:
        self._decoder, self._vocabulary, self._size = model.decoder, model.vocabulary, len(model.vocabulary)
        self._device = next(model.decoder.parameters()).device
        self._banned = torch.from_numpy(np.flatnonzero(model.vocabulary.continues)).to(self._device)

    def hypotheses(self, vectors: Float[np.ndarray, "n d"], beams: int) -> list[list[Pieces]]:
        """The `beams` likeliest texts of each vector, likeliest first."""
        return self._write(vectors, beams)

    def greedy(self, vectors: Float[np.ndarray, "n d"]) -> list[str]:
        """The text that the decoder writes of each vector by one beam; empty where it writes nothing."""
        return [self._vocabulary.decode(each[0]) if each else "" for each in self._write(vectors, 1)]

    def rewrites(self, pool: Pool, parents: Sequence[tuple[int, Kept]], beams: int) -> dict[int, list[Pieces]]:
        """For each vector what its drafts (`parents`: vector and draft) are rewritten to, `beams` texts a draft."""
        rows = [row for row, _ in parents]
        own = np.stack([kept.vector for _, kept in parents])
        draft = Draft.of([kept.pieces for _, kept in parents], own, self._device)
        out: dict[int, list[Pieces]] = {}
        for row, texts in zip(rows, self._write(pool.vectors[rows], beams, draft), strict=True):
            out.setdefault(row, []).extend(texts)
        return out

    def recompositions(
        self, vectors: Float[np.ndarray, "n d"], words: Sequence[Set[int]], beams: int, hint: float
    ) -> list[list[Pieces]]:
        """The likeliest texts when certain pieces of each are `hint` nats likelier than the decoder thinks."""
        out: list[list[Pieces]] = []
        for start in range(0, len(vectors), _ROWS):
            chunk = words[start : start + _ROWS]
            hints = torch.zeros(len(chunk), self._size, device=self._device)
            for row, pieces in enumerate(chunk):
                hints[row, list(pieces)] = hint
            out += self._write(vectors[start : start + _ROWS], beams, hints=hints)
        return out

    @torch.inference_mode()
    def fluency(self, vectors: Float[np.ndarray, "n d"], texts: Sequence[Pieces]) -> Float[np.ndarray, " n"]:
        """Log-probability per piece of each text given its vector, the end counted, in nats."""
        out = np.empty(len(texts))
        order = np.argsort([len(text) for text in texts], kind="stable")
        for start in range(0, len(order), _ROWS):
            rows = order[start : start + _ROWS]
            wanted = padded([(*texts[row], EOS) for row in rows], self._device)
            stolen = torch.tensor(vectors[rows], dtype=torch.float32, device=self._device)
            with rough_products(self._device.type):
                logits = self._decoder(stolen, wanted[:, :-1])
            log_p = logits.float().log_softmax(-1).gather(2, wanted.unsqueeze(2)).squeeze(2)
            for place, row in enumerate(rows):
                out[row] = float(log_p[place, : len(texts[row]) + 1].mean())
        return out

    def _write(
        self, vectors: np.ndarray, beams: int, draft: Draft | None = None, hints: torch.Tensor | None = None
    ) -> list[list[Pieces]]:
        stolen = torch.tensor(np.asarray(vectors), dtype=torch.float32, device=self._device)
        with rough_products(self._device.type):
            found = generate(self._decoder, stolen, beams, banned=self._banned, draft=draft, hints=hints)
        return [[candidate.ids for candidate in each] for each in found]
