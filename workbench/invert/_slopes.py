"""Where gradients are granted: the first-order change of the cosine for every replacement of a piece."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.embed._grad_embedder import GradEmbedder
from workbench.invert._pool import Pieces
from workbench.lm import Vocabulary

_ROWS = 512


class Slopes:
    """Foretells the cosine after any replacement from one backward pass a text (HotFlip, Ebrahimi et al. 2018).

    The gradient is taken at the states that enter the embedder's first layer; a piece's state there is looked up once.
    """

    def __init__(self, embedder: GradEmbedder, vocabulary: Vocabulary) -> None:
        self._embedder, self._vocabulary = embedder, vocabulary
        self._base = torch.from_numpy(vocabulary.base)

    @torch.inference_mode(mode=False)
    def foretell(self, texts: Sequence[Pieces], wanted: Float[Tensor, "n d"]) -> list[Float[Tensor, "t v"] | None]:
        """The cosine with `wanted` after each place of each text took each piece.

        None for a text that the embedder cuts into other pieces than the decoder: it has other places.
        """
        wanted = wanted.clone()  # a tensor of inference mode has no gradients
        table = self._table
        with torch.enable_grad():
            batch = self._embedder.tokenise([self._vocabulary.decode(text) for text in texts])
            states = self._embedder.states(batch.features, 0).detach().requires_grad_()
            vectors = self._embedder.encode(batch.features, 0, states)
            cosines = torch.nn.functional.cosine_similarity(vectors.float(), wanted)
            (gradients,) = torch.autograd.grad(cosines.sum(), states)
        out: list[Tensor | None] = []
        for text, ids, inside, gradient, cosine in zip(
            texts, batch.ids.cpu(), batch.content.cpu(), gradients.float(), cosines.detach(), strict=True
        ):
            places = list(text)
            if not torch.equal(ids[inside], self._base[places]):
                out.append(None)
                continue
            here = gradient[inside.to(gradient.device)]
            out.append(cosine + here @ table.T - (here * table[places]).sum(1)[:, None])
        return out

    @cached_property
    def _table(self) -> Float[Tensor, "v h"]:
        """What each piece puts into the first layer, at the first place of a text."""
        rows = []
        with torch.inference_mode(mode=False), torch.no_grad():
            one = self._embedder.tokenise(["a"])
            place = int(one.content[0].nonzero()[0])
            for ids in self._base.clamp(min=0).split(_ROWS):
                features = {k: v.expand(len(ids), -1).clone() for k, v in one.features.items() if torch.is_tensor(v)}
                features["input_ids"][:, place] = ids.to(features["input_ids"].device)
                rows.append(self._embedder.states(features, 0)[:, place].float())
        return torch.cat(rows)
