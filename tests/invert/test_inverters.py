"""Inverters: what they hold, what they may not, and that search only helps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_lm import write_tiny_lm
from workbench.core.access import STOLEN_STORE, Access
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import AccessDenied, BadInput, UnknownName
from workbench.core.vectors import unit
from workbench.embed import load_embedder
from workbench.embed.minilm import model_folder
from workbench.invert import INVERTERS, open_inverter
from workbench.invert._align import LinearMap
from workbench.invert._inverter import Attacker, shuffled
from workbench.invert.bag_of_words import BagOfWordsInverter
from workbench.invert.correction import Correction
from workbench.invert.few_shot import FewShot
from workbench.invert.hypothesis import Hypothesis
from workbench.invert.nearest import Nearest
from workbench.invert.search import Preset, Search
from workbench.invert.unpaired import Unpaired
from workbench.invert.white_box import WhiteBox
from workbench.invert.zero_shot import ZeroShot, plain_model
from workbench.lm import ConditionedDecoder, DecoderConfig, TextModel, Vocabulary, fit_bag_of_words, fit_word_shifts

TEXTS = [
    "the cat sat on the mat",
    "where is my money",
    "the bank closed my account",
    "a cat and a bank",
    "my mat is here",
]


@pytest.fixture(scope="module")
def model(toy):
    """An untrained decoder over the toy embedder, with a bag of words that was truly fitted."""
    vocabulary = Vocabulary.cut(model_folder(), TEXTS, 300)
    words, random = sorted(set(" ".join(TEXTS).split())), np.random.default_rng(0)
    many = [" ".join(random.choice(words, size=random.integers(3, 8))) for _ in range(3000)]
    pairs = toy.embed(many), vocabulary.encode(many)
    bag = fit_bag_of_words(*pairs, len(vocabulary), vocabulary.is_word)
    torch.manual_seed(0)
    decoder = ConditionedDecoder(DecoderConfig(toy.spec.dim, len(vocabulary), 16, 1, 2, 32, 12, corrects=True)).eval()
    decoder.set_bag_of_words(bag)
    return TextModel(decoder, bag, vocabulary, fit_word_shifts(*pairs, len(vocabulary)))


@pytest.fixture(scope="module")
def plain(toy, tmp_path_factory):
    """A tiny language model that leans on a bag of words of the toy embedder."""
    words, random = sorted(set(" ".join(TEXTS).split())), np.random.default_rng(0)
    many = [" ".join(random.choice(words, size=random.integers(3, 8))) for _ in range(1000)]
    return plain_model(unit(toy.embed(many)), many, write_tiny_lm(tmp_path_factory.mktemp("lm")), "cpu")


@pytest.fixture
def inverters(toy, model, plain):
    same = LinearMap(np.eye(64), np.zeros(64), np.zeros(64), "ridge")
    return {
        "nearest": Nearest(toy, TEXTS, toy.embed(TEXTS)),
        "bag-of-words": BagOfWordsInverter(toy, model.bag, model.vocabulary),
        "hypothesis": Hypothesis(toy, model, beams=4),
        "correction": Correction(toy, model, beams=2, rounds=3),
        "search": Search(toy, model, Preset(beams=4, rounds=3, edits=8)),
        "few-shot": FewShot(Hypothesis(toy, model, beams=4), same),
        "zero-shot": ZeroShot(Search(toy, plain, Preset(beams=4, rounds=2, edits=8, recompose=4))),
        "white-box": WhiteBox(
            Nearest(toy, TEXTS[::2], toy.embed(TEXTS[::2])), Search(toy, model, Preset(beams=4, rounds=3, edits=8))
        ),
        "unpaired": Unpaired(Nearest(toy, TEXTS, toy.embed(TEXTS)), same),
    }


def stolen_from(toy, texts=TEXTS):
    return toy.embed_set([f"r{i}" for i in range(len(texts))], texts).without_texts()


def test_every_registered_inverter_is_tried_here(inverters):
    assert set(inverters) == set(INVERTERS.names())


@pytest.mark.parametrize("name", INVERTERS.names())
class TestContract:
    def test_one_text_a_vector_in_order(self, name, inverters, toy):
        stolen = stolen_from(toy)
        found = inverters[name].invert(stolen)
        assert list(found.ids) == list(stolen.ids)
        assert all(isinstance(text, str) for text in found.texts)
        assert found.method == name == inverters[name].name
        assert found.seconds > 0
        alone = inverters[name].invert(stolen.select(slice(2, 3)))
        assert alone.texts[0] == found.texts[2]

    def test_cosines_are_those_of_the_texts(self, name, inverters, toy):
        stolen = stolen_from(toy)
        found = inverters[name].invert(stolen)
        again = toy.embed(list(found.texts))
        assert found.cosines == pytest.approx((again * stolen.vectors).sum(1), abs=1e-6)

    def test_an_attack_never_holds_the_truth(self, name, inverters, toy):
        with pytest.raises(BadInput, match="never holds the truth"):
            inverters[name].invert(toy.embed_set(["a"], ["text"]))

    def test_another_dimension_is_refused(self, name, inverters):
        stolen = EmbeddingSet(np.array(["a"], dtype=object), np.ones((1, 7)))
        with pytest.raises(BadInput, match=f"vectors have 7 dimensions; the {name} inverter expects 64"):
            inverters[name].invert(stolen)

    def test_length_of_vectors_is_no_secret_key(self, name, inverters, toy):
        stolen = stolen_from(toy)
        longer = EmbeddingSet(stolen.ids, 3.5 * stolen.vectors)
        assert list(inverters[name].invert(longer).texts) == list(inverters[name].invert(stolen).texts)

    def test_a_stolen_store_alone_is_enough_for_samples_only(self, name, toy):
        if INVERTERS.load(name).needs == Access.SAMPLES:
            STOLEN_STORE.admit(name, INVERTERS.load(name).needs)
            return
        with pytest.raises(AccessDenied, match="threat model 'stolen-store' grants SAMPLES"):
            open_inverter(name, Attacker(toy, STOLEN_STORE))


def test_nearest_finds_the_text_that_it_knows(inverters, toy):
    found = inverters["nearest"].invert(stolen_from(toy))
    assert list(found.texts) == TEXTS
    assert found.cosines == pytest.approx(1.0, abs=1e-6)


def test_the_bag_of_words_holds_true_words(inverters, toy):
    found = inverters["bag-of-words"].invert(stolen_from(toy))
    shared = [
        len(set(a.split()) & set(b.split())) / len(set(b.split())) for a, b in zip(found.texts, TEXTS, strict=True)
    ]
    assert np.mean(shared) > 0.5


def test_re_ranking_never_lowers_the_cosine(toy, model):
    stolen = stolen_from(toy)
    cosines = [Hypothesis(toy, model, beams=k).invert(stolen).cosines.mean() for k in (1, 8)]
    assert cosines[1] >= cosines[0]


def test_re_ranking_takes_the_best_of_its_own_candidates(toy, model):
    stolen, attack = stolen_from(toy), Hypothesis(toy, model, beams=5)
    found = attack.invert(stolen)
    for vector, text, candidates in zip(stolen.vectors, found.texts, attack.hypotheses(stolen.vectors), strict=True):
        scores = toy.embed(candidates) @ vector
        assert text == candidates[int(scores.argmax())]


def test_an_embedder_without_a_checkpoint_is_told_what_to_do(toy):
    with pytest.raises(BadInput, match="workbench train inverter --embedder toy"):
        open_inverter("hypothesis", Attacker(toy))
    with pytest.raises(UnknownName, match="no checkpoint is called 'nothing'"):
        open_inverter("hypothesis", Attacker(toy, checkpoint="nothing"))
    with pytest.raises(UnknownName, match="Did you mean 'nearest'"):
        open_inverter("nearst", Attacker(toy))


def test_a_checkpoint_of_other_weights_is_refused(tmp_path):
    cls = load_embedder(f"transformers:{model_folder()}?pooling=mean", "cpu")
    cls.spec = type(cls.spec)("minilm", "0" * 12, 384, True, 256)
    with pytest.raises(BadInput, match="has weights 000000000000"):
        open_inverter("hypothesis", Attacker(cls))


@given(st.integers(2, 30), st.integers(0, 99))
def test_no_vector_keeps_its_own_id_when_shuffled(n, seed):
    vectors = np.arange(1, n + 1, dtype=np.float32)[:, None]
    before = EmbeddingSet(np.array([str(i) for i in range(n)], dtype=object), vectors)
    after = shuffled(before, seed)
    assert list(after.ids) == list(before.ids)
    assert not (after.vectors == before.vectors).any()
    assert sorted(after.vectors.ravel()) == sorted(before.vectors.ravel())


def test_one_vector_cannot_be_shuffled():
    with pytest.raises(BadInput, match="one vector cannot be shuffled"):
        shuffled(EmbeddingSet(np.array(["a"], dtype=object), np.ones((1, 2))))
