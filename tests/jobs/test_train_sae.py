"""Training a sparse autoencoder: resumable to the bit, and what is measured on was never learnt from."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from workbench.core.checkpoint import open_card
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.render import to_html, to_markdown
from workbench.core.result import Result
from workbench.jobs import train_sae as job
from workbench.jobs._sae_data import corpus_vectors, part
from workbench.jobs.sae_recipe import SaeRecipe
from workbench.probe import TopKAutoencoder
from workbench.report import Report
from workbench.results import SparseFeatures

RECIPE = SaeRecipe(features=48, k=4, epochs=6, batch=64, dead_after=500, held_out=0.1, learning_rate=5e-3)
TOPICS = {
    "money": "bank account loan money card",
    "sea": "ship harbour wave sailor fish",
    "song": "singer guitar chorus song band",
    "court": "judge law court lawyer verdict",
}


def lines(n=800):
    random = np.random.default_rng(0)
    out = []
    for row in range(n):
        topic = random.choice(list(TOPICS))
        out.append(f"the {' '.join(random.choice(TOPICS[topic].split(), 3))} of a day no {row}")
    return out


@pytest.fixture(scope="module")
def vectors(toy):
    texts = lines()
    return toy.embed_set([f"t{row}" for row in range(len(texts))], texts)


@pytest.fixture(scope="module")
def unbroken(vectors, tmp_path_factory):
    run = tmp_path_factory.mktemp("sae") / "unbroken"
    return job.train_sae(vectors, RECIPE, run, "cpu", save_every=20), run


def test_a_killed_run_goes_on_as_if_nothing_had_been(vectors, unbroken, tmp_path, monkeypatch):
    save = job.SaeFitter.save

    def save_and_die(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(job.SaeFitter, "save", save_and_die)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            job.train_sae(vectors, RECIPE, tmp_path / "killed", "cpu", save_every=20)
    monkeypatch.setattr(job.SaeFitter, "save", save)
    resumed = job.train_sae(vectors, RECIPE, tmp_path / "killed", "cpu", save_every=20)
    for name in ("encoder", "bias", "decoder", "centre"):
        mine, theirs = (getattr(each.autoencoder, name) for each in (resumed, unbroken[0]))
        assert mine.tobytes() == theirs.tobytes(), name
    assert replace(resumed.features, seconds=0.0).to_json() == replace(unbroken[0].features, seconds=0.0).to_json()


def test_a_finished_run_is_measured_again_and_not_trained(vectors, unbroken, monkeypatch):
    monkeypatch.setattr(job.SaeFitter, "learn", lambda *_: pytest.fail("no step is left"))
    again = job.train_sae(vectors, RECIPE, unbroken[1], "cpu")
    assert again.autoencoder.decoder.tobytes() == unbroken[0].autoencoder.decoder.tobytes()


def test_what_lies_in_the_folder(vectors, unbroken):
    trained, run = unbroken
    assert {path.name for path in run.iterdir()} == {"recipe.json", "log.jsonl", "state", "checkpoint", "features.json"}
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert log[-1]["held_out_explained"] > log[0]["held_out_explained"]
    assert log[-1]["held_out_explained"] == pytest.approx(trained.features.ours.explained.value, abs=1e-3)
    opened = TopKAutoencoder.load(run / "checkpoint")
    np.testing.assert_array_equal(opened.reconstruct(vectors.vectors), trained.autoencoder.reconstruct(vectors.vectors))
    card = open_card(run / "checkpoint", "sae")
    assert card.embedder == opened.embedder == "toy"
    assert card.training["recipe"]["features"] == 48
    assert card.metrics["ours"]["explained"]["value"] == trained.features.ours.explained.value
    assert Result.load(run / "features.json") == trained.features


def test_held_out_texts_are_never_learnt_from(vectors, tmp_path, monkeypatch):
    seen = []
    learn = job.SaeFitter.learn

    def watched(self, batch, rate):
        seen.extend(row.tobytes() for row in batch)
        return learn(self, batch, rate)

    monkeypatch.setattr(job.SaeFitter, "learn", watched)
    job.train_sae(vectors, replace(RECIPE, epochs=2), tmp_path / "run", "cpu")
    parted = part(vectors, 0.1)
    away = {row.tobytes() for row in parted.held_out.vectors}
    assert 40 < len(away) < 130
    assert not away & set(seen)
    assert set(seen) <= {row.tobytes() for row in parted.learnt.vectors}


def test_a_text_is_on_one_side_in_every_set(vectors, toy):
    """However it is spelt, wherever it stands, and once."""
    shouted = [f"{text.upper()}!!" for text in vectors.texts]
    twice = toy.embed_set([str(row) for row in range(1600)], [*reversed(shouted), *vectors.texts])
    parted, first = part(twice, 0.1), part(vectors, 0.1)
    assert parted.duplicates == 800
    assert {text.lower().strip("!") for text in parted.held_out.texts} == set(first.held_out.texts)
    assert set(first.held_out.ids) | set(first.learnt.ids) == set(vectors.ids)
    bare = part(vectors.without_texts(), 0.1)
    assert bare.duplicates == len(vectors) - len(np.unique(vectors.vectors, axis=0))
    assert not set(bare.held_out.ids) & set(bare.learnt.ids)


def test_features_are_named_and_shown(unbroken):
    found = unbroken[0].features
    assert found.learnt + found.held_out == 800
    assert found.naming is not None
    assert found.naming.value > 0.7
    best = found.best_named()[0]
    assert {word for word, _ in best.words} & set(" ".join(TOPICS.values()).split())
    assert found.dead.value == 1 - len(found.rows) / 48
    assert found.active.value <= 4
    shares = found.densities().values[0]
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == pytest.approx(found.dead.value)
    for page in (to_html(found.blocks()), to_markdown(found.blocks()), Report("t", (found,)).to_html()):
        assert best.words[0][0] in page
        assert "PCA, 4 components" in page
    seen = io.StringIO()
    Console(width=100, file=seen).print(found)
    assert "variance" in seen.getvalue()


def test_an_array_will_do(vectors, tmp_path):
    found = job.train_sae(vectors.vectors, replace(RECIPE, epochs=1), tmp_path / "run", "cpu").features
    assert found.naming is None
    assert isinstance(found, SparseFeatures)
    assert "no words" in found.setting()


def test_a_corpus_is_embedded_with_its_groups():
    found = corpus_vectors("toy", "cfpb", 50, "cpu")
    assert len(found) == 50
    assert found.provenance.embedder == "toy"
    assert set(found.labels) == {"group"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 49}, "k is 49 but there are 48 features"),
        ({"k": 0}, "k is 0; expected at least 1"),
        ({"held_out": 1.0}, "held_out is 1.0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
    ],
)
def test_recipes_that_cannot_be(changes, message):
    with pytest.raises(BadInput, match=message):
        replace(RECIPE, **changes)


def test_vectors_that_cannot_be_learnt(vectors, unbroken, tmp_path):
    few = vectors.select(slice(0, 30))
    with pytest.raises(BadInput, match="of 30 different vectors are held out; expected at least 20"):
        job.train_sae(few, RECIPE, tmp_path / "few", "cpu")
    with pytest.raises(BadInput, match="vectors to learn 2000 features from; expected at least as many"):
        job.train_sae(vectors, replace(RECIPE, features=2000), tmp_path / "few", "cpu")
    spoilt = vectors.vectors.copy()
    spoilt[7, 3] = np.nan
    with pytest.raises(BadInput, match=r"row 7 \(id '7'\) holds NaN"):
        job.train_sae(spoilt, RECIPE, tmp_path / "few", "cpu")
    assert not (tmp_path / "few").exists()
    with pytest.raises(BadInput, match="holds a run with another k, epochs"):
        job.train_sae(vectors, replace(RECIPE, k=3, epochs=2), unbroken[1], "cpu")
    other = EmbeddingSet(vectors.ids, vectors.vectors + 1, vectors.texts)
    with pytest.raises(BadInput, match="holds a run with another vectors"):
        job.train_sae(other, RECIPE, unbroken[1], "cpu")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("x")
    with pytest.raises(BadInput, match="holds files, but no run"):
        job.train_sae(vectors, RECIPE, tmp_path / "full", "cpu")
