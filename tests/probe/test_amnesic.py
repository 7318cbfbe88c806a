"""The amnesic check: what is erased, what is still read, and what it cost."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.data import corpora
from workbench.probe.amnesic import amnesic_check
from workbench.report import Report
from workbench.results.erasure import BEFORE, CONTROL, ERASED, LINEAR, MLP, RENORMALISED, UNSEEN


def sample(n=2400, d=12, seed=0):
    """Two labels: one readable in a line, and as a ring that no line finds; the other in another dimension."""
    random = np.random.default_rng(seed)
    labels, other = random.random(n) < 0.5, random.random(n) < 0.5
    vectors = random.standard_normal((n, d))
    vectors[:, 0] += 1.5 * labels
    vectors[:, 1] *= np.where(labels, 3.0, 0.3)
    vectors[:, 2] += 2.0 * other
    return vectors, labels, other


@pytest.fixture(scope="module")
def check():
    vectors, labels, other = sample()
    return amnesic_check(vectors, labels, attribute="colour", embedder="made", others={"shape": other})


def test_a_linear_probe_trained_anew_is_at_chance(check):
    assert check.reading(BEFORE).reads and check.reading(BEFORE).accuracy.low > 0.7
    assert check.at_chance
    after = check.reading(ERASED)
    assert after.accuracy.low <= check.majority.value <= after.accuracy.high
    assert check.rank == 1 and check.classes == ("False", "True")
    assert not check.reading(ERASED, UNSEEN).reads
    assert check.reading(BEFORE).accuracy.method == "Wilson"


def test_trap_four_an_mlp_still_reads_it_and_the_result_says_so(check):
    found = check.reading(ERASED, MLP)
    assert found.reads and found.accuracy.low > 0.7
    words = " ".join(block.text for block in check.verdicts())
    assert "Still read by the probe 'MLP'" in words and "erases what is linear" in words


def test_the_control_takes_as_many_dimensions_and_nothing_of_the_attribute(check):
    control = check.reading(CONTROL)
    assert control.reads and control.accuracy.low > 0.65
    assert 0.8 < check.cost(CONTROL).cosine.value < 1.0
    assert 0.8 < check.cost(ERASED).cosine.value < 1.0
    assert 0 < check.cost(ERASED).overlap.value < 1


def test_another_attribute_is_still_read(check):
    (kept,) = check.kept
    assert kept.erased.low > kept.majority.high
    assert abs(kept.erased.value - kept.before.value) < 0.03


def test_renders_and_comes_back_whole(check, tmp_path):
    check.save(tmp_path / "a.json")
    assert Result.load(tmp_path / "a.json") == check
    page = Report("Erasure", (check,)).save(tmp_path)[1].read_text()
    assert "Erasing colour" in page and "Other attributes" in page
    assert "<table>" in check._repr_html_()
    assert {block.text for block in check.verdicts()} <= {getattr(block, "text", "") for block in check.brief()}


def test_renormalised_unit_vectors_leak():
    random = np.random.default_rng(0)
    labels = np.arange(3000) % 2
    vectors = 0.5 * labels[:, None] * np.eye(16)[1] + np.eye(16)[0]
    vectors = vectors + np.where(labels, 0.5, 0.1)[:, None] * random.standard_normal((3000, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = amnesic_check(vectors, labels, mlp=False)
    assert found.at_chance and found.reading(RENORMALISED).reads
    assert any("dividing by them" in block.text for block in found.verdicts())
    assert found.reading(ERASED, MLP) is None


def test_many_classes_and_intervals_over_documents():
    random = np.random.default_rng(1)
    groups = np.arange(2000) // 4
    labels = np.array(["a", "b", "c", "d"])[random.integers(0, 4, 2000)]
    vectors = random.standard_normal((2000, 10)) + 0.8 * (labels[:, None] == np.array(["a", "b", "c", "d"])) @ (
        random.standard_normal((4, 10))
    )
    found = amnesic_check(vectors, labels, groups, mlp=False)
    assert found.rank == 3 and found.at_chance and found.reading(BEFORE).reads
    assert found.reading(BEFORE).accuracy.n == found.groups < found.test
    assert "groups" in found.reading(BEFORE).accuracy.method


def test_labels_that_no_probe_reads_leave_nothing_to_erase():
    vectors, _, _ = sample(n=1200)
    labels = np.random.default_rng(9).integers(0, 2, 1200)
    found = amnesic_check(vectors, labels, mlp=False)
    assert any("nothing to erase" in block.text for block in found.verdicts()) and found.at_chance


def test_bad_input_is_named():
    vectors, labels, _ = sample(n=200)
    with pytest.raises(BadInput, match="1 distinct"):
        amnesic_check(vectors, [1] * 200)
    with pytest.raises(BadInput, match="row 7 is a zero vector"):
        amnesic_check(np.where(np.arange(200)[:, None] == 7, 0.0, vectors), labels)
    with pytest.raises(BadInput, match="row 7 of vectors holds NaN"):
        amnesic_check(np.where(np.arange(200)[:, None] == 7, np.nan, vectors), labels)
    with pytest.raises(BadInput, match="no validation items"):
        amnesic_check(vectors, labels, split=["train"] * 150 + ["test"] * 50)
    with pytest.raises(BadInput, match="expected 30 in all, and 2 and 1 of each class"):
        amnesic_check(vectors, np.where(np.arange(200) == 3, 2, labels.astype(int)))
    with pytest.raises(BadInput, match="groups has 3 entries"):
        amnesic_check(vectors, labels, groups=["a", "b", "c"])


def test_questions_are_erased_from_real_vectors(minilm):
    """Tatoeba's sentences without their last mark: MiniLM knows which ones asked."""
    corpus = corpora.load("tatoeba", limit=12_000)
    asked = [row for row, text in enumerate(corpus.texts) if text.endswith("?")][:700]
    told = [row for row, text in enumerate(corpus.texts) if text.endswith(".")][:700]
    texts = [corpus.texts[row].rstrip("?.") for row in asked + told]
    labels = ["question"] * len(asked) + ["statement"] * len(told)
    long = [len(text.split()) > 6 for text in texts]
    groups = [corpus.groups[row] for row in asked + told]
    found = amnesic_check(
        minilm.embed(texts), labels, groups, attribute="question", embedder="minilm", others={"length": long}, mlp=False
    )
    before, after = found.reading(BEFORE, LINEAR), found.reading(ERASED, LINEAR)
    assert before.accuracy.low > 0.85
    assert found.at_chance and after.accuracy.low <= found.majority.high
    assert found.cost(ERASED).cosine.value > 0.9
    (kept,) = found.kept
    assert kept.erased.low > kept.majority.high
