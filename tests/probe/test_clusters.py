"""Clusters: those that are there are found and named, and a cloud without any says so."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from workbench.core.blocks import Text
from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.core.vectors import unit
from workbench.probe._clusters import find_clusters
from workbench.results import CentroidName, Clusters

TOPICS = (("bank", "loan", "card"), ("ship", "wave", "sailor"), ("judge", "court", "lawyer"), ("song", "choir", "drum"))
SIZES = (120, 100, 80, 60)


@pytest.fixture(scope="module")
def planted():
    """Four separated Gaussians whose texts speak of a topic each: vectors, texts, truth."""
    random = np.random.default_rng(0)
    truth = random.permutation(np.repeat(np.arange(4), SIZES))
    vectors = 4 * np.eye(4, 20)[truth] + 0.3 * random.standard_normal((len(truth), 20))
    texts = [f"the {' and the '.join(random.choice(TOPICS[topic], 2))} of a day" for topic in truth]
    return vectors, texts, truth


@pytest.fixture(scope="module")
def found(planted):
    vectors, texts, _ = planted
    return find_clusters(vectors, texts, 4, embedder="toy", about="planted")


def test_separated_gaussians_are_found(planted, found):
    vectors, _, truth = planted
    clusters = found.clusters
    assert [row.size for row in clusters.rows] == list(SIZES)
    assert clusters.silhouette.low > 0.7 > clusters.floor.high
    assert clusters.stability.value == pytest.approx(1)
    means = unit(np.stack([unit(vectors[truth == place]).mean(0) for place in range(4)]))
    assert np.allclose(found.centroids, means)


def test_clusters_are_named_by_their_own_words(found):
    for place, row in enumerate(found.clusters.rows):
        assert {word for word, _ in row.words} == set(TOPICS[place])
        assert row.separation is not None and row.separation.value == 1
        assert all(any(word in text for word in TOPICS[place]) for text in row.central)
    assert found.clusters.naming.value == 1
    assert not any(isinstance(block, Text) and block.tone == "warn" for block in found.clusters.blocks())


def test_a_cloud_without_clusters_says_so(planted):
    _, texts, _ = planted
    vectors = np.random.default_rng(1).standard_normal((len(texts), 20))
    clusters = find_clusters(vectors, texts, 4).clusters
    assert clusters.silhouette.value == pytest.approx(clusters.floor.value, abs=0.02)
    assert clusters.stability.value < 0.4
    assert clusters.naming.value < 0.75
    assert any(isinstance(block, Text) and block.tone == "warn" for block in clusters.blocks())


def test_the_result_comes_back_and_shows_names(found):
    plain = found.clusters
    named = replace(plain.rows[0], name=CentroidName("about money", 0.5, 0.1))
    both = replace(plain, rows=(named, *plain.rows[1:]), explainer="some-explainer")
    for each in (plain, both):
        assert Result.from_json(each.to_json()) == each
        assert each._repr_html_()
    assert "about money" in both._repr_html_() and "some-explainer" in both._repr_html_()
    assert "explainer" not in plain._repr_html_()


def test_fewer_clusters_than_were_asked_for_and_texts_without_words():
    """Vectors on two spots, for six clusters, with texts that say nothing: no empty cluster, no words, no error."""
    vectors = np.repeat(np.eye(2, 5), 40, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, of fewer distinct points than clusters
        clusters = find_clusters(vectors, ["\U0001f600"] * 80, 6).clusters
    assert isinstance(clusters, Clusters)
    assert sum(row.size for row in clusters.rows) == 80
    assert all(row.size and not row.words for row in clusters.rows)


@pytest.mark.parametrize("clusters", [0, 1, 40])
def test_too_few_vectors_for_the_clusters_are_refused(planted, clusters):
    vectors, texts, _ = planted
    with pytest.raises(BadInput, match="at least 2 clusters"):
        find_clusters(vectors, texts, clusters)


def test_nan_is_refused(planted):
    vectors, texts, _ = planted
    with pytest.raises(BadInput, match="row 5 of vectors holds NaN"):
        find_clusters(np.where(np.arange(len(vectors))[:, None] == 5, np.nan, vectors), texts, 4)
