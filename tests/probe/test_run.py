"""run_probe on vectors that tell an attribute: scores, floors, controls, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.probe import Labelled, labelled_by, layer_curve, run_probe, text_baseline
from workbench.results import ProbeScores

COLOURS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def data() -> Labelled:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 900)
    fillers = ("today", "we think", "as always", "perhaps", "in short", "at last")
    texts = tuple(f"{fillers[row % 6]} the {COLOURS[label]} one, number {row}" for row, label in enumerate(labels))
    return labelled_by("colour", [COLOURS[label] for label in labels], None, texts)


@pytest.fixture(scope="module")
def vectors(data: Labelled) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (np.eye(12)[data.labels] + 0.3 * rng.standard_normal((len(data.labels), 12))).astype(np.float32)


@pytest.fixture(scope="module")
def scores(data: Labelled, vectors: np.ndarray) -> ProbeScores:
    noise = np.random.default_rng(2).standard_normal(vectors.shape).astype(np.float32)
    return run_probe(data, vectors, "own", random_vectors=noise, mlp=True)


def test_floors_controls_and_description_length(scores):
    (row,) = scores.rows
    assert row.score.value > 0.9
    assert row.tfidf is not None and row.tfidf.value == 1.0
    assert row.random_encoder is not None and row.random_encoder.value < 0.5
    assert row.control.low <= 1 / 3 <= row.control.high
    assert row.compression is not None and row.compression > 1.5
    assert row.mlp is not None and row.mlp.value > 0.9
    assert row.selectivity.low > 0.4
    assert row.curve[-1][0] == (row.train - 150) or row.curve[-1][0] <= row.train
    beaten = {gain.over for each, gain, p in scores.claims() if p < 0.05 and each is row}
    assert beaten == {"majority", "random encoder"}


def test_equal_to_scikit_learns_own(data, vectors, scores):
    (row,) = scores.rows
    learnt = data.learnt
    plain = make_pipeline(StandardScaler(), LogisticRegression(C=row.penalty, max_iter=500))
    plain.fit(vectors[learnt], data.labels[learnt])
    assert row.score.value == pytest.approx(plain.score(vectors[data.test], data.labels[data.test]))


def test_the_result_renders_and_comes_back(scores, tmp_path):
    scores.save(tmp_path / "scores.json")
    assert Result.load(tmp_path / "scores.json") == scores
    assert "colour" in scores._repr_html_()
    assert ProbeScores.join([scores, scores]) == scores


def test_the_baseline_belongs_to_the_task(data, vectors, scores):
    again = run_probe(data, vectors, "own", text_predictions=text_baseline(data))
    assert again.rows[0].tfidf == scores.rows[0].tfidf and again.rows[0].random_encoder is None


def test_vectors_that_tell_nothing(data):
    noise = np.random.default_rng(3).standard_normal((len(data.labels), 12)).astype(np.float32)
    (row,) = run_probe(data, noise).rows
    assert row.score.low <= 0.38 and row.compression is not None and row.compression <= 1.0
    assert not [gain for gain in row.gains if gain.p < 0.01]


def test_grades(vectors):
    rng = np.random.default_rng(4)
    grades = vectors[:, 0] + 0.2 * rng.standard_normal(len(vectors))
    held = labelled_by("grade", grades, None, None)
    (row,) = run_probe(held, vectors, random_vectors=rng.standard_normal(vectors.shape)).rows
    assert row.score.value > 0.8 and row.r2 is not None and row.r2.value > 0.6
    assert row.control.low <= 0 <= row.control.high
    assert row.tfidf is None and row.bits_per_label is None
    assert {gain.over for gain in row.gains if gain.p < 0.01} == {"majority", "random encoder"}


def test_layers(data, vectors):
    noise = np.random.default_rng(5).standard_normal(vectors.shape).astype(np.float32)
    (zero, low), (one, high) = layer_curve(data, {1: vectors, 0: noise})
    assert (zero, one) == (0, 1) and low.high < high.low


def test_splits_are_disjoint_by_group_and_text():
    held = labelled_by("x", ["a", "b"] * 300, [f"g{i // 5}" for i in range(600)], None)
    parts = [{held.groups[row] for row in np.flatnonzero(held.split == name)} for name in ("train", "test")]
    assert not parts[0] & parts[1]
    twice = labelled_by("x", ["a", "b"] * 300, None, [f"text {i % 100}" for i in range(600)])
    parts = [{twice.groups[row] for row in np.flatnonzero(twice.split == name)} for name in ("train", "test")]
    assert not parts[0] & parts[1]


def test_limits_keep_classes_in_balance(data):
    fewer = data.limited(90)
    assert [(fewer.split == name).sum() for name in ("train", "validation", "test")] == [90, 21, 21]
    assert (np.bincount(fewer.labels[fewer.split == "train"]) == 30).all()


def test_what_is_refused(data, vectors):
    with pytest.raises(BadInput, match="row 5 of vectors"):
        run_probe(data, np.where(np.arange(len(vectors))[:, None] == 5, np.nan, vectors))
    with pytest.raises(BadInput, match="labels"):
        run_probe(data, vectors[:-1])
    with pytest.raises(BadInput, match="1 of 2 rows have no value"):
        labelled_by("x", [1.0, float("nan")], None, None)
    with pytest.raises(BadInput, match="distinct"):
        labelled_by("x", ["a"] * 50, None, None)
    with pytest.raises(BadInput, match="distinct"):
        labelled_by("x", [f"name {i}" for i in range(300)], None, None)
    with pytest.raises(BadInput, match="no test"):
        replace(data, split=np.where(data.split == "test", "train", data.split))
    with pytest.raises(BadInput, match="green"):
        replace(data, split=np.where((data.split == "train") & (data.labels == 1), "test", data.split))
