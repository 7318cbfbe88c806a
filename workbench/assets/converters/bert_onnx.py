"""A BERT embedder in ONNX as onnxruntime's optimiser writes it, as a sentence-transformers folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

from workbench.core.errors import FetchError, first_line
from workbench.core.files import read_json, write_json

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["bert_onnx"]

_LAYER = re.compile(r"encoder/layer\.(\d+)/(attention/output|intermediate|output)/dense/MatMul")
_FUSED = re.compile(r"Attention_(\d+)$")


def bert_onnx(paths: Sequence[Path], into: Path, pooling: str, normalise: bool = True) -> None:
    """Read the weights out of the graph into a BertModel and save it with its pooling.

    The optimiser has fused query, key and value into one matrix a layer and transposed all linear weights; both are
    undone here. Biases, layer norms and embeddings keep their own names. Weights in half precision become float32.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    files = {path.name: path for path in paths}
    graph = next(path for path in paths if path.suffix == ".onnx")
    try:
        weights = _weights(graph)
        config = BertConfig(**read_json(files["config.json"]))
        with torch.device("meta"):
            model = BertModel(config, add_pooling_layer=False)
    except Exception as error:  # protobuf's own errors, a tensor of another size than it states, sizes that do not fit
        raise FetchError(f"{graph.name} cannot be read as an ONNX model of BERT: {first_line(error)}") from error
    state = {name: torch.tensor(value, dtype=torch.float32).contiguous() for name, value in weights.items()}
    _require_match(state, {name: tuple(value.shape) for name, value in model.state_dict().items()}, graph)
    save_file(state, into / "model.safetensors", metadata={"format": "pt"})
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        copyfile(files[name], into / name)
    _write_pipeline(into, pooling, normalise, config.hidden_size, config.max_position_embeddings)


def _weights(path: Path) -> dict[str, np.ndarray]:
    """BertModel's parameters by BertModel's names."""
    import numpy as np
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load(path, load_external_data=False).graph  # other files are none of its business
    arrays = {item.name: to_array(item) for item in graph.initializer}
    found = {name: value for name, value in arrays.items() if name.startswith(("embeddings.", "encoder."))}
    for node in graph.node:
        inputs = [arrays.get(name) for name in node.input]
        if (match := _LAYER.search(node.name)) and inputs[1] is not None:
            layer, part = match.groups()
            found[f"encoder.layer.{layer}.{part.replace('/', '.')}.dense.weight"] = inputs[1].T
        elif match := _FUSED.match(node.name):
            weight, bias = inputs[1], inputs[2]
            assert weight is not None
            assert bias is not None
            thirds = zip(("query", "key", "value"), np.split(weight, 3, axis=1), np.split(bias, 3), strict=True)
            for name, part_weight, part_bias in thirds:
                place = f"encoder.layer.{match[1]}.attention.self.{name}"
                found[f"{place}.weight"], found[f"{place}.bias"] = part_weight.T, part_bias
    return found


def _require_match(state: Mapping[str, torch.Tensor], shapes: Mapping[str, tuple[int, ...]], path: Path) -> None:
    wrong = {name for name in {*shapes, *state} if name not in state or tuple(state[name].shape) != shapes.get(name)}
    if wrong:
        raise FetchError(f"{path.name} is not a BERT as expected; these do not fit: {', '.join(sorted(wrong)[:5])}")


def _write_pipeline(into: Path, pooling: str, normalise: bool, dim: int, positions: int) -> None:
    """The files by which sentence-transformers knows pooling and normalisation."""
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")] + [("2_Normalize", "Normalize")] * normalise
    listing = [
        {"idx": idx, "name": str(idx), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for idx, (path, kind) in enumerate(modules)
    ]
    write_json(into / "modules.json", listing)
    write_json(into / "sentence_bert_config.json", {"max_seq_length": positions, "do_lower_case": False})
    flags = {f"pooling_mode_{mode}": mode.startswith(pooling) for mode in ("cls_token", "mean_tokens", "max_tokens")}
    write_json(into / "1_Pooling" / "config.json", {"word_embedding_dimension": dim, **flags})
