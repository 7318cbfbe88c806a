"""Training: a run that was killed ends with the very weights of the run that was not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from workbench.core.checkpoint import open_card
from workbench.core.errors import BadInput
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.invert._inverter import Attacker
from workbench.invert.hypothesis import Hypothesis
from workbench.invert.search import Preset
from workbench.jobs import train_inverter as job
from workbench.jobs._drafts import damaged, drafts, moved_parts
from workbench.jobs._training_data import Pairs, batches, gather
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.jobs.ship_inverter import ship_inverter
from workbench.lm import TextModel
from workbench.lm._blocks import Block

RECIPE = InverterRecipe(
    corpus="cfpb", texts=1000, planted=50, vocabulary=1500, layers=1, steps=6, warmup=2, batch_tokens=256
)


QUICK = Preset(beams=2, rounds=1, edits=4)


def weights(trained):
    return {name: tensor.clone() for name, tensor in trained.model.decoder.state_dict().items()}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run = tmp_path_factory.mktemp("unbroken")
    return job.train_inverter(RECIPE, run, "cpu", save_every=3), run


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"correction": 0.5, "disturb": "noise:0.1", "dropout": 0.2, "renewed": 0.6},
        {"architecture": "t5", "ema": 0.0},
    ],
)
def test_a_killed_run_goes_on_as_if_nothing_had_been(changes, tmp_path, monkeypatch):
    recipe = replace(RECIPE, **changes)
    save = job._State.save

    def save_and_die(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    whole = weights(job.train_inverter(recipe, tmp_path / "whole", "cpu", save_every=3))
    monkeypatch.setattr(job._State, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        job.train_inverter(recipe, tmp_path / "killed", "cpu", save_every=3)
    monkeypatch.setattr(job._State, "save", save)
    resumed = job.train_inverter(recipe, tmp_path / "killed", "cpu", save_every=3)
    assert all(torch.equal(tensor, whole[name]) for name, tensor in weights(resumed).items())


def test_a_causal_language_model_can_be_the_start(tmp_path):
    recipe = replace(RECIPE, architecture="causal", layers=1, steps=2)
    trained = job.train_inverter(recipe, tmp_path, "cpu", save_every=2)
    config = trained.model.save(tmp_path)
    assert config["architecture"] == "causal"
    assert config["trunk"]["num_hidden_layers"] == 1
    again = TextModel.load(tmp_path, config, "cpu")
    assert again.decoder.corrects is False
    with pytest.raises(BadInput, match="starts from a causal language model, not from nothing"):
        job.train_inverter(replace(recipe, start="nothing"), tmp_path / "other", "cpu")


def test_it_learns_and_logs(unbroken):
    lines = [json.loads(line) for line in (unbroken[1] / "log.jsonl").read_text().splitlines()]
    nats = [line["validation_nats"] for line in lines if "validation_nats" in line]
    assert len(nats) == 2
    assert nats[1] < nats[0]
    assert {"greedy_bleu", "greedy_f1", "greedy_cosine", "nearest_f1", "bag-of-words_bleu"} <= set(lines[-1])
    assert list(unbroken[0].curve) == [line for line in lines if "validation_nats" in line]
    assert "=>" in (unbroken[1] / "samples.txt").read_text()
    assert unbroken[0].cpu_seconds > 0


def test_another_recipe_in_the_same_folder_is_refused(unbroken):
    with pytest.raises(BadInput, match="holds a run with another layers"):
        job.train_inverter(replace(RECIPE, layers=2), unbroken[1], "cpu")


def test_the_checkpoint_has_its_card_and_can_be_opened(unbroken, tmp_path):
    folder = tmp_path / "tiny"
    table = ship_inverter(unbroken[0], folder, 30, 2, QUICK)
    card = open_card(folder, "inverter")
    assert card.metrics == table.to_json()
    assert card.training["recipe"]["layers"] == 1
    assert {part["name"] for part in card.data} == {"cfpb", "personal"}
    parts = ("decoder", "bag_of_words", "word_shifts", "lexicon")
    assert set(card.sha256) == {f"{name}.safetensors" for name in parts} | {"vocabulary.json"}
    assert not any("embedder" in name for name in card.sha256), "no frozen embedder inside"
    assert Hypothesis.open(Attacker(load_embedder("minilm", "cpu"), checkpoint=str(folder), device="cpu"))
    (folder / "vocabulary.json").write_text("{}")
    with pytest.raises(BadInput, match=r"vocabulary\.json does not have the SHA-256 that its card states"):
        Hypothesis.open(Attacker(load_embedder("minilm", "cpu"), checkpoint=str(folder)))


def test_batches_hold_one_length_and_each_text_once_an_epoch():
    random = np.random.default_rng(0)
    ids = [np.ones(random.integers(1, 9), dtype=np.int64) for _ in range(300)]
    pairs = Pairs([""] * 300, ids, np.ones((300, 2), np.float32))
    seen, order = [], batches(pairs, 32, seed=1)
    while len(seen) < 300:
        batch = next(order)
        assert len({len(ids[i]) for i in batch}) == 1
        assert len(batch) * (len(ids[batch[0]]) + 1) <= 32
        seen += batch.tolist()
    assert sorted(seen) == list(range(300))
    later = batches(pairs, 32, seed=1, start=5)
    again = batches(pairs, 32, seed=1)
    for _ in range(5):
        next(again)
    assert all((next(later) == next(again)).all() for _ in range(100))


def test_drafts_of_many_batches_are_those_of_each_alone(unbroken, minilm):
    model, random = unbroken[0].model, np.random.default_rng
    texts = ("The bank closed my account.", "They never sent me the letter.", "I paid it in full last month.")
    ids = [np.array([row]) for row in model.vocabulary.encode(texts)]
    batches = [(minilm.embed([text] * 6), np.repeat(row, 6, axis=0)) for text, row in zip(texts, ids, strict=True)]
    asked = [model.decoder, model.vocabulary, minilm]
    together = drafts(*asked, [(*batch, random(place)) for place, batch in enumerate(batches)], "cpu")
    for place, (batch, found) in enumerate(zip(batches, together, strict=True)):
        (alone,) = drafts(*asked, [(*batch, random(place))], "cpu")
        assert torch.equal(alone.ids, found.ids)
        assert torch.allclose(alone.vectors, found.vectors, atol=1e-5)
        assert len({tuple(row) for row in found.ids.tolist()}) > 1, "most are damaged, each in its own way"


def test_long_texts_are_cut_between_words(minilm):
    (short,), (cut,) = (gather(minilm, "conservative", "train", 400, 0, 20, 0, long=long) for long in (False, True))
    every = corpora.load("conservative", "train", 400).texts
    assert set(short.texts) < set(every)
    assert not set(cut.texts) & set(every)
    whole = [text.split() for text in every if text not in set(short.texts)]
    assert all(any(text.split() == words[: len(text.split())] for words in whole) for text in cut.texts)
    assert max(minilm.lengths(cut.texts)) <= 20
    with pytest.raises(BadInput, match="no text over 500 tokens"):
        gather(minilm, "conservative", "train", 400, 0, 500, 0, long=True)


def test_learning_drafts_alone_wants_an_inverter_to_start_from(tmp_path):
    with pytest.raises(BadInput, match="start from the checkpoint of an inverter"):
        job.train_inverter(replace(RECIPE, correction=1.0), tmp_path / "run", "cpu")


def test_damage_leaves_a_piece_and_no_mark(unbroken):
    random, vocabulary = np.random.default_rng(0), unbroken[0].model.vocabulary
    for length in (1, 2, 30):
        rows = [damaged(np.arange(3, 3 + length), vocabulary, random) for _ in range(200)]
        assert all(1 <= len(row) <= length and min(row) >= 3 for row in rows)
    assert len({len(row) for row in rows}) > 5


def test_parts_that_are_moved_keep_their_words(unbroken):
    vocabulary = unbroken[0].model.vocabulary
    (row,) = vocabulary.encode(["the representative misunderstood the unreasonableness of my complaint"])
    random = np.random.default_rng(0)
    moved = {tuple(moved_parts(np.array(row), vocabulary, random).tolist()) for _ in range(50)}
    assert len(moved) > 10
    assert {" ".join(sorted(vocabulary.decode(text).split())) for text in moved} == {
        " ".join(sorted(vocabulary.decode(row).split()))
    }


def test_correction_begins_after_its_share_of_the_run(tmp_path):
    recipe = replace(RECIPE, correction=0.5, correction_from=0.5, steps=40, batch_tokens=64, texts=1000)
    job.train_inverter(recipe, tmp_path / "late", "cpu", save_every=40)
    never = replace(recipe, correction_from=1.0)
    trained = job.train_inverter(never, tmp_path / "never", "cpu", save_every=40)
    draft_gain = [
        float(load_file(tmp_path / name / "state" / "decoder.safetensors")["draft_gain"]) for name in ("late", "never")
    ]
    assert draft_gain[0] != 0 == draft_gain[1]
    assert trained.model.decoder.corrects


def test_dropout_is_for_training_alone():
    block = Block(32, 64, 4, 8)
    block.dropout = 0.5
    x, film = torch.randn(2, 5, 32), (torch.zeros(2, 1, 64),) * 2
    torch.manual_seed(0)
    assert not torch.equal(block.train()(x, film), block(x, film))
    assert torch.equal(block.eval()(x, film), block(x, film))


def test_the_rate_rises_and_falls_by_steps_or_by_the_clock():
    recipe = InverterRecipe(steps=1000, warmup=100, learning_rate=1.0)
    assert recipe.rate(0) == pytest.approx(0.01, rel=0.01)
    assert recipe.rate(500) == pytest.approx(0.5)
    assert 0 < recipe.rate(999) < 1e-5
    timed = replace(recipe, minutes=10.0, steps=10**6)
    assert timed.rate(500, seconds=300.0) == pytest.approx(0.5, abs=0.001)
    assert timed.done(500, 600.0) == 1


def test_a_budget_of_minutes_ends_the_run(tmp_path):
    trained = job.train_inverter(replace(RECIPE, steps=10**6, minutes=0.05), tmp_path, "cpu")
    assert 0 < trained.steps < 1000
    assert trained.curve[-1]["step"] == trained.steps


def test_a_longer_run_begins_from_a_shipped_one(unbroken, tmp_path):
    folder = tmp_path / "first"
    ship_inverter(unbroken[0], folder, 30, 2, QUICK)
    recipe = replace(RECIPE, start=str(folder), correction=0.5, steps=2, warmup=0, learning_rate=1e-9, ema=0.0)
    longer = job.train_inverter(recipe, tmp_path / "run", "cpu")
    assert longer.model.vocabulary.pieces == unbroken[0].model.vocabulary.pieces
    assert longer.model.decoder.corrects
    before = weights(unbroken[0])
    after = weights(longer)
    assert all(torch.allclose(after[name].bfloat16(), before[name].bfloat16(), atol=1e-3) for name in before)
    table = ship_inverter(longer, tmp_path / "second", 30, 2, QUICK)
    assert [score.method for score in table.scores][:2] == ["search", "correction, beam 4"]
    assert open_card(tmp_path / "second", "inverter").training["start"]["from"] == "first"
    with pytest.raises(BadInput, match="has max_tokens 34; the recipe says 20"):
        job.train_inverter(replace(recipe, max_tokens=20), tmp_path / "other", "cpu")
    card = tmp_path / "first" / "card.json"
    card.write_text(card.read_text().replace('"bag_of_words": true', '"corrects": false'))  # one from before the key
    with pytest.raises(BadInput, match="has bag_of_words True; the recipe says False"):
        job.train_inverter(replace(recipe, bag_of_words=False), tmp_path / "other", "cpu")


@pytest.mark.parametrize("changes", [{"start": "nothing"}, {"cased": True}, {"bag_of_words": False}])
def test_other_beginnings(changes, tmp_path):
    trained = job.train_inverter(replace(RECIPE, **changes, steps=2, layers=1), tmp_path, "cpu")
    assert np.isfinite(trained.curve[-1]["validation_nats"])
    cased = any(piece.lower() != piece for piece in trained.model.vocabulary.pieces[3:])
    assert cased == bool(changes.get("cased"))
    leans = bool(trained.model.decoder.bag_weight.abs().sum())
    assert leans == changes.get("bag_of_words", True)


def test_any_embedder_can_be_inverted(tmp_path):
    """The toy embedder has no layers to start from, and another dimension: MiniLM's layers serve."""
    trained = job.train_inverter(replace(RECIPE, embedder="toy", steps=2), tmp_path, "cpu")
    assert trained.model.decoder.config.dim == 64
    ship_inverter(trained, tmp_path / "toy", 30, 2, QUICK)
    attacker = Attacker(trained.embedder, checkpoint=str(tmp_path / "toy"), device="cpu")
    assert Hypothesis.open(attacker).guess(trained.embedder.embed(["some text"]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"correction": 0.7}, "at least half the batches are plain"),
        ({"correction_from": 2.0}, "correction_from is 2.0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"dropout": 0.1, "architecture": "t5"}, "dropout is 0.1 for t5"),
        ({"renewed": 1.5}, "renewed is 1.5 for film"),
        ({"renewed": 0.5, "architecture": "t5"}, "renewed is 0.5 for t5"),
        ({"ema": 1.0}, "ema is 1.0"),
        ({"minutes": -1.0}, "minutes is -1.0"),
        ({"disturb": "rotation?key=12345"}, "rotation: a key that is written out would stand in the recipe"),
        ({"architecture": "rnn"}, "no architecture is called 'rnn'"),
    ],
)
def test_recipes_that_cannot_be(changes, message):
    with pytest.raises((BadInput, LookupError), match=message):
        InverterRecipe(**changes)


def test_a_start_that_cannot_be(tmp_path):
    with pytest.raises(BadInput, match="cannot start from"):
        job.train_inverter(replace(RECIPE, start=str(tmp_path)), tmp_path / "run", "cpu")
    with pytest.raises(BadInput, match="a decoder can start from a BertModel alone"):
        job.train_inverter(replace(RECIPE, start="mpnet"), tmp_path / "run", "cpu")


def test_train_and_test_never_meet():
    train, test = corpora.load("cfpb", "train"), corpora.load("cfpb", "test")
    assert not set(train.ids) & set(test.ids)
