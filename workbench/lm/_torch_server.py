"""The language model served by torch: one pass over all questions, then greedy steps, on a CPU with guesses ahead."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh

from workbench.lm._guesser import Guesser, open_guesser
from workbench.lm._packing import Packed, sees
from workbench.lm._server import Server, Told, Writing, first_segments
from workbench.lm._sharding import of_the_first

_AHEAD = 8
"""Tokens that are guessed before they are checked."""


def states_of(lm: Any, x: Float[Tensor, "n t h"], packed: Packed, cache: Any = None) -> Float[Tensor, "n t h"]:
    """Last states of packed prompts; keys and values go into `cache`, if there is one."""
    seen = sees(packed.segment.to(x.device))
    mask = torch.zeros_like(seen, dtype=x.dtype).masked_fill_(~seen, torch.finfo(x.dtype).min)
    return lm.base_model(
        inputs_embeds=x,
        attention_mask=mask,
        position_ids=packed.places.to(x.device),
        cache=cache,
        use_cache=cache is not None,
    ).last_hidden_state


class TorchServer(Server):
    """Any causal language model of transformers.

    With `guesses`, one text alone is written by speculative decoding (Leviathan et al. 2023): a copy with rounded
    weights guesses some tokens, and one pass of the model itself over all of them keeps those that it would have said,
    and adds its own next one. The text is the model's own greedy one; reading weights for one token at a time is what
    takes the time on a CPU. Only for weights that change no more.

    With `mesh` the layers are shared by its processes, which must all make the same passes: all write what the first
    does.
    """

    def __init__(self, lm: Any, guesses: bool = False, mesh: DeviceMesh | None = None) -> None:
        self._lm, self._guesses, self._mesh = lm, guesses, mesh
        self.guessed = self.right = 0
        """Tokens guessed, and those that were right."""

    @torch.no_grad()  # what inference mode makes could not learn: layers in shares are gathered into it for good
    def tell(self, x: Float[Tensor, "n t h"], packed: Packed, writing: Writing | None = None) -> Told:
        """See `Server.tell`."""
        from transformers import DynamicCache

        cache = None if writing is None else DynamicCache()
        states = states_of(self._lm, x, packed, cache)
        told = packed.told.to(x.device)
        logits = self._lm.get_output_embeddings()(states[told[:, 0], told[:, 1]])
        if writing is None:
            return Told(logits, [])
        firsts = first_segments(packed)
        _shorten(cache, x.shape[1] - int(packed.told[firsts[0], 1]) - 1)
        first = self._agreed(writing.first(logits[firsts.to(x.device)]))
        if len(x) == 1 and self._guesser is not None:
            return Told(logits, [self._checked(self._guesser, cache, int(first), writing)])
        return Told(logits, self._plain(cache, first, writing))

    @cached_property
    def _guesser(self) -> Guesser | None:
        return open_guesser(self._lm) if self._guesses else None

    def _plain(self, cache: Any, ids: Int[Tensor, " n"], writing: Writing) -> list[list[int]]:
        """A token at a time; rows that have ended are left out."""
        out: list[list[int]] = [[] for _ in ids]
        rows = torch.arange(len(ids), device=ids.device)
        for place in range(writing.most_tokens):
            if place:
                ids = self._step(cache, ids[:, None])[:, -1]
            going = ids != writing.end
            if not going.all():
                rows, ids = rows[going], ids[going]
                cache.batch_select_indices(going.nonzero()[:, 0])
            for row, id in zip(rows.tolist(), ids.tolist(), strict=True):
                out[row].append(id)
            if not len(rows):
                break
        return out

    def _checked(self, guesser: Guesser, cache: Any, first: int, writing: Writing) -> list[int]:
        """The same text for one row: several tokens are guessed, then checked at once."""
        out = [first]
        while out[-1] != writing.end and len(out) < writing.most_tokens:
            guessed = guesser.guess(cache, out[-1], min(_AHEAD, writing.most_tokens - len(out) - 1), writing.end)
            said = self._step(cache, torch.tensor([[out[-1], *guessed]]))[0].tolist()
            pairs = enumerate(zip(guessed, said, strict=False))
            right = next((i for i, (guess, said_) in pairs if guess != said_), len(guessed))
            _shorten(cache, len(guessed) - right)
            self.guessed, self.right = self.guessed + len(guessed), self.right + right
            for token in said[: right + 1]:
                out.append(token)
                if token == writing.end:
                    break
        return out[:-1] if out[-1] == writing.end else out

    def _step(self, cache: Any, ids: Int[Tensor, "n t"]) -> Int[Tensor, "n t"]:
        """The likeliest successor of each of `ids`, which go behind what the cache holds."""
        x = self._lm.get_input_embeddings()(ids)
        states = self._lm.base_model(inputs_embeds=x, cache=cache, use_cache=True).last_hidden_state
        return self._agreed(self._lm.get_output_embeddings()(states).argmax(-1))

    def _agreed(self, ids: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
        return ids if self._mesh is None else of_the_first(ids, self._mesh)


def _shorten(cache: Any, tokens: int) -> None:
    if tokens:
        cache.crop(-tokens)
