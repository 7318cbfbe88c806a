"""workbench pull: stores into files, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import run

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.data.stores._pull import pull


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    rng = np.random.default_rng(0)
    n = 20_000
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rng.standard_normal(n * 16).astype(np.float32)), 16)
    ids = [f"id {number}" for number in rng.permutation(n)]
    table = pa.table({"id": ids, "vector": vectors, "body": [f"text {id}" for id in ids], "year": range(n)})
    path = tmp_path_factory.mktemp("pull") / "source.parquet"
    pq.write_table(table, path)
    return path, table


def test_help_teaches():
    done = run("pull", "--help")
    assert done.returncode == 0
    for word in ("--out", "--limit", "--batch", "--json", "--seed", "--device", "--quiet", "PGPASSWORD", "Example"):
        assert word in done.stdout


def test_a_store_becomes_a_file_that_every_verb_reads(source, tmp_path):
    path, table = source
    done = run("pull", f"{path}?text=body", "--out", "v.parquet", "--limit", "2500", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2,500 vectors x 16 dimensions -> v.parquet" in done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["dim"], told["resumed"], told["normalised"]) == (2500, 16, 0, False)
    found = EmbeddingSet.load(tmp_path / "v.parquet")
    assert list(found.ids) == table["id"].to_pylist()[:2500]
    assert list(found.texts) == table["body"].to_pylist()[:2500]
    assert list(found.labels["year"]) == list(range(2500))
    assert found.provenance.notes == (f"read from parquet:{path}",)
    assert [each.name for each in tmp_path.iterdir()] == ["v.parquet"]
    assert pq.ParquetFile(tmp_path / "v.parquet").num_row_groups == 3


def test_a_pull_that_was_killed_goes_on(source, tmp_path):
    path, table = source
    arguments = ("pull", f"{path}", "--out", "v.parquet", "--batch", "50")
    first = subprocess.Popen([sys.executable, "-m", "workbench", *arguments, "-q"], cwd=tmp_path)
    parts = tmp_path / ".v.parquet.parts"
    deadline = time.monotonic() + 120
    while len(list(parts.glob("*.parquet"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    first.kill()
    first.wait()
    assert not (tmp_path / "v.parquet").exists()
    held = json.loads((parts / "state.json").read_text())["cursor"]["row"]
    assert 0 < held < 20_000
    done = run(*arguments[:-1], "4000", "--json", "-", cwd=tmp_path)
    assert json.loads(done.stdout)["resumed"] == held, done.stderr
    assert f"{held:,} of them from an earlier call" in done.stderr
    found = EmbeddingSet.load(tmp_path / "v.parquet")
    assert list(found.ids) == table["id"].to_pylist()
    assert found.vectors.ravel().tolist() == pa.concat_arrays(table["vector"].chunks).flatten().to_pylist()
    assert [each.name for each in tmp_path.iterdir()] == ["v.parquet"]


def test_a_pull_begins_again_where_the_store_is_another_one(tmp_path, caplog):
    def write(n):
        pq.write_table(pa.table({"id": [f"{n}-{i}" for i in range(n)], "vector": [[1.0]] * n}), tmp_path / "s.parquet")
        return f"{tmp_path}/s.parquet"

    line, out = write(9), tmp_path / "v.parquet"
    with pytest.raises(ZeroDivisionError):
        stop_after(2, line, out)
    assert (tmp_path / ".v.parquet.parts/state.json").is_file()
    write(12)
    done = pull(line, out, batch=3)
    assert (done.rows, done.resumed) == (12, 0)
    assert "the pull begins again" in caplog.text
    assert EmbeddingSet.load(out).ids[0] == "12-0"


def stop_after(pages, line, out):
    """A pull that fails after some pages, as a full disk would make it."""
    count = 0

    def save(self, path):
        nonlocal count
        count += 1
        original(self, path)
        if count > pages:
            raise ZeroDivisionError

    original = EmbeddingSet.save
    EmbeddingSet.save = save
    try:
        pull(line, out, batch=3)
    finally:
        EmbeddingSet.save = original


def test_labels_that_differ_from_page_to_page(tmp_path):
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=str(tmp_path / "q"))
    client.create_collection("docs", models.VectorParams(size=5, distance="Dot"))
    payloads = [{"a": 1, "text": "t"}, {"a": 2.5, "b": "x"}, {"b": 7, "text": "u"}, {}, {"c": True}]
    points = zip(range(1, 6), np.eye(5).tolist(), payloads, strict=True)
    client.upsert("docs", [models.PointStruct(id=id, vector=vector, payload=load) for id, vector, load in points])
    client.close()
    done = pull(f"qdrant:{tmp_path}/q", tmp_path / "v.parquet", batch=1)
    found = EmbeddingSet.load(tmp_path / "v.parquet")
    assert done.normalised
    assert found.provenance.normalised is True
    assert found.labels["a"].tolist()[:2] == [1.0, 2.5]
    assert found.labels["b"].tolist() == [None, "x", "7", None, None]
    assert found.labels["c"].tolist()[-1] is True
    assert [text or "" for text in found.texts] == ["t", "", "u", "", ""]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": ["a", "b", "a"], "vector": [[1.0]] * 3}, "has the id 'a' in more than one row; name a unique column"),
        ({"vector": [[0.0], [1.0]]}, r"in the page after row 0: row 0 \(id '0'\) is a zero vector"),
        ({"x": [1]}, "has no column of vectors; it has: x"),
    ],
)
def test_what_no_file_can_hold_leaves_nothing(tmp_path, table, message):
    pq.write_table(pa.table(table), tmp_path / "s.parquet")
    with pytest.raises(BadInput, match=message):
        pull(f"{tmp_path}/s.parquet", tmp_path / "v.parquet", batch=1)
    assert [each.name for each in tmp_path.iterdir()] == ["s.parquet"]


def test_a_bad_row_in_the_middle_can_be_mended_at_the_server_and_the_pull_goes_on(tmp_path):
    """What was read stays beside the file; nothing else is there."""
    pq.write_table(pa.table({"vector": [[1.0], [0.0]]}), tmp_path / "s.parquet")
    with pytest.raises(BadInput, match=r"in the page after row 1: .* is a zero vector"):
        pull(f"{tmp_path}/s.parquet", tmp_path / "v.parquet", batch=1)
    assert sorted(each.name for each in (tmp_path / ".v.parquet.parts").iterdir()) == ["000000.parquet", "state.json"]
    assert not (tmp_path / "v.parquet").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("none.parquet", "none.parquet is not there; expected a Parquet file"),
        ("pgvector:postgresql://me:s3cret@localhost/db", "set PGPASSWORD"),
    ],
)
def test_every_mistake_is_one_clear_line_without_a_password(tmp_path, line, message):
    done = run("pull", line, "--out", "v.parquet", cwd=tmp_path)
    assert done.returncode == 3
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "s3cret" not in done.stderr + done.stdout
    assert not list(tmp_path.iterdir())
