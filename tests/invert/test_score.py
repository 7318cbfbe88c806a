"""Scores: what they are by definition, and their floors and ceilings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.core.text import pieces
from workbench.invert._score import (
    bleu_signature,
    chrf_signature,
    exact_match,
    score,
    sentence_bleu,
    sentence_chrf,
    string_match,
    token_f1,
)
from workbench.invert._text_metrics import tokeniser_of
from workbench.results import Inversions, ScoreTable

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


CHINESE = "\u6211\u559c\u6b22\u5b66\u4e60\u673a\u5668\u5b66\u4e60"
"""I like to study machine learning: 9 characters."""
SCRIPTS = [
    (CHINESE, "zh"),
    ("\u6211\u7528Python\u5199\u4ee3\u7801", "zh"),
    ("\u4e8c\u3007\u4e8c\u56db\u5e74", "zh"),
    ("\U00020000\U00020001\u6211", "char"),  # sacrebleu's zh does not cut ideographs beyond U+FFFF
    ("\u0e09\u0e31\u0e19\u0e23\u0e31\u0e01\u0e41\u0e21\u0e27", "char"),  # Thai
    ("\u0e82\u0ec9\u0ead\u0e8d\u0eae\u0eb1\u0e81", "char"),  # Lao
    ("\u1781\u17d2\u1789\u17bb\u17c6\u179f\u17d2\u179a\u179b\u17b6\u1789\u17cb", "char"),  # Khmer
    ("\u1019\u1004\u103a\u1039\u1002\u101c\u102c\u1015\u102b", "char"),  # Burmese
    ("\u0f56\u0f7c\u0f51\u0f0b\u0f66\u0f90\u0f51\u0f0b\u0f61\u0f42", "char"),  # Tibetan
    ("\U0001f600\U0001f622\U0001f44d", "char"),
    ("\ub098\ub294 \uace0\uc591\uc774\ub97c \uc88b\uc544\ud55c\ub2e4", "13a"),  # Korean
    ("\u092e\u0948\u0902 \u0918\u0930 \u091c\u093e \u0930\u0939\u093e \u0939\u0942\u0901", "13a"),  # Hindi
    ("\u0623\u0646\u0627 \u0623\u062d\u0628 \u0627\u0644\u0642\u0637\u0637", "13a"),  # Arabic
    ("\u05d0\u05e0\u05d9 \u05d0\u05d5\u05d4\u05d1 \u05d7\u05ea\u05d5\u05dc\u05d9\u05dd", "13a"),  # Hebrew
    ("\u0ba8\u0bbe\u0ba9\u0bcd \u0baa\u0bc2\u0ba9\u0bc8", "13a"),  # Tamil
    ("T\u00f4i y\u00eau m\u00e8o", "13a"),  # Vietnamese
    ("A street called \u738b\u5e9c\u4e95 in the middle of the old town", "13a"),
]


@pytest.mark.parametrize(("text", "tokeniser"), SCRIPTS)
def test_bleu_is_counted_by_the_tokeniser_of_the_script(text, tokeniser):
    """And is sacrebleu's own number."""
    assert tokeniser_of(text) == tokeniser
    guess = text[:-1]
    metric = BLEU(lowercase=True, effective_order=True, tokenize=tokeniser)
    assert sentence_bleu([guess], [text])[0] == pytest.approx(metric.sentence_score(guess, [text]).score / 100)
    assert sentence_bleu([text], [text])[0] == pytest.approx(1.0)
    assert token_f1([text], [text])[0] == 1.0 and sentence_chrf([text], [text])[0] == pytest.approx(1.0)


@pytest.mark.parametrize(("text", "tokeniser"), SCRIPTS)
def test_no_script_reads_a_leak_as_none(text, tokeniser):
    """All but the last letter, with its marks, is right."""
    guess = "".join(pieces(text)[:-1]) if tokeniser != "13a" else text[:-1]
    assert sentence_bleu([guess], [text])[0] > 0.2
    assert token_f1([guess], [text])[0] >= 0.5
    assert sentence_chrf([guess], [text])[0] > 0.2


def test_chinese_with_seven_of_nine_characters_right():
    """By hand: F1 7/9; of n-grams 7/9, 6/8, 5/7, 4/6 are right, and BLEU is their geometric mean."""
    guess = CHINESE[:7] + "\u7ffb\u8bd1"
    assert token_f1([guess], [CHINESE])[0] == pytest.approx(7 / 9)
    assert sentence_bleu([guess], [CHINESE])[0] == pytest.approx((7 / 9 * 6 / 8 * 5 / 7 * 4 / 6) ** 0.25)


def test_japanese_is_never_read_as_one_word():
    text = "\u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd\u3067\u3059\u3002"
    guess = text.replace("\u9996\u90fd", "\u90fd\u5e02")
    assert tokeniser_of(text) in ("ja-mecab", "char")
    assert token_f1([guess], [text])[0] == pytest.approx(9 / 10), "nine of ten letters; the full stop does not count"
    assert sentence_bleu([guess], [text])[0] > 0.4


def test_words_and_letters_are_counted_in_one_text():
    assert token_f1(["\u6211\u7528Java\u5199"], ["\u6211\u7528Python\u5199"])[0] == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("guess", "truth", "f1"),
    [
        ("C++ error", "C# error", 2 * 2 / 7),  # c + + error; c # error
        ("-5 degrees", "5 degrees", 1 / 2),
        ("\u0926\u093f\u0928", "\u0926\u093e\u0928", 0.0),
        ("\u0e40\u0e2a\u0e37\u0e2d", "\u0e40\u0e2a\u0e37\u0e49\u0e2d", 2 / 3),
        ("$5", "\u20ac5", 1 / 2),
        ("$ 5 and 5 %", "$5 and 5%", 1.0),
        ("on 03/15/2018", "on 03/15/2019", 3 / 4),
        ("1.5 mg", "1,5 mg", 2 / 3),
        ("???", "!!!", 0.0),
    ],
)
def test_token_f1_counts_signs_and_marks(guess, truth, f1):
    assert token_f1([guess], [truth])[0] == pytest.approx(f1)


@pytest.mark.parametrize(
    ("guess", "truth"),
    [
        ("\u0926\u093f\u0928", "\u0926\u093e\u0928"),
        ("\u0e40\u0e2a\u0e37\u0e2d", "\u0e40\u0e2a\u0e37\u0e49\u0e2d"),
        ("C++ error", "C# error"),
        ("-5 degrees", "5 degrees"),
    ],
)
def test_other_marks_and_signs_are_no_exact_match(guess, truth, toy):
    scores = score(inversions([guess]), [truth], toy)
    assert scores.exact.value == 0.0 and scores.token_f1.value < 1.0
    assert score(inversions([truth]), [truth], toy).exact.value == 1.0


def test_equal_strings_are_stricter_than_equal_normal_forms(toy):
    guesses = ["the cat sat on the mat", TEXTS[1], TEXTS[2].upper()]
    scores = score(inversions(guesses), TEXTS, toy)
    assert scores.exact.value == 1.0
    assert scores.string_exact is not None and scores.string_exact.value == pytest.approx(1 / 3)
    assert exact_match(guesses, TEXTS).tolist() == [True, True, True]
    assert string_match(guesses, TEXTS).tolist() == [False, True, False]


def test_chrf_is_sacrebleus():
    guesses = ["the cat sat on a mat", "where is my honey?", ""]
    metric = CHRF(lowercase=True)
    expected = [metric.sentence_score(g, [t]).score / 100 for g, t in zip(guesses, TEXTS, strict=True)]
    assert sentence_chrf(guesses, TEXTS).tolist() == pytest.approx(expected)
    assert expected[2] == 0.0 < expected[1] < 1.0


def test_the_signature_says_how_bleu_was_counted():
    assert "case:lc" in bleu_signature()
    assert "version:" in bleu_signature() and "tok:13a" in bleu_signature(TEXTS)
    assert "tok:zh" in bleu_signature([CHINESE])
    mixed = bleu_signature([*TEXTS, CHINESE])
    assert "tok:by script" in mixed and "(13a for 3 of 4 texts, zh for 1 of 4 texts)" in mixed
    assert "nc:6" in chrf_signature() and "case:lc" in chrf_signature()


def test_a_table_says_what_was_counted_and_reads_older_files(toy):
    whole = score(inversions(TEXTS), TEXTS, toy)
    table = ScoreTable("scores", (whole,), bleu_signature(TEXTS), chrf_signature())
    assert table.table().columns == ("method", "BLEU", "chrF", "token F1", "exact match", "equal strings", "cosine")
    assert "vec2text" in table.counted() and "tok:13a" in table.counted() and "nc:6" in table.counted()
    saved = table.to_json()
    assert Result.from_json(saved) == table
    del saved["chrf_signature"], saved["scores"][0]["chrf"], saved["scores"][0]["string_exact"]
    older = Result.from_json(saved)
    assert isinstance(older, ScoreTable) and older.scores[0].chrf is None
    assert older.table().columns == ("method", "BLEU", "token F1", "exact match", "cosine")
    assert "chrF" not in older.counted() and "vec2text" not in older.counted()


def test_lengths_must_agree(toy):
    with pytest.raises(BadInput, match="2 inversions but 3 true texts"):
        score(inversions(["a", "b"]), TEXTS, toy)
