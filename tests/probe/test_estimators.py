"""The penalty of a probe is chosen by validation rows, also where these lack a class, and never unseen."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import BadInput
from workbench.probe._estimators import PENALTIES, linear_probe


def blobs(n=240, d=20, k=3, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(n) % k
    return 4 * np.eye(k, d)[labels] + random.standard_normal((n, d)), labels


def chosen(labels, validation, vectors):
    return linear_probe(validation).fit(vectors, labels).best_params_["logisticregression__C"]


def test_validation_rows_that_lack_a_class_still_choose():
    vectors, labels = blobs()
    validation = np.arange(240) % 4 == 0
    whole = chosen(labels, validation, vectors)
    assert whole > PENALTIES[0]
    assert chosen(labels, validation & (labels != 2), vectors) > PENALTIES[0]


def test_rows_of_a_class_that_nobody_learns_do_not_count():
    vectors, labels = blobs()
    validation = (np.arange(240) % 4 == 0) | (labels == 2)
    probe = linear_probe(validation).fit(vectors, labels)
    assert probe.best_params_["logisticregression__C"] > PENALTIES[0]
    assert set(probe.classes_) == {0, 1, 2}, "refitted on all rows"


def test_a_penalty_that_nothing_speaks_for_is_an_error():
    vectors, labels = blobs()
    with pytest.raises(BadInput, match="no validation row has one of the 2 classes"):
        linear_probe(labels == 2).fit(vectors, labels)
