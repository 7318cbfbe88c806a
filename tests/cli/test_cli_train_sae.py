"""workbench train sae, as a user meets it."""

from __future__ import annotations

import json

import command_line
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.result import Result
from workbench.probe import TopKAutoencoder
from workbench.results import SparseFeatures

QUICK = ("--features", "32", "--k", "4", "--epochs", "2", "--batch", "64", "--held-out", "0.3", "--threads", "1")


def run(*arguments, **options):
    return command_line.run("train", "sae", *arguments, **options)


@pytest.fixture(scope="module")
def stored(toy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    random = np.random.default_rng(0)
    words = ["bank", "ship", "song", "court", "river", "tree", "lamp", "stone", "bread", "glass"]
    texts = [f"the {' '.join(random.choice(words, 4))} of day {row}" for row in range(400)]
    toy.embed_set([f"t{row}" for row in range(400)], texts).save(folder / "vectors.parquet")
    return folder


def test_help_teaches():
    done = run("--help")
    assert done.returncode == 0
    for word in ("--features", "--k", "--embedder", "--corpus", "--folder", "--html", "--json", "--seed", "Example"):
        assert word in done.stdout


def test_from_a_file_to_features(stored):
    done = run("vectors.parquet", *QUICK, "--html", "page.html", "--json", "out.json", cwd=stored)
    assert done.returncode == 0, done.stderr
    assert "variance" in done.stdout
    assert "runs/sae-vectors/checkpoint" in done.stderr
    found = Result.load(stored / "out.json")
    assert isinstance(found, SparseFeatures)
    assert found == Result.load(stored / "runs/sae-vectors/features.json")
    assert found.features == 32
    assert found.embedder == "toy"
    opened = TopKAutoencoder.load(stored / "runs/sae-vectors/checkpoint")
    codes = opened.encode(EmbeddingSet.load(stored / "vectors.parquet").vectors)
    assert codes.active().max() <= 4
    page = (stored / "page.html").read_text(encoding="utf-8")
    assert "PCA, 4 components" in page
    assert found.best_named()[0].words[0][0] in page
    again = run("vectors.parquet", *QUICK, "--json", "-", "--quiet", cwd=stored)
    assert json.loads(again.stdout) == found.to_json(), "a finished run is not trained again"
    assert again.stderr == ""


def test_a_part_of_a_file_is_said_to_be_one(stored, tmp_path):
    done = run(stored / "vectors.parquet", *QUICK, "--limit", "300", "--json", "out.json", cwd=tmp_path)
    assert "the first 300 of 400 vectors; --limit 0 takes all" in done.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["learnt"] + found["held_out"] == 300


def test_from_an_embedder_and_a_corpus(tmp_path):
    arguments = ("--embedder", "toy", "--corpus", "cfpb", "--limit", "500", "--folder", "mine", "--json", "-")
    done = run(*arguments, *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["learnt"] > 300
    card = json.loads((tmp_path / "mine/checkpoint/card.json").read_text())
    assert card["data"][0]["name"] == "cfpb"
    assert card["data"][0]["licences"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either a Parquet file of vectors, or --embedder with --corpus"),
        (["x.parquet", "--embedder", "toy"], "give either a Parquet file of vectors, or --embedder"),
        (["none.parquet"], "none.parquet is not there"),
        (["none.parquet", "--k", "33", "--features", "32"], "k is 33 but there are 32 features"),
        (["none.parquet", "--epochs", "0"], "epochs is 0; expected at least 1"),
        (["--embedder", "toy", "--corpus", "tatoba"], "Did you mean 'tatoeba'"),
        (["--embedder", "tyo", "--corpus", "cfpb", "--limit", "9"], "no embedder is called 'tyo'"),
        (["--embedder", "toy", "--corpus", "cfpb", "--limit", "0"], "--limit 0 is for files"),
    ],
)
def test_every_mistake_is_one_clear_line_and_exit_3(tmp_path, arguments, message):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 3
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir()), "a failed command leaves nothing behind"


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0, 2.0], [float("nan"), 1.0]], "row 1 (id '1') holds NaN or infinity"),
        ([[1.0, 2.0], [2.0, 1.0]], "of 2 different vectors are held out; expected at least 20"),
        ([[float(i), 1.0] for i in range(1000)], "vectors to learn 2048 features from; expected at least as many"),
    ],
)
def test_bad_vectors_are_refused(tmp_path, vectors, message):
    pq.write_table(pa.table({"vector": vectors}), tmp_path / "v.parquet")
    done = run("v.parquet", cwd=tmp_path)
    assert done.returncode == 3
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["v.parquet"]
