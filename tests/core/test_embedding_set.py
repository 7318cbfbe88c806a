"""An EmbeddingSet is whole, or it is refused by name and row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import BadInput


def make(vectors, ids=None, **more):
    vectors = np.asarray(vectors, dtype=np.float32)
    ids = np.array(ids if ids is not None else [str(i) for i in range(len(vectors))], dtype=object)
    return EmbeddingSet(ids=ids, vectors=vectors, **more)


@given(st.integers(1, 20), st.integers(1, 9), st.integers(0, 2**31), st.data())
def test_parquet_gives_back_what_was_saved(tmp_path_factory, n, d, seed, data):
    vectors = np.random.default_rng(seed).standard_normal((n, d))
    texts = data.draw(st.lists(st.text(alphabet=st.characters(exclude_categories=("Cs",))), min_size=n, max_size=n))
    provenance = Provenance("toy", "1", True, 3, {"torch": "2"}, ("norms lost",))
    before = make(vectors, texts=np.array(texts, dtype=object), provenance=provenance)
    path = tmp_path_factory.mktemp("set") / "vectors.parquet"
    before.save(path)
    after = EmbeddingSet.load(path)
    assert (after.vectors == before.vectors).all()
    assert list(after.texts) == texts
    assert list(after.ids) == list(before.ids)
    assert after.provenance == before.provenance
    unit = np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-4
    assert before.provenance == replace(provenance, normalised=bool(unit)), "what was stated is not believed"


def test_an_arrow_file_is_mapped_and_holds_the_same(small_set, tmp_path):
    small_set.save(tmp_path / "set.arrow")
    again = EmbeddingSet.load(tmp_path / "set.arrow")
    assert not again.vectors.flags.owndata and not again.vectors.flags.writeable
    np.testing.assert_array_equal(again.vectors, small_set.vectors)
    assert list(again.ids) == list(small_set.ids) and list(again.texts) == list(small_set.texts)
    assert again.provenance == small_set.provenance
    whole = (tmp_path / "set.arrow").read_bytes()
    for keep in (0, 7, len(whole) // 2, len(whole) - 9):
        (tmp_path / "cut.arrow").write_bytes(whole[:keep])
        with pytest.raises(BadInput, match=r"cut\.arrow is not a whole Arrow file"):
            EmbeddingSet.load(tmp_path / "cut.arrow")


def test_labels_survive(small_set, tmp_path):
    small_set.save(tmp_path / "a.parquet")
    assert list(EmbeddingSet.load(tmp_path / "a.parquet").labels["odd"]) == [1, 0, 1, 0, 1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_named(bad):
    vectors = np.ones((4, 3))
    vectors[2, 1] = bad
    with pytest.raises(BadInput, match=r"row 2 \(id 'c'\) holds NaN or infinity"):
        make(vectors, ids=["a", "b", "c", "d"])


def test_a_zero_vector_is_named():
    with pytest.raises(BadInput, match=r"row 1 \(id '1'\) is a zero vector"):
        make([[1, 2], [0, 0], [3, 4]])


def test_a_duplicate_id_is_named():
    with pytest.raises(BadInput, match="row 2 has the id 'a' of row 0"):
        make(np.ones((3, 2)), ids=["a", "b", "a"])


@pytest.mark.parametrize("shape", [(3,), (0, 4), (2, 0), (2, 2, 2)])
def test_only_a_table_is_taken(shape):
    with pytest.raises(BadInput, match="expected"):
        make(np.ones(shape), ids=["x"] * shape[0])


def test_lengths_must_agree():
    with pytest.raises(BadInput, match=r"ids has 2 entries but vectors has shape \(3, 2\)"):
        make(np.ones((3, 2)), ids=["a", "b"])
    with pytest.raises(BadInput, match="texts has 1 entries"):
        make(np.ones((3, 2)), texts=np.array(["a"], dtype=object))


def test_another_dimension_is_refused(small_set):
    with pytest.raises(BadInput, match="vectors have 4 dimensions; the probe expects 384"):
        small_set.require_dim(384, "the probe")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_refused_by_name(small_set, tmp_path, keep):
    path = tmp_path / "cut.parquet"
    small_set.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(BadInput, match=r"cut\.parquet is not a whole Parquet file"):
        EmbeddingSet.load(path)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pa.array([[1.0, 2.0], [1.0]]),
            r"row 1 \(id '1'\) has 1 dimensions where others have 2; .*--on-bad-rows skip",
        ),
        (pa.array([[1.0, 2.0], None]), r"row 1 \(id '1'\) has no vector"),
        (pa.array([[1.0, 2.0], [1.0, None]]), r"row 1 \(id '1'\) has a missing number"),
        (pa.array(["a", "b"]), "has no column of vectors; it has: vector"),
        (pa.array([["a"], ["b"]]), "has no column of vectors; it has: vector"),
        (pa.array([[1.0, 2.0], [0.0, 0.0]]), "row 1 .* is a zero vector"),
    ],
)
def test_bad_columns_are_refused_by_file_and_row(tmp_path, column, message):
    path = tmp_path / "bad.parquet"
    pq.write_table(pa.table({"vector": column}), path)
    with pytest.raises(BadInput, match=rf"bad\.parquet.*{message}"):
        EmbeddingSet.load(path)


def test_a_file_without_vectors_or_rows_is_refused(tmp_path):
    pq.write_table(pa.table({"title": ["x"], "year": [1]}), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="has no column of vectors; it has: title, year"):
        EmbeddingSet.load(tmp_path / "a.parquet")
    pq.write_table(pa.table({"vector": pa.array([], pa.list_(pa.float32()))}), tmp_path / "b.parquet")
    with pytest.raises(BadInput, match=r"b\.parquet"):
        EmbeddingSet.load(tmp_path / "b.parquet")
    with pytest.raises(BadInput, match="is not there"):
        EmbeddingSet.load(tmp_path / "c.parquet")


def test_an_attacker_gets_no_texts_and_no_labels(small_set):
    stolen = small_set.without_texts()
    assert stolen.texts is None
    assert not stolen.labels


def test_a_failed_save_leaves_the_former_file(small_set, tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    small_set.save(path)
    before = path.read_bytes()

    def full_disk(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full_disk)
    with pytest.raises(OSError, match="No space"):
        small_set.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_labels_may_hold_lists_of_any_length(tmp_path):
    tags = np.empty(2, dtype=object)
    tags[:] = [["p"], ["q", "r"]]
    held = EmbeddingSet(np.array(["a", "b"], dtype=object), np.ones((2, 3)), labels={"tags": tags})
    held.save(tmp_path / "a.parquet")
    one = EmbeddingSet.load(tmp_path / "a.parquet").select(np.array([1]))
    assert list(one.labels["tags"][0]) == ["q", "r"]
