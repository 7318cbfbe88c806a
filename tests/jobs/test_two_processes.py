"""Two processes of one run learn what one does at an equal global batch, stopped in between, in shares, or neither."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.tiny_lm import write_tiny_lm
from workbench.core.checkpoint import open_card
from workbench.core.result import Result
from workbench.jobs import train_explainer, train_inverter
from workbench.jobs._explain_mixture import Mixture
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.jobs.ship_explainer import ship_explainer
from workbench.lm.soft_prompt import DESCRIBE
from workbench.results import ExplainerScores

_ROOT = Path(__file__).parents[2]
_LAUNCH = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
"""`accelerate launch` starts more than one process on GPUs alone; it hands them to the same launcher."""
MIXTURE = Mixture(segments={"describe": 1.0, "word_yes": 1.0}, items={"text": 0.8, "compare": 0.1, "abstain": 0.1})


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    model = write_tiny_lm(tmp_path_factory.mktemp("lm"))
    inverter = InverterRecipe(
        corpus="cfpb", texts=1000, planted=50, vocabulary=1500, layers=1, steps=4, warmup=2, batch_tokens=256,
        dropout=0.2, disturb="noise:0.1",
    )  # fmt: skip
    explainer = ExplainerRecipe(
        model=model, corpus="cfpb", texts=500, per_task=30, planted=20, steps=4, batch=2, rank=2, first_layer=0,
        warmup=1, projector_share=0.5, word_tokens=3, free_tokens=1,
    )  # fmt: skip
    return inverter, explainer


def _by_two(recipes: tuple[InverterRecipe, ExplainerRecipe], folder: Path, *options: str) -> Path:
    """The folder, with what two processes end with in it."""
    said = {"inverter": asdict(recipes[0]), "explainer": asdict(recipes[1]), "mixture": MIXTURE.model_dump()}
    (folder / "recipes.json").write_text(json.dumps(said))
    done = subprocess.run(
        (*_LAUNCH, str(_ROOT / "tests" / "jobs" / "two_processes.py"), str(folder), *options),
        env={**os.environ, "PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def two(recipes, tmp_path_factory):
    """What two processes end with."""
    return _by_two(recipes, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def alone(recipes, tmp_path_factory):
    """The explainer that one process ends with, and its run's folder."""
    run = tmp_path_factory.mktemp("alone")
    return train_explainer.train_explainer(replace(recipes[1], accumulate=2), run, MIXTURE, "cpu", save_every=2), run


def _same(alone: dict[str, torch.Tensor], folder: Path, name: str) -> None:
    leads, follows = (load_file(folder / f"{name}_{who}.safetensors") for who in ("leads", "follows"))
    assert leads.keys() == alone.keys()
    for key, value in alone.items():
        assert torch.equal(leads[key], follows[key]), key
        assert torch.equal(leads[key], value), key


def test_an_inverter_by_two_is_the_one_of_one(recipes, two, tmp_path):
    alone = train_inverter.train_inverter(replace(recipes[0], accumulate=2), tmp_path, "cpu", save_every=2)
    _same(dict(alone.model.decoder.state_dict()), two, "inverter")
    log, other = ((folder / "log.jsonl").read_text().splitlines() for folder in (tmp_path, two / "inverter"))
    nats = [[json.loads(line)["validation_nats"] for line in lines] for lines in (log, other)]
    assert len(log) == len(other) == 2, "one process writes the log"
    assert nats[0] == pytest.approx(nats[1], abs=1e-4)


def test_an_explainer_by_two_is_the_one_of_one(alone, two):
    _same(train_explainer.learnt(alone[0].model), two, "explainer")


def test_an_explainer_in_shares_is_the_one_of_one(alone, two):
    trained, run = alone
    _same(train_explainer.learnt(trained.model), two, "shares")
    for name in ("learnt", "moments"):  # what is saved has no shares in it
        mine, theirs = (load_file(folder / "state" / f"{name}.safetensors") for folder in (run, two / "shares"))
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[key]) for key, value in mine.items())
    logs = [[json.loads(line) for line in (folder / "log.jsonl").open()] for folder in (run, two / "shares")]
    told = [[(line["step"], line["validation_nats"], line["shuffled_nats"]) for line in lines] for lines in logs]
    assert [step for step, *_ in told[0]] == [0, 2, 4]
    assert told[0] == told[1], "all measure together, and one process writes the log"


def _said(folder: Path) -> list[dict]:
    return [json.loads((folder / f"shares_{who}.json").read_text()) for who in ("leads", "follows")]


def test_each_process_holds_half_of_the_layers(alone, two):
    model = alone[0].model
    frozen = sum(part.numel() for name, part in model.lm.named_parameters() if "lora_" not in name)
    embeddings = model.embeddings.weight.numel()  # which are the head too
    for said in _said(two):
        assert said == {**said, "shared": frozen - embeddings, "here": (frozen - embeddings) / 2, "whole": embeddings}


def test_all_write_what_one_does(alone, two):
    written = alone[0].model.write([alone[0].train.vectors[:1]], DESCRIBE, 8)
    assert [said["written"] for said in _said(two)] == [written, written]


def test_what_has_no_frozen_weights_is_not_shared_out(two):
    assert all("all weights learn" in said["refused"] and "--multi_gpu" in said["refused"] for said in _said(two))


@pytest.mark.slow
def test_a_checkpoint_from_shares_is_the_one_of_one(recipes, alone, tmp_path):
    scores = ship_explainer(alone[0], tmp_path / "alone" / "shipped", 30, MIXTURE, others=())
    mine, theirs = tmp_path / "alone" / "shipped", _by_two(recipes, tmp_path, "--ship") / "shipped"
    names = sorted(path.name for path in mine.iterdir())
    assert names == sorted(path.name for path in theirs.iterdir())
    for name in names:
        assert name == "card.json" or (mine / name).read_bytes() == (theirs / name).read_bytes(), name
    found = Result.from_json(dict(open_card(theirs, "explainer").metrics))
    assert isinstance(found, ExplainerScores)
    assert replace(found, seconds=0.0) == replace(scores, seconds=0.0)
