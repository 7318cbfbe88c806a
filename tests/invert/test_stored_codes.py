"""Codes of bytes and bits come back as vectors of the embedder; the codes are those of the real libraries."""

from __future__ import annotations

import numpy as np
import pytest
from sentence_transformers.util import quantize_embeddings

from workbench.core.codes import are_bytes, kind_of, may_be_packed, unpack_bits
from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.defend import open_defence
from workbench.embed import load_embedder
from workbench.invert._stored_codes import decoded

POTION = "potion"


@pytest.fixture(scope="module")
def model():
    return load_embedder(POTION, "cpu")


@pytest.fixture(scope="module")
def vectors(model):
    return model.embed(corpora.load("conservative", "test", 300).texts)


def held(vectors, **options):
    return EmbeddingSet(np.array([str(row) for row in range(len(vectors))], object), vectors, **options)


def cosine(a, b):
    return float((unit(a) * unit(b)).sum(1).mean())


@pytest.mark.parametrize("precision", ["int8", "uint8"])
@pytest.mark.parametrize(("n", "least"), [(1, 0.8), (5, 0.9), (30, 0.95), (300, 0.98)])
def test_codes_by_dimension(model, vectors, precision, n, least):
    codes = quantize_embeddings(vectors, precision)[:n].astype(np.float32)
    found = decoded(held(codes), model)
    assert cosine(found.vectors, vectors[:n]) > max(least, cosine(codes, vectors[:n]))
    assert "estimated from 1,000 public texts under potion" in found.provenance.notes[-1]
    assert found.provenance.lost
    assert ("too few" in found.provenance.notes[-1]) == (n < 10)


def test_codes_whose_ranges_come_from_other_texts(model, vectors):
    codes = quantize_embeddings(vectors[:100], "int8", calibration_embeddings=vectors[100:]).astype(np.float32)
    assert cosine(decoded(held(codes), model).vectors, vectors[:100]) > 0.96


def test_it_is_better_than_the_moments_of_a_hundred_texts(model, vectors):
    codes = quantize_embeddings(vectors[:30], "int8").astype(np.float32)
    public = model.embed(corpora.load("conservative", "train", 100).texts)
    moments = (codes - codes.mean(0)) / np.maximum(codes.std(0), 1e-9) * public.std(0) + public.mean(0)
    assert cosine(decoded(held(codes), model).vectors, vectors[:30]) > cosine(moments, vectors[:30])


@pytest.mark.parametrize("n", [1, 3, 50])
@pytest.mark.parametrize(
    ("how", "pack"),
    [
        ("bytes less 128, big", lambda v: quantize_embeddings(v, "binary")),
        ("unsigned bytes, big", lambda v: quantize_embeddings(v, "ubinary")),
        ("unsigned bytes, little", lambda v: np.packbits(v > 0, axis=1, bitorder="little")),
        ("signed bytes, big", lambda v: np.packbits(v > 0, axis=1).view(np.int8)),
    ],
)
def test_packed_bits(model, vectors, how, pack, n):
    codes = pack(vectors)[:n].astype(np.float32)
    assert codes.shape == (n, 32)
    found = decoded(held(codes), model)
    assert how in found.provenance.notes[-1]
    assert np.mean((found.vectors > 0) == (vectors[:n] > 0)) > 0.9, "public means of a side have nearly always its sign"
    assert cosine(found.vectors, vectors[:n]) >= cosine(np.where(vectors[:n] > 0, 1.0, -1.0), vectors[:n]) - 0.01


@pytest.mark.parametrize("turned", [False, True])
def test_loose_bits_and_their_order(model, vectors, turned):
    bits = (vectors[:40] > 0).astype(np.float32)
    given = bits.reshape(40, -1, 8)[:, :, ::-1].reshape(40, -1) if turned else bits
    for each in (given, 2 * given - 1, unit(2 * given - 1)):
        found = decoded(held(each), model)
        assert np.mean((found.vectors > 0) == (bits > 0)) > 0.9
        assert ("little bit order" in found.provenance.notes[-1]) == turned


def test_floats_and_codes_of_one_scale_stay(model, vectors):
    scaled = np.rint(127 * vectors / np.abs(vectors).max(1, keepdims=True))
    for each in (vectors, vectors.astype(np.float16).astype(np.float32), np.rint(vectors * 100), scaled):
        assert decoded(held(each), model).vectors is not None
        assert np.array_equal(decoded(held(each), model).vectors, each)
    stored = open_defence("int8").apply(vectors, np.random.default_rng(0))
    assert np.array_equal(decoded(held(stored), model).vectors, stored)


def test_bits_by_hand():
    assert unpack_bits(np.array([[0b10000001]])).tolist() == [[1, -1, -1, -1, -1, -1, -1, 1]]
    assert unpack_bits(np.array([[0b00000011]]), "little").tolist() == [[1, 1, -1, -1, -1, -1, -1, -1]]


def test_kinds_of_whole_numbers(vectors):
    random = np.random.default_rng(0)
    assert kind_of(random.integers(0, 256, (100, 48)).astype(float)) == "bits"
    assert kind_of(quantize_embeddings(vectors, "ubinary").astype(float)) == "bits"
    assert kind_of(quantize_embeddings(vectors, "int8").astype(float)) == "per-dimension"
    assert kind_of(quantize_embeddings(vectors, "uint8").astype(float)) == "per-dimension"
    assert kind_of(np.rint(100 * vectors)) == "scaled"
    assert kind_of(np.rint(127 * vectors / np.abs(vectors).max(1, keepdims=True))) == "scaled"
    assert kind_of(vectors) == ""
    assert not are_bytes(1000 * np.rint(vectors * 9))
    assert not may_be_packed(quantize_embeddings(vectors, "int8").astype(float))


def test_notes_that_name_a_loss():
    notes = (
        "read from faiss:x",
        "norms are 1: Qdrant normalises under cosine, so those of the embedder are lost",
        "vectors are stored as float64 and read as float32",
        "vectors are reconstructed, not stored: IndexPQ",
        "vectors are bits: one a dimension, read as -1 and +1",
        "only the sign of each number was read: 3 of 4 bits a number were not read",
    )
    assert Provenance(notes=notes).lost == notes[3:]
