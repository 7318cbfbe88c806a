"""Training: a run that was killed ends with the very weights of the run that was not."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from workbench.core.checkpoint import open_card
from workbench.core.errors import BadInput
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.invert._inverter import Attacker
from workbench.invert.hypothesis import Hypothesis
from workbench.jobs import train_inverter as job
from workbench.jobs._training_data import Pairs, batches
from workbench.jobs.ship_inverter import ship_inverter

RECIPE = job.InverterRecipe(
    corpus="cfpb", texts=1000, planted=50, vocabulary=1500, layers=1, steps=6, warmup=2, batch_tokens=256
)


def weights(trained):
    return {name: tensor.clone() for name, tensor in trained.model.decoder.state_dict().items()}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run = tmp_path_factory.mktemp("unbroken")
    return job.train_inverter(RECIPE, run, "cpu", save_every=3), run


def test_a_killed_run_goes_on_as_if_nothing_had_been(unbroken, tmp_path, monkeypatch):
    save = job._save_state

    def save_and_die(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "_save_state", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        job.train_inverter(RECIPE, tmp_path, "cpu", save_every=3)
    monkeypatch.setattr(job, "_save_state", save)
    resumed = job.train_inverter(RECIPE, tmp_path, "cpu", save_every=3)
    whole = weights(unbroken[0])
    assert all(torch.equal(tensor, whole[name]) for name, tensor in weights(resumed).items())


def test_it_learns_and_logs(unbroken):
    lines = [json.loads(line) for line in (unbroken[1] / "log.jsonl").read_text().splitlines()]
    nats = [line["validation_nats"] for line in lines if "validation_nats" in line]
    assert len(nats) == 2
    assert nats[1] < nats[0]


def test_another_recipe_in_the_same_folder_is_refused(unbroken):
    with pytest.raises(BadInput, match="holds a run with another layers"):
        job.train_inverter(job.replace(RECIPE, layers=2), unbroken[1], "cpu")


def test_the_checkpoint_has_its_card_and_can_be_opened(unbroken, tmp_path):
    folder = tmp_path / "tiny"
    table = ship_inverter(unbroken[0], folder, evaluate=40, beams=2)
    card = open_card(folder, "inverter")
    assert card.metrics == table.to_json()
    assert card.training["recipe"]["layers"] == 1
    assert {part["name"] for part in card.data} == {"cfpb", "personal"}
    assert set(card.sha256) == {"decoder.safetensors", "bag_of_words.safetensors", "vocabulary.json"}
    assert not any("embedder" in name for name in card.sha256), "no frozen embedder inside"
    assert Hypothesis.open(Attacker(load_embedder("minilm", "cpu"), checkpoint=str(folder), device="cpu"))
    (folder / "vocabulary.json").write_text("{}")
    with pytest.raises(BadInput, match=r"vocabulary\.json does not have the SHA-256 that its card states"):
        Hypothesis.open(Attacker(load_embedder("minilm", "cpu"), checkpoint=str(folder)))


def test_batches_hold_one_length_and_each_text_once_an_epoch():
    random = np.random.default_rng(0)
    ids = [np.ones(random.integers(1, 9), dtype=np.int64) for _ in range(300)]
    pairs = Pairs(ids, np.ones((300, 2), np.float32))
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


def test_the_rate_rises_stays_and_falls():
    recipe = job.InverterRecipe(steps=1000, warmup=100, decay=0.2, learning_rate=1.0)
    assert recipe.rate(0) == pytest.approx(0.01)
    assert recipe.rate(500) == 1.0
    assert recipe.rate(900) == pytest.approx(0.5)
    assert 0 < recipe.rate(999) < 0.01


def test_the_toy_embedder_has_no_layers_to_start_from(tmp_path):
    with pytest.raises(BadInput, match="toy is not a local BERT-like model"):
        job.train_inverter(job.replace(RECIPE, embedder="toy", texts=1000, planted=0), tmp_path, "cpu")


def test_train_and_test_never_meet():
    train, test = corpora.load("cfpb", "train"), corpora.load("cfpb", "test")
    assert not set(train.ids) & set(test.ids)
