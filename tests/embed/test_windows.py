"""Windows: all words in order, none too long, and joined again as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInput
from workbench.data.corpora import Corpus
from workbench.embed._windows import split_windows
from workbench.invert._inverter import Attacker
from workbench.jobs.invert_texts import invert_texts


@given(st.lists(st.text(max_size=60), max_size=6), st.integers(3, 20))
def test_every_word_is_in_one_window(toy, texts, size):
    windows, owners = split_windows(toy, texts, size)
    assert owners == sorted(owners)
    assert set(owners) == set(range(len(texts)))
    for place, text in enumerate(texts):
        own = [window for window, owner in zip(windows, owners, strict=True) if owner == place]
        assert " ".join(" ".join(own).split()) == " ".join(text.split())
        for window in own:
            assert toy.lengths([window])[0] <= size or len(window.split()) == 1


def test_windows_of_a_word_piece_model(minilm):
    text = "Unbelievable misunderstandings, though, happen to everybody now and then. " * 8
    windows, _ = split_windows(minilm, [text], 32)
    assert len(windows) > 3
    assert (minilm.lengths(windows) <= 32).all()
    assert (minilm.lengths(windows[:-1]) > 20).all(), "windows are full"


def test_a_window_without_room_is_refused(minilm):
    with pytest.raises(BadInput, match="window is 2 tokens; minilm needs 2 of them for itself"):
        split_windows(minilm, ["text"], 2)


def test_texts_are_inverted_window_by_window(toy):
    """`nearest` finds public sentences again: two in one text come back by windows, and not by one vector."""
    from workbench.data import corpora

    public = corpora.load("cfpb", "train", 1000).texts
    lengths = toy.lengths(public)
    size = int(np.bincount(lengths).argmax())  # texts of one length, so that windows end where they end
    known = [text for text, length in zip(public, lengths, strict=True) if length == size][:6]
    texts = tuple(f"{a} {b}" for a, b in zip(known[::2], known[1::2], strict=True))
    corpus = Corpus("pairs", ("a", "b", "c"), texts, ("a", "b", "c"))
    attacker = Attacker(toy, corpus="cfpb", corpus_texts=1000)
    found, table = invert_texts(corpus, "nearest", attacker, window=size, floors=False)
    whole, _ = invert_texts(corpus, "nearest", attacker, floors=False)
    assert list(found.ids) == ["a", "b", "c"]
    assert len(found.path) == 1
    assert found.cosines.mean() > whole.cosines.mean()
    assert table.scores[0].token_f1.value > 0.9
