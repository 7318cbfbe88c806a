"""Pairs with a known relation."""

from __future__ import annotations

import pytest

from workbench.core.errors import BadInput
from workbench.core.text import normalise
from workbench.data import pairs


def test_questions_and_their_passages():
    found = pairs.retrieval(100)
    assert len(set(map(normalise, found.passages))) == 100
    assert sum("?" in question for question in found.questions) > 95
    assert len(set(found.groups)) < 20, "about ten passages an article"
    assert found == pairs.retrieval(100)
    assert found != pairs.retrieval(100, seed=1)
    assert pairs.retrieval(50).passages == found.passages[:50]


def test_paraphrases_and_decoys():
    same = pairs.paraphrases(200)
    keys = [normalise(text) for text in (*same.left, *same.right)]
    assert len(set(keys)) == 400, "no sentence twice"
    for left, right, decoy in zip(same.left, same.right, same.decoy, strict=True):
        assert decoy in same.right
        assert decoy != right
        assert normalise(left) != normalise(decoy)


@pytest.mark.parametrize("make", [pairs.retrieval, pairs.paraphrases])
def test_more_than_there_is(make):
    with pytest.raises(BadInput, match="limit is 1000000"):
        make(1_000_000)
    with pytest.raises(BadInput, match="limit is 1;"):
        make(1)
