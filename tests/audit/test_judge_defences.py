"""The judge of defences: what holds against a static attacker falls to an adaptive one, and the table says so."""

from __future__ import annotations

import numpy as np
import pytest
from whole import comes_back_and_shows

from workbench.audit._utility import Utility, neighbours_kept
from workbench.audit.defences import judge_defences, judge_store
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput, UnknownName
from workbench.core.vectors import unit
from workbench.data import pairs
from workbench.data.tasks import load_task
from workbench.embed._vector_cache import cached_vectors
from workbench.jobs.compare_embedders import measure
from workbench.probe import Labelled, labelled_by
from workbench.results.defences import LINEAR, MLP, STATIC, DefenceScores

LINES = ("noise:3", "noise:3?release=stored", "int8", "pca:0.5", "rotation", "permutation?key=5", "leace")


def clusters(n=900, d=32, seed=0):
    """Unit vectors of four classes, each of four clusters; two dimensions have next to no spread, as in MiniLM."""
    random = np.random.default_rng(seed)
    place = random.integers(0, 16, n)
    vectors = unit(random.standard_normal((16, d))[place] + 0.25 * random.standard_normal((n, d)))
    vectors[:, 5:7] = 1e-7 * random.standard_normal((n, 2))
    return vectors.astype(np.float32), np.array(["a", "b", "c", "d"])[place % 4]


@pytest.fixture(scope="module")
def scores():
    vectors, classes = clusters()
    return judge_defences(labelled_by("kind", classes), vectors, LINES, seeds=(0, 1))


def near_chance(attack, scores):
    return attack.accuracy.value < scores.prior.high + 0.1


def test_undefended_vectors_are_read_by_everyone(scores):
    row = scores.rows[0]
    assert row.defence == "none" and not row.deceives
    assert row.static.accuracy.value == pytest.approx(row.adaptive.accuracy.value, abs=0.02)
    assert row.static.accuracy.value > 0.95 and scores.prior.value < 0.35
    assert row.recovered.value > 0.999 > scores.recovered_prior.value
    assert row.neighbours.value == 1.0 and row.averaged is None and row.dim == 32


@pytest.mark.parametrize("line", ["rotation", "permutation"])
def test_a_secret_rotation_falls_to_retraining_and_to_fifty_pairs(scores, line):
    row = scores.row(line)
    assert near_chance(row.static, scores)
    assert row.adaptive.accuracy.value > 0.95
    assert row.attack("10 known pairs").accuracy.value < 0.9 < row.attack("50 known pairs").accuracy.value
    assert row.deceives and row.neighbours.value == 1.0 and row.recovered.value > 0.999


def test_fresh_noise_averages_away_and_stored_noise_does_not(scores):
    fresh, stored = scores.row("noise:3"), scores.row("noise:3?release=stored")
    read = [fresh.static.accuracy.value, *(fresh.attack(f"mean of {m} releases").accuracy.value for m in (4, 16, 64))]
    assert read[0] < 0.6 and read == sorted(read) and read[-1] > 0.95
    assert fresh.averaged.value > 0.9 > fresh.recovered.value
    assert stored.averaged is None and not any("releases" in each.name for each in stored.attacks)
    assert stored.worst.accuracy.value < fresh.worst.accuracy.value - 0.1


def test_leace_holds_against_linear_probes_alone(scores):
    row = scores.row("leace")
    assert near_chance(row.attack(STATIC), scores) and near_chance(row.attack(LINEAR), scores)
    assert row.attack(MLP).accuracy.value > 0.8 and row.worst.name == MLP


def test_a_static_probe_that_does_not_fit_the_space_is_no_defence(scores):
    row = scores.row("pca:0.5")
    assert row.dim == 16 and row.static.accuracy.value < 0.7 and row.adaptive.accuracy.value > 0.95
    assert scores.row("int8").static.accuracy.value > 0.95


def test_the_result_shows_the_worst_attack_the_prior_and_no_key(scores, tmp_path):
    comes_back_and_shows(scores, tmp_path)
    assert scores.table().rows[-1][0] == "prior" and scores.table().columns[-1] == "worst attack"
    assert {row[0] for row in scores.table().rows} == {"none", *(line.partition("?key")[0] for line in LINES), "prior"}
    assert any("rotation: the static attacker reads" in each.text for each in scores.verdicts())
    assert all(row.worst.accuracy.value == max(a.accuracy.value for a in row.attacks) for row in scores.rows)
    assert all(a.lowest <= a.accuracy.value <= a.highest for row in scores.rows for a in row.attacks)
    assert "key=" not in (tmp_path / "a.json").read_text()
    assert scores.chart().series[0].name == "utility: neighbours kept"


def test_chance_does_not_depend_on_who_else_is_judged():
    vectors, classes = clusters(160, 12)
    data = labelled_by("kind", classes)
    one = judge_defences(data, vectors, ["noise:1"], seeds=(0,))
    two = judge_defences(data, vectors, ["int8", "noise:1"], seeds=(0,))
    assert one.row("noise:1") == two.row("noise:1")


def test_epsilon_is_never_alone():
    vectors, classes = clusters(160, 12)
    found = judge_defences(labelled_by("kind", classes), vectors, ["metric-dp:20"], seeds=(0,))
    said = " ".join(block.text for block in found.brief() if hasattr(block, "text"))
    for word in ("metric-dp:20", "mechanism: multivariate Laplace", "unit: per unit of Euclidean", "sensitivity: "):
        assert word in said
    assert "not record-level differential privacy" in said


def test_utility_is_what_compare_measures(toy):
    wanted = measure("toy", pairs.retrieval(30), pairs.paraphrases(30))
    vectors, classes = clusters(150, toy.spec.dim)
    data = labelled_by("kind", classes)
    found = judge_defences(data, vectors, ["rotation", "noise:4"], utility=Utility.of(toy, 30), seeds=(0,))
    plain, turned, noisy = found.rows
    for name in ("ndcg", "recall", "paraphrase_auc"):
        value = getattr(wanted, name).value
        assert getattr(plain, name).value == pytest.approx(value)
        assert getattr(turned, name).value == pytest.approx(value, abs=0.02)
    assert noisy.ndcg.value < plain.ndcg.value - 0.1
    assert found.questions == 30 and found.table().columns[1] == "nDCG@10"


def test_neighbours_are_those_of_the_true_vectors():
    vectors = clusters(60, 12)[0]
    assert (neighbours_kept(vectors, vectors, vectors) == 1).all()
    shuffled = vectors[np.random.default_rng(0).permutation(60)]
    assert neighbours_kept(vectors, vectors, shuffled).mean() < 0.4
    assert (neighbours_kept(vectors[:2], vectors[:2], vectors[:2]) == 1).all()


def test_a_store_by_its_labels():
    vectors, classes = clusters(200, 12)
    texts = np.array([f"text {row}" for row in range(200)], object)
    labels = {"kind": classes, "person": np.array([f"p{row // 2}" for row in range(200)]), "grade": vectors[:, 0] * 1.0}
    store = EmbeddingSet(np.arange(200).astype(str).astype(object), vectors, texts, labels)
    found = judge_store(store, "kind", ["leace:kind"], groups="person", seeds=(0,), texts=0)
    assert found.groups < found.test and found.rows[1].adaptive.accuracy.value < 0.5 and found.questions == 0
    for label, lines, message in (
        ("nonesuch", ["int8"], "no label is called"),
        ("kind", [], "0 defences"),
        ("kind", ["int8", "int8"], "named twice"),
        ("kind", ["rotation?key=1", "rotation?key=2"], "named twice"),
        ("kind", ["none"], "no defence is called"),
        ("grade", ["int8"], "is graded"),
    ):
        with pytest.raises((BadInput, UnknownName), match=message):
            judge_store(store, label, lines, texts=0, seeds=(0,))
    with pytest.raises(BadInput, match="12 dimensions; toy expects"):
        judge_store(store, "kind", ["int8"], embedder="toy", seeds=(0,), texts=20)


@pytest.mark.slow
def test_on_real_vectors(minilm):
    """Six topics of complaints, MiniLM: the same story."""
    task = load_task("topic")
    whole = Labelled.of(task)
    rows = whole.kept(1200)  # of fewer rows the MLP learns nothing
    vectors = cached_vectors(minilm, [task.texts[row] for row in rows])
    found = judge_defences(whole.select(rows), vectors, ["rotation", "noise:2", "leace"], seeds=(0, 1, 2))
    assert isinstance(found, DefenceScores)
    plain, turned, noisy, erased = found.rows
    assert turned.static.accuracy.low < found.prior.high and turned.deceives
    assert turned.adaptive.accuracy.value > plain.adaptive.accuracy.value - 0.05
    assert turned.attack("50 known pairs").accuracy.value > plain.adaptive.accuracy.value - 0.2
    assert noisy.attack("mean of 64 releases").accuracy.value > plain.adaptive.accuracy.value - 0.05
    assert noisy.attack("mean of 64 releases").accuracy.value > noisy.static.accuracy.value + 0.1
    assert erased.adaptive.accuracy.low < found.prior.high < erased.attack(MLP).accuracy.low
