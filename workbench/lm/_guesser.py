"""Guessing a text's next tokens on a CPU with rounded weights, without transformers' own work between the products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from workbench.lm._rounded import RoundedLinear, can_round, rounded_copy


def open_guesser(lm: Any) -> Guesser | None:
    """The quickest guesser for a model; None where this torch has no kernel for it, or the model no map that fits."""
    if not can_round():
        return None
    if LlamaGuesser.fits(lm):
        return LlamaGuesser(lm)
    rough = rounded_copy(lm)
    return None if rough is None else Guesser(rough)


class Guesser:
    """Any causal language model, as transformers runs it, with rounded weights."""

    def __init__(self, rough: Any) -> None:
        self._rough = rough

    def guess(self, cache: Any, last: int, most: int, end: int) -> list[int]:
        """At most `most` likely successors of the token `last`, which follows what the cache holds; stops behind `end`.

        The cache is left as it was.
        """
        out: list[int] = []
        embeddings, head = self._rough.get_input_embeddings(), self._rough.get_output_embeddings()
        while len(out) < most and last != end:
            x = embeddings(torch.tensor([[last]]))
            states = self._rough.base_model(inputs_embeds=x, cache=cache, use_cache=True).last_hidden_state
            last = int(head(states).argmax(-1))
            out.append(last)
        if out:
            cache.crop(-len(out))
        return out


class LlamaGuesser(Guesser):
    """The same for models of Llama's plan, one row: what one product can read is read by one, keys and values are
    written where they stay, and nothing is checked twice."""

    def __init__(self, lm: Any) -> None:
        config, head = lm.config, lm.get_output_embeddings()
        self._heads, self._shared = config.num_attention_heads, config.num_key_value_heads
        self._size = getattr(config, "head_dim", None) or config.hidden_size // self._heads
        self._rotary = lm.base_model.rotary_emb
        self._embeddings = lm.get_input_embeddings()
        self._head = RoundedLinear(head) if RoundedLinear.fits(head) else head
        self._norm = _norm(lm.base_model.norm)
        self._layers = [_Layer(layer) for layer in lm.base_model.layers]

    @staticmethod
    def fits(lm: Any) -> bool:
        """Whether the model has this plan, with maps that the kernel can stand for."""
        config = lm.config
        return (config.model_type, getattr(config, "hidden_act", "")) == ("llama", "silu") and all(
            RoundedLinear.fits(part) and part.bias is None
            for layer in lm.base_model.layers
            for part in layer.modules()
            if isinstance(part, nn.Linear)
        )

    def guess(self, cache: Any, last: int, most: int, end: int) -> list[int]:
        """See `Guesser.guess`."""
        out: list[int] = []
        if most < 1 or last == end:
            return out
        past = cache.get_seq_length()
        keys, values = (self._room(cache, name, most) for name in ("keys", "values"))
        places = torch.arange(past, past + most)[None]
        cos, sin = (table[0] for table in self._rotary(self._embeddings.weight[:1], places))
        while len(out) < most and last != end:
            step, x = len(out), self._embeddings.weight[last]
            seen = past + step + 1
            for layer, k, v in zip(self._layers, keys, values, strict=True):
                x = self._through(layer, x, k, v, seen, cos[step], sin[step])
            last = int(self._head(self._norm(x)).argmax())
            out.append(last)
        return out

    def _through(
        self,
        layer: _Layer,
        x: Float[Tensor, " h"],
        keys: Float[Tensor, "g t s"],
        values: Float[Tensor, "g t s"],
        seen: int,
        cos: Float[Tensor, " s"],
        sin: Float[Tensor, " s"],
    ) -> Float[Tensor, " h"]:
        """One layer for one token, whose key and value become the last of `seen`."""
        heads = layer.asks(layer.first(x)).view(-1, self._size)
        turned, value = heads[: -self._shared], heads[-self._shared :]
        low, high = turned.chunk(2, -1)
        turned = turned * cos + torch.cat([-high, low], -1) * sin
        keys[:, seen - 1], values[:, seen - 1] = turned[self._heads :], value
        found = F.scaled_dot_product_attention(
            turned[None, : self._heads, None], keys[None, :, :seen], values[None, :, :seen], enable_gqa=True
        )
        x = x + layer.tells(found.flatten())
        gate, up = layer.opens(layer.second(x)).chunk(2)
        return x + layer.closes(F.silu(gate) * up)

    def _room(self, cache: Any, name: str, more: int) -> list[Float[Tensor, "g t s"]]:
        """Keys or values of all layers, with room for those to come."""
        return [F.pad(getattr(layer, name)[0], (0, 0, 0, more)) for layer in cache.layers]


class _Layer:
    """A layer's norms and its four products, queries, keys and values in one, gate and up in one."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.first, self.second = _norm(layer.input_layernorm), _norm(layer.post_attention_layernorm)
        self.asks = RoundedLinear(_joined([attention.q_proj, attention.k_proj, attention.v_proj]))
        self.tells = RoundedLinear(attention.o_proj)
        self.opens = RoundedLinear(_joined([mlp.gate_proj, mlp.up_proj]))
        self.closes = RoundedLinear(mlp.down_proj)


def _norm(norm: Any) -> Any:
    weight, epsilon = norm.weight.detach(), norm.variance_epsilon

    def apply(x: Float[Tensor, " h"]) -> Float[Tensor, " h"]:
        return F.rms_norm(x, weight.shape, weight, epsilon)

    return apply


def _joined(maps: Sequence[nn.Linear]) -> nn.Linear:
    """Linear maps of one input as one, their outputs behind each other."""
    weight = torch.cat([each.weight.detach() for each in maps])
    whole = nn.Linear(weight.shape[1], len(weight), bias=False, device="meta")
    whole.weight = nn.Parameter(weight, requires_grad=False)
    return whole
