"""One contract for every registered embedder that needs no argument."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import BadInput
from workbench.embed import EMBEDDERS, load_embedder

NEED_A_MODEL = {"sentence-transformers", "transformers"}
NAMES = [name for name in EMBEDDERS.names() if name not in NEED_A_MODEL]
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


@pytest.fixture(params=NAMES, scope="module")
def embedder(request):
    return load_embedder(request.param, "cpu")


def test_edge_texts_have_vectors(embedder):
    vectors = embedder.embed(EDGES)
    assert vectors.shape == (len(EDGES), embedder.spec.dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    if embedder.spec.normalised:
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_batches_give_what_single_texts_give(embedder):
    texts = ["One.", "Two words.", "Rather more words than two, all in one line.", "word " * 100]
    together = embedder.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        alone = load_embedder(embedder.spec.name, "cpu").embed([text])[0]
        assert alone == pytest.approx(vector, abs=1e-6)


@settings(max_examples=10)
@given(st.lists(st.sampled_from(EDGES[:5]), min_size=1, max_size=12))
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


def test_provenance_says_who(embedder):
    made = embedder.embed_set(["a"], ["text"], seed=3)
    assert made.provenance.embedder == embedder.spec.name
    assert made.provenance.revision
    assert made.provenance.normalised is embedder.spec.normalised
    assert made.provenance.seed == 3


def test_no_texts_no_vectors(embedder):
    assert embedder.embed([]).shape == (0, embedder.spec.dim)


def test_a_summary_for_the_list():
    for name in EMBEDDERS.names():
        assert 10 < len(EMBEDDERS.summary(name)) < 120


def test_names_that_cannot_be_opened(tmp_path):
    with pytest.raises(BadInput, match="needs a model"):
        load_embedder("transformers")
    with pytest.raises(BadInput, match="states no pooling"):
        load_embedder(f"transformers:{tmp_path}")
    with pytest.raises(BadInput, match="cannot load the sentence-transformers model"):
        load_embedder(str(tmp_path))
    with pytest.raises(BadInput, match="cannot be used here"):
        load_embedder("minilm", "nonsense")
    with pytest.raises(LookupError, match="Did you mean 'minilm'"):
        load_embedder("minlm")
