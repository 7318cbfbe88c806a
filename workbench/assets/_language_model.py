"""Open a causal language model: an asset, a folder or a hub id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.assets._card import cards
from workbench.assets._fetch import fetch
from workbench.assets._plain_folder import require_plain
from workbench.assets._quiet import quiet_loading
from workbench.assets._tokenizer import open_tokenizer
from workbench.core.errors import BadInput, first_line


def open_language_model(model: str, head: bool = True) -> tuple[Any, Any, Path]:
    """Tokenizer, float32 model in evaluation mode, and the folder (or hub id) that they were read from.

    Without `head` the model ends with its last hidden states. Weights are safetensors, and code that comes with a
    model is never run. Raises BadInput for what is no causal language model.
    """
    import torch
    from transformers import AutoModel, AutoModelForCausalLM

    place = fetch(model) if model in cards() else Path(model)
    require_plain(place)
    try:
        with quiet_loading():
            kind = AutoModelForCausalLM if head else AutoModel
            tokenizer = open_tokenizer(place)
            network = kind.from_pretrained(
                str(place), dtype=torch.float32, use_safetensors=True, trust_remote_code=False
            ).eval()
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot load the language model {model!r}: {first_line(error)}") from error
    trunk = network.base_model if head else network
    if not hasattr(trunk, "norm") and not hasattr(trunk, "ln_f"):
        raise BadInput(f"{model} is a {type(network).__name__}; expected a causal language model")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, network, place
