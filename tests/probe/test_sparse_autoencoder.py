"""A sparse autoencoder finds the dictionary that sparse data were made from, and its features get true names."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from workbench.core.checkpoint import open_card
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.probe import SparseCodes, TopKAutoencoder, sparse_features
from workbench.probe._feature_names import name_features, separation, top_rows
from workbench.probe._sae_fitter import SaeFitter, _TopK
from workbench.probe._sae_floors import explained, floors, reconstruction

DIM, TRUE, ACTIVE = 24, 40, 3


def planted(n, seed=77):
    """Vectors that are sums of 3 of 40 directions in 24 dimensions, and the directions."""
    random = np.random.default_rng(seed)
    directions = random.standard_normal((TRUE, DIM))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    weights = np.zeros((n, TRUE))
    for row in weights:
        row[random.choice(TRUE, ACTIVE, replace=False)] = random.uniform(0.5, 1.5, ACTIVE)
    vectors = weights @ directions + 0.01 * random.standard_normal((n, DIM)) + 3.0
    return vectors.astype(np.float32), directions.astype(np.float32), weights


def learn(fitter, vectors, epochs, batch=128, rate=5e-3):
    each = len(vectors) // batch
    steps = epochs * each
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(len(vectors))
        for place in range(each):
            falling = min(1.0, 3 * (steps - fitter.step) / steps)
            fitter.learn(vectors[order[place * batch : (place + 1) * batch]], rate * falling)
    return fitter.freeze("toy", "1")


@pytest.fixture(scope="module")
def data():
    vectors, directions, weights = planted(3300)
    return vectors[:3000], vectors[3000:], directions, weights[3000:]


@pytest.fixture(scope="module")
def trained(data):
    fitter = SaeFitter(data[0], 56, ACTIVE, dead_after=2000, seed=0)
    return learn(fitter, data[0], 25)


def test_the_dictionary_is_recovered(trained, data):
    cosines = (data[2] @ trained.decoder.T).max(axis=1)
    assert cosines.mean() > 0.95
    codes = trained.encode(data[1])
    match = (data[2] @ trained.decoder.T).argmax(axis=1)
    found = codes.sparse().toarray()[:, match]
    assert np.corrcoef(found.ravel(), data[3].ravel())[0, 1] > 0.85, "activations are the true weights"


def test_codes_are_sparse_positive_and_strongest_first(trained, data):
    codes = trained.encode(data[1])
    assert codes.indices.shape == codes.activations.shape == (300, ACTIVE)
    assert (codes.active() <= ACTIVE).all()
    assert (codes.activations >= 0).all()
    assert (np.diff(codes.activations, axis=1) <= 0).all()
    assert all(len(set(row)) == ACTIVE for row in codes.indices.tolist())
    dense = codes.sparse().toarray()
    np.testing.assert_array_equal(codes.counts(), (dense > 0).sum(axis=0))
    np.testing.assert_allclose(trained.decode(codes), dense @ trained.decoder + trained.centre, atol=1e-4)
    np.testing.assert_array_equal(trained.reconstruct(data[1]), trained.decode(codes))
    assert len(codes.select(slice(0, 7))) == 7


def test_the_rows_of_the_decoder_have_norm_one(trained):
    np.testing.assert_allclose(np.linalg.norm(trained.decoder, axis=1), 1.0, atol=1e-5)


def test_it_begins_tied_and_centred(data):
    start = SaeFitter(data[0], 56, ACTIVE, dead_after=2000, seed=0).freeze("toy", "1")
    np.testing.assert_array_equal(start.encoder, start.decoder)
    np.testing.assert_allclose(start.centre, data[0].mean(axis=0), rtol=1e-5)


def test_it_beats_every_floor_on_sparse_data(trained, data):
    learnt, held_out = data[:2]
    ours = reconstruction("ours", "", held_out, trained.reconstruct(held_out), learnt.mean(axis=0))
    beside = floors(learnt, held_out, 56, ACTIVE, seed=3)
    assert [floor.method for floor in beside] == [
        "PCA, 3 components",
        "PCA, 6 components",
        "random directions",
        "learnt vectors as features",
    ]
    assert ours.explained.low > max(floor.explained.high for floor in beside)
    assert ours.explained.value > 0.9


def test_on_vectors_of_few_dimensions_pca_gives_all_back():
    random = np.random.default_rng(0)
    vectors = (random.standard_normal((300, 3)) @ random.standard_normal((3, 10))).astype(np.float32)
    pca = floors(vectors[:200], vectors[200:], 20, 3)[0]
    assert pca.explained.value == pytest.approx(1.0, abs=1e-5)
    assert pca.cosine.value == pytest.approx(1.0, abs=1e-5)
    assert floors(vectors[:200], vectors[200:], 20, 30)[0].method == "PCA, 10 components"


def test_variance_explained_is_a_ratio_with_groups():
    whole, missing = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 1.0, 1.5, 2.0])
    estimate = explained(missing, whole)
    assert estimate.value == 0.5
    assert (estimate.low, estimate.high) == (-np.inf, np.inf), "four vectors without any spread bound nothing"
    assert explained(missing, whole, np.array(["a", "a", "b", "b"])).n == 2
    with pytest.raises(BadInput, match="no variance to explain"):
        explained(np.zeros(3), np.zeros(3))


def test_the_backward_pass_is_that_of_the_dense_formula():
    torch.manual_seed(0)
    x, weight, bias = (torch.randn(*shape, requires_grad=True) for shape in ((30, 8), (20, 8), (20,)))
    found = []
    for sparse in (True, False):
        if sparse:
            values, _ = _TopK.apply(x, weight, bias, 4)
        else:
            values = torch.addmm(bias, x, weight.T).topk(4, sorted=False)[0].relu()
        found.append(torch.autograd.grad(values.pow(2).sum(), (x, weight, bias)))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_dead_features_come_back_to_life(data):
    """Half of the encoder is made too weak to be among the top k: only the auxiliary loss can reach it."""

    def after(dead_after):
        fitter = SaeFitter(data[0], 56, ACTIVE, dead_after=dead_after, seed=0)
        with torch.no_grad():
            fitter._encoder[:28] *= 1e-3
        return int((learn(fitter, data[0], 8).encode(data[0]).counts() == 0).sum())

    assert after(10**9) >= 28, "nothing reaches them"
    assert after(1000) < 14


def test_it_saves_and_loads_itself(trained, data, tmp_path):
    trained.save(tmp_path / "mine")
    again = TopKAutoencoder.load(tmp_path / "mine")
    np.testing.assert_array_equal(again.reconstruct(data[1]), trained.reconstruct(data[1]))
    assert (again.k, again.embedder, again.revision) == (ACTIVE, "toy", "1")
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"card.json", "sae.safetensors"}
    assert open_card(tmp_path / "mine", "sae").config == {"dim": DIM, "features": 56, "k": ACTIVE}
    trained.save(tmp_path / "mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious").write_text("x")
    with pytest.raises(BadInput, match="is there and is not a checkpoint"):
        trained.save(tmp_path / "other")
    with open(tmp_path / "mine" / "sae.safetensors", "ab") as file:
        file.write(b"x")
    with pytest.raises(BadInput, match=r"sae\.safetensors does not have the SHA-256"):
        TopKAutoencoder.load(tmp_path / "mine")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda v: v[:, :-1], r"has shape \(300, 23\); this autoencoder expects \(n, 24\)"),
        (lambda v: np.where(np.arange(300)[:, None] == 5, np.nan, v), "row 5 of vectors holds NaN"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(trained, data, spoil, message):
    with pytest.raises(BadInput, match=message):
        trained.encode(spoil(data[1]).astype(np.float32))


def test_parts_that_do_not_fit_are_refused(trained):
    parts = (trained.encoder, trained.bias, trained.decoder, trained.centre)
    with pytest.raises(BadInput, match="k is 57; expected 1 to 56"):
        TopKAutoencoder(*parts, k=57)
    with pytest.raises((BadInput, TypeCheckError), match=r"decoder has shape|Expected type"):
        TopKAutoencoder(parts[0][:5], *parts[1:], k=3)
    with pytest.raises(BadInput, match="codes are of 9 features; this autoencoder has 56"):
        trained.decode(SparseCodes(np.zeros((1, 3), np.int64), np.zeros((1, 3), np.float32), 9))
    with pytest.raises(BadInput, match="all 9 vectors are the same"):
        SaeFitter(np.ones((9, 4), np.float32), 3, 1, 100, 0)


COMMON = ["the", "a", "of", "and", "to", "was", "it", "in", "on", "for"]


def written(weights, seed=0):
    """Texts of common words, and for each active direction the word that belongs to it."""
    random = np.random.default_rng(seed)
    lines = [[*random.choice(COMMON, 6), *(f"word{i}" for i in np.flatnonzero(row))] for row in weights]
    return np.array([" ".join(random.permutation(line)) for line in lines], object)


def test_feature_names_find_the_planted_words(trained):
    vectors, directions, weights = planted(3300)
    texts = written(weights)
    whole = EmbeddingSet(np.array([str(i) for i in range(3300)], object), vectors, texts)
    found = sparse_features(trained, whole.select(slice(0, 3000)), whole.select(slice(3000, None)), seed=1)
    match = (directions @ trained.decoder.T).argmax(axis=1)
    rows = {row.number: row for row in found.rows}
    right = [rows[number].words[0][0] == f"word{i}" for i, number in enumerate(match)]
    assert np.mean(right) > 0.9
    assert found.naming is not None
    assert found.naming_strong is not None
    assert found.naming_floor is not None
    assert found.naming.value > 0.9
    assert found.naming_strong.value > 0.95
    assert abs(found.naming_floor.value - 0.5) < 0.1, "another feature's words say nothing"
    living = trained.encode(vectors[:3000]).counts()
    assert found.dead.value == (living == 0).mean()
    assert {row.number for row in found.rows} == set(np.flatnonzero(living).tolist())
    assert rows[match[0]].share == living[match[0]] / 3000
    assert "word0" in rows[match[0]].top[0]


def test_names_are_fightin_words():
    """z of Monroe et al. by hand: a word in all 4 top texts of 4, and in no other of 100."""
    texts = ["apple x"] * 4 + ["pear x"] * 96
    names = name_features(texts, (np.arange(4), np.empty(0, np.int64)))
    assert [word for word, _ in names.of(0)] == ["apple"]
    assert names.of(1) == ()
    prior, total = 20 * 4 / 200, 200  # a tenth of all words is the prior
    first = np.log((4 + prior) / (8 + 20 - 4 - prior))
    second = np.log((0 + prior) / (total - 8 + 20 - 0 - prior))
    z = (first - second) / np.sqrt(1 / (4 + prior) + 1 / prior)
    assert names.of(0)[0][1] == pytest.approx(z)
    foretold = names.foretell(["An Apple, please", "none"]).toarray()
    assert foretold[0, 0] == names.of(0)[0][1]
    assert not foretold[1].any()
    with pytest.raises(BadInput, match="top holds row 100; expected rows of 100 texts"):
        name_features(texts, (np.array([100]),))


def test_separation_is_the_area_under_the_curve():
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(0)
    active = random.random(400) < 0.2
    score = np.round(random.standard_normal(400) + active, 1)
    estimate = separation(score, active)
    assert estimate.value == pytest.approx(roc_auc_score(active, score))
    assert estimate.low < estimate.value < estimate.high
    perfect = separation(active.astype(float), active)
    assert perfect.value == perfect.high == 1.0
    assert perfect.low < 1.0
    with pytest.raises(BadInput, match="expected some of both"):
        separation(score, np.zeros(400, bool))


def test_top_rows_are_those_of_the_largest_activations():
    codes = SparseCodes(
        np.array([[0, 1], [0, 2], [0, 1]]), np.array([[1.0, 0.5], [3.0, 0.0], [2.0, 0.7]], np.float32), 4
    )
    assert [rows.tolist() for rows in top_rows(codes, 2)] == [[1, 2], [2, 0], [], []]
    assert codes.counts().tolist() == [3, 2, 0, 0]


def test_without_texts_features_are_shown_by_ids(trained):
    vectors = planted(400)[0]
    whole = EmbeddingSet(np.array([f"id{i}" for i in range(400)], object), vectors)
    found = sparse_features(trained, whole.select(slice(0, 350)), whole.select(slice(350, None)))
    assert found.naming is None
    assert found.rows[0].words == ()
    assert found.rows[0].top[0].startswith("id")
    json.dumps(found.to_json())
    with pytest.raises(BadInput, match="expected at least 2"):
        sparse_features(trained, whole, whole.select(slice(0, 1)))
    narrow = EmbeddingSet(whole.ids, vectors[:, :7])
    with pytest.raises(BadInput, match="vectors have 7 dimensions; the sparse autoencoder expects 24"):
        sparse_features(trained, narrow, narrow)
