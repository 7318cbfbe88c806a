"""First-order foretelling of replacements: exact where nothing changes, and a guide where something does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.core.access import OPEN_WEIGHTS
from workbench.core.errors import BadInput
from workbench.invert._inverter import Attacker
from workbench.invert._slopes import Slopes
from workbench.invert._writer import open_text_model
from workbench.invert.search import Preset, Search

TEXTS = ["the bank closed my account without notice", "a dog ran after the red ball", "how old is she"]


@pytest.fixture(scope="module")
def text_model(minilm):
    return open_text_model(Attacker(minilm, device="cpu"))


def test_slopes_are_the_derivative_towards_each_replacement(minilm, text_model):
    """A piece that replaces itself changes nothing; a hundredth of the way to another one, what slopes foretell."""
    pieces = [tuple(row) for row in text_model.vocabulary.encode(TEXTS)]
    wanted = minilm.embed(["my bank account was closed", "dogs run after balls", "what is her age"])
    slopes = Slopes(minilm, text_model.vocabulary)
    for text, table, own, goal in zip(
        pieces, slopes.foretell(pieces, torch.from_numpy(wanted)), minilm.embed(TEXTS), wanted, strict=True
    ):
        assert table is not None
        np.testing.assert_allclose(table[range(len(text)), list(text)], own @ goal, atol=1e-5)
        batch = minilm.tokenise([text_model.vocabulary.decode(text)])
        for place, piece in ((0, 2000), (1, 3000), (len(text) - 1, 1500)):
            with torch.no_grad():
                states = minilm.states(batch.features, 0)
                step = 0.01 * (slopes._table[piece] - slopes._table[text[place]])
                states[0, int(batch.content[0].nonzero()[place])] += step
                moved = minilm.encode(batch.features, 0, states)[0].numpy()
            change = moved @ goal / np.linalg.norm(moved) - own @ goal
            assert change == pytest.approx(0.01 * (float(table[place, piece]) - own @ goal), rel=0.2, abs=2e-5)


def test_a_text_that_the_embedder_cuts_otherwise_has_no_slopes(minilm, text_model):
    """The end of one word behind another: decoded and cut again, these are other pieces."""
    vocabulary = text_model.vocabulary
    end = next(i for i in range(100, len(vocabulary)) if vocabulary.continues[i] and vocabulary.base[i] >= 0)
    odd = (*vocabulary.encode(["the bank"])[0], end, end)
    assert tuple(vocabulary.encode([vocabulary.decode(odd)])[0]) != odd
    wanted = torch.from_numpy(minilm.embed(["a", "b"]))
    plain, none = Slopes(minilm, vocabulary).foretell([tuple(vocabulary.encode(["the bank"])[0]), odd], wanted)
    assert plain is not None
    assert none is None


def test_search_follows_gradients_only_where_weights_are_granted(minilm, text_model):
    preset = Preset(beams=2, rounds=1, edits=8)
    stolen = minilm.embed_set(["a", "b"], TEXTS[:2]).without_texts()
    assert Search.open(Attacker(minilm, device="cpu"))._editor._slopes is None
    granted = Search.open(Attacker(minilm, OPEN_WEIGHTS, device="cpu"))
    assert granted._editor._slopes is not None
    found = Search(minilm, text_model, preset, slopes=True).invert(stolen)
    assert np.all(found.cosines >= found.path[0].cosines - 0.1)


def test_an_embedder_without_gradients_is_refused(toy, text_model):
    with pytest.raises(BadInput, match="toy gives no gradients"):
        Search(toy, text_model, slopes=True)
