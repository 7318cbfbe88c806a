"""Real tasks on MiniLM: equal to scikit-learn's own, controls at chance, permuted labels tell nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from workbench.data.tasks import load_task
from workbench.embed import load_embedder
from workbench.embed._layer_vectors import layer_vectors
from workbench.embed._random import RandomWords, random_encoder
from workbench.probe import Labelled, run_probe
from workbench.probe._estimators import PENALTIES

TASKS = ("length", "negation", pytest.param("tense", marks=pytest.mark.slow), "topic", "person")


@pytest.fixture(scope="module")
def minilm():
    return load_embedder("minilm", "cpu")


@pytest.fixture(scope="module", params=TASKS)
def measured(request, minilm):
    data = Labelled.of(load_task(request.param)).limited(400)
    vectors = minilm.embed(data.texts)
    return data, vectors, run_probe(data, vectors, "minilm", device="cpu").rows[0]


def test_equal_to_scikit_learns_own(measured):
    """The same steps written out by hand: standardise, choose C by log-loss on validation, fit on both."""
    data, vectors, row = measured
    train, validation = (np.flatnonzero(data.split == name) for name in ("train", "validation"))

    def fitted(rows, penalty):
        scaler = StandardScaler().fit(vectors[rows])
        probe = LogisticRegression(C=penalty, max_iter=2000).fit(scaler.transform(vectors[rows]), data.labels[rows])
        return lambda others: probe.predict_proba(scaler.transform(vectors[others]))

    losses = [
        -np.log(fitted(train, c)(validation)[np.arange(len(validation)), data.labels[validation]]).mean()
        for c in PENALTIES
    ]
    chosen = PENALTIES[int(np.argmin(losses))]
    accuracy = (fitted(data.learnt, chosen)(data.test).argmax(1) == data.labels[data.test]).mean()
    assert row.penalty == chosen
    assert row.score.value == pytest.approx(accuracy, abs=0.005)


def test_controls_at_chance_and_permuted_labels_do_not_compress(measured):
    data, vectors, row = measured
    assert row.control.low - 0.02 <= row.chance <= row.control.high + 0.02
    permuted = np.random.default_rng(0).permutation(data.labels)
    none = run_probe(replace(data, labels=permuted, texts=None), vectors, device="cpu").rows[0]
    assert none.compression is not None and none.compression <= 1.0
    assert row.compression is not None and row.compression > none.compression


def test_untrained_twins(minilm):
    twin = random_encoder(minilm)
    texts = ["the cat sat", "a dog ran home", ""]
    assert twin.embed(texts).shape == (3, 384) and np.abs(twin.embed(texts) - minilm.embed(texts)).max() > 0.01
    assert (random_encoder(minilm).embed(texts) == twin.embed(texts)).all()
    words = RandomWords(16)
    assert np.linalg.norm(words.embed(texts), axis=1) == pytest.approx([1, 1, 1])
    assert (RandomWords(16).embed(texts) == words.embed(texts)).all()


def test_the_last_layer_is_what_pooling_sees(minilm):
    texts = ["the cat sat on the mat", "a dog ran", "\U0001f600"]
    found = layer_vectors(minilm, texts)
    assert sorted(found) == list(range(minilm.layers + 1))
    last = found[minilm.layers] / np.linalg.norm(found[minilm.layers], axis=1, keepdims=True)
    assert np.abs(last - minilm.embed(texts)).max() < 1e-5  # MiniLM pools by the mean and normalises
