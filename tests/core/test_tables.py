"""DataFrames, data sets and files of others are sets of vectors; bad rows are refused or skipped by one rule."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput

VECTORS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
COLUMNS = {"id": ["a", "b", "c"], "embedding": VECTORS, "text": ["x", "y", "z"], "year": [1, 2, 3]}


class Streamed:
    """What polars and DuckDB give: columns behind Arrow's C stream, with types that older readers do not know."""

    def __init__(self, table):
        self.table, self.columns = table, table.column_names

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def check(found, ids=("a", "b", "c")):
    assert found.ids.tolist() == list(ids)
    np.testing.assert_array_equal(found.vectors, np.asarray(VECTORS, np.float32))
    assert found.texts.tolist() == ["x", "y", "z"]
    assert found.labels["year"].tolist() == [1, 2, 3]


def test_arrow_tables_and_streams():
    table = pa.table(COLUMNS)
    check(EmbeddingSet.of(table))
    views = pa.table(
        {"id": pa.array(["a", "b", "c"], pa.string_view()), "text": pa.array(["x", "y", "z"]).dictionary_encode()}
    )
    views = views.append_column("embedding", pa.array(VECTORS, pa.list_(pa.float64(), 2))).append_column(
        "year", table["year"]
    )
    check(EmbeddingSet.of(Streamed(views)))
    check(EmbeddingSet.of(table.to_batches()[0]))
    same = EmbeddingSet.of(table)
    assert EmbeddingSet.of(same) is same


def test_frames_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(COLUMNS | {"embedding": [np.array(row, np.float32) for row in VECTORS]})
    check(EmbeddingSet.of(frame))
    check(EmbeddingSet.of(frame.set_index("id")))
    check(EmbeddingSet.of(frame.drop(columns="id").set_index(pandas.Index(["p", "q", "r"]))), ("p", "q", "r"))
    frame = frame.drop(columns="id")
    check(EmbeddingSet.of(frame), ("0", "1", "2"))
    twice = pandas.concat([frame, frame])
    assert EmbeddingSet.of(twice).ids.tolist() == list("012345"), "an index that repeats itself numbers no rows"
    assert EmbeddingSet.of(frame[frame.year > 1]).ids.tolist() == ["1", "2"]
    assert EmbeddingSet.of(frame["embedding"]).vectors.tolist() == VECTORS


def test_data_sets_of_hugging_face_and_their_folders(tmp_path):
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_dict(COLUMNS)
    check(EmbeddingSet.of(data))
    assert EmbeddingSet.of(data.select([2, 0])).ids.tolist() == ["c", "a"]
    data.save_to_disk(tmp_path / "one", num_shards=2)
    check(EmbeddingSet.load(tmp_path / "one"))
    check(EmbeddingSet.of(str(tmp_path / "one")))
    splits = datasets.DatasetDict(train=data, test=data)
    with pytest.raises(BadInput, match="holds several splits; pass one: train, test"):
        EmbeddingSet.of(splits)
    splits.save_to_disk(tmp_path / "two")
    with pytest.raises(BadInput, match=r"holds several splits; name one: .*two/train, .*two/test"):
        EmbeddingSet.load(tmp_path / "two")
    check(EmbeddingSet.load(tmp_path / "two" / "test"))


def test_a_folder_that_leads_elsewhere_or_is_damaged_is_refused(tmp_path):
    (tmp_path / "set").mkdir()
    for state, message in [
        ('{"_data_files": [{"filename": "../x.arrow"}]}', "leads out of"),
        ('{"_data_files": [{"filename": "x.arrow"}]}', "is not there, though"),
        ('{"_data_files": []}', "names no data files"),
        ("[]", "names no data files"),
    ]:
        (tmp_path / "set" / "state.json").write_text(state)
        with pytest.raises(BadInput, match=message):
            EmbeddingSet.load(tmp_path / "set")
    (tmp_path / "set" / "x.arrow").write_bytes(b"ARROW1 and no more")
    (tmp_path / "set" / "state.json").write_text('{"_data_files": [{"filename": "x.arrow"}]}')
    with pytest.raises(BadInput, match="is not a whole Arrow file"):
        EmbeddingSet.load(tmp_path / "set")


def test_matrices_lists_and_what_is_no_table():
    assert EmbeddingSet.of(np.array(VECTORS)).ids.tolist() == ["0", "1", "2"]
    assert EmbeddingSet.of(VECTORS).vectors.tolist() == VECTORS
    for odd in (7, "nowhere.parquet", {"a": 1}, None, ["a"]):
        with pytest.raises(BadInput):
            EmbeddingSet.of(odd)


def test_columns_may_be_named(tmp_path):
    table = pa.table({"key": ["a", "b", "c"], "body": ["x", "y", "z"], "v": VECTORS, "w": VECTORS, "year": [1, 2, 3]})
    check(EmbeddingSet.of(table, id="key", vector="v", text="body"))
    with pytest.raises(BadInput, match="the columns of vectors v, w"):
        EmbeddingSet.of(table)
    with pytest.raises(BadInput, match="has no column 'nil'"):
        EmbeddingSet.of(table, id="nil", vector="v")


BAD = {
    "id": list("abcdef"),
    "vector": [[1.0, 2.0], None, [0.0, 0.0], [float("nan"), 1.0], [1.0], [3.0, 4.0]],
    "label.n": [1, 2, 3, 4, 5, 6],
}


def test_bad_rows_are_refused_or_skipped_with_count_and_ids(tmp_path):
    pq.write_table(pa.table(BAD), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=r"a\.parquet: row 1 \(id 'b'\) has no vector; 1 such rows.*--on-bad-rows skip"):
        EmbeddingSet.load(tmp_path / "a.parquet")
    found = EmbeddingSet.load(tmp_path / "a.parquet", on_bad_rows="skip")
    assert (found.ids.tolist(), found.labels["n"].tolist()) == (["a", "f"], [1, 6])
    (note,) = found.provenance.notes
    assert note.startswith("skipped 4 rows") and note.endswith("ids: 'b', 'c', 'd', 'e'")
    for reason in (
        "has no vector",
        "is a zero vector",
        "holds NaN or infinity",
        "has 1 dimensions where others have 2",
    ):
        assert f"1 x {reason}" in note
    found.save(tmp_path / "b.parquet")
    assert EmbeddingSet.load(tmp_path / "b.parquet").provenance.notes == found.provenance.notes
    pq.write_table(pa.table({"vector": [[0.0, 0.0]]}), tmp_path / "c.parquet")
    with pytest.raises(BadInput, match=r"none of its 1 rows can be used: .*1 x is a zero vector"):
        EmbeddingSet.load(tmp_path / "c.parquet", on_bad_rows="skip")


def test_the_usual_length_is_that_of_most_rows():
    first_is_odd = pa.table({"vector": [[1.0], [1.0, 2.0], [3.0, 4.0]]})
    assert EmbeddingSet.of(first_is_odd, on_bad_rows="skip").vectors.tolist() == [[1.0, 2.0], [3.0, 4.0]]
