"""Tables go in with their ids and labels, and rows that cannot be used are refused or skipped alike by all verbs."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import run_here
from typer.main import get_command

from workbench import cli
from workbench.core.embedding_set import EmbeddingSet

READS_ROWS = (
    *("attribute", "audit", "augment", "defend", "embed", "explain", "fingerprint", "infer", "invert", "membership"),
    *("payload", "probe", "pull"),
)


def called(*arguments, cwd):
    done = run_here(*arguments, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def test_every_verb_that_reads_rows_has_the_option():
    commands = get_command(cli.app).commands
    for verb in READS_ROWS:
        assert any("--on-bad-rows" in option.opts for option in commands[verb].params), verb


def test_a_table_keeps_its_ids_and_labels(tmp_path):
    (tmp_path / "a.csv").write_bytes("uuid;body;topic;score\nk1;Grüße;x;1.5\nk2;zwei;y;2\n".encode("cp1252"))
    code, _, said = called("embed", "a.csv", "--embedder", "toy", "--out", "a.parquet", cwd=tmp_path)
    assert code == 0 and "texts from 'body', ids from 'uuid', labels: topic, score; delimiter ';'" in said
    assert "read as cp1252" in said
    found = EmbeddingSet.load(tmp_path / "a.parquet")
    assert (found.ids.tolist(), found.texts.tolist()) == (["k1", "k2"], ["Grüße", "zwei"])
    assert (found.labels["topic"].tolist(), found.labels["score"].tolist()) == (["x", "y"], [1.5, 2.0])
    for named in ("--text", "--column"):
        options = ("--id", "body", named, "topic", "--label", "score", "--without-texts", "-q")
        code, _, said = called("embed", "a.csv", "--embedder", "toy", "--out", "b.parquet", *options, cwd=tmp_path)
        assert (code, said) == (0, "")
        found = EmbeddingSet.load(tmp_path / "b.parquet")
        assert (found.ids.tolist(), list(found.labels), found.texts) == (["Grüße", "zwei"], ["score"], None)


def test_bad_texts(tmp_path):
    (tmp_path / "a.csv").write_text("id,text,n\na,one,1\nb,,2\nc,two,3\n")
    code, _, said = called("embed", "a.csv", "--embedder", "toy", "--out", "a.parquet", cwd=tmp_path)
    assert code == 3 and "row 1 (id 'b') has no text" in said and not (tmp_path / "a.parquet").exists()
    options = ("--on-bad-rows", "skip", "--json", "-")
    code, out, said = called("embed", "a.csv", "--embedder", "toy", "--out", "a.parquet", *options, cwd=tmp_path)
    assert code == 0 and "skipped 1 rows that cannot be used: 1 x has no text; ids: 'b'" in said
    assert json.loads(out)["skipped"] == 1
    found = EmbeddingSet.load(tmp_path / "a.parquet")
    assert (found.ids.tolist(), found.labels["n"].tolist()) == (["a", "c"], [1, 3])
    assert any("ids: 'b'" in note for note in found.provenance.notes)
    code, _, said = called("embed", "a.csv", "--out", "b.parquet", "--on-bad-rows", "drop", cwd=tmp_path)
    assert code == 3 and "on-bad-rows is 'drop'; expected fail or skip" in said


@pytest.fixture
def spoilt(tmp_path):
    """A dump of 60 rows of others, of which four cannot be used."""
    vectors = np.random.default_rng(0).standard_normal((60, 8)).tolist()
    vectors[5], vectors[6], vectors[7], vectors[8] = None, [0.0] * 8, [float("nan")] * 8, [1.0]
    columns = {"id": [f"r{row}" for row in range(60)], "vector": vectors, "topic": [f"t{row % 2}" for row in range(60)]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("payload", "a.parquet"),
        ("defend", "a.parquet", "--apply", "truncation:0.5", "--out", "b.parquet"),
        ("pull", "a.parquet", "--out", "b.parquet"),
        ("probe", "a.parquet", "--labels", "topic"),
    ],
)
def test_bad_vectors(spoilt, arguments):
    code, _, said = called(*arguments, cwd=spoilt)
    assert code == 3 and "row 5 (id 'r5') has no vector" in said and "--on-bad-rows skip" in said
    code, _, said = called(*arguments, "--on-bad-rows", "skip", cwd=spoilt)
    assert code == 0, said
    assert "skipped 4 rows" in said and "ids: 'r5', 'r6', 'r7', 'r8'" in said
    if "--out" in arguments:
        found = EmbeddingSet.load(spoilt / "b.parquet")
        assert len(found) == 56 and "r5" not in found.ids
        assert any("ids: 'r5', 'r6', 'r7', 'r8'" in note for note in found.provenance.notes)


def test_bulk_keeps_ids_and_labels_and_sets_bad_rows_aside(tmp_path):
    columns = {"key": ["x", "y", "z", "w"], "body": ["one text", " ", None, "four"], "n": [1, 2, 3, 4]}
    columns["when"] = pa.array([1, 2, 3, 4], pa.timestamp("s"))
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    arguments = ("embed", "a.parquet", "--embedder", "toy", "--workers", "1")
    code, _, said = called(*arguments, "--out", "out", cwd=tmp_path)
    assert code == 2 and "texts from 'body', ids from 'key'" in said
    found = EmbeddingSet.load(tmp_path / "out" / "part-00000.parquet")
    assert (found.ids.tolist(), found.texts.tolist()) == (["x", "w"], ["one text", "four"])
    assert found.labels["n"].tolist() == [1, 4] and found.labels["when"][0].startswith("1970-01-01 00:00:01")
    metadata = pq.read_schema(tmp_path / "out" / "part-00000.parquet").metadata
    assert json.loads(metadata[b"workbench.provenance"])["normalised"] is True
    aside = pq.read_table(tmp_path / "out" / "quarantine").to_pydict()
    assert (aside["id"], aside["reason"]) == (["y", "z"], ["a blank text", "no text"])
    code, _, said = called(*arguments, "--out", "strict", "--on-bad-rows", "fail", cwd=tmp_path)
    assert code == 3 and "(id 'y'): a blank text; 2 bad rows in this part" in said.replace("such rows", "bad rows")
