"""A causal language model that reads vectors: soft tokens in its prompt, and if asked LoRA in its upper layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from workbench import assets
from workbench.core.errors import BadInput
from workbench.lm._packing import SOFT, Packed, Part, pack, sees
from workbench.lm.projector import Projector, ProjectorConfig, word_embeddings

CHOICES = ("yes", "no", "unclear")
DESCRIBE = "Write the text."
_BEFORE = "A text about"
_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_LORA_SCALE = 2
"""What LoRA's product counts: alpha over rank."""
_ROWS = 16

Vectors = Float[np.ndarray, "_ d"]
"""What one prompt tells of: a vector, or several (a pair, the chunks of a document)."""


class _Resolve:
    """Takes first tokens away that have not half of the probability together."""

    def __init__(self, tokens: list[int]) -> None:
        self._tokens = tokens

    def __call__(self, ids: Int[Tensor, "n t"], scores: Float[Tensor, "n v"]) -> Float[Tensor, "n v"]:
        """Scores of the next token, given those before."""
        if ids.shape[1]:
            return scores
        weak = torch.softmax(scores.float(), dim=-1)[:, self._tokens].sum(1) < 0.5
        taken = torch.zeros_like(scores, dtype=torch.bool)
        taken[:, self._tokens] = weak[:, None]
        return scores.masked_fill(taken, -torch.inf)


class SoftPromptModel:
    """A frozen causal language model, its tokenizer, and the projector that writes into its prompt.

    A prompt is a few words and the soft tokens of one or more vectors; behind it stand segments, each a question and
    its answer, that see the prompt and not each other. So one pass answers many questions on one vector.
    """

    def __init__(self, model: str, words: Sequence[str], config: ProjectorConfig, device: str = "cpu") -> None:
        self.name, self.device = model, device
        self.words = tuple(words)
        self.tokenizer, self.lm, place = assets.open_language_model(model)
        self.revision = assets.weights_revision(place)
        self.lm.to(device).requires_grad_(False)
        self.embeddings = self.lm.get_input_embeddings()
        if (hidden := self.embeddings.weight.shape[1]) != config.hidden or len(words) != config.pool:
            raise BadInput(
                f"the projector makes tokens of {config.hidden} dimensions and knows {config.pool} words; {model} has "
                f"{hidden} dimensions, and {len(words)} words were given"
            )
        self.projector = Projector(config).to(device)
        self.projector.set_table(word_embeddings(self.tokenizer, self.embeddings.weight.detach(), words))
        self._tokens = lru_cache(1 << 16)(self._tokenise)  # most questions are asked again and again
        self._before = self._tokens(_BEFORE)
        self._end = int(self.tokenizer.eos_token_id)
        self._choices = [self._tokens(word)[0] for word in CHOICES]
        if len(set(self._choices)) < len(CHOICES):
            raise BadInput(f"the tokenizer of {model} does not tell {', '.join(CHOICES)} apart by their first tokens")

    @staticmethod
    def hidden_size(model: str) -> int:
        """Dimensions of a language model's embeddings."""
        _, lm, _ = assets.open_language_model(model)
        return int(lm.get_input_embeddings().weight.shape[1])

    def question(self, ask: str, answer: str | None = None, weight: float = 1.0) -> Part:
        """A segment; without an answer the model is to give one."""
        learnt = () if answer is None else (*self._tokens(answer), self._end)
        return Part(tuple(self._tokens(f"\n{ask}\n")), learnt, weight)

    def pack(
        self, vectors: Sequence[Vectors], segments: Sequence[Sequence[Part]], texts: Sequence[str] | None = None
    ) -> Packed:
        """Prompts of vectors with their segments, ready for `logits`; with `texts` these stand where soft tokens would,
        which tells what the model does when it may read."""
        soft = self.projector.config.tokens
        insides = [[SOFT] * (soft * len(each)) for each in vectors] if texts is None else map(self._tokens, texts)
        return pack([([*self._before, *inside], parts) for inside, parts in zip(insides, segments, strict=True)])

    def logits(self, vectors: Sequence[Vectors], packed: Packed) -> Float[Tensor, "q v"]:
        """Logits of the successors that count."""
        ids = packed.ids.to(self.device)
        x = self.embeddings(ids.clamp(min=0))
        if (places := ids == SOFT).any():
            flat = torch.from_numpy(np.concatenate(vectors).astype(np.float32)).to(self.device)
            x = x.masked_scatter(places.unsqueeze(-1), self.projector(flat).flatten(0, 1).to(x.dtype))
        seen = sees(packed.segment.to(self.device))
        mask = torch.zeros_like(seen, dtype=x.dtype).masked_fill_(~seen, torch.finfo(x.dtype).min)
        states = self.lm.base_model(
            inputs_embeds=x, attention_mask=mask, position_ids=packed.places.to(self.device), use_cache=False
        ).last_hidden_state
        told = packed.told.to(self.device)
        return self.lm.get_output_embeddings()(states[told[:, 0], told[:, 1]])

    def loss(self, vectors: Sequence[Vectors], packed: Packed) -> Float[Tensor, ""]:
        """Weighted mean of the answers' nats per token."""
        nats = F.cross_entropy(self.logits(vectors, packed).float(), packed.wanted.to(self.device), reduction="none")
        weights = packed.weights.to(self.device)
        return (nats * weights).sum() / weights.sum()

    @torch.inference_mode()
    def nats(self, vectors: Sequence[Vectors], ask: str, answers: Sequence[str]) -> Float[np.ndarray, "n 2"]:
        """For each prompt the summed nats of an answer to `ask`, and the number of its tokens."""
        found = []
        for start in range(0, len(vectors), _ROWS):
            rows = slice(start, start + _ROWS)
            parts = [[self.question(ask, answer)] for answer in answers[rows]]
            packed = self.pack(vectors[rows], parts)
            each = F.cross_entropy(self.logits(vectors[rows], packed).float().cpu(), packed.wanted, reduction="none")
            sums = torch.zeros(len(parts)).index_add_(0, packed.owner, each)
            counts = torch.bincount(packed.owner, minlength=len(parts)).float()
            found.append(torch.stack([sums, counts], dim=1).numpy())
        return np.concatenate(found)

    @torch.inference_mode()
    def choose(
        self, vectors: Sequence[Vectors], asks: Sequence[Sequence[str]], texts: Sequence[str] | None = None
    ) -> list[Float[np.ndarray, "q 3"]]:
        """Log-probabilities of yes, no and unclear for all questions on each prompt (of `texts`, as `pack` has it)."""
        found: list[np.ndarray] = []
        for start in range(0, len(vectors), _ROWS):
            rows = slice(start, start + _ROWS)
            parts = [[self.question(ask) for ask in each] for each in asks[rows]]
            packed = self.pack(vectors[rows], parts, None if texts is None else texts[rows])
            logits = self.logits(vectors[rows], packed)[:, self._choices].float().cpu()
            cuts = np.cumsum([len(each) for each in asks[rows]])[:-1]
            found += np.split(torch.log_softmax(logits, dim=-1).numpy(), cuts)
        return found

    @torch.inference_mode()
    def write(self, vectors: Sequence[Vectors], ask: str, most_tokens: int = 32, batch: int = 32) -> list[str]:
        """A greedy answer to `ask` for each prompt; all prompts have equally many vectors.

        It abstains ("unclear") where that is likelier than all other answers together: the one likeliest first token
        would do so far too often, since texts begin in many ways.
        """
        out: list[str] = []
        given = torch.tensor([self._tokens(f"\n{ask}\n")], device=self.device)
        before = torch.tensor([self._before], device=self.device)
        for start in range(0, len(vectors), batch):
            rows = vectors[start : start + batch]
            if len({len(row) for row in rows}) > 1:
                raise BadInput("prompts of different numbers of vectors cannot be written in one batch")
            flat = torch.from_numpy(np.concatenate(rows).astype(np.float32)).to(self.device)
            soft = self.projector(flat).view(len(rows), -1, self.projector.config.hidden)
            ends = (self.embeddings(part).expand(len(rows), -1, -1) for part in (before, given))
            first, last = ends
            x = torch.cat([first, soft.to(first.dtype), last], dim=1)
            ids = self.lm.generate(
                inputs_embeds=x,
                attention_mask=torch.ones(x.shape[:2], dtype=torch.long, device=self.device),
                max_new_tokens=most_tokens,
                do_sample=False,
                logits_processor=[_Resolve([self._tokens(word)[0] for word in (CHOICES[-1], CHOICES[-1].title())])],
                eos_token_id=self._end,
                pad_token_id=self.tokenizer.pad_token_id,
            )
            out += [text.strip() for text in self.tokenizer.batch_decode(ids, skip_special_tokens=True)]
        return out

    def add_lora(self, rank: int, first_layer: int = 0, seed: int = 0) -> list[Tensor]:
        """LoRA (Hu et al. 2021, by peft) in every linear map from `first_layer` on; gives its parameters.

        Nothing changes until they are trained: one factor starts at zero. Raises BadInput where there are no such maps.
        """
        from peft import LoraConfig, inject_adapter_in_model

        torch.manual_seed(seed)
        linear = (name for name, part in self.lm.named_modules() if isinstance(part, torch.nn.Linear))
        known = {name.rpartition(".")[2] for name in linear}
        targets = [name for name in _LINEAR if name in known] or sorted(known - {"lm_head"})
        layers = list(range(first_layer, int(self.lm.config.num_hidden_layers)))
        if not layers or not targets:
            raise BadInput(f"{self.name} has no linear layers from layer {first_layer} on; use --rank 0")
        config = LoraConfig(r=rank, lora_alpha=_LORA_SCALE * rank, target_modules=targets, layers_to_transform=layers)
        inject_adapter_in_model(config, self.lm)
        return [parameter for name, parameter in self.lm.named_parameters() if "lora_" in name]

    def lora_state(self) -> dict[str, Tensor]:
        """LoRA's factors by name."""
        return {name: value.detach().cpu() for name, value in self.lm.state_dict().items() if "lora_" in name}

    def merge_lora(self, state: dict[str, Tensor]) -> None:
        """Add trained factors into the frozen weights: the same function, without peft and without its cost."""
        modules = dict(self.lm.named_modules())
        for name, lower in state.items():
            if ".lora_A." not in name:
                continue
            upper, place = state[name.replace(".lora_A.", ".lora_B.")], name.partition(".lora_A.")[0]
            if place not in modules:
                raise BadInput(f"LoRA was trained for {place}, which {self.name} does not have")
            weight = modules[place].weight
            with torch.no_grad():
                weight += _LORA_SCALE * (upper.float() @ lower.float()).to(weight.device, weight.dtype)

    def _tokenise(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False).input_ids)
