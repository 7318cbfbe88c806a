"""How much of its texts a model reads: counts against tokenizers asked directly, windows against means by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from command_line import run_here

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.embed import load_embedder
from workbench.embed._windows import WindowedEmbedder, fitting_windows

LONG = "word " * 300


@pytest.fixture(scope="module")
def potion():
    return load_embedder("potion", "cpu")


def test_tokens_over_the_limit_are_counted(minilm):
    """256 with [CLS] and [SEP], so 254 of 300 are read."""
    found = minilm.reading(["short", LONG, "word " * 254])
    assert found.cut.tolist() == [0, 46, 0]
    assert found.own.tolist() == [1, 300, 254]
    assert minilm.provenance(0, [LONG, "short"]).notes == (
        "minilm reads 256 tokens of a text: 1 text of 2 is longer, and 46 of 300 tokens in it were not read",
    )
    assert minilm.provenance(0, ["short"]).notes == ()


def test_unknown_tokens_are_counted(minilm, potion, toy):
    texts = ["\U0001f642", "fine \U0001f642", "\u200b", "plain words"]
    assert minilm.reading(texts).known.tolist() == [0, 1, 0, 2]
    assert potion.reading(texts).known.tolist() == [0, 1, 0, 2]
    assert toy.reading(["", " \n"]).known.tolist() == [0, 0]
    assert "no token of 2 texts of 4" in minilm.provenance(0, texts).notes[0]


def test_windows_read_the_whole_text(minilm):
    size = 32
    text = " ".join(f"{word} {n}" for n, word in enumerate(["river", "bank", "money", "dog"] * 20))
    windowed = WindowedEmbedder(minilm, size)
    parts, owners = fitting_windows(minilm, [text], size)
    assert " ".join(parts) == text
    assert set(owners) == {0}
    vectors, weights = minilm.embed(parts).astype(np.float64), minilm.lengths(parts) - 2.0
    mean = (vectors * weights[:, None]).sum(0) / weights.sum()
    np.testing.assert_allclose(windowed.embed([text])[0], mean / np.linalg.norm(mean), atol=1e-6)
    np.testing.assert_allclose(windowed.embed(["short text"]), minilm.embed(["short text"]), atol=1e-6)
    assert "1 text of 2 took several" in windowed.provenance(0, [text, "short"]).notes[0]
    assert windowed.reading([LONG]).cut.tolist() == [0]


def test_a_word_longer_than_a_window_is_read_too(minilm):
    text = "\u6771\u4eac" * 200
    parts, _ = fitting_windows(minilm, [text], 64)
    assert "".join(parts) == text
    assert (minilm.lengths(parts) <= 64).all()


def test_windows_without_a_size_are_refused(toy, minilm):
    with pytest.raises(BadInput, match="states no limit"):
        WindowedEmbedder(toy)
    with pytest.raises(BadInput, match="minilm reads 256 at most"):
        WindowedEmbedder(minilm, 300)


def test_the_command_says_what_was_not_read(tmp_path):
    (tmp_path / "texts.txt").write_text(LONG + "\nshort\n\U0001f642\n", encoding="utf-8")
    done = run_here("embed", "texts.txt", "--out", "a.parquet", "--json", "a.json", cwd=tmp_path)
    assert done.returncode == 0
    assert "46 of 300 tokens in it were not read" in done.stderr
    assert "knows no token of 1 text of 3" in done.stderr
    summary = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (summary["texts_cut"], summary["tokens_cut"], summary["texts_unknown"]) == (1, 46, 1)
    assert len(EmbeddingSet.load(tmp_path / "a.parquet").provenance.notes) == 2
    done = run_here("embed", "texts.txt", "--out", "b.parquet", "--window", "max", cwd=tmp_path)
    assert done.returncode == 0
    assert "were not read" not in done.stderr
    assert "windows of at most 256 tokens" in EmbeddingSet.load(tmp_path / "b.parquet").provenance.notes[0]
    assert run_here("embed", "texts.txt", "--out", "c.parquet", "--window", "0", cwd=tmp_path).returncode == 3
