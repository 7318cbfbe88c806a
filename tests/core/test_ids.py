"""Two ids are the same one where they are the same text, as in files; an id is always there."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput


def held(ids):
    given = np.empty(len(ids), dtype=object)
    given[:] = ids
    return EmbeddingSet(given, np.eye(len(ids)) + 1)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, "1"], r"row 1 has the id '1' and row 0 has 1: both are '1' as text.*prefix"),
        ([True, "True"], "row 1 has the id 'True' and row 0 has True"),
        ([np.int64(1), 1], "both are '1' as text"),
        ([b"a", "a"], "both are 'a' as text"),
        (["a", "b", "a"], "row 2 has the id 'a' of row 0"),
        ([1.0, "1.0"], "both are '1.0' as text"),
        (["a", None], r"row 1 has no id \(None\)"),
        (["a", float("nan")], r"row 1 has no id \(nan\)"),
        (["a", np.datetime64("NaT")], "row 1 has no id"),
        (["a", " "], r"row 1 has no id \(' '\)"),
        (["a", b"\xff"], "is not UTF-8"),
        (["a", ["b"]], "is a list; expected text or a number"),
        (["a", "\ud800"], "half a surrogate pair"),
    ],
)
def test_ids_that_no_file_could_hold_apart_are_refused(ids, message):
    with pytest.raises(BadInput, match=message):
        held(ids)


def test_missing_ids_of_pandas_are_refused():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(BadInput, match="row 1 has no id"):
        held(["a", pandas.NA])


@pytest.mark.parametrize(
    ("ids", "texts"),
    [
        ([1, 2], ["1", "2"]),
        ([1, 1.0], ["1", "1.0"]),
        ([b"k\xc3\xa4se", "x"], ["käse", "x"]),
        ([uuid.UUID(int=1), np.str_("y")], ["00000000-0000-0000-0000-000000000001", "y"]),
    ],
)
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_what_is_held_is_what_a_file_gives_back(tmp_path, ids, texts, suffix):
    made = held(ids)
    assert made.ids.tolist() == texts and {type(id) for id in made.ids} == {str}
    made.save(tmp_path / f"a.{suffix}")
    assert EmbeddingSet.load(tmp_path / f"a.{suffix}").ids.tolist() == texts
