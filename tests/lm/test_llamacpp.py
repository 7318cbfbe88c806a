"""llama.cpp says what torch says; skipped where the library is not installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from tests.lm.test_soft_prompt import data, folder, make  # noqa: F401  # fixtures
from workbench.core.errors import BadInput
from workbench.lm._gguf import gguf_of
from workbench.lm.llamacpp import LlamaCppServer

HERE = importlib.util.find_spec("llama_cpp") is not None
needs_library = pytest.mark.skipif(not HERE, reason="llama-cpp-python is not installed: pip install llama-cpp-python")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    return tmp_path


@needs_library
def test_llama_cpp_says_what_torch_says(folder, data, cache):  # noqa: F811
    model = make(folder, data)
    vectors, asks = [row[None] for row in data[0][:20]], [["Is it about money?", "Is it about a red dog?"]] * 20
    by_torch = model.tell(vectors, "Keywords?", asks, 12), model.choose(vectors, asks)
    model.server = LlamaCppServer.of(model.lm)
    by_llama = model.tell(vectors, "Keywords?", asks, 12), model.choose(vectors, asks)
    assert [each.text for each in by_llama[0]] == [each.text for each in by_torch[0]]
    assert len({each.text for each in by_llama[0]}) > 1
    for here, there in zip(*(said[0] for said in (by_llama, by_torch)), strict=True):
        assert here.chosen == pytest.approx(there.chosen, abs=1e-3)
    assert np.concatenate(by_llama[1]) == pytest.approx(np.concatenate(by_torch[1]), abs=1e-3)
    pair = [data[0][:2]]
    assert model.write(pair, "Keywords?", 40) == make(folder, data).write(pair, "Keywords?", 40)


@needs_library
def test_more_questions_than_sequences_are_refused(folder, data, cache):  # noqa: F811
    model = make(folder, data)
    model.server = LlamaCppServer.of(model.lm)
    many = [f"Is it {i}?" for i in range(40)]
    found = model.choose([data[0][:1]], [many])[0]
    assert found == pytest.approx(make(folder, data).choose([data[0][:1]], [many])[0], abs=1e-3)
    with pytest.raises(BadInput, match="257 questions"):
        model.choose([data[0][:1]], [["Is it?"] * 257])


@needs_library
def test_a_damaged_file_is_named(folder, data, cache):  # noqa: F811
    model = make(folder, data)
    path = gguf_of(model.lm)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BadInput, match="delete it"):
        LlamaCppServer.of(model.lm)


def test_a_file_belongs_to_its_weights(folder, data, cache):  # noqa: F811
    from gguf import GGUFReader

    model = make(folder, data)
    first = gguf_of(model.lm)
    written = first.stat().st_mtime_ns
    assert gguf_of(make(folder, data).lm) == first and first.stat().st_mtime_ns == written, "written once"
    tensors = {tensor.name: tensor.data for tensor in GGUFReader(first).tensors}
    weights = model.lm.state_dict()
    assert np.array_equal(tensors["token_embd.weight"], weights["model.embed_tokens.weight"].numpy())
    query = weights["model.layers.1.self_attn.q_proj.weight"].numpy().reshape(4, 2, 4, -1)
    assert np.array_equal(tensors["blk.1.attn_q.weight"].reshape(4, 4, 2, -1)[:, :, 1], query[:, 1])
    with torch.no_grad():
        model.lm.model.norm.weight[0] += 1e-3
    assert gguf_of(model.lm) != first
    assert sorted(path.name for path in first.parent.iterdir()) == sorted({first.name, gguf_of(model.lm).name})


def test_what_cannot_be_served_says_why(folder, data, cache):  # noqa: F811
    model = make(folder, data)
    model.lm.config.model_type = "gpt2"
    with pytest.raises(BadInput, match="gpt2: use torch" if HERE else "pip install"):
        LlamaCppServer.of(model.lm)
