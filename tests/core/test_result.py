"""Results save and load themselves, and refuse what is not theirs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.core.result import Result
from workbench.results import Inversions, InversionScores, ScoreTable


def inversions(n=3):
    return Inversions(
        "nearest",
        np.array([f"i{k}" for k in range(n)], dtype=object),
        np.array([f"text {k} \u00e9\U0001f600" for k in range(n)], dtype=object),
        np.linspace(0, 1, n),
        np.zeros(n, dtype=np.int64),
        7,
        1.5,
    )


def table():
    e = Estimate(0.5, 0.4, 0.6, 10, "Wilson")
    return ScoreTable("scores", (InversionScores("ours", "attack", e, e, e, e),), "signature")


def test_inversions_come_back_whole(tmp_path):
    before = inversions()
    before.save(tmp_path / "a.json")
    after = Result.load(tmp_path / "a.json")
    assert isinstance(after, Inversions)
    assert after.to_json() == before.to_json()
    assert after.cosines == pytest.approx(before.cosines)
    assert list(after.texts) == list(before.texts)


def test_nested_estimates_come_back_whole(tmp_path):
    table().save(tmp_path / "a.json")
    assert Result.load(tmp_path / "a.json") == table()


def test_lengths_must_agree():
    with pytest.raises(BadInput, match="cosines has 2 entries but ids has 3"):
        whole = inversions()
        Inversions("m", whole.ids, whole.texts, np.zeros(2), whole.rounds, 0, 0.0)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"type": "Elephant"}', '{"type": "ScoreTable"}', '{"type": "ScoreTable", "title": 3}'],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=r"bad\.json"):
        Result.load(path)


def test_unknown_keys_are_refused(tmp_path):
    value = {**table().to_json(), "surplus": 1}
    (tmp_path / "a.json").write_text(json.dumps(value))
    with pytest.raises(BadInput, match="unknown keys surplus"):
        Result.load(tmp_path / "a.json")


def test_a_number_that_is_not_json_is_refused(tmp_path):
    e = Estimate(float("nan"), 0.0, 1.0, 1, "x")
    with pytest.raises(BadInput):
        ScoreTable("t", (InversionScores("m", "attack", e, e, e, e),), "s").save(tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_a_notebook_shows_html():
    assert "<table>" in table()._repr_html_()
