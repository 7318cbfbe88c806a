"""Whether vectors have length 1 is measured, within what the type of their numbers can show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.vectors import are_unit, unit


def cloud(n=500, d=384, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, d))).astype(np.float32)


def bfloat16(vectors):
    """Rounded to the nearest number of 8 significant bits."""
    return ((vectors.view(np.uint32) + 0x8000) & 0xFFFF0000).view(np.float32)


@pytest.mark.parametrize("d", [2, 64, 384, 1536])
def test_unit_vectors_and_their_roundings(d):
    vectors = cloud(d=d)
    assert are_unit(vectors) and are_unit(vectors.astype(np.float64))
    assert are_unit(vectors.astype(np.float16)) and are_unit(vectors.astype(np.float16).astype(np.float32))
    assert are_unit(bfloat16(vectors))
    assert are_unit(np.round(vectors, 6)), "as an endpoint prints them"


@pytest.mark.parametrize("change", [1.001, 0.999, 2.0, 1.0003])
def test_other_lengths(change):
    vectors = cloud()
    assert not are_unit(vectors * np.float32(change))
    vectors[-1] *= np.float32(change)
    assert not are_unit(vectors), "one row is enough"


def test_noise_and_cuts_after_unit_length():
    vectors = cloud()
    assert not are_unit(vectors + np.random.default_rng(1).normal(0, 0.01, vectors.shape).astype(np.float32))
    assert not are_unit(vectors[:, :256])
    assert not are_unit(np.round(vectors * 127)) and not are_unit(np.zeros((3, 4))) and not are_unit(np.empty((0, 4)))


@pytest.mark.parametrize("stated", [True, False, None])
def test_a_set_measures_and_does_not_believe(tmp_path, stated):
    for vectors, truth in ((cloud(20, 8), True), (2 * cloud(20, 8), False)):
        held = EmbeddingSet.of(vectors)
        held = replace(held, provenance=Provenance("x", normalised=stated))
        assert held.provenance.normalised is truth
        held.save(tmp_path / "a.parquet")
        assert pq.read_schema(tmp_path / "a.parquet").metadata[b"workbench.provenance"].count(b"true") == int(truth)
    assert replace(held, vectors=unit(held.vectors)).provenance.normalised is True
    mixed = EmbeddingSet.of(np.concatenate([cloud(2, 8), 2 * cloud(2, 8)]))
    assert mixed.provenance.normalised is False and mixed.select(slice(2)).provenance.normalised is True


def test_a_file_that_lies_is_measured(tmp_path):
    table = EmbeddingSet.of(2 * cloud(5, 8)).to_arrow()
    lie = Provenance("x", normalised=True).metadata()
    pq.write_table(table.replace_schema_metadata(lie), tmp_path / "a.parquet")
    assert EmbeddingSet.load(tmp_path / "a.parquet").provenance.normalised is False
    assert EmbeddingSet.of(pa.table({"vector": [[0.6, 0.8]]})).provenance.normalised is True
