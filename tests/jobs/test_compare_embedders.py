"""Embedders side by side, each in a process of its own."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench.core.errors import BadInput
from workbench.core.ranking import ranks
from workbench.core.result import Result
from workbench.data import pairs
from workbench.embed import EMBEDDERS
from workbench.jobs.compare_embedders import all_embedders, compare_embedders, measure


def test_scores_are_those_of_the_vectors(toy):
    found, same = pairs.retrieval(40, seed=1), pairs.paraphrases(40, seed=1)
    scores = measure("toy", found, same, seed=1)
    questions, passages = toy.embed(found.questions), toy.embed(found.passages)
    order = np.argsort(-(questions @ passages.T), axis=1)
    hits = [row in order[row, :10] for row in range(40)]
    assert scores.recall.value == pytest.approx(np.mean(hits))
    gains = [1 / np.log2(2 + int(np.flatnonzero(order[row] == row)[0])) * hits[row] for row in range(40)]
    assert scores.ndcg.value == pytest.approx(np.mean(gains))
    close = np.einsum("nd,nd->n", toy.embed(same.left), toy.embed(same.right))
    decoy = np.einsum("nd,nd->n", toy.embed(same.left), toy.embed(same.decoy))
    assert scores.decoy_auc.value == pytest.approx(np.mean(close[:, None] > decoy[None, :]), abs=1e-6)
    assert scores.paraphrase_auc.value > scores.decoy_auc.value
    assert abs(scores.isotropy.value) < 0.5
    assert scores.sentences_per_second > 0


def test_an_embedder_that_cannot_tell_gets_no_credit():
    """All passages level with the right one: the rank is the worst, not the best."""
    same = np.ones((5, 3), np.float32)
    assert (ranks(same, same) == 4).all()


def test_one_after_the_other_saved_and_gone_on_with(tmp_path):
    out = tmp_path / "comparison.json"
    first = compare_embedders(["toy"], texts=30, out=out)
    assert [row.embedder for row in first.rows] == ["toy"]
    assert 50 < first.rows[0].peak_memory_mb < 5000
    value = json.loads(out.read_text())
    value["rows"][0]["load_seconds"] = 123.0  # told apart from one that is measured again
    out.write_text(json.dumps(value))
    both = compare_embedders(["potion", "toy", "no-such-embedder"], texts=30, out=out)
    assert [row.embedder for row in both.rows] == ["potion", "toy"]
    assert both.rows[1].load_seconds == 123.0
    assert both.failures[0][0] == "no-such-embedder"
    assert "no embedder is called" in both.failures[0][1]
    assert both.rows[0].ndcg.value > both.rows[1].ndcg.value
    with pytest.raises(BadInput, match="was measured on other texts"):
        compare_embedders(["toy"], texts=31, out=out)
    again = Result.from_json(both.to_json())
    assert again == both
    assert "could not be measured" in both._repr_html_()


def test_all_means_every_embedder_that_opens_by_itself():
    names = all_embedders()
    assert {"minilm", "mpnet", "bge-small", "potion", "toy", "llm?method=echo"} <= set(names)
    assert {name.partition("?")[0] for name in names} <= set(EMBEDDERS.names())
