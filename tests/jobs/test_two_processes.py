"""Two processes of one run learn what one does at an equal global batch, stopped in between or not."""

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
from workbench.jobs import train_explainer, train_inverter
from workbench.jobs._explain_mixture import Mixture
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.jobs.inverter_recipe import InverterRecipe

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


@pytest.fixture(scope="module")
def two(recipes, tmp_path_factory):
    """What two processes end with."""
    folder = tmp_path_factory.mktemp("two")
    said = {"inverter": asdict(recipes[0]), "explainer": asdict(recipes[1]), "mixture": MIXTURE.model_dump()}
    (folder / "recipes.json").write_text(json.dumps(said))
    done = subprocess.run(
        (*_LAUNCH, str(_ROOT / "tests" / "jobs" / "two_processes.py"), str(folder)),
        env={**os.environ, "PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


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


def test_an_explainer_by_two_is_the_one_of_one(recipes, two, tmp_path):
    alone = train_explainer.train_explainer(replace(recipes[1], accumulate=2), tmp_path, MIXTURE, "cpu", save_every=3)
    _same(train_explainer.learnt(alone.model), two, "explainer")
