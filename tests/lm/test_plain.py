"""A language model that leans on a bag of words: its tokens, and that steps and whole texts agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_lm import TEXTS, write_tiny_lm
from workbench import assets
from workbench.core.errors import BadInput
from workbench.lm import Draft, fit_bag_of_words
from workbench.lm.plain import PlainDecoder
from workbench.lm.text_decoder import EOS, UNK
from workbench.lm.token_vocabulary import TokenVocabulary


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    tokenizer, model, _ = assets.open_language_model(write_tiny_lm(tmp_path_factory.mktemp("lm")))
    return tokenizer, model


@pytest.fixture(scope="module")
def vocabulary(opened):
    return TokenVocabulary.of(opened[0], TEXTS, 400)


@pytest.fixture(scope="module")
def decoder(opened, vocabulary):
    random = np.random.default_rng(0)
    vectors = random.standard_normal((200, 8)).astype(np.float32)
    ids = [random.integers(EOS + 1, len(vocabulary), size=6).tolist() for _ in vectors]
    decoder = PlainDecoder(*opened, vocabulary, TEXTS[:2], max_tokens=10).eval()
    decoder.set_bag_of_words(fit_bag_of_words(vectors, ids, len(vocabulary)))
    decoder.before = decoder.ends.tolist()
    decoder.loss = decoder.calibrate(torch.from_numpy(vectors[:40]), ids[:40])
    return decoder


def test_texts_come_back_with_single_blanks(vocabulary):
    for text in ("the dog ran to the red house", "A text about money and the bank ."):
        assert vocabulary.decode(vocabulary.encode([text])[0]) == text


@given(st.text(max_size=30))
def test_any_text_has_ids(vocabulary, text):
    (row,) = vocabulary.encode([text])
    assert all(UNK <= id < len(vocabulary) for id in row)
    assert isinstance(vocabulary.decode(row), str)


def test_words_are_kin_whatever_their_case(opened):
    vocabulary = TokenVocabulary.of(opened[0], [*TEXTS, "I i I i"], 400)
    kin = {vocabulary.kin[place] for place, piece in enumerate(vocabulary.pieces) if piece.casefold() == "i"}
    assert len(kin) == 1
    assert vocabulary.kin.max() + 1 == len(set(vocabulary.kin.tolist()))


def test_tokens_are_not_saved(vocabulary, tmp_path):
    with pytest.raises(BadInput, match="name the model"):
        vocabulary.save(tmp_path / "vocabulary.json")


def test_a_step_gives_what_the_whole_text_gives(decoder, vocabulary):
    vectors = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    ids = torch.randint(EOS + 1, len(vocabulary), (3, 5), generator=torch.Generator().manual_seed(2))
    ids[:, 3] = ids[:, 1]  # a word that comes twice is covered once
    with torch.inference_mode():
        whole = decoder(vectors, ids)
        reading, past = decoder.read(vectors), decoder.empty_past(3)
        for t in range(6):
            step = decoder.step(ids[:, :t], reading, past)
            assert torch.allclose(step, whole[:, t], atol=1e-4)


def test_a_written_word_loses_what_it_was_given(decoder, vocabulary):
    vectors = torch.randn(1, 8, generator=torch.Generator().manual_seed(3))
    evidence = decoder.read(vectors).evidence
    word = int(evidence[0, EOS + 1 :].argmax()) + EOS + 1
    logits = torch.zeros(1, 1, len(vocabulary))
    ids = torch.tensor([[word, word]])
    before = torch.ones(1, 2, dtype=torch.bool)
    covered = decoder._cover(logits, ids, before, evidence)[0, 0]
    kin = torch.from_numpy(vocabulary.kin == vocabulary.kin[word])
    assert torch.allclose(covered[kin], -decoder.gain * evidence[0, word])
    assert (covered[~kin] == 0).all()


def test_calibration_lowers_the_loss(decoder):
    assert np.isfinite(decoder.loss)
    assert decoder.ends.tolist() != decoder.before


def test_drafts_are_refused(decoder):
    with pytest.raises(BadInput, match="cannot rewrite"):
        decoder(torch.randn(1, 8), torch.ones(1, 2, dtype=torch.long), Draft.of([[3]], np.ones((1, 8)), "cpu"))
