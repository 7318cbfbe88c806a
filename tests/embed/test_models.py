"""The fetched models are the models that they should be."""

from __future__ import annotations

import time

import numpy as np
import onnxruntime
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench import assets
from workbench.assets._archive import extract
from workbench.assets._download import download
from workbench.core.errors import BadInput, FetchError
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed.minilm import model_folder

TEXTS = ["A cat sat on the mat.", "Stock prices fell sharply on Monday, analysts said.", "caf\u00e9 \u20ac5", "no"]


def test_bge_small_equals_its_onnx_file(tmp_path):
    """The graph that the weights were taken from, run by onnxruntime on the same token ids."""
    source = assets.card("bge-small").sources[0]
    paths = {path.name: path for path in extract(download(source), source.members, tmp_path)}
    session = onnxruntime.InferenceSession(str(paths["model_optimized.onnx"]), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(paths["tokenizer.json"]))
    tokenizer.no_padding()
    texts = [*TEXTS, *corpora.load("cfpb", "test", 40).texts]
    ours = load_embedder("bge-small", "cpu").embed(texts)
    for text, vector in zip(texts, ours, strict=True):
        ids = np.array([tokenizer.encode(text).ids])
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        wanted = {item.name for item in session.get_inputs()}
        states = session.run(None, {name: value for name, value in feed.items() if name in wanted})[0]
        cls = states[0, 0].astype(np.float64)
        assert vector @ cls / np.linalg.norm(cls) >= 0.9999


@pytest.mark.parametrize("name", ["potion", "mpnet", "bge-small"])
def test_a_fetched_model_equals_its_own_pipeline(name):
    theirs = SentenceTransformer(str(assets.pipeline_folder(name)), device="cpu").encode(TEXTS)
    assert np.abs(load_embedder(name, "cpu").embed(TEXTS) - theirs).max() < 1e-6


def test_a_static_vector_is_the_mean_of_its_tokens():
    embedder = load_embedder("potion", "cpu")
    batch = embedder.tokenise(TEXTS[:1])
    mean = embedder.states(batch.features, 0)[0].mean(0)
    assert torch.allclose(torch.nn.functional.normalize(mean, dim=0), embedder.encode(batch.features)[0], atol=1e-6)


def test_the_language_model_is_read_as_transformers_reads_it():
    """`last` of the last layer is the last hidden state; a middle layer is the hidden state of that number."""
    folder = assets.fetch("smollm2")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    text = "The capital of France is"
    ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
    with torch.no_grad():
        found = model(ids, output_hidden_states=True)
    assert tokenizer.decode(found.logits[0, -1].argmax()).strip() == "Paris", "it is a language model that knows things"
    for layer in (30, 12):
        line = f"llm:smollm2?method=last&normalise=false&layer={-1 if layer == 30 else layer}"
        ours = load_embedder(line, "cpu").embed([text])[0]
        theirs = found.hidden_states[layer][0, -1].numpy()
        assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()


def test_echo_reads_the_second_copy():
    embedder = load_embedder("llm?method=echo", "cpu")
    batch = embedder.tokenise(["The cat sat."])
    assert "".join(batch.tokens[0]).count(" cat") == 2
    pooled = batch.features["weights"][0] > 0
    assert "".join(token for token, flag in zip(batch.tokens[0], pooled, strict=True) if flag) == "The cat sat."
    assert pooled.nonzero()[0] > batch.content[0].nonzero()[0], "the later one"


def test_an_instruction_is_read_and_not_pooled():
    plain, told = (load_embedder(f"llm?method=mean{rest}", "cpu") for rest in ("", "&instruction=Find lies."))
    assert not np.allclose(plain.embed(TEXTS), told.embed(TEXTS), atol=1e-2)
    batch = told.tokenise(["One."])
    pooled = batch.features["weights"][0] > 0
    assert "".join(token for token, flag in zip(batch.tokens[0], pooled, strict=True) if flag) == "One."


def test_an_instruction_of_any_characters_is_in_the_name():
    embedder = load_embedder("llm?layer=1&instruction=50%25 of A%26B, 1%2B1=2?", "cpu")
    assert "".join(embedder.tokenise(["x"]).tokens[0]).replace("\u0120", " ").count("50% of A&B, 1+1=2?") == 1
    assert load_embedder(embedder.spec.name, "cpu").spec == embedder.spec


def test_language_models_open_in_two_seconds():
    load_embedder("llm", "cpu")
    began = time.monotonic()
    load_embedder("llm", "cpu")
    assert time.monotonic() - began < 2


def test_a_pipeline_of_every_part(tmp_path):
    """Prompt, CLS pooling, Dense and Normalize of a user's own pipeline are in the vector and in the graph."""
    torch.manual_seed(0)
    transformer = Transformer(str(model_folder()))
    parts = [transformer, Pooling(384, pooling_mode="cls"), Dense(384, 32), Normalize()]
    pipeline = SentenceTransformer(
        modules=parts, prompts={"query": "query: "}, default_prompt_name="query", device="cpu"
    )
    pipeline.save(str(tmp_path))
    embedder = load_embedder(str(tmp_path), "cpu")
    assert np.abs(embedder.embed(TEXTS) - pipeline.encode(TEXTS)).max() < 1e-6
    assert embedder.spec.dim == 32
    batch = embedder.tokenise(TEXTS[:1])
    named = dict(zip(batch.tokens[0], batch.content[0].tolist(), strict=True))
    assert named["cat"]
    assert not named["query"]
    states = embedder.states(batch.features, 3).detach().requires_grad_(True)
    vector = embedder.encode(batch.features, 3, states)
    assert torch.allclose(vector, torch.from_numpy(embedder.embed(TEXTS[:1])), atol=1e-6)
    (slope,) = torch.autograd.grad(vector[0, 0], states)
    assert slope.abs().sum() > 0


def test_a_static_pipeline_opened_as_a_transformer_says_so():
    embedder = load_embedder(str(assets.pipeline_folder("potion")), "cpu")
    with pytest.raises(BadInput, match="begins with StaticEmbedding, which has no layers to read; open it as static:"):
        embedder.tokenise(TEXTS)


def test_models_on_request_are_not_fetched_by_themselves(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    with pytest.raises(FetchError, match=r"under Gemma .* run: workbench fetch gemma-270m"):
        load_embedder("llm:gemma-270m")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gemma-270m", "qwen-0.5b"])
def test_models_on_request(name):
    assets.fetch(name, asked=True)
    load_embedder(f"llm:{name}?method=mean", "cpu")
    began = time.monotonic()
    embedder = load_embedder(f"llm:{name}?method=mean", "cpu")
    assert time.monotonic() - began < 2
    batch = embedder.tokenise(TEXTS)
    with torch.no_grad():
        vectors = embedder.encode(batch.features)
        for layer in (0, 5, embedder.layers):
            again = embedder.encode(batch.features, layer, embedder.states(batch.features, layer))
            assert torch.allclose(again, vectors, atol=1e-4)
