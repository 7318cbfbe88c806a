"""The other stages of bulk runs give what their verbs give, and poison vectors are set aside."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _bulk import embed, parts, rows, texts, write

from workbench.attribute import open_attributor
from workbench.core.access import Access, granting
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.data.tasks import load_task
from workbench.embed import load_embedder
from workbench.invert import open_inverter
from workbench.invert._inverter import Attacker
from workbench.jobs.bulk import STAGES, maker_of
from workbench.jobs.bulk.probe import Probe
from workbench.probe import Labelled
from workbench.probe._estimators import linear_probe

NEAREST = {
    "inverter": "nearest",
    "embedder": "toy",
    "weights": False,
    "preset": "default",
    "queries": 0,
    "checkpoint": "",
    "beams": 0,
    "corpus": "conservative",
    "corpus_texts": 50,
    "through": "hypothesis",
    "language_model": "",
    "seed": 0,
}
OCCLUSION = {
    "embedder": "toy",
    "method": "occlusion",
    "level": "word",
    "layer": 0,
    "reference": "pad",
    "tolerance": 0.01,
    "nodes": 0,
}


@pytest.fixture
def vectors(tmp_path):
    """Vectors of 40 texts as a bulk run writes them: a folder of parts."""
    embed(write(tmp_path / "in.parquet", texts(40)), tmp_path / "vectors", 15)
    return tmp_path / "vectors"


@pytest.fixture
def task(tmp_path):
    """A probing task of the user's own: do the texts tell of a cat, a dog, or neither?"""
    folder = tmp_path / "animals"
    folder.mkdir()
    kinds = ("cat", "dog", "tree")
    lines = [f"a {kinds[i % 3]} and the number {i},{kinds[i % 3]},{i}" for i in range(150)]
    (folder / "texts.csv").write_text("text,label,group\n" + "\n".join(lines))
    (folder / "task.toml").write_text(
        'summary = "which animal"\nfamily = "own"\nrule = "table"\nsource = ["texts.csv"]\n'
        'classes = ["cat", "dog", "tree"]\nchance = 0.3333\ngroup = "row"\nlicence = "CC0-1.0"\n'
    )
    return folder


def test_every_stage_says_what_it_is():
    assert STAGES.names() == ("attribute", "embed", "invert", "probe")
    assert all(STAGES.summary(name) for name in STAGES.names())


def test_inverting(vectors, tmp_path):
    assert maker_of(vectors) == "toy"
    done = embed(vectors, tmp_path / "out", 40, "invert", NEAREST)
    assert (done.rows, done.failed) == (40, ())
    found = rows(tmp_path / "out")
    attacker = Attacker(load_embedder("toy"), granting(Access.QUERY), corpus_texts=50)
    stolen = EmbeddingSet(np.array([row["id"] for row in found], object), load_embedder("toy").embed(texts(40)))
    expected = open_inverter("nearest", attacker).invert(stolen)
    assert [row["text"] for row in found] == expected.texts.tolist()
    np.testing.assert_allclose([row["cosine"] for row in found], expected.cosines)
    assert done.sha256 == embed(vectors, tmp_path / "parts", 7, "invert", NEAREST).sha256


def test_attributing(tmp_path):
    pairs = pa.table({"text_a": ["the cat sat", "a dog", None], "text_b": ["the dog sat", "", "a tree"]})
    pq.write_table(pairs, tmp_path / "in.parquet")
    done = embed(tmp_path / "in.parquet", tmp_path / "out", 2, "attribute", OCCLUSION)
    assert (done.rows, done.quarantined) == (1, 2)  # an empty text has no words to point at
    first = rows(tmp_path / "out")[0]
    expected = open_attributor(load_embedder("toy"), "occlusion").pair("the cat sat", "the dog sat", "word")
    assert first["id"] == "0"
    assert first["score"] == expected.score
    assert first["tokens_a"] == ["the", "cat", "sat"]
    assert first["shares_b"] == expected.matrix[:, :-1].sum(0).tolist()


def test_probing(vectors, task, tmp_path):
    recipe = {"embedder": "toy", "tasks": [str(task)], "limit": 0, "seed": 0}
    asked = [f"a {kind} of the year {i}" for i in range(20) for kind in ("cat", "dog", "tree")]
    embed(write(tmp_path / "asked.parquet", asked), tmp_path / "asked", 60)
    done = embed(tmp_path / "asked", tmp_path / "out", 17, "probe", recipe)
    found = rows(tmp_path / "out")
    assert np.mean([row["animals"] == row_text.split()[1] for row, row_text in zip(found, asked, strict=True)]) > 0.9
    assert done.sha256 == embed(tmp_path / "asked", tmp_path / "other", 60, "probe", recipe).sha256
    assert sorted(path.suffix for path in (tmp_path / "out/probes").iterdir()) == [".json", ".safetensors"]

    data = Labelled.of(load_task(str(task)))
    model = load_embedder("toy")
    learnt = [data.texts[row] for row in data.learnt]
    probe = linear_probe(data.split[data.learnt] == "validation").fit(model.embed(learnt), data.labels[data.learnt])
    chances = probe.predict_proba(model.embed(asked))
    np.testing.assert_allclose([row["animals.probability"] for row in found], chances.max(1), atol=1e-5)
    assert [row["animals"] for row in found] == [data.classes[code] for code in chances.argmax(1)]


def test_a_probe_that_was_changed_is_refused(vectors, task, tmp_path):
    recipe = {"embedder": "toy", "tasks": [str(task)], "limit": 0, "seed": 0}
    embed(vectors, tmp_path / "out", 20, "probe", recipe)
    parts(tmp_path / "out")[0].unlink()
    place = tmp_path / "out/probes/animals.safetensors"
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    with pytest.raises(BadInput, match=r"animals\.safetensors is not what card\.json beside it says"):
        embed(vectors, tmp_path / "out", 20, "probe", recipe)
    assert Probe.part_rows % Probe.batch_rows == 0


def test_poison_vectors_are_set_aside_with_their_reasons(tmp_path):
    good = load_embedder("toy").embed(["a text"])[0].tolist()
    held = [good, None, good[:-1], [float("nan"), *good[1:]], [1e300, *good[1:]], [0.0] * 64, [None, *good[1:]], good]
    pq.write_table(pa.table({"vector": pa.array(held, pa.list_(pa.float64()))}), tmp_path / "in.parquet")
    done = embed(tmp_path / "in.parquet", tmp_path / "out", 100, "invert", NEAREST)
    assert (done.rows, done.quarantined) == (2, 6)
    assert [row["id"] for row in rows(tmp_path / "out")] == ["0", "7"]
    assert [row["reason"] for row in rows(tmp_path / "out", "quarantine")] == [
        "no vector",
        "63 dimensions; expected 64",
        *["NaN, infinity or a missing number"] * 2,
        "all zeros",
        "NaN, infinity or a missing number",
    ]


def test_vectors_that_all_have_another_dimension_are_refused(small_set, tmp_path):
    small_set.save(tmp_path / "in.parquet")
    with pytest.raises(BadInput, match="have 4 dimensions, expected 64: was another embedder used"):
        embed(tmp_path / "in.parquet", tmp_path / "out", 100, "invert", NEAREST)
    assert json.loads((tmp_path / "out/manifest.json").read_text())["sealed"] is None


@pytest.mark.parametrize("kind", ["int8", "uint8", "signs"])
def test_quantised_codes_are_refused_by_name(kind, tmp_path):
    """A run's parts would each read them as numbers of the embedder's space; the codes are those of
    `quantize_embeddings`, a range for each dimension."""
    exact = np.random.default_rng(0).standard_normal((64, 64)) * np.linspace(0.5, 3, 64)
    low, high = exact.min(0), exact.max(0)
    steps = np.floor((exact - low) / (high - low) * 255)
    codes = {"int8": steps - 128, "uint8": steps, "signs": np.sign(exact)}[kind].astype("f4")
    pq.write_table(pa.table({"vector": pa.array(codes.tolist(), pa.list_(pa.float32()))}), tmp_path / "in.parquet")
    with pytest.raises(BadInput, match=r"the vectors are (one bit|whole numbers).*no codes are decoded in bulk"):
        embed(tmp_path / "in.parquet", tmp_path / "out", 40, "invert", NEAREST)
    assert not (tmp_path / "out").exists()
