"""A language model as one GGUF file for llama.cpp: weights and sizes, and no words, since embeddings go in."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput
from workbench.core.files import atomic_path
from workbench.core.progress import progress
from workbench.core.resources import cache_folder

EDITION = 1
"""Counts changes of what is written here."""


def gguf_of(lm: Any) -> Path:
    """The file of a model with exactly these weights, in float32; written once, into the cache.

    Raises BadInput for what is no Llama: other layers have other names and rules in llama.cpp.
    """
    if lm.config.model_type != "llama":
        raise BadInput(
            f"llama.cpp can serve models of the type llama here; this one is {lm.config.model_type}: use torch"
        )
    state = {name: tensor.detach().cpu().float().contiguous().numpy() for name, tensor in lm.state_dict().items()}
    if lm.config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    digest = hashlib.sha256(f"{EDITION} {lm.config.to_json_string()}".encode())
    for name, array in sorted(state.items()):
        digest.update(name.encode())
        digest.update(array.data)
    path = cache_folder() / "gguf" / f"{digest.hexdigest()[:16]}.gguf"
    if not path.exists():
        with progress("write weights for llama.cpp, once", 1, "models") as advance, atomic_path(path) as temporary:
            _write(temporary, lm.config, state)
            advance(1)
    return path


def _write(path: Path, config: Any, state: dict[str, np.ndarray]) -> None:
    from gguf import MODEL_ARCH, GGUFWriter, get_tensor_name_map

    heads, shared = config.num_attention_heads, config.num_key_value_heads
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(shared)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("no_vocab")
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, array in state.items():
        known = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if known is None:
            raise BadInput(f"llama.cpp has no place for the weights {name}: use torch")
        turned = ".q_proj." in name or ".k_proj." in name
        writer.add_tensor(known, _interleaved(array, heads if ".q_proj." in name else shared) if turned else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _interleaved(array: Float[np.ndarray, "h k"], heads: int) -> Float[np.ndarray, "h k"]:
    """llama.cpp turns neighbouring dimensions of a head together, transformers those half a head apart."""
    halves = array.reshape(heads, 2, array.shape[0] // heads // 2, -1)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(array.shape))
