"""Deletion and insertion curves begin and end where they must; shuffled weights leave the model itself alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench.attribute._faithfulness import curves, evaluate, read_pairs
from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.embed._random import randomised

PAIRS = [
    ("the bank closed my account", "my account was shut by the bank"),
    ("dogs run after the red ball", "a ball is chased by dogs"),
    ("how old is she", "tell me her age"),
]


def test_curves_run_from_the_text_to_nothing_and_back(toy):
    values = [np.arange(len(a.split()), dtype=float) for a, _ in PAIRS]
    goals = toy.embed([b for _, b in PAIRS]).astype(np.float64)
    empty = toy.embed([""])[0].astype(np.float64)
    for (a, _), goal, found in zip(PAIRS, goals, curves(toy, PAIRS, values), strict=True):
        own = toy.embed([a])[0] @ goal / (np.linalg.norm(toy.embed([a])[0]) * np.linalg.norm(goal))
        nothing = empty @ goal / (np.linalg.norm(empty) * np.linalg.norm(goal))
        assert found.whole == pytest.approx(own, abs=1e-6)
        assert found.insertion[-1] == pytest.approx(own, abs=1e-6)
        assert found.deletion[-1] == pytest.approx(nothing, abs=1e-6)
        assert found.insertion[0] == pytest.approx(nothing, abs=1e-6)
        last_word = toy.embed([a.rsplit(" ", 1)[0]])[0].astype(np.float64)
        assert found.deletion[1] == pytest.approx(
            last_word @ goal / (np.linalg.norm(last_word) * np.linalg.norm(goal)), abs=1e-6
        )


def test_a_shuffled_copy_reads_otherwise_and_the_model_stays(minilm):
    before = minilm.embed(["a red ball"])
    other = randomised(minilm)
    assert float(np.abs(other.embed(["a red ball"]) - before).max()) > 0.01
    minilm.forget()
    np.testing.assert_allclose(minilm.embed(["a red ball"]), before, atol=1e-6)
    assert other.spec.revision != minilm.spec.revision


def test_every_method_is_measured_beside_chance(minilm):
    found = evaluate(minilm, PAIRS)
    rows = {row.method: row for row in found.rows}
    assert {"integrated-jacobian", "occlusion", "gradient", "token-dot", "integrated-gradients", "random order"} == set(
        rows
    )
    assert dict(found.left_out).keys() == {"closed-form"}
    assert rows["integrated-jacobian"].deletion.value < rows["random order"].deletion.value
    assert rows["integrated-jacobian"].insertion.value > rows["random order"].insertion.value
    assert rows["occlusion"].less_than_default is not None
    assert rows["integrated-jacobian"].pair_correlation.value > 0.3
    assert rows["occlusion"].pair_correlation is None
    again = Result.from_json(json.loads(json.dumps(found.to_json())))
    assert again.rows[0].deletion == found.rows[0].deletion


def test_pairs_are_read_or_refused(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"a": "one two", "b": "three"}\n{"a": "x", "b": "y"}\n', encoding="utf-8")
    assert read_pairs(path) == [("one two", "three"), ("x", "y")]
    path.write_text('{"a": "one two"}\n', encoding="utf-8")
    with pytest.raises(BadInput, match="no column 'b'; it has: a"):
        read_pairs(path)


def test_too_few_pairs_are_refused(toy):
    with pytest.raises(BadInput, match="1 of 2 pairs have two or more words"):
        evaluate(toy, [("two words", "b"), ("one", "b")])
