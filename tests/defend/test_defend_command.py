"""workbench defend: judge, or write a defended copy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.vectors import unit


@pytest.fixture
def store(tmp_path):
    random = np.random.default_rng(0)
    kind = random.integers(0, 2, 300)
    held = EmbeddingSet(
        ids=np.array([f"v{row}" for row in range(300)], object),
        vectors=unit(np.eye(8)[kind] + 0.3 * random.standard_normal((300, 8))),
        texts=np.array([f"text {row}" for row in range(300)], object),
        labels={"topic": np.array(["sea", "land"])[kind]},
    )
    held.save(tmp_path / "vectors.parquet")
    return tmp_path / "vectors.parquet"


def run(*arguments):
    return CliRunner().invoke(app, ["defend", *map(str, arguments)])


def test_judge(store, tmp_path):
    page = tmp_path / "page.html"
    done = run(store, "--with", "rotation", "--with", "noise:0.5", "--label", "topic", "--seeds", 1, "--html", page)
    assert done.exception is None, done.output
    assert all(word in done.output for word in ("rotation", "noise:0.5", "static", "adaptive", "worst", "prior"))
    assert "Leakage of topic against utility" in page.read_text(encoding="utf-8")
    done = run(store, "--with", "int8", "--label", "topic", "--seeds", 2, "--seed", 7, "--json", "-")
    assert json.loads(done.stdout)["seeds"] == [7, 8]


def test_apply(store, tmp_path):
    out, key = tmp_path / "defended.parquet", tmp_path / "key"
    key.write_bytes(b"sixteen bytes or")
    assert run(store, "--apply", "noise:0.1", "--out", out).exception is None
    noisy, true = EmbeddingSet.load(out), EmbeddingSet.load(store)
    assert 0.05 < np.linalg.norm(noisy.vectors - true.vectors, axis=1).mean() < 0.2
    assert (
        "defended by noise:0.1" in noisy.provenance.notes[-1] and (noisy.labels["topic"] == true.labels["topic"]).all()
    )
    done = run(store, "--apply", f"rotation?key=@{key}", "--out", out, "--without-texts")
    turned = EmbeddingSet.load(out)
    assert done.exception is None and turned.texts is None
    np.testing.assert_allclose(turned.vectors @ turned.vectors.T, true.vectors @ true.vectors.T, atol=1e-5)
    assert str(key) not in turned.provenance.notes[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say --with"),
        (["--with", "int8", "--apply", "int8"], "say --with"),
        (["--apply", "int8"], "belong together"),
        (["--with", "int8", "--out", "x.parquet"], "belong together"),
        (["--with", "int8"], "--label is missing; .* has: topic"),
        (["--apply", "rotation", "--out", "x.parquet"], "needs a key"),
    ],
)
def test_mistakes(store, arguments, message):
    with pytest.raises(ValueError, match=message):
        raise run(store, *arguments).exception
