"""Bulk runs on the command line: the same verbs, a folder out, and an exit code that tells."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import run_here

from workbench.core.embedding_set import EmbeddingSet


@pytest.fixture
def folder(tmp_path):
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["one text", "another text"]}), tmp_path / "texts.parquet")
    pq.write_table(pa.table({"text": ["one text", None]}), tmp_path / "poison.parquet")
    pairs = {"text_a": ["one text"], "text_b": ["another text"]}
    pq.write_table(pa.table(pairs), tmp_path / "pairs.parquet")
    return tmp_path


def test_embed_then_invert(folder):
    said = run_here(
        "embed", "texts.parquet", "--embedder", "toy", "--out", "v", "--workers", 1, "--json", "-", cwd=folder
    )
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert (told["verb"], told["rows"], told["quarantined"]) == ("embed", 2, 0)
    assert told["sha256"] == json.loads((folder / "v/manifest.json").read_text())["sealed"]["sha256"]
    assert "2 rows in 1 parts" in said.stderr
    assert EmbeddingSet.load(folder / "v/part-00000.parquet").provenance.embedder == "toy"
    options = ("--inverter", "nearest", "--corpus-texts", 20, "--part-rows", 1)
    said = run_here("invert", "v", "--out", "t", *options, cwd=folder)
    assert said.returncode == 0, said.stderr
    assert json.loads((folder / "t/manifest.json").read_text())["recipe"]["embedder"] == "toy"
    assert len(list((folder / "t").glob("part-*"))) == 2


def test_lance_out_is_lance_in(folder):
    options = ("--embedder", "toy", "--lance")
    said = run_here("embed", "texts.parquet", "--out", "v", *options, cwd=folder)
    assert said.returncode == 0, said.stderr
    assert "all rows as one Lance dataset: v/rows.lance" in said.stderr
    said = run_here("embed", "v/rows.lance", "--out", "again", *options, cwd=folder)
    assert said.returncode == 0, said.stderr
    seals = [json.loads((folder / name / "manifest.json").read_text())["sealed"] for name in ("v", "again")]
    assert seals[0] == seals[1]


def test_attribute(folder):
    options = ("--method", "occlusion", "--embedder", "toy", "--level", "word", "--workers", 1)
    assert run_here("attribute", "pairs.parquet", "--out", "s", *options, cwd=folder).returncode == 0
    assert pq.read_table(folder / "s/part-00000.parquet")["tokens_a"].to_pylist() == [["one", "text"]]


def test_rows_that_were_set_aside_make_the_run_inconclusive(folder):
    said = run_here("embed", "poison.parquet", "--embedder", "toy", "--out", "v", "--workers", 1, cwd=folder)
    assert said.returncode == 2
    assert "1 rows set aside, with reasons: v/quarantine" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embed", "texts.parquet", "--workers", "1"], "a folder of them or a .lance folder, and --out FOLDER"),
        (["embed", "texts.parquet", "--out", "x.parquet", "--workers", "1"], "and --out FOLDER"),
        (["embed", "texts.parquet", "--out", "x", "--limit", "3", "--workers", "1"], "--limit does not go with --wor"),
        (["invert", "v", "--out", "x", "--budget", "3", "--part-rows", "1"], "--budget does not go with --workers"),
        (["invert", "texts.parquet", "--out", "x", "--inverter", "few-shot", "--workers", "1"], "does not go in bulk"),
        (["invert", "texts.parquet", "--workers", "1"], "and --out FOLDER"),
        (["attribute", "a", "b", "--workers", "1"], "there is no second"),
        (["attribute", "a", "b", "--out", "x"], "--out goes with --workers"),
        (["probe", "texts.parquet", "--out", "x", "--workers", "1"], "say which: --task NAME"),
        (["probe", "texts.parquet", "--task", "length", "--out", "x", "--workers", "1"], "does not say which embedder"),
        (["probe", "texts.parquet", "--mlp", "--task", "length", "--out", "x", "--ray", "auto"], "--mlp does not go"),
    ],
)
def test_what_has_no_meaning_in_bulk_is_refused(folder, arguments, message):
    said = run_here(*arguments, cwd=folder)
    assert said.returncode == 3
    assert message in said.stderr
