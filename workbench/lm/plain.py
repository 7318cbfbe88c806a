"""A causal language model as it is, made to write the text of a vector by a closed-form bag of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.errors import BadInput
from workbench.lm._blocks import ModelCache, Past
from workbench.lm._leaning import LeaningDecoder, Reading
from workbench.lm.bag_of_words import BagOfWords
from workbench.lm.text_decoder import EOS, Draft, padded
from workbench.lm.token_vocabulary import TokenVocabulary

_NEVER = -1e9
_GAIN = 1.5
"""How much the evidence counts. The likeliest value on whole texts is .3, for there the words before tell most; but
with that a language model writes what it always writes, and what was never said cannot be edited into shape."""
_ROWS = 32
"""Texts whose logits over all tokens are held at once."""


class PlainDecoder(LeaningDecoder):
    """p(text | e) ~ p(text | prompt) times the evidence of the vector for each word, once a word.

    The prompt is a list of lines that look like the hidden texts; a line break ends a text. Two numbers are fitted
    (`calibrate`): how the end of a text depends on the length that the vector tells of. A word that is written loses
    what it was given. The weights of the language model stay as they are.
    """

    def __init__(
        self, tokenizer: Any, model: Any, vocabulary: TokenVocabulary, lines: Sequence[str], max_tokens: int
    ) -> None:
        head, table = model.get_output_embeddings().weight.detach(), model.get_input_embeddings().weight.detach()
        super().__init__(0, len(vocabulary), max_tokens, False, True)
        ends = tokenizer("\n", add_special_tokens=False)["input_ids"]
        if len(ends) != 1:
            raise BadInput(f"a line break is {len(ends)} tokens of this language model; expected 1")
        rows = torch.from_numpy(vocabulary.base).clone()
        rows[EOS] = ends[0]
        known = rows.clamp(min=0)
        self.words = nn.Embedding.from_pretrained(head[known])  # what logits are made with
        self._inputs = nn.Embedding.from_pretrained(table[known])
        with torch.no_grad():
            self.bias[rows < 0] = _NEVER
            self.gain.fill_(_GAIN)
            self.coverage.copy_(torch.tensor([0.0, _GAIN]))
        self.ends = nn.Parameter(torch.tensor([0.0, 0.2]))
        """Logit of the end of a text at its expected length, and what every piece beyond adds."""
        self._length: Tensor
        self._kin: Tensor
        self.register_buffer("_length", torch.zeros(0), persistent=False)
        self.register_buffer("_kin", torch.from_numpy(vocabulary.kin), persistent=False)
        self._trunk = model.base_model
        prompt = "".join(f"- {' '.join(line.split())}\n" for line in lines) + "-"
        self._prompt = torch.tensor(tokenizer(prompt, add_special_tokens=False)["input_ids"])
        self._start: tuple[Tensor, list[tuple[Tensor, Tensor]]] | None = None

    def set_bag_of_words(self, bag: BagOfWords) -> None:
        """Take over the bag of words and its reading of lengths."""
        device = self.bias.device
        self.bag_weight = torch.from_numpy(bag.weight).to(device)
        self.bag_bias = torch.from_numpy(bag.bias).to(device)
        self._length = torch.from_numpy(bag.length).float().to(device)

    def read(self, vectors: Float[Tensor, "n d"], draft: Draft | None = None) -> Reading:
        """The evidence, and the expected number of pieces. Raises BadInput for drafts."""
        if draft is not None:
            raise BadInput("a language model that was not trained on drafts cannot rewrite them")
        unit = F.normalize(vectors, dim=-1)
        lengths = (unit @ self._length[:-1] + self._length[-1]).clamp(min=1).unsqueeze(1)
        return Reading(unit.new_empty(len(unit), 0, 0), None, [lengths], self._evidence(unit))

    def forward(
        self, vectors: Float[Tensor, "n d"], ids: Int[Tensor, "n t"], draft: Draft | None = None
    ) -> Float[Tensor, "n t_plus_1 v"]:
        """Logits of every next piece, given the vector and the pieces before it."""
        reading = self.read(vectors, draft)
        return self._cover_all(self._logits(self._states(ids), reading, 0), ids, reading.evidence)

    def step(self, ids: Int[Tensor, "n t"], reading: Reading, past: list[Any]) -> Float[Tensor, "n v"]:
        """Logits of the piece after `ids` (which may be empty), given the keys and values of all but its last piece."""
        (memory,) = past
        if ids.shape[1]:
            states = self._run(self._inputs(ids[:, -1:]), memory.cache)
        else:
            states = self._prompted()[0].expand(len(reading.evidence), 1, -1)
        return self._cover_last(self._logits(states, reading, ids.shape[1]), ids, reading.evidence)

    def empty_past(self, rows: int, prefix: int = 1) -> list[Past]:
        """Keys and values of the prompt, for all rows."""
        return [ModelCache(self._prompted()[1], rows)]

    def calibrate(self, vectors: Float[Tensor, "n d"], texts: Sequence[Sequence[int]], steps: int = 12) -> float:
        """Fit the two numbers on n texts (as pieces) that the bag of words was not fitted on; gives nats a piece."""
        with torch.no_grad():
            states = [self._states(padded(part, vectors.device)) for part in _parts(texts)]
        optimiser = torch.optim.LBFGS([self.ends], max_iter=steps, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimiser.zero_grad()
            total, pieces = torch.zeros((), device=vectors.device), 0
            for number, (part, state) in enumerate(zip(_parts(texts), states, strict=True)):
                ids, reading = padded(part, vectors.device), self.read(vectors[number * _ROWS :][: len(part)])
                logits = self._cover_all(self._logits(state, reading, 0), ids, reading.evidence)
                wanted = padded([(*row, EOS) for row in part], vectors.device)
                here = wanted > 1  # what is padded or unknown says nothing
                lost = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none")[here.flatten()].sum()
                lost.backward(inputs=[self.ends])
                total, pieces = total + lost.detach(), pieces + int(here.sum())
            assert self.ends.grad is not None
            self.ends.grad /= pieces
            return total / pieces

        with torch.enable_grad():
            optimiser.step(loss)
            return float(loss())

    def _cover(self, logits: Tensor, ids: Tensor, before: Tensor, evidence: Tensor) -> Float[Tensor, "n p v"]:
        """Coverage of words: a token that is written covers those that spell the same."""
        kin = self._kin[ids]
        earlier = (kin.unsqueeze(2) == kin.unsqueeze(1)).tril(-1).any(2)
        penalty = self.coverage[0] + self.coverage[1] * evidence.gather(1, ids)
        penalty = penalty.masked_fill(earlier, 0.0).unsqueeze(1) * before  # n p t
        words = logits.new_zeros(*logits.shape[:2], int(self._kin.max()) + 1)
        words.scatter_add_(2, kin.unsqueeze(1).expand(-1, logits.shape[1], -1), penalty.to(logits.dtype))
        return logits - words[..., self._kin]

    def _states(self, ids: Int[Tensor, "n t"]) -> Float[Tensor, "n t_plus_1 h"]:
        start, cache = self._prompted()
        first = start.expand(len(ids), 1, -1)
        if not ids.shape[1]:
            return first
        return torch.cat([first, self._run(self._inputs(ids), ModelCache(cache, len(ids)).cache)], dim=1)

    def _run(self, x: Float[Tensor, "n t h"], cache: Any) -> Float[Tensor, "n t h"]:
        return self._trunk(inputs_embeds=x, cache=cache, use_cache=True).last_hidden_state

    def _prompted(self) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """State behind the prompt, and each layer's keys and values; computed once."""
        if self._start is None:
            from transformers import DynamicCache

            cache: Any = DynamicCache()
            with torch.no_grad():
                found = self._trunk(input_ids=self._prompt.to(self.bias.device)[None], cache=cache, use_cache=True)
            self._start = found.last_hidden_state[:, -1:], [(layer.keys, layer.values) for layer in cache.layers]
        return self._start

    def _logits(self, states: Float[Tensor, "n t h"], reading: Reading, first: int) -> Float[Tensor, "n t v"]:
        """Logits of states that stand behind `first` pieces and more."""
        logits = self._leaning(states, reading)
        (lengths,) = reading.films
        place = torch.arange(first, first + states.shape[1], device=states.device) - lengths  # n t
        end = torch.zeros_like(logits)
        end[..., EOS] = self.ends[0] + self.ends[1] * place
        return logits + end


def _parts(texts: Sequence[Sequence[int]]) -> list[Sequence[Sequence[int]]]:
    return [texts[start : start + _ROWS] for start in range(0, len(texts), _ROWS)]
