"""A causal language model that reads vectors: soft tokens in its prompt, and if asked LoRA in its upper layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh

from workbench import assets
from workbench.core.errors import BadInput
from workbench.lm._packing import SOFT, Packed, Part, pack
from workbench.lm._server import Server, Writing, first_segments
from workbench.lm._sharding import shard_layers
from workbench.lm._torch_server import TorchServer, states_of
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


@dataclass(frozen=True)
class Said:
    """What is said to one prompt: a text, and for each question the log-probabilities of yes, no and unclear."""

    text: str
    chosen: Float[np.ndarray, "q 3"]


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
        self.server: Server = TorchServer(self.lm)
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

    def embed(self, vectors: Sequence[Vectors], packed: Packed) -> Float[Tensor, "n t h"]:
        """What the language model reads: embeddings of tokens, and the soft tokens of the vectors."""
        ids = packed.ids.to(self.device)
        x = self.embeddings(ids.clamp(min=0))
        if (places := ids == SOFT).any():
            flat = torch.from_numpy(np.concatenate(vectors).astype(np.float32)).to(self.device)
            x = x.masked_scatter(places.unsqueeze(-1), self.projector(flat).flatten(0, 1).to(x.dtype))
        return x

    def logits(self, vectors: Sequence[Vectors], packed: Packed) -> Float[Tensor, "q v"]:
        """Logits of the successors that count."""
        states = states_of(self.lm, self.embed(vectors, packed), packed)
        told = packed.told.to(self.device)
        return self.lm.get_output_embeddings()(states[told[:, 0], told[:, 1]])

    def loss(self, vectors: Sequence[Vectors], packed: Packed) -> Float[Tensor, ""]:
        """Weighted mean of the answers' nats per token."""
        nats = F.cross_entropy(self.logits(vectors, packed).float(), packed.wanted.to(self.device), reduction="none")
        weights = packed.weights.to(self.device)
        return (nats * weights).sum() / weights.sum()

    @torch.no_grad()
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

    @torch.no_grad()
    def choose(
        self, vectors: Sequence[Vectors], asks: Sequence[Sequence[str]], texts: Sequence[str] | None = None
    ) -> list[Float[np.ndarray, "q 3"]]:
        """Log-probabilities of yes, no and unclear for all questions on each prompt (of `texts`, as `pack` has it)."""
        found: list[np.ndarray] = []
        for start in range(0, len(vectors), _ROWS):
            rows = slice(start, start + _ROWS)
            parts = [[self.question(ask) for ask in each] for each in asks[rows]]
            packed = self.pack(vectors[rows], parts, None if texts is None else texts[rows])
            told = self.server.tell(self.embed(vectors[rows], packed), packed)
            cuts = np.cumsum([len(each) for each in asks[rows]])[:-1]
            found += np.split(self._chosen(told.logits), cuts)
        return found

    @torch.no_grad()
    def tell(
        self,
        vectors: Sequence[Vectors],
        ask: str,
        asks: Sequence[Sequence[str]],
        most_tokens: int = 32,
        batch: int = 32,
    ) -> list[Said]:
        """A greedy answer to `ask` for each prompt, and what it says to its yes-or-no questions `asks`; each prompt is
        read once for all. All prompts have equally many vectors.

        An answer abstains ("unclear") where that is likelier than all others together.
        """
        if len({len(row) for row in vectors}) > 1:
            raise BadInput("prompts of different numbers of vectors cannot be written in one batch")
        abstain = tuple(self._tokens(word)[0] for word in (CHOICES[-1], CHOICES[-1].title()))
        writing = Writing(self._end, abstain, most_tokens)
        out: list[Said] = []
        for start in range(0, len(vectors), batch):
            rows = slice(start, start + batch)
            packed = self.pack(vectors[rows], [[self.question(one) for one in (ask, *each)] for each in asks[rows]])
            told = self.server.tell(self.embed(vectors[rows], packed), packed, writing)
            chosen = np.split(self._chosen(told.logits), first_segments(packed)[1:].tolist())
            texts = self.tokenizer.batch_decode(told.written, skip_special_tokens=True)
            out += [Said(text.strip(), each[1:]) for text, each in zip(texts, chosen, strict=True)]
        return out

    def write(self, vectors: Sequence[Vectors], ask: str, most_tokens: int = 32, batch: int = 32) -> list[str]:
        """A greedy answer to `ask` for each prompt; see `tell`."""
        return [said.text for said in self.tell(vectors, ask, [()] * len(vectors), most_tokens, batch)]

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

    def share(self, mesh: DeviceMesh, device: str) -> None:
        """Keep this process' share of the language model's layers alone, on `device`; all else is whole in each process
        of `mesh`. From then on all of them must make the same passes. Factors of LoRA that are added later are whole
        too; those of another run must be merged before.
        """
        shard_layers(self.lm, mesh, device)
        self.projector.to(device)
        self.server, self.device = TorchServer(self.lm, mesh=mesh), device

    def _chosen(self, logits: Float[Tensor, "q v"]) -> Float[np.ndarray, "q 3"]:
        return torch.log_softmax(logits[:, self._choices].float().cpu(), dim=-1).numpy()

    def _tokenise(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False).input_ids)
