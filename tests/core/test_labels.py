"""One rule for labels: what is missing is left out and counted, and whole numbers are classes however they are held."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.labels import Labels, group_keys
from workbench.probe import Eraser, labelled_by

MISSING = {
    "None": ["a", None, "b", "a"],
    "NaN": ["a", float("nan"), "b", "a"],
    "NA": pd.Series(["a", pd.NA, "b", "a"], dtype="string"),
    "NaT": np.array(["2020-01-01", "NaT", "2021-01-01", "2020-01-01"], "datetime64[D]"),
    "blank": ["a", " \t", "b", "a"],
    "empty": ["a", "", "b", "a"],
    "masked": np.ma.masked_array([1, 2, 3, 1], mask=[0, 1, 0, 0]),
    "gap in whole numbers": pd.Series([1, None, 2, 1]),
    "nullable": pd.Series([1, None, 2, 1], dtype="Int64"),
    "categorical": pd.Categorical(["a", None, "b", "a"]),
    "truth values": [True, None, False, True],
    "mixed numbers": np.array([1, np.nan, 2.0, 1], dtype=object),
}


@pytest.mark.parametrize("kind", MISSING)
def test_what_is_missing_is_left_out_and_counted(kind):
    read = Labels.of(MISSING[kind], 4, "label 'x'")
    names, codes = read.classes()
    assert read.present.tolist() == [True, False, True, True]
    assert len(names) == 2
    assert codes[1] == -1
    assert codes[0] == codes[3] != codes[2]
    assert read.left_out == "label 'x': 1 of 4 rows have no value and are left out"


def test_whole_numbers_are_classes_however_they_are_held():
    for column in ([0, 1, 1], [0.0, 1.0, 1.0], np.array([0, 1, 1], np.int8), pd.Series([0, 1, 1, None])):
        read = Labels.of(column)
        assert not read.graded
        assert read.classes()[0] == ("0", "1")
    assert Labels.of([9, 10, 9]).classes()[0] == ("9", "10")
    assert Labels.of([False, True]).classes()[0] == ("False", "True")
    assert Labels.of([datetime.date(2020, 1, 2), None]).classes()[0] == ("2020-01-02",)
    assert Labels.of([0.5, 1.0]).graded
    assert Labels.of(list(range(51))).graded
    with pytest.raises(BadInput, match=r"holds the grade 0\.5"):
        Labels.of([0.5, 1.0]).classes()


def test_words_for_nothing_stay_words():
    assert Labels.of(["nan", "None", "NA"]).classes()[0] == ("NA", "None", "nan")


def test_all_missing_is_refused():
    with pytest.raises(BadInput, match="all 2 rows are missing"):
        Labels.of([None, " "])


def test_rows_without_a_group_are_groups_of_their_own():
    assert group_keys(["a", None, "a", float("nan")]) == ["a", "row 1", "a", "row 3"]


def test_a_set_keeps_gaps_through_a_file(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(4, 3))
    labels = {"word": ["a", float("nan"), "b", None], "number": [1, None, 2, 1], "mixed": ["a", 1, None, 2]}
    store = EmbeddingSet(np.array(list("wxyz"), object), vectors, labels=labels)
    store.save(tmp_path / "set.parquet")
    again = EmbeddingSet.load(tmp_path / "set.parquet")
    for held in (store, again):
        assert Labels.of(held.labels["word"]).present.tolist() == [True, False, True, False]
        assert "nan" not in [str(value) for value in held.labels["word"]]
        assert Labels.of(held.labels["number"]).classes()[0] == ("1", "2")
        assert Labels.of(held.labels["mixed"]).present.tolist() == [True, True, False, True]


def test_a_probe_sees_no_row_without_a_label():
    rng = np.random.default_rng(0)
    column = rng.integers(0, 2, 200).astype(float)
    column[::10] = np.nan
    data = labelled_by("x", column, texts=np.array([f"text {row}" for row in range(200)], object))
    assert data.classes == ("0", "1")
    assert data.left_out == "label 'x': 20 of 200 rows have no value and are left out"
    seen = np.concatenate([data.learnt, data.test])
    assert len(seen) == 180
    assert not np.isnan(column[seen]).any()
    assert (data.labels[seen] == column[seen]).all()


@pytest.mark.parametrize("gap", [None, float("nan"), " ", pd.NA])
def test_an_eraser_fits_the_labelled_rows(gap):
    rng = np.random.default_rng(0)
    vectors, column = rng.normal(size=(300, 8)), rng.integers(0, 2, 300).astype(object)
    vectors[:, 0] += column.astype(float)
    holes = column.copy()
    holes[::3] = gap
    found = Eraser.fit(vectors, holes)
    assert found.classes == ("0", "1")
    assert "100 of 300 rows" in found.left_out
    kept = np.arange(300) % 3 > 0
    wanted = Eraser.fit(vectors[kept], column[kept].astype(int))
    assert found.erase(vectors) == pytest.approx(wanted.erase(vectors))
