"""Scores: what they are by definition, and their floors and ceilings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInput
from workbench.invert._score import bleu_signature, score, sentence_bleu, token_f1
from workbench.results import Inversions

TEXTS = ["The cat sat on the mat.", "Where is my money?", "A bank closed my account today."]


def inversions(texts):
    ids = np.array([str(i) for i in range(len(texts))], dtype=object)
    zeros = np.zeros(len(texts), dtype=np.int64)
    return Inversions("test", ids, np.array(texts, dtype=object), None, zeros, 0, 0.0)


def test_the_truth_scores_one(toy):
    scores = score(inversions(TEXTS), TEXTS, toy)
    for value in (scores.bleu, scores.token_f1, scores.exact, scores.cosine):
        assert value.value == pytest.approx(1.0)
    assert scores.exact.low < 1.0, "three hits of three are no certainty"


def test_nothing_scores_nothing(toy):
    scores = score(inversions(["", "", ""]), TEXTS, toy)
    assert scores.bleu.value == scores.token_f1.value == scores.exact.value == 0.0


def test_case_marks_and_spaces_do_not_count_for_exact_match(toy):
    assert score(inversions(["the cat  sat on the mat"] * 3), [TEXTS[0]] * 3, toy).exact.value == 1.0


@pytest.mark.parametrize(
    ("guess", "truth", "f1"),
    [
        ("a b", "a b", 1.0),
        ("a a", "a b", 0.5),
        ("a", "a a a", 0.5),
        ("x", "y", 0.0),
        ("", "", 1.0),
        ("A, b!", "b a", 1.0),
    ],
)
def test_token_f1_counts_multisets(guess, truth, f1):
    assert token_f1([guess], [truth])[0] == pytest.approx(f1)


@given(st.text(), st.text())
def test_scores_are_shares(a, b):
    for values in (token_f1([a], [b]), sentence_bleu([a], [b])):
        assert 0 <= values[0] <= 1 + 1e-9
    assert token_f1([a], [b])[0] == token_f1([b], [a])[0]


def test_the_signature_says_how_bleu_was_counted():
    assert "case:lc" in bleu_signature()
    assert "version:" in bleu_signature()


def test_lengths_must_agree(toy):
    with pytest.raises(BadInput, match="2 inversions but 3 true texts"):
        score(inversions(["a", "b"]), TEXTS, toy)
