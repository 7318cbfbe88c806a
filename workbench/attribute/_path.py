"""The straight line from a reference to a text, in the states of one layer, and the unit vectors along it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from workbench.attribute._contributions import Contributions
from workbench.attribute._tangents import LeanTangents
from workbench.core.errors import BadInput
from workbench.embed._grad_embedder import GradEmbedder, TokenBatch
from workbench.embed._torch import plain_attention

ROWS = 4096
"""Token states that are worked on at once; keeps what is held next to the model under 200 MB for hidden size 384."""
_LONG = 256
"""Tokens from which on attention, quadratic in the length, decides how much memory a token state takes."""


class Path:
    """h(s) = r + s (x - r) for one text: x its token states at a layer, r those of its reference.

    `vectors` maps states on the path to unit vectors; the norm is inside, so what is attributed is the cosine.
    """

    def __init__(self, embedder: GradEmbedder, text: str, layer: int = 0, reference: str = "pad") -> None:
        self.text, self.layer = text, embedder.require_layer(layer)
        self.batch = embedder.tokenise([text])
        self._embedder = embedder
        refers = _referred(embedder, self.batch, reference)
        with torch.no_grad(), plain_attention():
            self.end = self._states(self.batch)
            self.start = self._states(refers)
            self.step = (self.end - self.start)[0]
            self.ends = self.vectors(torch.cat([self.start, self.end]))
        if not torch.isfinite(self.ends).all():
            raise BadInput(f"the reference {reference!r} has a vector without direction; use pad, mask or a text")

    @property
    def length(self) -> int:
        """Tokens, specials included."""
        return self.step.shape[0]

    @property
    def together(self) -> int:
        """Texts of this length that are worked on at once."""
        return max(1, int(ROWS / self.length * min(1.0, _LONG / self.length)))

    def vectors(self, states: Float[torch.Tensor, "n t h"]) -> Float[torch.Tensor, "n d"]:
        """Unit vectors of n states of this text's length."""
        count = len(states)
        features = {
            key: value.expand(count, *value.shape[1:]) if torch.is_tensor(value) else value
            for key, value in self.batch.features.items()
        }
        found = self._embedder.encode(features, self.layer, states)
        return found / found.norm(dim=-1, keepdim=True)

    def at(self, places: Float[torch.Tensor, " s"]) -> Float[torch.Tensor, "s t h"]:
        """States at some places of the path, 0 .. 1."""
        return self.start + places.to(self.start)[:, None, None] * self.step

    def slopes(
        self, states: Float[torch.Tensor, "n t h"], tangent: Float[torch.Tensor, "*n t h"]
    ) -> Float[torch.Tensor, "n d"]:
        """How the vectors of n states move along a tangent: one Jacobian-vector product each."""
        with torch.no_grad(), LeanTangents():
            return torch.func.jvp(self.vectors, (states,), (tangent.expand_as(states),))[1]

    def contributions(self, matrix: Float[np.ndarray, "t d"], rule: str, nodes: int = 0) -> Contributions:
        """What a method found for the t tokens, with this path's ends as the text's and the reference's vectors."""
        start, end = self.ends.double().cpu().numpy()
        spans = self.batch.spans[0].cpu().numpy()
        return Contributions(self.text, self.batch.tokens[0], spans, matrix, end, start, rule, nodes)

    def _states(self, batch: TokenBatch) -> torch.Tensor:
        states = self._embedder.states(batch.features, self.layer)
        if states.dtype not in (torch.float32, torch.float64):
            raise BadInput(
                f"{self._embedder.spec.name} computes in {str(states.dtype).removeprefix('torch.')}, whose rounding is "
                "larger than what is attributed; open the model in float32"
            )
        return states.detach()


def _referred(embedder: GradEmbedder, batch: TokenBatch, reference: str) -> TokenBatch:
    """The batch with its text's tokens replaced: by a filler, or by the first tokens of another text, then pad."""
    if reference in ("zero", "zeros", "0", ""):
        raise BadInput(
            "a zero reference is no input that the model ever saw, and what is integrated from there says nothing; "
            "use pad, mask or a text"
        )
    if reference in embedder.fillers or reference in ("pad", "mask"):
        return embedder.reference(batch, reference)
    filled = embedder.reference(batch, "pad")
    other = embedder.tokenise([reference])
    ids, places = filled.ids.clone(), batch.content[0].nonzero()[:, 0]
    said = other.ids[0][other.content[0]][: len(places)]
    ids[0, places[: len(said)]] = said
    return replace(filled, features={**filled.features, "input_ids": ids})
