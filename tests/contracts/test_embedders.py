"""One contract for every embedder: each registered one, and each way of using the ones that take a model."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import assets
from workbench.core.errors import BadInput
from workbench.embed import EMBEDDERS, load_embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.embed.minilm import model_folder

LLM_METHODS = ("last", "mean", "weighted-mean", "prompt-eol", "echo")
LINES = {
    "transformers": [
        f"transformers:{model_folder()}?pooling={p}" for p in ("mean", "cls", "last", "max&normalise=false")
    ],
    "sentence-transformers": [f"sentence-transformers:{model_folder()}"],
    "static": ["static:{potion}"],
    "api": ["api:toy-2?url={url}"],
    "llm": [
        *(f"llm?method={method}" for method in LLM_METHODS),
        "llm:smollm2?method=mean&layer=8&instruction=Find a text that means the same.&max_tokens=64&normalise=false",
    ],
}
ALL = [line for name in EMBEDDERS.names() for line in LINES.get(name, [name])]
EDGES = [
    "",
    " ",
    "a",
    "A plain sentence.",
    "\U0001f600\U0001f44d\U0001f3fd",
    "word " * 10_000,
    "\x00\ufffd",
    "caf\u00e9",
]
TEXTS = ["One.", "Two words.", "Rather more words than two, all in one line.", "word " * 100]


@pytest.fixture(params=ALL, ids=[line.replace(str(model_folder()), "minilm") for line in ALL], scope="module")
def embedder(request, _endpoint):
    _endpoint.faults = []
    potion = assets.pipeline_folder("potion") if "{potion}" in request.param else ""
    yield load_embedder(request.param.format(potion=potion, url=_endpoint.url), "cpu")
    gc.collect()


@pytest.fixture
def grad(embedder):
    if not isinstance(embedder, GradEmbedder):
        pytest.skip("query access alone")
    return embedder


def test_edge_texts_have_vectors(embedder):
    vectors = embedder.embed(EDGES)
    assert vectors.shape == (len(EDGES), embedder.spec.dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    norms = np.linalg.norm(vectors, axis=1)
    assert (norms > 0).all()
    assert embedder.spec.normalised == bool(np.allclose(norms, 1.0, atol=1e-4))


def test_a_long_text_is_cut_where_the_embedder_says(embedder):
    limit = embedder.spec.max_tokens
    if not limit:
        pytest.skip("no limit")
    long, longer = "word " * limit, "word " * limit + "and quite another end"
    vectors = embedder.embed([long, longer])
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-5)
    assert (embedder.lengths([longer]) > limit).all(), "lengths are those before the cut"


def test_batch_and_padding_change_nothing(embedder):
    scale = float(np.abs(embedder.embed(TEXTS)).max())
    together = embedder.forward(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert embedder.forward([text])[0] == pytest.approx(vector, abs=1e-5 * max(scale, 1.0))


def test_the_same_vector_twice(embedder):
    assert (embedder.forward(TEXTS) == embedder.forward(TEXTS)).all()


@settings(max_examples=8)
@given(texts=st.lists(st.sampled_from(EDGES[:5]), min_size=1, max_size=12))
def test_order_and_duplicates(embedder, texts):
    vectors = embedder.embed(texts)
    for text, vector in zip(texts, vectors, strict=True):
        assert (embedder.embed([text])[0] == vector).all()


def test_nothing_is_embedded_twice(embedder):
    texts = ["Never seen before 1.", "Never seen before 2.", "Never seen before 1."]
    before = embedder.queries
    embedder.embed(texts)
    embedder.embed(texts)
    assert embedder.queries - before == 2


def test_a_rough_embedder_is_another_that_says_nearly_the_same(embedder):
    rough = embedder.rough()
    assert rough.rough() is rough
    assert embedder.rough() is rough
    texts, before = [f"{text} A rough one." for text in TEXTS[:3]], embedder.queries
    near, exact = rough.embed(texts), embedder.forward(texts)
    assert ((near * exact).sum(1) / np.linalg.norm(near, axis=1) / np.linalg.norm(exact, axis=1)).min() > 0.9998
    assert (embedder.queries == before) is (rough is not embedder)


def test_provenance_is_complete(embedder):
    made = embedder.embed_set(["a"], ["text"], seed=3)
    assert made.provenance.embedder == embedder.spec.name
    assert made.provenance.revision
    assert made.provenance.normalised is embedder.spec.normalised
    assert made.provenance.seed == 3
    assert {"torch", "transformers", "embedding-workbench"} <= set(made.provenance.versions)


def test_its_name_opens_it_again(embedder):
    again = load_embedder(embedder.spec.name, "cpu")
    assert again.spec == embedder.spec
    assert again.embed(TEXTS) == pytest.approx(embedder.embed(TEXTS), abs=1e-5)


def test_no_texts_no_vectors(embedder):
    assert embedder.embed([]).shape == (0, embedder.spec.dim)


def test_states_of_every_layer_give_the_same_vector(grad):
    batch = grad.tokenise(TEXTS[:3])
    with torch.no_grad():
        vectors = grad.encode(batch.features)
        assert vectors.numpy() == pytest.approx(grad.forward(TEXTS[:3]), abs=1e-5)
        for layer in sorted({0, min(1, grad.layers), grad.layers // 2, max(grad.layers - 1, 0), grad.layers}):
            states = grad.states(batch.features, layer)
            again = grad.encode(batch.features, layer, states)
            assert torch.allclose(again, vectors, atol=1e-5), layer
        assert torch.equal(grad.encode(batch.features), vectors), "the model is as it was"


def test_gradients_are_the_slope(grad):
    """A small step along a direction changes the vector as its directional derivative says, from any layer."""
    batch = grad.tokenise(["The cat sat on the mat."])
    target = torch.randn(grad.spec.dim, generator=torch.Generator().manual_seed(0))
    for layer in {0, grad.layers // 2, grad.layers}:
        with torch.no_grad():
            states = grad.states(batch.features, layer)
        states = states.clone().requires_grad_(True)
        score = grad.encode(batch.features, layer, states)[0] @ target
        (slope,) = torch.autograd.grad(score, states)
        step = 3e-4 * states.detach().norm() * slope / slope.norm()
        with torch.no_grad():
            up = grad.encode(batch.features, layer, states + step)[0] @ target
            down = grad.encode(batch.features, layer, states - step)[0] @ target
        assert float((up - down) / 2) == pytest.approx(float((slope * step).sum()), rel=0.1)


def test_forward_mode_agrees_with_backward_mode(grad):
    batch = grad.tokenise(["A short text."])
    layer = grad.layers // 2
    with torch.no_grad():
        states = grad.states(batch.features, layer)
    generator = torch.Generator().manual_seed(0)
    tangents, cotangent = torch.randn(3, *states.shape, generator=generator), torch.randn(grad.spec.dim)

    def vector(at):
        return grad.encode(batch.features, layer, at)[0]

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        forward = torch.func.vmap(lambda t: torch.func.jvp(vector, (states,), (t,))[1])(tangents)
        (backward,) = torch.func.vjp(vector, states)[1](cotangent)
    by_forward, by_backward = (forward @ cotangent).detach(), (tangents * backward).flatten(1).sum(1).detach()
    assert torch.allclose(by_forward, by_backward, atol=1e-4 * float(by_forward.abs().max()))


def test_tokens_know_their_places(grad):
    texts = ["Mr. O'Neil paid \u20ac5,000 caf\u00e9.", "", "hello"]
    batch = grad.tokenise(texts)
    assert batch.ids.shape == batch.mask.shape == batch.content.shape == batch.spans.shape[:2]
    for row, text in enumerate(texts):
        spans = batch.spans[row][batch.content[row].cpu()].tolist()
        covered = {place for first, last in spans for place in range(first, last)}
        assert covered >= {place for place, letter in enumerate(text) if not letter.isspace()}
        assert not (batch.content[row] & (batch.mask[row] == 0)).any(), "padding is no content"
        assert all(batch.tokens[row][: int(batch.mask[row].sum())]), "every true token has a name"


def test_the_reference_keeps_frame_and_length(grad):
    batch = grad.tokenise(["A text of several words.", "Short."])
    reference = grad.reference(batch)
    assert torch.equal(reference.mask, batch.mask)
    assert torch.equal(reference.ids[~batch.content], batch.ids[~batch.content])
    assert (reference.ids[batch.content] == grad.fillers["pad"]).all()
    assert "[pad]" in reference.tokens[0]
    with torch.no_grad():
        assert not torch.allclose(grad.encode(reference.features), grad.encode(batch.features), atol=1e-3)
    with pytest.raises(BadInput, match="filler is 'zero'"):
        grad.reference(batch, "zero")
    with pytest.raises(BadInput, match=f"has 0 to {grad.layers}"):
        grad.states(batch.features, grad.layers + 1)


def test_a_summary_for_the_list():
    for name in EMBEDDERS.names():
        assert 10 < len(EMBEDDERS.summary(name)) < 120


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("transformers", "transformers needs a model: transformers:MODEL"),
        ("transformers:x", "states no pooling"),
        ("transformers:x?pooling=middle", "pooling is 'middle'; expected one of"),
        ("transformers:x?pooling=mean&layer=3", "has the option layer; known: pooling, normalise"),
        ("transformers:x?pooling=mean&normalise=perhaps", "expected true or false"),
        ("minilm:x", "minilm takes no model"),
        ("llm?method=sum", "method is 'sum'; expected one of last, mean"),
        ("llm?layer=two", "layer is 'two'; expected a whole number"),
        ("llm?layer=31", "layer is 31; smollm2 has 1 to 30"),
        ("llm?layer=0", "have read nothing"),
        ("llm?max_tokens=0", "expected at least 1"),
        ("api:x?url=ftp://x", "expected http:// or https://"),
        ("api:x?batch=0", "batch is 0; expected more than 0"),
    ],
)
def test_lines_that_cannot_be_opened(line, message):
    with pytest.raises(BadInput, match=message):
        load_embedder(line, "cpu")


def test_models_that_cannot_be_opened(tmp_path):
    with pytest.raises(BadInput, match="cannot load the sentence-transformers model"):
        load_embedder(str(tmp_path))
    with pytest.raises(BadInput, match="cannot load the language model"):
        load_embedder(f"llm:{tmp_path}")
    with pytest.raises(BadInput, match="cannot load the static model"):
        load_embedder(f"static:{tmp_path}")
    with pytest.raises(BadInput, match="not with StaticEmbedding"):
        load_embedder(f"static:{model_folder()}", "cpu")
    with pytest.raises(BadInput, match="expected a causal language model"):
        load_embedder(f"llm:{model_folder()}", "cpu")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadInput, match=r"states no pooling \(it has no modules\.json\)"):
        load_embedder(str(tmp_path))
    with pytest.raises(BadInput, match="cannot be used here"):
        load_embedder("minilm", "nonsense")
    with pytest.raises(LookupError, match="Did you mean 'minilm'"):
        load_embedder("minlm")
