"""Search: edits that help are found, what is kept never gets worse, budgets hold, every round is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInput, UnknownName
from workbench.core.result import Result
from workbench.embed.minilm import model_folder
from workbench.invert import open_inverter
from workbench.invert._crossing import crossed, word_starts
from workbench.invert._edits import Edit, applied, together
from workbench.invert._inverter import Attacker
from workbench.invert._pool import SOLVED, Kept, Limits, Pool
from workbench.invert.correction import Correction
from workbench.invert.search import PRESETS, Preset, Search
from workbench.lm import Lexicon, TextModel, Vocabulary, fit_bag_of_words, fit_word_shifts, make_decoder

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "where",
    "is",
    "my",
    "money",
    "bank",
    "closed",
    "account",
    "red",
    "dog",
    "ran",
]
HARD = Preset(beams=4, rounds=12, edits=24, width=2)
HEATED = Preset(beams=4, rounds=12, edits=12, width=8, parents=2, heat=0.01, patience=6)


@pytest.fixture(scope="module")
def model(toy):
    """An untrained decoder; bag of words and word shifts of the toy embedder, truly fitted."""
    vocabulary = Vocabulary.cut(model_folder(), [" ".join(WORDS)], 300)
    random = np.random.default_rng(0)
    many = [" ".join(random.choice(WORDS, size=random.integers(3, 8))) for _ in range(3000)]
    pairs = toy.embed(many), vocabulary.encode(many)
    torch.manual_seed(0)
    sizes = {"dim": toy.spec.dim, "vocabulary": len(vocabulary), "hidden": 16, "layers": 1, "heads": 2, "inner": 32}
    decoder = make_decoder("film", **sizes, max_tokens=12, corrects=True).eval()
    bag = fit_bag_of_words(*pairs, len(vocabulary), vocabulary.is_word)
    decoder.set_bag_of_words(bag)
    return TextModel(decoder, bag, vocabulary, fit_word_shifts(*pairs, len(vocabulary)))


@pytest.fixture(scope="module")
def stolen(toy):
    random = np.random.default_rng(7)
    texts = [" ".join(random.choice(WORDS, size=5, replace=False)) for _ in range(12)]
    return texts, toy.embed_set([str(i) for i in range(12)], texts).without_texts()


def test_edits_find_the_words_that_a_bad_decoder_did_not(toy, model, stolen):
    """The toy embedder does not tell a text from the same words said twice, so words are compared as sets."""
    texts, vectors = stolen
    found = Search(toy, model, HARD).invert(vectors)
    first = found.path[0]
    same = [set(a.split()) == set(b.split()) for a, b in zip(found.texts, texts, strict=True)]
    assert sum(same) >= 10
    assert found.cosines.min() > 0.98
    assert first.cosines.mean() < 0.9


@pytest.mark.parametrize(
    "make", [lambda toy, model: Search(toy, model, HARD), Correction], ids=["search", "correction"]
)
def test_no_vector_is_led_astray_and_every_round_is_told(make, toy, model, stolen):
    """Correction never loses cosine; search may give up some for a likelier text, but no text that is found."""
    found = make(toy, model).invert(stolen[1])
    assert found.path[0].stage == "hypothesis"
    assert len(found.path) > 1
    for a, b in pairwise(found.path):
        firm = a.cosines >= (SOLVED if found.method == "search" else -1)
        assert (b.cosines >= a.cosines - 1e-6)[firm].all()
    assert found.cosines.mean() > found.path[0].cosines.mean()
    assert (found.path[-1].texts == found.texts).all()
    assert found.queries == sum(each.queries for each in found.path)
    assert found.rounds.max() <= len(found.path) - 1
    for row in range(len(found)):
        steps = found.steps(row)
        assert steps[-1]["text"] == found.texts[row]
        assert len(steps) == found.rounds[row] + 1
    again = Result.from_json(found.to_json())
    assert [each.stage for each in again.path] == [each.stage for each in found.path]
    assert "Round by round" in found._repr_html_()


def test_a_word_that_is_spelt_in_pieces_comes_whole(toy, model):
    """No single piece of it helps; the lexicon offers it at once."""
    strange = ["zebra", "quartz"]
    ids = [model.vocabulary.encode([word])[0][0] for word in WORDS]
    own, shifts = toy.embed(WORDS), model.shifts.shift[ids]
    scale = (own * shifts).sum() / (own * own).sum()
    spelt = tuple(tuple(row) for row in model.vocabulary.encode(strange))
    assert min(map(len, spelt)) > 2
    knowing = replace(model, lexicon=Lexicon(spelt, (scale * toy.embed(strange)).astype(np.float32)))
    hidden = toy.embed(["the cat zebra", "my red quartz"])

    def found(by):
        *_, (_, texts) = Search(toy, by, HARD).rounds_from(hidden, ["the cat", "my red"])
        return [set(text.split()) for text in texts]

    assert found(knowing) == [{"the", "cat", "zebra"}, {"my", "red", "quartz"}]
    assert not set(strange) & set.union(*found(model))


def test_no_draft_is_rewritten_twice(toy, model, stolen, monkeypatch):
    rewritten = []
    inverter = Correction(toy, model, beams=3, rounds=6)
    rewrites = inverter._writer.rewrites

    def noted(pool, parents, beams):
        rewritten.extend((row, kept.pieces) for row, kept in parents)
        return rewrites(pool, parents, beams)

    monkeypatch.setattr(inverter._writer, "rewrites", noted)
    inverter.invert(stolen[1])
    assert rewritten
    assert len(rewritten) == len(set(rewritten))


def test_what_heat_draws_for_a_vector_depends_on_nothing_but_that_vector(toy, model, stolen):
    search, (texts, vectors) = Search(toy, model, HEATED), stolen
    found = search.invert(vectors)
    some = np.array([9, 4, 5])
    assert search.invert(vectors.select(some)).texts.tolist() == found.texts[some].tolist()
    same = [set(a.split()) == set(b.split()) for a, b in zip(found.texts, texts, strict=True)]
    assert sum(same) >= 10
    best = [each.cosines for each in found.path]
    assert all((b >= a - 1e-6)[a >= SOLVED].all() for a, b in pairwise(best))


def test_a_hundredth_of_cosine_weighs_more_the_nearer_a_text_is():
    def score(cosine, bonus=0.0):
        return Kept((1,), "a", np.ones(1, np.float32), cosine, bonus).score

    assert score(0.99) - score(0.98) > 2 * (score(0.9) - score(0.89)) > 0
    assert score(1.0 + 1e-6, -9.0) == score(1.0) == 0
    assert score(SOLVED, -9.0) > score(SOLVED - 1e-6) > score(SOLVED - 1e-6, -0.01)


def test_heat_keeps_the_best_and_lets_worse_texts_live(toy, model):
    words = model.vocabulary.encode([f"the cat {word}" for word in WORDS])
    vectors = toy.embed(["the cat sat"])

    def kept(heat):
        pool = Pool(toy, model.vocabulary, vectors, width=4, heat=heat)
        pool.offer([0], [[tuple(row) for row in words]])
        return [each.score for each in pool.kept[0]]

    cold, warm, hot = kept(0.0), kept(1e-6), kept(100.0)
    assert cold == warm == sorted(cold, reverse=True)
    assert hot[0] == cold[0]
    assert hot == sorted(hot, reverse=True)
    assert sum(hot) < sum(cold)


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.lists(st.booleans(), min_size=1, max_size=12), st.data())
def test_a_crossed_text_is_the_beginning_of_one_and_the_end_of_another(a, b, data):
    """Pieces 0 to 9 begin words, 10 to 19 go on with them; the words of either text stay whole."""
    continues = np.arange(200) % 20 >= 10
    first = tuple(100 + i % 10 + 10 * more for i, more in enumerate(a))
    second = tuple(i % 10 + 10 * more for i, more in enumerate(b))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    longest = data.draw(st.integers(1, 30))
    text = crossed(first, second, continues, longest, random)
    assert len(text) <= longest
    own = sum(piece >= 100 for piece in text)
    assert text[:own] == first[:own]
    assert own in word_starts(first, continues) or own == longest
    ends = [second[start:] for start in word_starts(second, continues)]
    assert text[own:] in [end[: longest - own] for end in ends]


def test_harder_presets_search_harder(toy, model, stolen):
    cosines = [Search(toy, model, PRESETS[name]).invert(stolen[1]).cosines.mean() for name in ("fast", "default")]
    assert cosines[1] > cosines[0]
    assert PRESETS["best"].beams > PRESETS["default"].beams > PRESETS["fast"].beams


def test_a_limit_of_queries_holds_for_every_vector(toy, model, stolen):
    few = Search(toy, model, HARD, Limits(queries=10)).invert(stolen[1])
    assert few.queries <= 10 * len(few)
    more = Search(toy, model, HARD, Limits(queries=60)).invert(stolen[1])
    assert more.cosines.mean() > few.cosines.mean()
    pool = Pool(toy, model.vocabulary, stolen[1].vectors, limits=Limits(queries=3))
    ids = model.vocabulary.encode(["the cat", "a dog", "my money", "red mat"])
    (found,) = pool.offer([0], [[tuple(row) for row in ids]])
    assert np.isfinite(found).all(1).tolist() == [True, True, True, False]


def test_a_limit_of_seconds_ends_the_rounds(toy, model, stolen):
    found = Search(toy, model, HARD, Limits(seconds=1e-6)).invert(stolen[1])
    assert [each.stage for each in found.path] == ["hypothesis"]


def test_a_vector_that_is_solved_or_stalls_is_left_alone(toy, model):
    texts = ["the cat", "my money"]
    pool = Pool(toy, model.vocabulary, toy.embed(texts), patience=2)
    pieces = [tuple(row) for row in model.vocabulary.encode(["the cat", "my bank"])]
    pool.offer([0, 1], [[pieces[0]], [pieces[1]]])
    assert list(pool.rounds(5, "search")) == [[1], [1]]
    assert pool.texts() == ["the cat", "my bank"]
    pool.offer([1], [[tuple(model.vocabulary.encode(["my money"])[0])]])
    assert pool.cosines() == pytest.approx([1, 1])


def test_another_preset_and_a_model_without_shifts(toy, model):
    with pytest.raises(UnknownName, match="Did you mean 'fast'"):
        open_inverter("search", Attacker(toy, preset="fats"))
    with pytest.raises(BadInput, match="no word shifts"):
        Search(toy, TextModel(model.decoder, model.bag, model.vocabulary))
    deaf = make_decoder("film", dim=64, vocabulary=len(model.vocabulary), hidden=16, layers=1, heads=2, inner=32)
    with pytest.raises(BadInput, match="cannot rewrite drafts"):
        Correction(toy, TextModel(deaf, model.bag, model.vocabulary))


def test_an_edit_is_what_it_says():
    text = (10, 11, 12, 13)
    assert applied(text, Edit(1, 2, (9,))) == (10, 9, 12, 13)
    assert applied(text, Edit(4, 4, (9, 8))) == (10, 11, 12, 13, 9, 8)
    assert applied(text, Edit(0, 2, ())) == (12, 13)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(50, 60)), max_size=12), st.integers(0, 99))
def test_edits_together_do_all_that_each_does(spans, seed):
    text = tuple(range(10))
    edits = [Edit(a, min(a + length, 10), (new,)) for a, length, new in spans]
    own, wanted, *moved = np.random.default_rng(seed).normal(size=(2 + len(edits), 6))
    own, wanted = own / np.linalg.norm(own), wanted / np.linalg.norm(wanted)
    moved = own + np.array(moved).reshape(-1, 6)
    for whole in together(text, edits, moved, own, wanted, 11):
        kept = [id for id in whole if id < 50]
        assert kept == sorted(kept)
        assert len(whole) <= 11
        assert 2 <= len([id for id in whole if id >= 50]) <= 4
    assert together(text, edits, own - 0.1 * np.ones((len(edits), 1)) * wanted, own, wanted, 11) == []
    assert together(text, edits, np.full_like(moved, np.nan), own, wanted, 11) == []


def test_edits_that_lose_alone_are_found_when_they_gain_together():
    text, own, wanted = (10, 11, 12, 13), np.array([1.0, 0, 0, 0]), np.array([0.8, 0.6, 0, 0])
    lost, found = np.array([0.9, 0, 0.9, 0]), np.array([0.9, 0.5, -0.9, 0])
    edits = [Edit(0, 1, ()), Edit(4, 4, (10,)), Edit(2, 3, (7,))]
    moved = np.stack([lost, found, own - 0.3 * wanted])
    assert all(np.array(vector) @ wanted / np.linalg.norm(vector) < own @ wanted for vector in moved)
    assert together(text, edits, moved, own, wanted, 11)[0] == (11, 12, 13, 10)
