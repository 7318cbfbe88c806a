"""What holds for every store, on those that need no server; and lines, columns, files of every kind."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _stores import (
    Rows,
    check,
    write_chroma,
    write_duckdb,
    write_faiss,
    write_lancedb,
    write_npz,
    write_parquet,
    write_qdrant,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import BadInput, MissingExtra, UnknownName
from workbench.data.stores import STORES, _library, open_store
from workbench.data.stores._page import column
from workbench.data.stores._store import Cursor, Store

WRITERS = {
    "parquet": write_parquet,
    "npz": write_npz,
    "faiss": write_faiss,
    "lancedb": write_lancedb,
    "duckdb": write_duckdb,
    "chroma": write_chroma,
    "qdrant": write_qdrant,
}
SERVED = ("pgvector",)


@pytest.fixture(scope="module", params=WRITERS)
def written(request, tmp_path_factory):
    rows = Rows.make(40 if request.param == "qdrant" else 200)  # an embedded Qdrant syncs its disk for every point
    return WRITERS[request.param](tmp_path_factory.mktemp(request.param), rows), rows, request.param


def joined(parts):
    return [(str(id), vector.tobytes()) for part in parts for id, vector in zip(part.ids, part.vectors, strict=True)]


def test_every_store_is_tested():
    assert set(STORES.names()) == {*WRITERS, *SERVED}
    for name in STORES.names():
        assert STORES.summary(name)
        assert issubclass(STORES.load(name), Store)


def test_all_rows_come_with_their_texts_and_labels(written):
    line, rows, kind = written
    store = open_store(line)
    facts, found = store.facts(), store.read()
    check(found, rows, texts=kind != "faiss")
    assert (facts.kind, facts.count, facts.dim) == (kind, len(rows), 16)
    assert found.provenance.normalised is False
    assert f"read from {kind}:" in found.provenance.notes[0]
    assert facts.lost == ()


def test_pages_are_the_whole_in_order_and_reading_goes_on_anywhere(written):
    line, rows, _ = written
    store = open_store(line)
    pages, cursors, cursor = [], [], None
    for page in store.scroll(7):
        pages.append(page)
        cursor = store.cursor
        cursors.append(cursor)
    assert {len(page) for page in pages[:-1]} == {7}
    whole = joined(pages)
    assert len(whole) == len(rows)
    assert joined(store.scroll(1000)) == whole, "the same order whatever the size of a page"
    for at in (0, 2, len(cursors) - 1):
        assert joined(open_store(line).scroll(11, cursors[at])) == whole[cursors[at].row :]


def test_limits(written):
    line, rows, _ = written
    mark = "&" if "?" in line else "?"
    whole = joined([open_store(line).read()])
    assert joined(open_store(f"{line}{mark}limit=25").scroll(10)) == whole[:25]
    assert joined([open_store(line).read(limit=25, batch=10)]) == whole[:25]
    assert len(open_store(f"{line}{mark}limit=9999").read()) == len(rows)
    with pytest.raises(BadInput, match="limit is -1"):
        open_store(f"{line}{mark}limit=-1")
    with pytest.raises(BadInput, match="batch is 0"):
        list(open_store(line).scroll(0))


def test_what_is_not_there_is_named(written, tmp_path):
    line, _, kind = written
    place = line.partition("?")[0].removeprefix(f"{kind}:")
    with pytest.raises(BadInput, match=r"not there|holds no") as told:
        open_store(
            line.replace(place, str(tmp_path / "none")) if ":" in line else f"{kind}:{tmp_path / 'none'}"
        ).facts()
    assert "none" in str(told.value)
    assert not (tmp_path / "none").exists(), "looking makes nothing"
    mark = "&" if "?" in line else "?"
    with pytest.raises(BadInput, match=r"has the option tabel; known: .*limit"):
        open_store(f"{line}{mark}tabel=x")
    if kind != "faiss":
        with pytest.raises(BadInput, match=r"'txet'.*it has|'txet'.*they have: .*year"):
            list(open_store(f"{line}{mark}text=txet").scroll())
    if kind in ("lancedb", "duckdb"):
        with pytest.raises(BadInput, match="no table 'dosc'; it has: docs"):
            open_store(line.replace("docs", "dosc")).facts()
    if kind in ("chroma", "qdrant"):
        with pytest.raises(BadInput, match="no collection 'dosc'; it has: docs"):
            open_store(line.replace("docs", "dosc")).facts()
    if "?" in line:
        assert open_store(line.partition("?")[0]).facts().count, "the only table needs no name"


@pytest.mark.parametrize("kind", ["parquet", "npz", "faiss", "duckdb"])
def test_files_that_are_cut_short_are_refused(kind, tmp_path):
    line = WRITERS[kind](tmp_path, Rows.make(300))
    (path,) = (each for each in tmp_path.iterdir() if each.is_file())
    whole = path.read_bytes()
    for keep in (0.0, 0.4, 0.9):
        path.write_bytes(whole[: int(keep * len(whole))])
        with pytest.raises(BadInput, match=path.name):
            list(open_store(line).scroll())


@pytest.mark.parametrize("kind", ["parquet", "npz", "faiss", "duckdb"])
def test_a_file_that_was_written_anew_is_not_read_on(kind, tmp_path):
    line = WRITERS[kind](tmp_path, Rows.make(50))
    store = open_store(line)
    next(store.scroll(10))
    cursor = store.cursor
    for path in tmp_path.iterdir():
        path.unlink()
    WRITERS[kind](tmp_path, Rows.make(60, seed=1))
    with pytest.raises(BadInput, match="has changed since row 10 was read; begin again"):
        next(open_store(line).scroll(10, cursor))


class TestLines:
    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("x.docx", "names no store; expected a file that ends in .duckdb, .faiss"),
            ("qdrant", "qdrant needs a place: qdrant:FILE, FOLDER or address"),
            ("chroma:", "chroma needs a place"),
            ("pgvector:localhost/db", "postgresql://HOST:PORT/DATABASE"),
            ("parquet:x.parquet?limit=ten", "limit is 'ten'; expected a whole number"),
            ("", "names no store"),
        ],
    )
    def test_what_is_no_line(self, line, message):
        with pytest.raises(BadInput, match=message):
            open_store(line)

    def test_an_unknown_kind(self):
        with pytest.raises(UnknownName, match="Did you mean 'chroma'"):
            open_store("croma:folder?collection=x")

    def test_a_library_that_is_missing(self):
        with pytest.raises(MissingExtra, match=r"pip install 'embedding-workbench\[stores\]'"):
            _library.need("no_such_library_here")


class TestParquet:
    def test_our_own_files_keep_what_they_know(self, small_set, tmp_path):
        origin = Provenance("toy", "2", True, 3, {"torch": "2"}, ("noise:0.1",))
        EmbeddingSet(small_set.ids, small_set.vectors, small_set.texts, small_set.labels, origin).save(
            tmp_path / "a.pq"
        )
        found = open_store(f"{tmp_path}/a.pq").read()
        assert list(found.ids) == list(small_set.ids)
        assert list(found.labels["odd"]) == [1, 0, 1, 0, 1]
        assert found.provenance.embedder == "toy"
        assert found.provenance.notes[0] == "noise:0.1"
        assert found.provenance.normalised is False, "what is measured counts, not what is said"

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"v": [[1.0, 2.0], [1.0]]}, "row 1 .* has 1 dimensions where others have 2"),
            ({"v": [[1.0, 2.0], None]}, "row 1 .* has no vector"),
            ({"v": [[1.0, 2.0], [1.0, None]]}, "row 1 .* has a missing number"),
            ({"v": [[1.0, 2.0], [0.0, 0.0]]}, "page after row 0: row 1 .* is a zero vector"),
            ({"v": [[1.0, 2.0], [np.nan, 0.0]]}, "holds NaN"),
            ({"v": [[1.0], [1.0]], "id": ["a", None]}, "1 rows after row 0 have no id"),
            ({"v": [[1.0], [1.0]], "id": ["a", "a"]}, "the id 'a' of row 0; ids must be unique"),
            ({"v": pa.array([], pa.list_(pa.float32()))}, "holds no vectors"),
            ({"v": [[1.0], [2.0]], "w": [[1.0], [2.0]]}, "columns of vectors v, w; name one with"),
            ({"a": ["x"]}, "has no column of vectors; it has: a"),
        ],
    )
    def test_rows_that_no_set_can_hold(self, columns, message, tmp_path):
        pq.write_table(pa.table(columns), tmp_path / "bad.parquet")
        with pytest.raises(BadInput, match=rf"bad\.parquet.*{message}"):
            open_store(f"{tmp_path}/bad.parquet").read()

    def test_an_id_that_comes_again_on_another_page(self, tmp_path):
        pq.write_table(pa.table({"id": ["a", "b", "a"], "vector": [[1.0], [2.0], [3.0]]}), tmp_path / "x.parquet")
        with pytest.raises(BadInput, match=r"the id 'a' of row 0.*name a unique column with \?id=COLUMN"):
            open_store(f"{tmp_path}/x.parquet").read(batch=1)

    @pytest.mark.parametrize(
        ("kind", "note"),
        [(pa.float16(), "float16: quantised to 16 bits"), (pa.int8(), "int8: quantised"), (pa.float64(), "as float32")],
    )
    def test_coarse_numbers_are_said(self, kind, note, tmp_path):
        pq.write_table(pa.table({"vector": pa.array([[1, 2], [3, 4]], pa.list_(kind))}), tmp_path / "x.parquet")
        found = open_store(f"{tmp_path}/x.parquet").read()
        assert note in found.provenance.notes[-1]
        assert found.vectors.tolist() == [[1, 2], [3, 4]]

    def test_columns_by_name(self, tmp_path):
        table = {
            "key": ["a", "b"],
            "v1": [[1.0], [2.0]],
            "v2": [[3.0], [4.0]],
            "body": ["x", None],
            "blob": [b"1", b"2"],
        }
        pq.write_table(pa.table(table), tmp_path / "x.parquet")
        found = open_store(f"{tmp_path}/x.parquet?id=key&vector=v2&text=body").read()
        assert (list(found.ids), found.vectors.tolist(), list(found.texts)) == (["a", "b"], [[3], [4]], ["x", ""])
        assert not found.labels


class TestNpz:
    @settings(max_examples=25, phases=(Phase.explicit, Phase.generate))
    @given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 9), st.integers(0, 29))
    def test_any_shape_and_any_place(self, tmp_path_factory, n, dim, batch, at):
        vectors = np.arange(1, n * dim + 1, dtype=np.float32).reshape(n, dim)
        path = tmp_path_factory.mktemp("npz") / "x.npz"
        np.savez(path, vectors=vectors)
        store = open_store(f"npz:{path}")
        at = min(at, n - 1)
        rest = list(store.scroll(batch, Cursor(str(at), at + 1, store.facts().snapshot)))
        assert [row for part in rest for row in part.vectors.tolist()] == vectors[at + 1 :].tolist()

    def test_a_bare_array(self, tmp_path):
        np.save(tmp_path / "x.npy", np.eye(3, dtype=np.float64))
        assert open_store(f"{tmp_path}/x.npy").read().vectors.tolist() == np.eye(3).tolist()

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"vectors": np.ones((2, 3)), "ids": np.array(["a", None], object)}, "pickled objects, which are not read"),
            ({"vectors": np.ones((2, 3), order="F")}, "stored by columns"),
            ({"vectors": np.ones((2, 3)), "ids": np.arange(3)}, "ids has 3 entries for 2 vectors"),
            ({"a": np.ones((2, 3)), "b": np.ones((2, 3))}, "columns of vectors a, b; name one"),
            ({"vectors": np.ones((0, 3))}, "holds no vectors"),
        ],
    )
    def test_refusals(self, arrays, message, tmp_path):
        np.savez(tmp_path / "x.npz", **arrays)
        with pytest.raises(BadInput, match=message):
            open_store(f"{tmp_path}/x.npz").read()


class TestFaiss:
    @pytest.mark.parametrize(
        ("spec", "exact"),
        [
            ("Flat", True),
            ("IDMap2,Flat", True),
            ("HNSW8", True),
            ("IDMap,HNSW8", True),
            ("IVF8,Flat", True),
            ("IVF8_HNSW4,Flat", True),
            ("IDMap,IVF8,Flat", True),
            ("SQ8", False),
            ("SQfp16", False),
            ("HNSW8_SQ8", False),
            ("PQ4x4", False),
            ("IVF8,PQ4x4", False),
            ("IVF8,SQ8", False),
            ("PCA8,Flat", False),
            ("PCA8,IVF8,Flat", False),
            ("PQ4x4,RFlat", True),
        ],
    )
    def test_every_kind_of_index_gives_its_vectors_back_or_says_that_it_cannot(self, spec, exact, tmp_path):
        import faiss

        rows = Rows.make(300)
        index = faiss.index_factory(16, spec, faiss.METRIC_L2 if "RFlat" in spec else faiss.METRIC_INNER_PRODUCT)
        index.train(rows.vectors)
        ids = 7 * np.array(rows.ids) + 3
        try:
            index.add_with_ids(rows.vectors, ids)
        except RuntimeError:
            index.add(rows.vectors)
            ids = np.arange(300)
        faiss.write_index(index, str(tmp_path / "x.index"))
        store = open_store(f"faiss:{tmp_path}/x.index")
        found = store.read(batch=64)
        expected = dict(zip(map(str, ids), rows.vectors, strict=True))
        assert sorted(found.ids) == sorted(expected)
        true = np.stack([expected[id] for id in found.ids])
        cosines = (found.vectors * true).sum(1) / np.linalg.norm(found.vectors, axis=1) / np.linalg.norm(true, axis=1)
        assert np.mean(cosines) > 0.6, "each id has its own vector"
        assert np.array_equal(found.vectors, true) == exact
        assert (store.facts().lost == ()) == exact
        assert store.facts().metric == ("l2" if "RFlat" in spec else "inner product")
        if not exact:
            assert any("reconstructed, not stored: Index" in note for note in found.provenance.notes)

    @pytest.mark.parametrize("spec", ["ITQ,LSH", "IDMap,ITQ,LSH", "IVF4,PQ4x4fs"])
    def test_one_that_has_thrown_its_vectors_away(self, spec, tmp_path):
        import faiss

        index = faiss.index_factory(16, spec)
        rows = Rows.make(100)
        index.train(rows.vectors)
        index.add_with_ids(rows.vectors, np.array(rows.ids)) if "ID" in spec else index.add(rows.vectors)
        faiss.write_index(index, str(tmp_path / "x.faiss"))
        with pytest.raises(
            BadInput, match=r"Index(PreTransform over IndexLSH|IVFPQFastScan), which cannot give its vectors back"
        ):
            open_store(f"{tmp_path}/x.faiss").facts()

    def test_empty_twice_and_binary(self, tmp_path):
        import faiss

        faiss.write_index(faiss.IndexFlatL2(4), str(tmp_path / "empty.faiss"))
        with pytest.raises(BadInput, match="holds no vectors"):
            open_store(f"{tmp_path}/empty.faiss").facts()
        rows = Rows.make(20)
        index = faiss.index_factory(16, "IVF1,Flat")
        index.train(rows.vectors)
        index.add_with_ids(rows.vectors, np.full(20, 5))
        faiss.write_index(index, str(tmp_path / "twice.faiss"))
        with pytest.raises(BadInput, match="has an id twice: 20 vectors of one"):
            open_store(f"{tmp_path}/twice.faiss").facts()
        faiss.write_index_binary(faiss.IndexBinaryFlat(16), str(tmp_path / "bits.faiss"))
        with pytest.raises(BadInput, match="as a FAISS index of bits: it is empty"):
            open_store(f"{tmp_path}/bits.faiss").facts()

    @pytest.mark.parametrize("n", [1, 2, 50, 200])
    @pytest.mark.parametrize(
        ("spec", "lost"),
        [
            ("L2norm,Flat", "norms are 1"),
            ("IDMap,L2norm,Flat", "norms are 1"),
            ("L2norm,HNSW8,Flat", "norms are 1"),
            ("Pad128,Flat", ""),
            ("RR64,Flat", ""),
            ("PCA32,Flat", "PCAMatrix kept 32 of 64 dimensions"),
            ("RR32,Flat", "RandomRotationMatrix kept 32 of 64 dimensions"),
            ("L2norm,PCA32,Flat", "PCAMatrix kept 32 of 64 dimensions"),
        ],
    )
    def test_small_indexes_behind_transforms(self, spec, lost, n, tmp_path):
        import faiss

        random = np.random.default_rng(0)
        vectors = (3 * random.standard_normal((n, 64))).astype(np.float32)
        index = faiss.index_factory(64, spec)
        index.train(random.standard_normal((100, 64)).astype(np.float32))
        index.add_with_ids(vectors, np.arange(n) + 5) if spec.startswith("IDMap") else index.add(vectors)
        faiss.write_index(index, str(tmp_path / "x.faiss"))
        store = open_store(f"{tmp_path}/x.faiss")
        found = store.read().vectors
        cosines = (found * vectors).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(vectors, axis=1)
        if "32" in spec:
            assert 0.4 < cosines.mean() < 0.9
        else:
            assert np.allclose(cosines, 1, atol=1e-5)
            assert np.allclose(np.linalg.norm(found, axis=1) if lost else found, 1 if lost else vectors, atol=1e-4)
        notes = store.facts().lost
        assert not lost or any(note.startswith(lost) for note in notes)
        assert any("reconstructed" in note for note in notes) == ("32" in spec)
        assert bool(store.read().provenance.lost) == ("32" in spec), "what turns back exactly has lost nothing"

    @pytest.mark.parametrize(
        ("spec", "lost"),
        [
            ("SQ8,RFlat", False),
            ("RaBitQ4,RFlat", False),
            ("IVF4,RaBitQ4,RFlat", False),
            ("PCA32,PQ16x4,RFlat", False),
            ("L2norm,SQ8,RFlat", False),
            ("PCA32,SQ4,Refine(SQ8)", True),
        ],
    )
    def test_the_finer_copy_of_a_refined_index_is_read(self, spec, lost, tmp_path):
        import faiss

        vectors = np.random.default_rng(0).standard_normal((300, 64)).astype(np.float32)
        index = faiss.index_factory(64, spec)
        index.train(vectors)
        index.add(vectors)
        faiss.write_index(index, str(tmp_path / "x.faiss"))
        found = open_store(f"{tmp_path}/x.faiss").read()
        assert np.allclose(found.vectors, vectors, atol=0.05 if lost else 0)
        assert bool(found.provenance.lost) == lost
        assert not any("dimensions" in note for note in found.provenance.lost)

    def test_whitened_vectors_are_refused_by_name(self, tmp_path):
        """FAISS takes them back with the transpose of a matrix whose inverse is another."""
        import faiss

        vectors = (np.random.default_rng(0).standard_normal((300, 64)) * np.linspace(3, 0.1, 64)).astype(np.float32)
        index = faiss.index_factory(64, "PCAW64,Flat")
        index.train(vectors)
        index.add(vectors)
        faiss.write_index(index, str(tmp_path / "x.faiss"))
        with pytest.raises(BadInput, match="whitening"):
            open_store(f"{tmp_path}/x.faiss").facts()

    def test_a_small_file_that_states_many_vectors_stays_refused(self, tmp_path):
        import faiss

        index = faiss.index_factory(16, "L2norm,Flat")
        index.add(np.ones((5, 16), np.float32))
        faiss.write_index(index, str(tmp_path / "x.faiss"))
        whole = (tmp_path / "x.faiss").read_bytes()
        stated = (5).to_bytes(8, "little")
        assert whole.count(stated) > 1
        (tmp_path / "x.faiss").write_bytes(whole.replace(stated, (1 << 40).to_bytes(8, "little")))
        with pytest.raises(BadInput):
            open_store(f"{tmp_path}/x.faiss").facts()

    @pytest.mark.parametrize(
        ("spec", "least"),
        [
            ("RaBitQ2", 0.91),
            ("RaBitQ4", 0.99),
            ("RaBitQ8", 0.9999),
            ("IVF4,RaBitQ4", 0.98),
            ("IDMap2,RaBitQ4", 0.99),
            ("RR64,RaBitQ8", 0.9999),
            ("IDMap2,RR64,RaBitQ4", 0.99),
            ("L2norm,RaBitQ8", 0.9999),
            ("HNSW8_RaBitQ4", 0.99),
        ],
    )
    @pytest.mark.parametrize("metric", ["METRIC_L2", "METRIC_INNER_PRODUCT"])
    def test_all_bits_of_rabitq_are_read(self, spec, least, metric, tmp_path):
        import faiss

        if spec.startswith("HNSW") and metric != "METRIC_L2":
            pytest.skip("FAISS builds it for L2 alone")
        random = np.random.default_rng(0)
        vectors = (2 * random.standard_normal((120, 64))).astype(np.float32)
        index = faiss.index_factory(64, spec, getattr(faiss, metric))
        index.train(random.standard_normal((400, 64)).astype(np.float32))
        index.add_with_ids(vectors, 3 * np.arange(120)[::-1] + 7) if spec.startswith("IDMap") else index.add(vectors)
        faiss.write_index(index, str(tmp_path / "x.faiss"))
        store = open_store(f"{tmp_path}/x.faiss")
        found = store.read(batch=50)
        rows = found.ids.astype(int)
        true = vectors[(119 - (rows - 7) // 3) if spec.startswith("IDMap") else rows]
        cosines = (found.vectors * true).sum(1) / np.linalg.norm(found.vectors, axis=1) / np.linalg.norm(true, axis=1)
        assert cosines.mean() > least
        assert store.facts().lost[-1].startswith("vectors are quantised to ")

    def test_bits_of_fast_scan_that_are_not_read_are_counted(self, tmp_path):
        import faiss

        vectors = np.random.default_rng(0).standard_normal((200, 64)).astype(np.float32)
        index = faiss.index_factory(64, "RaBitQfs4")
        index.train(vectors)
        index.add(vectors)
        faiss.write_index(index, str(tmp_path / "x.faiss"))
        lost = open_store(f"{tmp_path}/x.faiss").facts().lost
        assert lost[-1] == "only the sign of each number was read: 3 of 4 bits a number were not read"

    @pytest.mark.parametrize("kind", ["BFlat", "BHNSW4", "mapped"])
    def test_binary_indexes_are_unpacked(self, kind, tmp_path):
        import faiss

        bits = np.random.default_rng(0).integers(0, 2, (40, 64))
        codes, ids = np.packbits(bits.astype(np.uint8), axis=1), np.arange(40)
        if kind == "mapped":
            inner, ids = faiss.IndexBinaryFlat(64), 2 * np.arange(40) + 9
            index = faiss.IndexBinaryIDMap2(inner)
            index.add_with_ids(codes, ids)
        else:
            index = faiss.index_binary_factory(64, kind)
            index.add(codes)
        faiss.write_index_binary(index, str(tmp_path / "x.faiss"))
        store = open_store(f"{tmp_path}/x.faiss")
        found = store.read(batch=16)
        assert list(found.ids) == list(map(str, ids))
        assert np.array_equal(found.vectors, 2.0 * bits - 1)
        assert (store.facts().dim, store.facts().metric) == (64, "hamming")
        assert store.facts().lost[0].startswith("vectors are bits")
        whole = (tmp_path / "x.faiss").read_bytes()
        (tmp_path / "x.faiss").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(BadInput):
            store.facts()


class TestDuckdb:
    def test_rows_without_a_vector_are_refused_or_skipped_with_their_ids(self, tmp_path):
        import duckdb

        with duckdb.connect(str(tmp_path / "x.duckdb")) as base:
            base.sql('CREATE TABLE "my docs" AS SELECT * FROM (VALUES (1, [1, 2]), (2, NULL), (3, [3, 4])) t(id, e)')
            base.sql('CREATE VIEW late AS SELECT * FROM "my docs" WHERE id > 1')
        store = open_store(f"{tmp_path}/x.duckdb?table=my docs&vector=e")
        with pytest.raises(BadInput, match="1 x has no vector; ids: '2'; leave them out with --on-bad-rows skip"):
            store.read()
        store.on_bad_rows = "skip"
        assert (store.facts().count, list(store.read().ids)) == (2, ["1", "3"])
        assert "skipped 1 rows that cannot be used: 1 x has no vector; ids: '2'" in store.read().provenance.notes
        late = open_store(f"{tmp_path}/x.duckdb?table=late")
        late.on_bad_rows = "skip"
        assert list(late.read().ids) == ["3"]
        with pytest.raises(BadInput, match=r"holds 2 tables; name one with \?table=NAME; it has: late, my docs"):
            open_store(f"{tmp_path}/x.duckdb").facts()

    def test_mixed_dimensions_and_an_open_writer(self, tmp_path):
        import duckdb

        path = tmp_path / "x.duckdb"
        with duckdb.connect(str(path)) as base:
            base.sql("CREATE TABLE docs AS SELECT * FROM (VALUES (1, [1, 2]), (2, [1])) t(id, vector)")
            base.sql("CREATE TABLE none (vector FLOAT[3])")
        with pytest.raises(BadInput, match=r"row 1 \(id .2.\) has 1 dimensions where others have 2"):
            open_store(f"{path}?table=docs").read()
        with pytest.raises(BadInput, match="table none, holds no vectors"):
            open_store(f"{path}?table=none").facts()


def test_lancedb_keeps_to_its_version_while_rows_are_added_and_deleted(tmp_path):
    import lancedb

    rows, more = Rows.make(100), Rows.make(50, seed=1)
    store = open_store(write_lancedb(tmp_path, rows))
    facts, pages = store.facts(), []
    table = lancedb.connect(tmp_path / "lance").open_table("docs")
    cursor = None
    for number, page in enumerate(store.scroll(30, None, facts)):
        pages.append(page)
        cursor = cursor or store.cursor
        if number == 1:
            table.delete("id < 50")
            table.add(more.table())
    found = [id for page in pages for id in page.ids]
    assert sorted(found) == sorted(rows.by_id())
    again = [id for page in open_store(write_place(tmp_path)).scroll(30, cursor) for id in page.ids]
    assert again == found[30:], "a later call goes on with the version that was begun"


def write_place(folder):
    return f"lancedb:{folder}/lance"


def test_chroma_loses_and_doubles_nothing_while_rows_are_added_and_deleted(tmp_path):
    import chromadb

    rows = Rows.make(200)
    store = open_store(write_chroma(tmp_path, rows))
    held = chromadb.PersistentClient(str(tmp_path / "chroma")).get_collection("docs", embedding_function=None)
    found, gone = [], []
    for number, page in enumerate(store.scroll(30)):
        found.extend(page.ids)
        if number in (1, 2):  # rows that were read go, the last one among them, and so all others move to the front
            held.delete(ids=found[number : 25 + number] + found[-2:])
        if number == 3:
            gone = [id for id in map(str, rows.ids) if id not in found][-5:]
            held.delete(ids=gone)
            held.add(ids=["late"], embeddings=[[1.0] * 16])
    assert sorted(found) == sorted({*map(str, rows.ids), "late"} - set(gone))


def test_chroma_says_so_when_its_place_is_gone(tmp_path):
    import chromadb

    store = open_store(write_chroma(tmp_path, Rows.make(60)))
    held = chromadb.PersistentClient(str(tmp_path / "chroma")).get_collection("docs", embedding_function=None)
    pages = store.scroll(5)
    held.delete(ids=list(next(pages).ids))
    with pytest.raises(BadInput, match=r"has lost the row '.*', where the reading stood; begin again"):
        next(pages)
    with pytest.raises(BadInput, match="holds no vectors"):
        chromadb.PersistentClient(str(tmp_path / "chroma")).create_collection("none", embedding_function=None)
        open_store(f"chroma:{tmp_path}/chroma?collection=none").facts()


@given(st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))))
def test_any_values_become_one_column_that_arrow_takes(values):
    made = column(values)
    assert len(made) == len(values)
    back = pa.array(list(made)).to_pylist()
    for value, kept in zip(values, back, strict=True):
        if isinstance(value, float) and not np.isfinite(value):
            assert kept is None
        else:
            assert (value is None) == (kept is None)
