"""One rule for labels: what is missing is left out and counted, and whole numbers are classes however they are held."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbench.audit.attribute_inference import infer_attributes
from workbench.core.claims import sign_flip
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.estimate import mean, mean_share
from workbench.core.labels import Labels, group_codes, group_keys, is_missing
from workbench.core.means import hit_share, mean_gain
from workbench.core.render import to_markdown
from workbench.core.result import Result
from workbench.defend import open_fitter
from workbench.probe import Eraser, labelled_by
from workbench.probe.directions import find_direction
from workbench.widgets.embedding_map import EmbeddingMap

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


TEXTS = [f"text {row}" for row in range(60)]


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, object),
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype="string", index=range(100, 160)),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:20], TEXTS[20:]]),
        (text for text in TEXTS),
        dict.fromkeys(TEXTS),
    ],
    ids=lambda each: type(each).__name__,
)
def test_texts_of_a_probe_come_in_any_sequence(texts):
    """Splits follow from the texts, so every container of the same texts gives the same split."""
    found = labelled_by("x", ["a", "b"] * 30, texts=texts)
    wanted = labelled_by("x", ["a", "b"] * 30, texts=TEXTS)
    assert found.texts == tuple(TEXTS)
    assert found.groups == tuple(TEXTS)
    assert found.split.tolist() == wanted.split.tolist()


@pytest.mark.parametrize("texts", ["one text", [1] * 60, [None, *TEXTS[1:]], TEXTS[:5], 7])
def test_what_is_no_column_of_texts_is_refused(texts):
    with pytest.raises(BadInput, match=r"expected|but texts has 5"):
        labelled_by("x", ["a", "b"] * 30, texts=texts)


GROUPS = {
    "None among words": (["a", None, "b", "a", None], 4),
    "NaN": ([1.0, float("nan"), 2.0, 1.0, float("nan")], 4),
    "array with NaN": (np.array([1.0, np.nan, 2.0, 1.0, np.nan]), 4),
    "NA": (pd.Series(["a", pd.NA, "b", "a", pd.NA], dtype="string"), 4),
    "nullable": (pd.Series([1, None, 2, 1, None], dtype="Int64"), 4),
    "blank": (np.array(["a", "", "b", "a", " "]), 4),
    "words and numbers": (["a", 1, "b", "a", 1], 3),
    "none at all": ([None] * 5, 5),
    "whole": (np.array([3, 1, 2, 3, 1]), 3),
}


@pytest.mark.parametrize("kind", GROUPS)
def test_a_row_without_a_group_is_a_group_of_its_own_in_every_mean(kind):
    groups, count = GROUPS[kind]
    values = np.array([0.1, 0.4, 0.5, 0.2, 0.9])
    assert mean(values, groups).n == count
    assert mean_share(values, groups).n == count
    assert mean_gain(values, groups).n == count
    assert hit_share(values > 0.3, groups).n == (count if count < 5 else 5)
    # the names of groups do not matter, only which rows share one
    alone = [f"x{row}" if is_missing(group) else f"g{group}" for row, group in enumerate(list(groups))]
    assert sign_flip(values - 0.3, groups) == pytest.approx(sign_flip(values - 0.3, alone), abs=0.02)


def test_groups_of_another_number_are_refused():
    for of in (mean, mean_share, sign_flip):
        with pytest.raises(BadInput, match="2 groups for 3 values"):
            of(np.array([0.1, 0.2, 0.3]), ["a", "b"])


def test_numbers_keep_their_order_as_groups():
    """Published intervals depend on the order of groups: 9 stands before 10."""
    assert group_codes([10, 9, 10], 3).tolist() == [1, 0, 1]
    assert group_codes(np.array([10.0, 9.0]), 2).tolist() == [1, 0]
    assert group_codes(["10", "9"], 2).tolist() == [0, 1]


@pytest.mark.parametrize("gap", [None, float("nan"), " ", pd.NA])
def test_a_direction_counts_rows_without_a_label(gap):
    rng = np.random.default_rng(0)
    vectors, column = rng.normal(size=(300, 4)), rng.integers(0, 2, 300).astype(object)
    vectors[:, 0] += 2 * column.astype(float)
    column[::10] = gap
    found = find_direction(vectors, column, "mean-difference")
    assert found.left_out == "labels: 30 of 300 rows have no value and are left out"
    assert found.train + found.test == 270
    assert found.left_out in to_markdown(found.blocks())
    assert Result.from_json(found.to_json()).left_out == found.left_out


@pytest.mark.parametrize("gap", [None, float("nan"), " ", pd.NA])
def test_the_leace_defence_counts_rows_without_a_label(gap):
    rng = np.random.default_rng(0)
    vectors, column = rng.normal(size=(300, 4)), rng.integers(0, 2, 300).astype(object)
    column[::10] = gap
    facts = open_fitter("leace:topic").fit(vectors, rng, {"topic": column}).facts()
    assert facts["left out of the fit"] == "label 'topic': 30 of 300 rows have no value and are left out"
    whole = open_fitter("leace:topic").fit(vectors, rng, {"topic": np.arange(300) % 2}).facts()
    assert "left out of the fit" not in whole


@pytest.mark.parametrize("gap", [None, float("nan"), " ", pd.NA])
def test_inference_counts_rows_without_a_label(gap):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 400)
    column = np.array(["sport", "money"], object)[codes]
    column[::10] = gap
    vectors = rng.normal(size=(400, 8))
    vectors[:, 0] += 3 * codes
    store = EmbeddingSet(np.array([f"row {row}" for row in range(400)], object), vectors, labels={"topic": column})
    found = infer_attributes(store, ["topic"])
    assert found.left_out == ("label 'topic': 40 of 400 rows have no value and are left out",)
    assert found.rows[0].classes == 2


@pytest.mark.parametrize("gap", [None, float("nan"), " ", pd.NA])
def test_a_map_shows_rows_without_a_label_as_such(gap):
    column = np.array(["a", gap, "b", "a"], object)
    vectors = np.random.default_rng(0).normal(size=(4, 3))
    places = np.random.default_rng(1).normal(size=(4, 2))
    store = EmbeddingSet(np.array(list("wxyz"), object), vectors, labels={"topic": column})
    page = to_markdown(EmbeddingMap(store, coordinates=places).blocks())
    assert "(no value)" in page
    assert "nan" not in page.lower() and "<na>" not in page.lower()
