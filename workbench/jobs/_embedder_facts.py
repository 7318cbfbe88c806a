"""What is known of an embedder without measuring it: sizes, pooling, parameters, licence."""

from __future__ import annotations

from typing import Any

import torch

from workbench import assets
from workbench.embed._embedder import Embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.embed.llm import LLMEmbedder
from workbench.embed.sentence_transformers import SentenceTransformersEmbedder
from workbench.embed.static import StaticEmbedder
from workbench.embed.transformers import TransformersEmbedder


def embedder_facts(embedder: Embedder) -> tuple[tuple[str, str], ...]:
    """Names and values, in words; what is not known is left out."""
    spec = embedder.spec
    count = parameter_count(embedder)
    found = {
        "name": spec.name,
        "revision": spec.revision or "not stated",
        "what it is": _card(spec.name, "summary"),
        "licence": _card(spec.name, "licence"),
        "dimensions": f"{spec.dim:,}",
        "vectors": "of length 1" if spec.normalised else "of different lengths",
        "most tokens": f"{spec.max_tokens:,}, specials included; the rest is cut"
        if spec.max_tokens
        else "no limit known",
        "pooling": pooling(embedder),
        "layers": f"{embedder.layers}" if isinstance(embedder, GradEmbedder) and embedder.layers else "",
        "parameters": f"{count:,}" if count else "",
        "access": "weights and gradients" if isinstance(embedder, GradEmbedder) else "vectors alone",
    }
    return tuple((name, value) for name, value in found.items() if value)


def parameter_count(embedder: Embedder) -> int:
    """Numbers in all weight tensors; 0 where the weights are not open."""
    held: dict[int, int] = {}
    for part in vars(embedder).values():
        tensors = part.parameters() if isinstance(part, torch.nn.Module) else [part] if torch.is_tensor(part) else []
        held |= {tensor.data_ptr(): tensor.numel() for tensor in tensors}
    return sum(held.values())


def pooling(embedder: Embedder) -> str:
    """How token states become a vector, as far as the embedder says it."""
    match embedder:
        case StaticEmbedder():
            return "mean of token vectors"
        case TransformersEmbedder():
            return embedder.pooling
        case LLMEmbedder():
            return embedder.method.pooling
        case SentenceTransformersEmbedder():
            kinds = [type(part).__name__ for part in embedder.model]
            modes = [_mode(part) for part in embedder.model if type(part).__name__ == "Pooling"]
            return f"{', '.join(modes) or 'not stated'} ({', then '.join(kinds)})"
    return ""


def _mode(part: Any) -> str:
    """What a sentence-transformers Pooling takes; release 6 has a field for it where release 5 had a method."""
    mode = getattr(part, "pooling_mode", None) or part.get_pooling_mode_str()
    return mode if isinstance(mode, str) else ", ".join(mode)


def _card(name: str, what: str) -> str:
    """A line of the embedder's asset card, where it has one."""
    cards = assets.cards()
    if name not in cards:
        return ""
    found = cards[name]
    return found.summary if what == "summary" else f"{found.licence.id} ({found.licence.basis})"
