"""Training an explainer: resumed is unbroken, stages are kept apart, and what it learns shows."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.tiny_lm import write_tiny_lm
from workbench.core.checkpoint import open_card
from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.core.vectors import unit
from workbench.explain import open_explainer
from workbench.jobs import train_explainer as job
from workbench.jobs._explain_batches import Blocks, packed_batches
from workbench.jobs._explain_data import empty_vectors, gather_hidden, siblings_of
from workbench.jobs._explain_items import Teacher
from workbench.jobs._explain_mixture import Mixture
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.jobs.ship_explainer import ship_explainer

MIXTURE = Mixture(
    segments={"describe": 1.0, "keywords": 0.5, "word_yes": 1.0, "word_easy": 0.5, "word_hard": 0.5},
    items={"text": 0.7, "compare": 0.1, "document": 0.1, "abstain": 0.1},
)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    model = write_tiny_lm(tmp_path_factory.mktemp("lm"))
    return ExplainerRecipe(
        model=model,
        corpus="cfpb",
        texts=500,
        planted=20,
        steps=6,
        batch=2,
        rank=2,
        first_layer=0,
        projector_share=0.5,
        warmup=1,
        word_tokens=3,
        free_tokens=1,
    )


@pytest.fixture(scope="module")
def unbroken(recipe, tmp_path_factory):
    run = tmp_path_factory.mktemp("unbroken")
    return job.train_explainer(recipe, run, MIXTURE, "cpu", save_every=2), run


def test_a_killed_run_goes_on_as_if_nothing_had_been(recipe, unbroken, tmp_path, monkeypatch):
    save = job._State.save

    def save_and_die(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(job._State, "save", save_and_die)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            job.train_explainer(recipe, tmp_path, MIXTURE, "cpu", save_every=2)
    monkeypatch.undo()
    again = job.train_explainer(recipe, tmp_path, MIXTURE, "cpu", save_every=2)
    whole, resumed = job.learnt(unbroken[0].model), job.learnt(again.model)
    assert whole.keys() == resumed.keys()
    assert any("lora_B" in name for name in whole)
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_the_projector_learns_first_and_is_then_left_alone(recipe, unbroken, tmp_path):
    trained, run = unbroken
    half = job.train_explainer(replace(recipe, steps=6), tmp_path, MIXTURE, "cpu", save_every=3, stop_after=0.0)
    assert half.steps == 0 and not half.model.lora_state()
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 2, 4, 6]
    assert [line["stage"] for line in lines[1:]] == [0, 1, 1]
    assert {"validation_nats", "shuffled_nats", "gap", "loss"} <= lines[-1].keys()
    before, after = half.model.projector.state_dict(), trained.model.projector.state_dict()
    assert not torch.equal(before["free.weight"], after["free.weight"])
    assert torch.equal(before["weight"], after["weight"]), "the closed-form bag of words is not trained"
    trunk = dict(half.model.lm.named_parameters())
    for name, value in trained.model.lm.named_parameters():
        if "lora_" not in name:
            assert torch.equal(value, trunk[name.replace(".base_layer", "")]), name


def test_what_is_shipped_is_measured_and_opens(recipe, unbroken, minilm, tmp_path):
    scores = ship_explainer(unbroken[0], tmp_path / "tiny", 30, MIXTURE, others=())
    card = open_card(tmp_path / "tiny", "explainer")
    assert Result.from_json(dict(card.metrics)) == scores
    assert card.training["steps"] == recipe.steps and card.training["recipe"]["model"] == recipe.model
    assert {row.role for row in scores.domains[0].descriptions} == {"explainer", "floor", "prior", "ceiling"}
    assert scores.domains[0].nats.value < 10 and {each.kind for each in scores.domains[0].questions} >= {"words, easy"}
    assert [each.wanted for each in scores.abstentions] == [False, True, True, True]
    opened = open_explainer(minilm, str(tmp_path / "tiny"), "cpu")
    assert opened.describe(minilm.embed_set(["a"], ["The bank is shut."]).without_texts()).rows[0].description


def test_other_processes_pack_the_same_batches(recipe, unbroken):
    trained = unbroken[0]
    teacher = Teacher(trained.train.pool, MIXTURE, siblings_of(trained.model))
    blocks = Blocks(teacher, trained.train, recipe, trained.model)
    here, there = packed_batches(blocks, 3, 2), packed_batches(blocks, 3, 2, workers=1)
    flat = [batch for block in range(3) for batch in pickle.loads(pickle.dumps(blocks[block]))]
    for number in range(3, 40, 2):
        for vectors, packed in (next(here), next(there)):
            assert all(np.array_equal(a, b) for a, b in zip(vectors, flat[number][0], strict=True))
            assert torch.equal(packed.ids, flat[number][1].ids)


def test_a_run_of_another_recipe_is_refused(recipe, unbroken):
    with pytest.raises(BadInput, match="another rank"):
        job.train_explainer(replace(recipe, rank=4), unbroken[1], MIXTURE, "cpu")


def test_siblings_are_words_that_vectors_tell_of_alike(unbroken):
    model = unbroken[0].model
    siblings = siblings_of(model)
    assert siblings("no-such-word") == []
    assert all(word not in siblings(word) for word in model.words[:50])
    ways = unit(model.projector.weight.numpy().T)
    for word in ("bank", *model.words[100:110]):
        alike = {
            other: float(ways[model.words.index(word)] @ way) for other, way in zip(model.words, ways, strict=True)
        }
        near = sorted((other for other in alike if other != word and alike[other] > 0.35), key=lambda w: -alike[w])
        assert siblings(word) == near[:12]


def test_held_out_texts_are_none_that_were_learnt(recipe, minilm):
    pools = [gather_hidden(recipe, MIXTURE, minilm, split, 200).pool for split in ("train", "validation", "test")]
    texts = [set(pool.texts) for pool in pools]
    assert all(texts) and not texts[0] & texts[1] and not texts[0] & texts[2] and not texts[1] & texts[2]


@pytest.mark.parametrize("kind", ["gaussian", "random", "mean"])
def test_empty_vectors_are_unit_and_new(kind):
    random = np.random.default_rng(0)
    vectors = random.standard_normal((40, 6)).astype(np.float32) + 1
    found = empty_vectors(kind, vectors, 5, random)
    assert found.shape == (5, 6) and found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert len(np.unique(found.round(4), axis=0)) == 5


@pytest.mark.parametrize(
    ("fields", "said"), [({"variant": "none"}, "variant"), ({"projector_share": 1.5}, "1.5"), ({"batch": 0}, "batch")]
)
def test_bad_recipes_are_named(fields, said):
    with pytest.raises(Exception, match=said):
        ExplainerRecipe(**fields)


def test_the_rate_warms_up_and_falls_in_each_stage():
    recipe = ExplainerRecipe(projector_share=0.25, warmup=10, learning_rate=1.0)
    assert recipe.rate(0, 0.0) == pytest.approx(0.1)
    assert recipe.rate(50, 0.01) > recipe.rate(50, 0.2)
    assert recipe.rate(50, 0.26) > recipe.rate(50, 0.9) >= 0.05
    assert recipe.stage(0.2) == 0 and recipe.stage(0.25) == 1
    assert replace(recipe, rank=0).stage(0.9) == 0
