"""InverterRecipe: all that decides the result of a training run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.core.errors import BadInput, UnknownName
from workbench.defend._line import without_key
from workbench.jobs._run_folder import share_done
from workbench.lm.weights import ARCHITECTURES


@dataclass(frozen=True)
class InverterRecipe:
    """Written into the run's folder and into the card. On one machine the same recipe gives the same weights, unless
    `minutes` ends it."""

    embedder: str = "minilm"
    corpus: str = "conservative"
    texts: int = 400_000
    """Texts of the corpus' train split that are looked at; those over `max_tokens` are left out."""
    skip: int = 0
    """Texts that are passed over first: a run that goes on from another one can see new ones."""
    long: bool = False
    """Learn from the texts over `max_tokens` alone, each cut short: an inverter that goes on from a run without them
    has not learnt them by heart, and its own drafts of them are as good or bad as those of any new text."""
    renewed: float = 0.0
    """Of `film`. Share of the batches whose texts have words replaced by kin each time they are seen, and are embedded
    anew: for runs that would learn their texts by heart."""
    planted: int = 24_000
    """Records with planted personal data, from templates that no evaluation uses."""
    max_tokens: int = 34
    """Longest text, in the embedder's tokens, its specials included."""
    vocabulary: int = 12_000
    cased: bool = False
    """Whether the vocabulary tells upper from lower case; its pieces are then learnt from the corpus."""
    architecture: str = "film"
    start: str = "auto"
    """Where the weights come from: `auto` (the embedder's own layers if it is BERT-like, else MiniLM's; SmolLM2's for
    `causal`), `nothing`, a model asset, folder or hub id of a BERT-like model (for `causal`: of a causal language
    model), or a checkpoint of an inverter (its vocabulary comes along)."""
    layers: int = 3
    bag_of_words: bool = True
    """Whether the decoder leans on the closed-form bag of words."""
    correction: float = 0.0
    """Share of the batches in which a draft is rewritten: at most half; or 1, and what matters without a draft stays as
    it is."""
    correction_from: float = 0.0
    """Share of the run that is over when the first draft is rewritten; drafts of a model that knows little teach
    little."""
    disturb: str = ""
    """Defence applied to the vectors each time they are read, as `workbench.defend` names it: noise:0.1, int8."""
    steps: int = 8_000
    minutes: float = 0.0
    """Wall time after which the run ends, and to which the schedule is stretched; 0 leaves that to `steps`."""
    batch_tokens: int = 768
    """Word pieces of a batch, about."""
    accumulate: int = 1
    """Batches whose gradients are added up before the weights move, in each process of a run."""
    dropout: float = 0.0
    """Of `film`; for runs that see each text many times."""
    learning_rate: float = 3e-4
    warmup: int = 300
    ema: float = 0.999
    """Decay of the running mean of the weights, which is what is measured and shipped; 0 for none."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise UnknownName("architecture", self.architecture, ARCHITECTURES)
        if without_key(self.disturb) != self.disturb and "key=@" not in self.disturb:
            raise BadInput(
                f"{without_key(self.disturb)}: a key that is written out would stand in the recipe and the card; "
                "write it to a file that only you can read, and say key=@FILE"
            )
        if not 0 <= self.correction <= 0.5 and self.correction != 1:
            raise BadInput(
                f"correction is {self.correction}; expected 0 to 0.5 (at least half the batches are plain), or 1"
            )
        if self.correction == 1 and self.architecture != "film":
            raise BadInput(f"correction is 1 for {self.architecture}; only film can learn drafts alone")
        if not 0 <= self.correction_from <= 1:
            raise BadInput(f"correction_from is {self.correction_from}; expected 0 to 1, a share of the run")
        if not 0 <= self.dropout < 1 or (self.dropout and self.architecture != "film"):
            raise BadInput(f"dropout is {self.dropout} for {self.architecture}; expected 0 to less than 1, and film")
        if not 0 <= self.renewed <= 1 or (self.renewed and self.architecture != "film"):
            raise BadInput(f"renewed is {self.renewed} for {self.architecture}; expected 0 to 1, and film")
        if not 0 <= self.ema < 1:
            raise BadInput(f"ema is {self.ema}; expected 0 to less than 1")
        if min(self.steps, self.accumulate) < 1:
            raise BadInput(f"steps is {self.steps} and accumulate {self.accumulate}; expected at least 1")
        if self.minutes < 0:
            raise BadInput(f"minutes is {self.minutes}; expected 0 or more")

    def done(self, step: int, seconds: float) -> float:
        """Share of the run that is behind it, 1 at the end."""
        return share_done(step, self.steps, seconds, self.minutes)

    def rate(self, step: int, seconds: float = 0.0) -> float:
        """Learning rate at a step: a warm-up, and a cosine down to nothing."""
        rising = (step + 1) / self.warmup if self.warmup else 1.0
        return self.learning_rate * min(1.0, rising) * 0.5 * (1 + math.cos(math.pi * self.done(step, seconds)))
