"""What decoders share that lean on a closed-form bag of words and are searched by our own beams."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.lm._beam_search import beam_search
from workbench.lm._blocks import Past
from workbench.lm._pointer import Pointed, Pointer
from workbench.lm.bag_of_words import BagOfWords
from workbench.lm.text_decoder import Candidate, Draft, TextDecoder

_EVIDENCE_LIMITS = (-4.0, 10.0)


@dataclass
class Reading:
    """What a vector (and a draft) says to the decoder, computed once per text."""

    prefix: Float[Tensor, "n p h"]
    """The tokens before the text; the last of them is the vector's own."""
    valid: Bool[Tensor, "n p"] | None
    """Which of them are there; None where all are."""
    films: list[Tensor]
    evidence: Float[Tensor, "n v"]
    pointed: Pointed | None = None
    """The draft's pieces, where the decoder points at them."""

    def take(self, rows: Int[Tensor, " m"]) -> Reading:
        """The given rows."""
        valid = None if self.valid is None else self.valid[rows]
        pointed = None if self.pointed is None else self.pointed.take(rows)
        return Reading(self.prefix[rows], valid, [film[rows] for film in self.films], self.evidence[rows], pointed)


class LeaningDecoder(TextDecoder):
    """A decoder whose logits have a closed-form bag of words as bias, less for words already written (coverage).

    A member reads vectors and drafts (`read`), gives the logits of one next piece (`step`) and makes room (`past`).
    """

    takes_hints = True
    words: nn.Embedding
    draft_words: nn.Parameter

    def __init__(self, dim: int, vocabulary: int, max_tokens: int, corrects: bool, leans: bool) -> None:
        super().__init__()
        self.max_tokens, self.corrects, self._leans = max_tokens, corrects, leans
        self.bag_weight: Tensor
        self.bag_bias: Tensor
        self.pointer: Pointer | None = None
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.gain = nn.Parameter(torch.tensor(0.5))
        self.coverage = nn.Parameter(torch.tensor([0.0, 0.25]))
        self.register_buffer("bag_weight", torch.zeros(dim, vocabulary), persistent=False)
        self.register_buffer("bag_bias", torch.zeros(vocabulary), persistent=False)

    def set_bag_of_words(self, bag: BagOfWords) -> None:
        """Take over a fitted bag of words, if it leans on one; it is not trained further."""
        if self._leans:
            self.bag_weight.copy_(torch.from_numpy(bag.weight))
            self.bag_bias.copy_(torch.from_numpy(bag.bias))

    @abstractmethod
    def read(self, vectors: Float[Tensor, "n d"], draft: Draft | None = None) -> Reading:
        """All that depends on the vectors (and drafts) alone."""

    @abstractmethod
    def step(self, ids: Int[Tensor, "n t"], reading: Reading, past: list[Past]) -> Float[Tensor, "n v"]:
        """Logits of the piece after `ids` (which may be empty), where `past` holds all but its last piece."""

    @abstractmethod
    def empty_past(self, rows: int, prefix: int = 1) -> list[Past]:
        """Room for what is remembered of `rows` texts behind `prefix` tokens."""

    def beams(
        self,
        vectors: Tensor,
        width: int,
        limit: int,
        banned: Tensor | None,
        draft: Draft | None,
        hints: Tensor | None,
    ) -> list[list[Candidate]]:
        """Beam search that keeps what all beams remember in place."""
        return beam_search(self, vectors, width, limit, banned, draft, hints)

    def _add_pointer(self, hidden: int) -> None:
        """Give it a pointer at drafts, which says nothing at first, and nats by which their words are likelier."""
        self.pointer = Pointer(hidden)
        self.draft_words = nn.Parameter(torch.tensor(1.0))

    def _point(self, reading: Reading, draft: Draft, pieces: Float[Tensor, "n s h"]) -> Reading:
        """Let it point at a draft, whose `pieces` stand before the text; their words are likelier from the start."""
        if self.pointer is not None:
            reading.pointed = self.pointer.read(draft.ids, pieces, draft.valid)
            there = self.draft_words * draft.valid
            reading.evidence = reading.evidence.scatter_add(1, draft.ids, there.to(reading.evidence.dtype))
        return reading

    def _leaning(self, x: Float[Tensor, "n t h"], reading: Reading) -> Float[Tensor, "n t v"]:
        """Logits of states, with the bag of words as bias, and the draft's pieces as the pointer says."""
        logits = F.linear(x, self.words.weight, self.bias).add_(self.gain * reading.evidence.unsqueeze(1))
        if self.pointer is None or reading.pointed is None:
            return logits
        return self.pointer(logits, x, reading.pointed)

    def _evidence(self, unit: Float[Tensor, "n d"]) -> Float[Tensor, "n v"]:
        return (unit @ self.bag_weight + self.bag_bias).clamp(*_EVIDENCE_LIMITS)

    def _cover(
        self, logits: Float[Tensor, "n p v"], ids: Int[Tensor, "n t"], before: Tensor, evidence: Float[Tensor, "n v"]
    ) -> Float[Tensor, "n p v"]:
        """Take from each word already written what the bag of words and a constant gave to it, once per word, in place.

        `before` (p t) tells which pieces stand before each place.
        """
        earlier = (ids.unsqueeze(2) == ids.unsqueeze(1)).tril(-1).any(2)  # n t: written before place t
        penalty = self.coverage[0] + self.coverage[1] * evidence.gather(1, ids)
        penalty = penalty.masked_fill(earlier, 0.0).unsqueeze(1) * before
        return logits.scatter_add_(2, ids.unsqueeze(1).expand(-1, logits.shape[1], -1), -penalty.to(logits.dtype))

    def _cover_all(self, logits: Tensor, ids: Tensor, evidence: Tensor) -> Float[Tensor, "n t_plus_1 v"]:
        """Coverage at every place of a whole text."""
        length = ids.shape[1]
        before = torch.ones(length + 1, length, dtype=torch.bool, device=ids.device).tril(-1)
        return self._cover(logits, ids, before, evidence)

    def _cover_last(self, logits: Float[Tensor, "n 1 v"], ids: Tensor, evidence: Tensor) -> Float[Tensor, "n v"]:
        """Coverage at the place after `ids`."""
        if ids.shape[1]:
            before = torch.ones(1, ids.shape[1], dtype=torch.bool, device=ids.device)
            logits = self._cover(logits, ids, before, evidence)
        return logits.squeeze(1)
