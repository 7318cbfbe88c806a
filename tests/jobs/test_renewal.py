"""Renewal: new texts of the same length, whose vectors are their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from workbench.embed import load_embedder
from workbench.jobs._lessons import Lessons
from workbench.jobs._renewal import Renewal
from workbench.jobs._training_data import Pairs
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.lm import TextModel, fit_bag_of_words, make_decoder
from workbench.lm.text_decoder import EOS
from workbench.lm.vocabulary import SPECIALS, Vocabulary

PLAIN = ["river", "lake", "sea", "cat", "dog", "horse", "red", "blue", "green", "a", "z"]
PIECES = [*SPECIALS, *PLAIN, "##e", "##bra", ".", "##s"]


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary(PIECES, [-1, -1, -1, *range(len(PIECES) - 3)], {"lowercase": True})


@pytest.fixture(scope="module")
def renewal(vocabulary):
    return Renewal(vocabulary, torch.randn(len(PIECES), 8, generator=torch.Generator().manual_seed(0)))


def test_words_of_one_piece_give_way_to_such_words(vocabulary, renewal):
    text = np.array(vocabulary.encode(["red cats zebra river."]))
    new = np.concatenate([renewal(text, np.random.default_rng(seed)) for seed in range(200)])
    fixed = vocabulary.encode(["cats zebra"])[0]
    assert (new[:, 1 : 1 + len(fixed)] == fixed).all()
    assert (new[:, -1] == text[0, -1]).all()
    for place in (0, -2):
        found = {PIECES[id] for id in new[:, place]}
        assert found == {*PLAIN}
        assert 0.05 < (new[:, place] != text[0, place]).mean() < 0.3


def test_a_text_that_cannot_be_spelt_stays(vocabulary, renewal):
    ids = np.repeat(np.array(vocabulary.encode(["red 鸟 river", "red cat river"])), 100, axis=0)
    new = renewal(ids, np.random.default_rng(0))
    assert (ids[:100] <= EOS).any(1).all()
    assert np.array_equal(new[:100], ids[:100])
    assert not np.array_equal(new[100:], ids[100:])


def test_the_nearest_words_are_kin():
    """Of 100 words on a line each gives way to one of the 40 nearest."""
    vocabulary = Vocabulary([*SPECIALS, *(f"w{i}" for i in range(100))], [-1] * 103, {"lowercase": True})
    angles = torch.arange(-3, 100) / 100
    renewal = Renewal(vocabulary, torch.stack([angles.cos(), angles.sin()], 1))
    ids = np.arange(3, 103).repeat(100)[:, None]
    new = renewal(ids, np.random.default_rng(0))
    far = np.abs(new - ids)[20 * 100 : -20 * 100]
    assert far.max() == 20
    ends = np.abs(new - ids)[:100]
    assert 20 < ends.max() <= 40


def test_a_lesson_holds_the_vectors_of_its_own_texts(vocabulary, renewal):
    toy = load_embedder("toy")
    texts = ["red cat river", "blue dog sea", "green horse lake", "red 鸟 lake"] * 20
    ids = [np.array(row) for row in vocabulary.encode(texts)]
    vectors = toy.embed(texts)
    recipe = InverterRecipe(embedder="toy", renewed=0.5, batch_tokens=64)
    decoder = make_decoder("film", dim=toy.spec.dim, vocabulary=len(PIECES), hidden=16, layers=1, heads=2, inner=32)
    bag = fit_bag_of_words(vectors, ids, len(PIECES), vocabulary.is_word)
    model = TextModel(decoder, bag, vocabulary)

    def lessons(share):
        made = Lessons(
            replace(recipe, renewed=share), Pairs(texts, ids, vectors), model, toy, None, "cpu", 0, 0, 1, renewal
        )
        return [made.at(step, 0.0)[0] for step in range(20)]

    before = vectors.copy()
    known, new = {tuple(row) for row in ids}, 0
    for lesson in lessons(0.5):
        for row, vector in zip(lesson.ids, lesson.vectors, strict=True):
            spelt = (row > EOS).all()
            new += tuple(row) not in known
            text = vocabulary.decode(row) if spelt else "red 鸟 lake"
            assert vector == pytest.approx(toy.embed([text])[0], abs=1e-6)
    assert new > 20
    assert np.array_equal(vectors, before)
    assert all(tuple(row) in known for lesson in lessons(0.0) for row in lesson.ids)
