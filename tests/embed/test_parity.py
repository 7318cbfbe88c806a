"""Our vectors are sentence-transformers' vectors."""

from __future__ import annotations

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.embed.minilm import model_folder


@pytest.fixture(scope="module")
def texts():
    return [*corpora.load("cfpb", "test", 60).texts, "", "a", "\U0001f600", "word " * 400]


def test_minilm_equals_sentence_transformers(minilm, texts):
    theirs = SentenceTransformer(str(model_folder()), device="cpu").encode(texts, batch_size=7)
    assert np.abs(minilm.embed(texts) - theirs).max() < 1e-6


def test_transformers_with_the_right_pooling_is_the_same(minilm, texts):
    ours = load_embedder(f"transformers:{model_folder()}?pooling=mean", "cpu")
    short = [text for text in texts if len(text) < 500]
    assert np.abs(ours.embed(short) - minilm.embed(short)).max() < 1e-6


def test_the_wrong_pooling_is_another_embedder(minilm, texts):
    cls = load_embedder(f"transformers:{model_folder()}?pooling=cls", "cpu").embed(texts[:20])
    assert np.einsum("nd,nd->n", cls, minilm.embed(texts[:20])).mean() < 0.9


@pytest.mark.parametrize("pooling", ["cls", "last", "max", "mean"])
def test_padding_does_not_change_a_pooling(pooling):
    embedder = load_embedder(f"transformers:{model_folder()}?pooling={pooling}&normalise=false", "cpu")
    pair = embedder.forward(["short", "a text of many more words than the other one has"])
    assert pair[0] == pytest.approx(embedder.forward(["short"])[0], abs=1e-5)


def test_vectors_on_disk(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    texts = [f"text {n}" for n in range(5000)]
    first = cached_vectors(toy, texts)
    asked = toy.queries
    assert (cached_vectors(toy, texts) == first).all()
    assert toy.queries == asked, "the second time from disk"
    shards = sorted(tmp_path.rglob("*.npy"))
    assert len(shards) == 3
    shards[0].write_bytes(shards[0].read_bytes()[:1000])
    assert (cached_vectors(toy, texts) == first).all(), "a damaged shard is made again"
