"""Every defence keeps shape and type, and does what its name says."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import BadInput, UnknownName
from workbench.defend import DEFENCES, open_defence


@pytest.fixture
def vectors():
    found = np.random.default_rng(0).standard_normal((50, 64)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("name", DEFENCES.names())
def test_contract(name, vectors):
    before = vectors.copy()
    after = open_defence(name).apply(vectors, np.random.default_rng(1))
    assert after.shape == vectors.shape
    assert after.dtype == np.float32
    assert (vectors == before).all(), "what is defended is not changed"
    assert not (after == before).all()
    assert (open_defence(name).apply(vectors, np.random.default_rng(1)) == after).all(), "chance comes from the seed"
    assert np.isfinite(open_defence(name).apply(np.zeros((1, 4), np.float32), np.random.default_rng(0))).all()
    assert 10 < len(DEFENCES.summary(name)) < 120


def test_noise_has_the_length_that_it_states(vectors):
    moved = open_defence("noise:0.5").apply(vectors, np.random.default_rng(0)) - vectors
    assert np.linalg.norm(moved, axis=1).mean() == pytest.approx(0.5, rel=0.05)


def test_quantisation(vectors):
    random = np.random.default_rng(0)
    assert cosines(open_defence("int8").apply(vectors, random), vectors).min() > 0.999
    binary = open_defence("binary").apply(vectors, random)
    assert len(np.unique(np.abs(binary))) == 1
    assert np.linalg.norm(binary, axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("noise:much", "cannot have the strength 'much'"),
        ("noise:-1", "expected 0 or more"),
        ("int8:3", "int8 has no strength"),
    ],
)
def test_mistakes(line, message):
    with pytest.raises(BadInput, match=message):
        open_defence(line)


def test_an_unknown_defence():
    with pytest.raises(UnknownName, match="Did you mean 'noise'"):
        open_defence("nois")
