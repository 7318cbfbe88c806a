"""Words of several pieces: known from texts, and foretold from their own vectors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from workbench.core.errors import BadInput
from workbench.embed.minilm import model_folder
from workbench.lm import Lexicon, Vocabulary, fit_lexicon, fit_word_shifts, known_words
from workbench.lm.weights import LEXICON, load_lexicon, save_lexicon


def test_words_are_counted_once_a_text():
    texts = ["Tugboat tugboat in 1999!", "a tugboat-like thing", "TUGBOAT x"]
    assert known_words(texts, lower=True, least=3) == ["tugboat"]
    assert known_words(texts, lower=False, least=2) == ["tugboat"]
    assert known_words(texts, lower=True, least=1) == ["tugboat", "in", "like", "thing"]
    assert known_words([], lower=True) == []


@pytest.fixture(scope="module")
def fitted(toy):
    """Toy vectors add up, so a word's shift is its own vector, scaled: a map that words of one piece tell."""
    known = json.loads((model_folder() / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    singles = [piece for piece in known if len(piece) > 3 and piece.isascii() and piece.isalpha()][:200]
    vocabulary = Vocabulary.cut(model_folder(), [" ".join(singles)] * 2, 340)
    assert all(len(row) == 1 for row in vocabulary.encode(singles))
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(singles, size=random.integers(3, 8))) for _ in range(4000)]
    shifts = fit_word_shifts(toy.embed(texts), vocabulary.encode(texts), len(vocabulary))
    rare = ["zebra", "quartz", "yak"]
    words = [*singles, *rare]
    return vocabulary, shifts, rare, fit_lexicon(vocabulary, shifts, words, toy.embed(words)), singles


def test_the_shift_of_a_word_is_told_by_its_own_vector(toy, fitted):
    vocabulary, shifts, rare, lexicon, singles = fitted
    assert [vocabulary.decode(word) for word in lexicon.words] == rare
    base = " ".join(singles[:4])
    for word, pieces, shift in zip(rare, lexicon.words, lexicon.shift, strict=True):
        (before, after) = toy.embed([base, f"{base} {word}"])
        k = (len(pieces) + 4) ** -0.5
        moved = after - before * (4**0.5 * k)
        assert _cosine(shift, moved) > 0.6
        assert not shifts.shift[list(pieces)].any(), "its letters never stood alone: they tell nothing"


def test_it_is_kept_in_bytes_and_read_back(fitted, tmp_path):
    vocabulary, _, _, lexicon, _ = fitted
    save_lexicon(tmp_path, lexicon)
    again = load_lexicon(tmp_path, len(vocabulary))
    assert again.words == lexicon.words
    assert np.abs(again.shift - lexicon.shift).max() <= np.abs(lexicon.shift).max() / 127
    assert load_lexicon(tmp_path / "elsewhere", 10) is None
    save_lexicon(tmp_path, Lexicon((), np.empty((0, 64), np.float32)))
    assert len(load_lexicon(tmp_path, len(vocabulary))) == 0


@pytest.mark.parametrize("fault", ["pieces", "lengths", "scale"])
def test_a_lexicon_that_does_not_fit_is_refused(fitted, tmp_path, fault):
    save_lexicon(tmp_path, fitted[3])
    state = load_file(tmp_path / LEXICON)
    state[fault] = state[fault] + 5000 if fault == "pieces" else state[fault][:-1]
    save_file(state, tmp_path / LEXICON)
    with pytest.raises(BadInput, match="is not a lexicon"):
        load_lexicon(tmp_path, len(fitted[0]))


def test_too_few_words_make_an_empty_lexicon_and_a_wrong_number_of_vectors_none(toy, fitted):
    vocabulary, shifts, rare, *_ = fitted
    assert len(fit_lexicon(vocabulary, shifts, rare, toy.embed(rare))) == 0
    with pytest.raises(BadInput, match="vectors has 2 rows but there are 3 words"):
        fit_lexicon(vocabulary, shifts, rare, toy.embed(rare[:2]))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
